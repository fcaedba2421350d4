"""WebP: chunks of a RIFF container. Source: RFC 9649, section 2."""

from collections.abc import Iterator
from typing import NamedTuple

from cupel.modalities.image.metadata.orientation import UPRIGHT, orientation_exif

KEPT = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ICCP", b"ANIM", b"ANMF"})
_KINDS = {b"EXIF": "EXIF", b"XMP ": "XMP"}
_EXIF_FLAG, _XMP_FLAG = 0x08, 0x04


class WebpChunk(NamedTuple):
    """A chunk: its name and data."""

    name: bytes
    data: bytes


def split_webp(content: bytes) -> Iterator[WebpChunk]:
    """Yield the chunks of a WebP; what comes behind the container is left out.

    Raises:
        ValueError: It is no WebP, or breaks off.
    """
    if content[:4] != b"RIFF" or content[8:12] != b"WEBP":
        raise ValueError("does not begin as a WebP")
    last = 8 + int.from_bytes(content[4:8], "little")
    if last > len(content):
        raise ValueError("breaks off before its end")
    place = 12
    while place + 8 <= last:
        size = int.from_bytes(content[place + 4 : place + 8], "little")
        if place + 8 + size > last:
            raise ValueError(f"a chunk at byte {place} has an impossible length")
        yield WebpChunk(content[place : place + 4], content[place + 8 : place + 8 + size])
        place += 8 + size + size % 2


def strip_webp(content: bytes, orientation: int) -> bytes:
    """Return a WebP without metadata: its colour profile is kept, and its orientation where it is turned.

    Raises:
        ValueError: It is no WebP, or breaks off.
    """
    chunks = [chunk for chunk in split_webp(content) if chunk.name in KEPT]
    is_turned = orientation != UPRIGHT
    if chunks and chunks[0].name == b"VP8X" and len(chunks[0].data) == 10:
        flags = chunks[0].data[0] & ~(_EXIF_FLAG | _XMP_FLAG) | (_EXIF_FLAG if is_turned else 0)
        chunks[0] = WebpChunk(b"VP8X", bytes([flags]) + chunks[0].data[1:])
        # Only a file with this header can have EXIF, and so be turned.
        chunks += [WebpChunk(b"EXIF", orientation_exif(orientation))] if is_turned else []
    body = b"WEBP" + b"".join(_bytes(chunk) for chunk in chunks)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def list_webp(content: bytes) -> Iterator[str]:
    """Yield what kinds of metadata a WebP holds. Raises as `strip_webp`."""
    for chunk in split_webp(content):
        if chunk.name not in KEPT:
            yield _KINDS.get(chunk.name, f"chunk {chunk.name.decode('ascii', 'backslashreplace')}")


def _bytes(chunk: WebpChunk) -> bytes:
    return chunk.name + len(chunk.data).to_bytes(4, "little") + chunk.data + b"\0" * (len(chunk.data) % 2)
