"""The images of a release: which files its training set names, their copies, and what of them is taken out first."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from cupel.config.images import Images
from cupel.errors import ReleaseError
from cupel.modalities.image.metadata.strip import strip_metadata
from cupel.modalities.image.problems import ImageProblem, explain_problem
from cupel.release.layout import IMAGE_ENDINGS, IMAGES_FOLDER

NEEDED_FILES = (
    "item_id", "location", "sha256", "size_bytes", "format", "width", "height", "frames", "orientation"
)  # fmt: skip
_AS_IT_IS = ("location", "format", "width", "height", "frames")
Row = dict[str, Any]


class ReleasedImage(NamedTuple):
    """A row of RELEASE_IMAGES, and the bytes of its copy; None where the release holds references."""

    row: Row
    content: bytes | None


def release_images(
    release: str,
    items: Iterable[pa.Table],
    files_of: Callable[[str], pa.Table],
    read: Callable[[str, str], bytes | ImageProblem],
    settings: Images,
    frozen: Mapping[tuple[str, str], str],
) -> Iterator[ReleasedImage]:
    """Yield the images of a release, of which one is held at a time.

    Args:
        release: Name of the release.
        items: Pieces of its training set: batch and item_id, in that order.
        files_of: Returns `image_files` of a batch: the columns `NEEDED_FILES`.
        read: Returns the bytes of an image, by its batch and location.
        settings: Whether files are copied, and what is taken out of them.
        frozen: The hash of each image as it was frozen, by batch and item; without one where an older version froze.

    Raises:
        ReleaseError: A file is gone, or is another than people saw; or its metadata cannot be taken out; or what would
            be released is not what was frozen.
    """
    files: dict[str, dict[str, Row]] = {}
    for piece in items:
        for batch, item_id in zip(*(piece[name].to_pylist() for name in ("batch", "item_id")), strict=True):
            if batch not in files:
                files[batch] = {row["item_id"]: row for row in files_of(batch).select(NEEDED_FILES).to_pylist()}
            file = files[batch][item_id]
            content = None if settings.released == "references" else _copy(release, batch, file, read, settings)
            row = _row(release, batch, file, content)
            if frozen.get((batch, item_id), row["sha256"]) != row["sha256"]:
                raise ReleaseError(
                    f"release {release}: {file['location']}: has the SHA-256 {row['sha256']}, but "
                    f"{frozen[batch, item_id]} was frozen; set the project's `images` as it was then"
                )
            yield ReleasedImage(row, content)


def released_hashes(files: pa.Table, settings: Images) -> pa.ChunkedArray:
    """Return the hash of what a release holds of each image.

    Args:
        files: The columns sha256 and stripped_sha256 of IMAGE_FILES.
        settings: Whether files are copied, and what is taken out of them.
    """
    is_stripped = settings.released == "files" and settings.metadata == "strip"
    return pc.coalesce(files["stripped_sha256"], files["sha256"]) if is_stripped else files["sha256"]


def _copy(
    release: str, batch: str, file: Row, read: Callable[[str, str], bytes | ImageProblem], settings: Images
) -> bytes:
    location = file["location"]
    content = read(batch, location)
    if isinstance(content, ImageProblem):
        raise ReleaseError(f"release {release}: {explain_problem(location, content)}")
    if (found := hashlib.sha256(content).hexdigest()) != file["sha256"]:
        raise ReleaseError(
            f"release {release}: {location}: has the SHA-256 {found}, but people saw {file['sha256']}; bring the file "
            "of then back and run again"
        )
    if settings.metadata == "keep":
        return content
    bare = strip_metadata(content, file["format"], file["orientation"])
    if isinstance(bare, ImageProblem):
        raise ReleaseError(f"release {release}: {explain_problem(location, bare)}")
    return bare


def _row(release: str, batch: str, file: Row, content: bytes | None) -> Row:
    sha256 = file["sha256"] if content is None else hashlib.sha256(content).hexdigest()
    ending = IMAGE_ENDINGS[file["format"]]
    return {
        "release": release,
        "batch": batch,
        "item_id": file["item_id"],
        "file": None if content is None else f"{IMAGES_FOLDER}/{sha256}{ending}",
        "sha256": sha256,
        "size_bytes": file["size_bytes"] if content is None else len(content),
        "delivered_sha256": file["sha256"],
        **{name: file[name] for name in _AS_IT_IS},
    }
