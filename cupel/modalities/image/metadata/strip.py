"""Removing an image's metadata, and listing it, by the image's format."""

import io
from collections.abc import Callable, Iterator

from PIL import ExifTags, Image

from cupel.modalities.image.metadata.gif import list_gif, strip_gif
from cupel.modalities.image.metadata.jpeg import list_jpeg, strip_jpeg
from cupel.modalities.image.metadata.png import list_png, strip_png
from cupel.modalities.image.metadata.webp import list_webp, strip_webp
from cupel.modalities.image.problems import ImageProblem

PLACE = "place"


def strip_metadata(content: bytes, name: str, orientation: int) -> bytes | ImageProblem:
    """Return an image's bytes without what they say of place, person and camera, or why that cannot be.

    No pixel is decoded: of a JPEG, PNG, WebP or GIF the parts that hold metadata are left out, and all others stay as
    they are, byte for byte. What a picture needs to look the same stays: its colour profile, and its orientation, as
    EXIF that holds nothing else. Bytes behind the end of the picture go, too, among them further pictures and films.

    Args:
        content: The file.
        name: Its format, as `ImageFacts` has it.
        orientation: Its EXIF orientation, 1 to 8.
    """
    if name == "BMP":  # has no room for any
        return content
    if name not in _STRIPPERS:
        return ImageProblem("metadata_stays", name)
    try:
        return _STRIPPERS[name](content, orientation)
    except ValueError as error:
        return ImageProblem("damaged", str(error))


def list_metadata(content: bytes, name: str) -> list[str] | ImageProblem:
    """Return which kinds of metadata an image holds, in order of name; `place` where it says where it was taken.

    Args:
        content: The file.
        name: Its format, as `ImageFacts` has it; of TIFF, AVIF and BMP nothing is told.
    """
    if name not in _LISTERS:
        return []
    try:
        found = set(_LISTERS[name](content))
    except ValueError as error:
        return ImageProblem("damaged", str(error))
    return sorted(found | ({PLACE} if "EXIF" in found and _has_place(content) else set()))


def _has_place(content: bytes) -> bool:
    try:
        with Image.open(io.BytesIO(content)) as image:
            return bool(image.getexif().get_ifd(ExifTags.IFD.GPSInfo))
    except Exception:  # broken EXIF: that it is there is told all the same
        return False


_STRIPPERS: dict[str, Callable[[bytes, int], bytes]] = {
    "JPEG": strip_jpeg, "PNG": strip_png, "WEBP": strip_webp, "GIF": strip_gif,
}  # fmt: skip
_LISTERS: dict[str, Callable[[bytes], Iterator[str]]] = {
    "JPEG": list_jpeg, "PNG": list_png, "WEBP": list_webp, "GIF": list_gif,
}  # fmt: skip
