"""Media told by their content: signatures of images, video and audio. What a file is called decides nothing.

SVG and HTML are left out on purpose: both can hold scripts, which a browser runs when the page is opened.
"""

from collections.abc import Callable

# As much of a file as the signatures need: two frames of MPEG audio, the longest of which has 1,441 bytes.
HEAD_BYTES = 4096
# What browsers show in a page; other media are links.
SHOWN_IN_PAGE = frozenset({".png", ".jpg", ".gif", ".webp", ".bmp", ".avif"})

_BEGINNINGS = (
    (b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR", ".png"),
    (b"\xff\xd8\xff", ".jpg"),
    (b"GIF87a", ".gif"),
    (b"GIF89a", ".gif"),
    (b"II*\x00", ".tif"),
    (b"MM\x00*", ".tif"),
    (b"fLaC\x00", ".flac"),
    (b"OggS\x00", ".ogg"),
)
_CONTAINERS = {
    (b"RIFF", b"WEBP"): ".webp",
    (b"RIFF", b"WAVE"): ".wav",
    (b"RIFF", b"AVI "): ".avi",
    (b"FORM", b"AIFF"): ".aiff",
    (b"FORM", b"AIFC"): ".aiff",
}
_BRANDS = {
    ".avif": (b"avif", b"avis"),
    ".heic": (b"heic", b"heix", b"hevc", b"mif1", b"msf1"),
    ".m4a": (b"M4A ", b"M4B "),
    ".mov": (b"qt  ",),
    ".mp4": (
        b"isom", b"iso2", b"iso3", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"dash", b"M4V ", b"MSNV",
    ),
}  # fmt: skip
_BITMAP_HEADER_BYTES = (12, 40, 52, 56, 64, 108, 124)
_EBML = b"\x1a\x45\xdf\xa3"
_EBML_KINDS = {b"webm": ".webm", b"matroska": ".mkv"}
# MPEG audio, layer III: kilobits a second by index, and samples a second, of version 1 and of versions 2 and 2.5.
_BIT_RATES = {
    True: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    False: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_SAMPLE_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}


def media_ending(head: bytes) -> str | None:
    """Return the ending that belongs to a media file by its content; None where it is none that we know.

    Args:
        head: The file's first `HEAD_BYTES`, or all of a shorter one.

    >>> media_ending(b"GIF89a" + bytes(10)), media_ending(b"id,label"), media_ending(b"<svg xmlns=")
    ('.gif', None, None)
    """
    return next((ending for tell in _TESTS if (ending := tell(head)) is not None), None)


def _by_beginning(head: bytes) -> str | None:
    return next((ending for beginning, ending in _BEGINNINGS if head.startswith(beginning)), None)


def _by_container(head: bytes) -> str | None:
    return _CONTAINERS.get((head[:4], head[8:12]))


def _by_brand(head: bytes) -> str | None:
    """ISO base media files: the first box is `ftyp`, its brand says what for."""
    if head[4:8] != b"ftyp" or not 16 <= int.from_bytes(head[:4], "big") <= HEAD_BYTES:
        return None
    return next((ending for ending, brands in _BRANDS.items() if head[8:12] in brands), None)


def _by_bitmap_header(head: bytes) -> str | None:
    """`BM` alone begins words, too: the fields behind it have to be those of a bitmap."""
    is_bitmap = head[:2] == b"BM" and head[6:10] == bytes(4)
    return ".bmp" if is_bitmap and int.from_bytes(head[14:18], "little") in _BITMAP_HEADER_BYTES else None


def _by_ebml(head: bytes) -> str | None:
    if not head.startswith(_EBML):
        return None
    place = head.find(b"\x42\x82", 4, 64)
    size = head[place + 2] & 0x7F if 0 < place < len(head) - 2 else 0
    return _EBML_KINDS.get(head[place + 3 : place + 3 + size])


def _by_mpeg_audio(head: bytes) -> str | None:
    """A tag of MP3, or two frames of it behind one another: a sync word alone also begins UTF-16."""
    is_tag = head[:3] == b"ID3" and len(head) >= 10 and head[3] in (2, 3, 4) and head[4] < 0xFF
    if is_tag and all(byte < 0x80 for byte in head[6:10]):
        return ".mp3"
    size = _frame_bytes(head)
    return ".mp3" if size and _frame_bytes(head[size:]) else None


def _frame_bytes(head: bytes) -> int:
    """Return how long the frame of MPEG audio, layer III, is that begins here; 0 where none does."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return 0
    rates = _SAMPLE_RATES.get(head[1] >> 3 & 3)
    bit_rate, sample_rate, padding = head[2] >> 4, head[2] >> 2 & 3, head[2] >> 1 & 1
    if rates is None or sample_rate == 3 or bit_rate in (0, 15):
        return 0
    is_first = head[1] >> 3 & 3 == 3
    return (144_000 if is_first else 72_000) * _BIT_RATES[is_first][bit_rate - 1] // rates[sample_rate] + padding


_TESTS: tuple[Callable[[bytes], str | None], ...] = (
    _by_beginning, _by_container, _by_brand, _by_bitmap_header, _by_ebml, _by_mpeg_audio,
)  # fmt: skip
