"""GIF: blocks between the frames. Source: CompuServe, Graphics Interchange Format, version 89a."""

from collections.abc import Iterator
from typing import NamedTuple

_TRAILER, _IMAGE, _EXTENSION = 0x3B, 0x2C, 0x21
_COMMENT, _APPLICATION, _CONTROL = 0xFE, 0xFF, 0xF9
# How often an animation runs, and its colours.
_KEPT = (b"\x0bNETSCAPE2.0", b"\x0bANIMEXTS1.0", b"\x0bICCRGBG1012")


class GifBlock(NamedTuple):
    """A frame, or an extension with its label (0 for a frame), and all of its bytes."""

    label: int
    whole: bytes


def strip_gif(content: bytes, orientation: int) -> bytes:
    """Return a GIF without comments and data of programs; it has no orientation.

    Raises:
        ValueError: It is no GIF, or breaks off.
    """
    kept = b"".join(block.whole for block in split_gif(content) if _kind(block) is None)
    return content[: _header_bytes(content)] + kept + bytes([_TRAILER])


def list_gif(content: bytes) -> Iterator[str]:
    """Yield what kinds of metadata a GIF holds. Raises as `strip_gif`."""
    for block in split_gif(content):
        if (kind := _kind(block)) is not None:
            yield kind


def split_gif(content: bytes) -> Iterator[GifBlock]:
    """Yield what stands between the header of a GIF and its trailer.

    Raises:
        ValueError: It is no GIF, or breaks off.
    """
    place = _header_bytes(content)
    while _byte(content, place) != _TRAILER:
        begin, label = place, 0
        if content[place] == _IMAGE:
            flags = _byte(content, place + 9)
            place += 11 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
        elif content[place] == _EXTENSION:
            label, place = _byte(content, place + 1), place + 2
        else:
            raise ValueError(f"expected a block at byte {place}")
        while size := _byte(content, place):
            place += 1 + size
        place += 1
        yield GifBlock(label, content[begin:place])


def _kind(block: GifBlock) -> str | None:
    """Return what kind of metadata a block is; None where it is none."""
    if block.label == _COMMENT:
        return "comment"
    if block.label == _APPLICATION and not block.whole[2:].startswith(_KEPT):
        return "XMP" if block.whole[3:].startswith(b"XMP Data") else "data of a program"
    return None if block.label in (0, _CONTROL, _APPLICATION) else f"extension {block.label}"


def _header_bytes(content: bytes) -> int:
    if content[:6] not in (b"GIF87a", b"GIF89a"):
        raise ValueError("does not begin as a GIF")
    flags = _byte(content, 10)
    return 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)


def _byte(content: bytes, place: int) -> int:
    if place >= len(content):
        raise ValueError("breaks off before its end")
    return content[place]
