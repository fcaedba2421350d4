"""The bytes of an image: of a file below the delivery's folder, or of an address."""

import errno
from pathlib import Path

from cupel.modalities.image.downloads import DownloadLimits, download
from cupel.modalities.image.locations import check_location, is_address
from cupel.modalities.image.problems import ImageProblem
from cupel.store.untrusted_files import open_below, stat_open_file

_PROBLEMS = {
    errno.ENOENT: "missing_file",
    errno.ENOTDIR: "missing_file",
    errno.ENAMETOOLONG: "missing_file",
    errno.ELOOP: "is_link",
    errno.ENXIO: "no_regular_file",
    errno.EISDIR: "no_regular_file",
}


def read_content(folder: Path, location: str, limits: DownloadLimits) -> bytes | ImageProblem:
    """Return the bytes of an image, or why they cannot be had. No link is followed, and no folder left.

    Args:
        folder: The delivery's folder.
        location: A path relative to it, or an address.
        limits: What an image may take.
    """
    problem = check_location(location)
    if problem is not None:
        return problem
    found = download(location, limits) if is_address(location) else _read_file(folder, location, limits.max_bytes)
    return ImageProblem("empty_file") if found == b"" else found


def _read_file(folder: Path, location: str, max_bytes: int) -> bytes | ImageProblem:
    root = folder.resolve()
    try:
        with open_below(root, root / location) as file:
            found = stat_open_file(file)
            if found.kind != "file":
                return ImageProblem("no_regular_file")
            if found.size > max_bytes:
                return ImageProblem("too_many_bytes", f"{found.size:,} of at most {max_bytes:,}")
            return file.read(max_bytes + 1)
    except OSError as error:
        return ImageProblem(_PROBLEMS.get(error.errno or 0, "unreadable_file"), error.strerror or "")
