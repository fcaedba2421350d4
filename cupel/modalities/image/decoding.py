"""Decoding an image with Pillow: what it declares is asked first, and only what is allowed is decoded."""

import io
from typing import NamedTuple

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from cupel.modalities.image.problems import ImageProblem

# Read by content, whatever the file is called. Formats that run programs or hold other files are left out.
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF")
# Pillow's own limit, beyond which it warns.
MOST_PIXELS = 89_478_485
# Signals, hashes and previews are made of a view of at most so many pixels a side.
VIEW_SIDE = 256
WHITE = (255, 255, 255)
_TURNED = frozenset({5, 6, 7, 8})
_RESIZED = frozenset({"RGB", "L", "CMYK", "RGBA", "LA"})
_ALPHA = frozenset({"RGBA", "LA", "PA", "RGBa", "La"})


class ImageFacts(NamedTuple):
    """What an image is; width and height as it is shown, after its orientation.

    Attributes:
        format: Name of the format, by content: JPEG, PNG and so on.
        mode: Pillow's name of how pixels are kept: RGB, L, CMYK, I;16 and so on.
        width: Pixels from left to right.
        height: Pixels from top to bottom.
        frames: Pictures in the file: more than one of an animation; only the first is judged.
        orientation: The EXIF orientation, 1 (upright) to 8.
    """

    format: str
    mode: str
    width: int
    height: int
    frames: int
    orientation: int


class DecodedImage(NamedTuple):
    """What an image is, and its first frame as people see it: RGB, upright, on white."""

    facts: ImageFacts
    picture: Image.Image


def decode(content: bytes, side: int | None = VIEW_SIDE, max_pixels: int = MOST_PIXELS) -> DecodedImage | ImageProblem:
    """Return the first frame of an image as it is shown, or why it cannot be.

    A JPEG is decoded at a half, a quarter or an eighth of its size where that is enough: fine detail is then not
    computed, but all of the file is read, so that a missing end is noticed all the same.

    Args:
        content: The file's bytes.
        side: Most pixels of the longer side; larger ones are made smaller. None: as large as it is.
        max_pixels: More declared pixels are refused before anything is decoded.
    """
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
    except Image.DecompressionBombError:
        return ImageProblem("too_many_pixels", f"over {2 * MOST_PIXELS:,} of at most {max_pixels:,}")
    except UnidentifiedImageError:
        return ImageProblem("no_image", f"begins with {content[:8].hex(' ')}")
    except Exception as error:  # damaged headers raise whatever the code that reads them runs into
        return ImageProblem("damaged", _first_line(error))
    with image:
        if image.width * image.height > max_pixels:
            return ImageProblem("too_many_pixels", f"{image.width:,} x {image.height:,} of at most {max_pixels:,}")
        try:
            return _decode(image, side)
        except Exception as error:  # as above: a damaged file may raise anything
            return ImageProblem("damaged", _first_line(error))


def _decode(image: Image.Image, side: int | None) -> DecodedImage:
    orientation = _orientation(image)
    width, height = image.size
    mode, frames = image.mode, int(getattr(image, "n_frames", 1))
    if frames > 1:
        image.seek(0)
    if side is not None and image.format in ("JPEG", "MPO"):
        image.draft(None, _fitting(width, height, side))
    image.load()
    # What is made smaller first is converted sooner; of the other modes Pillow cannot make all smaller.
    seen: Image.Image = image if image.mode in _RESIZED else _as_rgb(image)
    if side is not None and seen.size != (size := _fitting(width, height, side)):
        seen = seen.resize(size, Image.Resampling.BOX, reducing_gap=1.0)
    picture = _turn(_as_rgb(seen), orientation)
    if orientation in _TURNED:
        width, height = height, width
    name = "JPEG" if image.format == "MPO" else str(image.format)
    return DecodedImage(ImageFacts(name, mode, width, height, frames, orientation), picture)


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 where there is none that can be read. Pillow turns a TIFF itself."""
    if image.format == "TIFF":
        return 1
    try:
        found = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # broken EXIF is no reason to refuse a picture
        return 1
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def _fitting(width: int, height: int, side: int) -> tuple[int, int]:
    """Return the size with the same proportions whose longer side is at most `side`; none is made larger."""
    scale = min(1.0, side / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _as_rgb(image: Image.Image) -> Image.Image:
    """Return an image in RGB: alpha on white, 16 bits a channel as 8, reals over their own range."""
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return Image.fromarray(_as_bytes(image)).convert("RGB")
    if image.mode in _ALPHA or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGB", image.size, WHITE)
        white.paste(image, mask=image.getchannel("A"))
        return white
    return image.convert("RGB")


def _as_bytes(image: Image.Image) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    values = np.asarray(image)
    if image.mode.startswith("I;16"):
        return (values >> 8).astype(np.uint8)
    values = np.nan_to_num(values.astype(np.float64), posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    if image.mode == "I" and low >= 0 and high <= 65_535:
        return (values / 257).astype(np.uint8)
    return ((values - low) * (255 / (high - low) if high > low else 0)).astype(np.uint8)


def _turn(image: Image.Image, orientation: int) -> Image.Image:
    """Return the image as its orientation says that it is shown."""
    way = _TURNS.get(orientation)
    return image if way is None else image.transpose(way)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0][:200] or type(error).__name__


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
