"""Why an image cannot be used: what is wrong with it, and what to do."""

from typing import NamedTuple

# Reason: what is the case; what to do about it.
REASONS: dict[str, tuple[str, str]] = {
    "no_location": ("names no file", "name a path below the delivery's folder, or an address that begins with https://"),
    "outside_folder": (
        "leads out of the delivery's folder", "put the file into the folder and name it relative to that",
    ),
    "is_link": ("is a symbolic link, or lies behind one", "put the file itself into the delivery's folder"),
    "missing_file": ("is not there", "bring the file, or mend the name; upper and lower case differ"),
    "no_regular_file": ("is a folder, a pipe or a device", "name a regular file"),
    "unreadable_file": ("cannot be read", "check the file's rights and the disk"),
    "network_forbidden": (
        "is an address on a host that the project does not allow", "add the host to image.hosts, or bring the file",
    ),
    "bad_address": ("is no address that can be asked", "use http:// or https://, without a name or password in it"),
    "no_answer": ("could not be fetched", "check the address, or bring the file"),
    "too_slow": ("did not arrive in time", "raise image.fetch_seconds, or bring the file"),
    "too_many_bytes": ("has more bytes than allowed", "make the file smaller, or raise image.max_bytes"),
    "empty_file": ("has no bytes", "bring the whole file"),
    "no_image": ("is no image of a format that is read", "convert it to JPEG or PNG"),
    "too_many_pixels": (
        "declares more pixels than allowed, and was not decoded", "make it smaller, or raise image.max_pixels",
    ),
    "damaged": ("is cut off or damaged", "bring the whole file"),
    "metadata_stays": (
        "is of a format whose metadata cannot be removed without changing pixels",
        "convert it to JPEG, PNG, WebP or GIF, or set image.metadata to keep",
    ),
}  # fmt: skip


class ImageProblem(NamedTuple):
    """A reason of `REASONS`, and what was found, on one line."""

    reason: str
    evidence: str = ""


def explain_problem(location: str, problem: ImageProblem) -> str:
    """Return a sentence that says which image, what is wrong with it, and what to do.

    >>> explain_problem("cats/1.png", ImageProblem("empty_file"))
    'cats/1.png: has no bytes; bring the whole file'
    """
    what, remedy = REASONS[problem.reason]
    evidence = f" ({problem.evidence})" if problem.evidence else ""
    return f"{location}: {what}{evidence}; {remedy}"
