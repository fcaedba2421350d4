"""Small pictures for pages and sheets: the same image gives the same bytes."""

import base64
import io

from PIL import Image

PREVIEW_SIDE = 160
_QUALITY = 80


def preview_jpeg(picture: Image.Image, side: int = PREVIEW_SIDE) -> bytes:
    """Return a JPEG of an RGB image, its longer side at most `side` pixels; it holds no metadata.

    Args:
        picture: The image as it is shown, as `decode` returns it.
        side: Pixels of the longer side.
    """
    small = picture.copy()
    small.info = {}  # a comment would be written again
    small.thumbnail((side, side), Image.Resampling.BOX, reducing_gap=None)
    out = io.BytesIO()
    small.save(out, "JPEG", quality=_QUALITY, optimize=True)
    return out.getvalue()


def preview_uri(picture: Image.Image, side: int = PREVIEW_SIDE) -> str:
    """Return a data URI of such a JPEG, for a page that shall hold its pictures."""
    return f"data:image/jpeg;base64,{base64.b64encode(preview_jpeg(picture, side)).decode()}"
