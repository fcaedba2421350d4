"""PNG: chunks between the picture's.

Source: W3C, Portable Network Graphics, third edition (2025), chapters 5 and 11.
"""

import zlib
from collections.abc import Iterator
from typing import NamedTuple

from cupel.modalities.image.metadata.orientation import UPRIGHT, orientation_exif

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# What decoding, colours and animation need; of the others nothing changes a pixel.
KEPT = frozenset(
    {
        b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT", b"cICP", b"mDCV",
        b"cLLI", b"bKGD", b"pHYs", b"acTL", b"fcTL", b"fdAT",
    }
)  # fmt: skip
_KINDS = {b"eXIf": "EXIF", b"tEXt": "text", b"zTXt": "text", b"tIME": "time"}


class PngChunk(NamedTuple):
    """A chunk: its name, its data, and all of its bytes."""

    name: bytes
    data: bytes
    whole: bytes


def split_png(content: bytes) -> Iterator[PngChunk]:
    """Yield the chunks of a PNG; what comes behind the last is left out.

    Raises:
        ValueError: It is no PNG, or breaks off.
    """
    if not content.startswith(SIGNATURE):
        raise ValueError("does not begin as a PNG")
    place, name = len(SIGNATURE), b""
    while name != b"IEND":
        size, name = int.from_bytes(content[place : place + 4], "big"), content[place + 4 : place + 8]
        end = place + 12 + size
        if end > len(content):
            raise ValueError("breaks off before its end")
        yield PngChunk(name, content[place + 8 : end - 4], content[place:end])
        place = end


def strip_png(content: bytes, orientation: int) -> bytes:
    """Return a PNG without metadata: what its colours need is kept, and its orientation where it is turned.

    Raises:
        ValueError: It is no PNG, or breaks off.
    """
    pieces = [SIGNATURE]
    for chunk in split_png(content):
        if chunk.name in KEPT:
            pieces.append(chunk.whole)
        if chunk.name == b"IHDR" and orientation != UPRIGHT:
            pieces.append(_chunk(b"eXIf", orientation_exif(orientation)))
    return b"".join(pieces)


def list_png(content: bytes) -> Iterator[str]:
    """Yield what kinds of metadata a PNG holds. Raises as `strip_png`."""
    for chunk in split_png(content):
        if chunk.name == b"iTXt":
            yield "XMP" if chunk.data.startswith(b"XML:com.adobe.xmp\0") else "text"
        elif chunk.name not in KEPT:
            yield _KINDS.get(chunk.name, f"chunk {chunk.name.decode('ascii', 'backslashreplace')}")


def _chunk(name: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")
