"""JPEG: segments before and between the scans. The scans' bytes stay as they are.

Source: ITU-T T.81, annex B; Exif 2.32, section 4.5.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from cupel.modalities.image.metadata.orientation import UPRIGHT, orientation_exif

SOI, EOI = b"\xff\xd8", b"\xff\xd9"
_SOS, _COMMENT = 0xDA, 0xFE
_APPLICATIONS = range(0xE0, 0xF0)
# What ends a scan: a marker that is neither a stuffed byte, nor a restart, nor a fill byte.
_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_KINDS = (
    (0xE1, b"Exif\0", "EXIF"),
    (0xE1, b"http://ns.adobe.com/x", "XMP"),
    (0xE2, b"MPF\0", "further pictures"),
    (0xED, b"Photoshop 3.0\0", "IPTC"),
)


class JpegSegment(NamedTuple):
    """A marker with what belongs to it; of a scan its bytes, too."""

    marker: int
    payload: bytes
    whole: bytes


def split_jpeg(content: bytes) -> Iterator[JpegSegment]:
    """Yield the segments of a JPEG up to its end; what comes behind the end is left out.

    Raises:
        ValueError: It is no JPEG, or breaks off.
    """
    if content[:2] != SOI:
        raise ValueError("does not begin as a JPEG")
    place = 2
    while content[place : place + 2] != EOI:
        if content[place : place + 1] != b"\xff":
            raise ValueError(f"expected a marker at byte {place}")
        while content[place + 1 : place + 2] == b"\xff":  # fill bytes
            place += 1
        if place + 4 > len(content):
            raise ValueError("breaks off before its end")
        marker = content[place + 1]
        end = place + 2 + int.from_bytes(content[place + 2 : place + 4], "big")
        payload = content[place + 4 : end]
        if marker == _SOS:
            found = _MARKER.search(content, end)
            if found is None:
                raise ValueError("breaks off before its end")
            end = found.start()
        if end <= place + 3 or end > len(content):
            raise ValueError(f"a segment at byte {place} has an impossible length")
        yield JpegSegment(marker, payload, content[place:end])
        place = end


def strip_jpeg(content: bytes, orientation: int) -> bytes:
    """Return a JPEG without metadata: what its colours need is kept, and its orientation where it is turned.

    Raises:
        ValueError: It is no JPEG, or breaks off.
    """
    pieces, header = [SOI], list[bytes]()
    if orientation != UPRIGHT:
        exif = b"Exif\0\0" + orientation_exif(orientation)
        header.append(b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif)
    for segment in split_jpeg(content):
        if not (segment.marker in _APPLICATIONS or segment.marker == _COMMENT):
            pieces += [*header, segment.whole]
            header = []
        elif (kept := _kept(segment)) is not None:
            pieces.append(kept)
    return b"".join([*pieces, EOI])


def list_jpeg(content: bytes) -> Iterator[str]:
    """Yield what kinds of metadata a JPEG holds. Raises as `strip_jpeg`."""
    for segment in split_jpeg(content):
        if segment.marker == _COMMENT:
            yield "comment"
        elif segment.marker in _APPLICATIONS and _kept(segment) is None:
            known = (name for marker, start, name in _KINDS if marker == segment.marker and _begins(segment, start))
            yield next(known, f"application segment {segment.marker - 0xE0}")


def _begins(segment: JpegSegment, start: bytes) -> bool:
    return segment.payload.startswith(start)


def _kept(segment: JpegSegment) -> bytes | None:
    """Return what stays of an application segment: JFIF without its thumbnail, colour profile, Adobe's colours."""
    if segment.marker == 0xE0 and _begins(segment, b"JFIF\0") and len(segment.payload) >= 14:
        payload = segment.payload[:12] + b"\0\0"
        return b"\xff\xe0" + (len(payload) + 2).to_bytes(2, "big") + payload
    is_colour = (segment.marker == 0xE2 and _begins(segment, b"ICC_PROFILE\0")) or (
        segment.marker == 0xEE and _begins(segment, b"Adobe")
    )
    return segment.whole if is_colour else None
