"""Small media files as programs write them: images by Pillow, sound by the standard library, the rest by its format."""

import io
import wave

from PIL import Image


def image(kind: str) -> bytes:
    """Return an image of 20 by 20 pixels."""
    out = io.BytesIO()
    Image.effect_noise((20, 20), 50).convert("RGB").save(out, format=kind)
    return out.getvalue()


PNG = image("PNG")


def sound() -> bytes:
    """Return a WAV file."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes(bytes(1_600))
    return out.getvalue()


def base_media(brand: bytes) -> bytes:
    """Return the beginning of an ISO base media file: a `ftyp` box, and a box of data."""
    content = b"ftyp" + brand + bytes(4) + brand
    return (len(content) + 4).to_bytes(4, "big") + content + (16).to_bytes(4, "big") + b"mdat" + bytes(8)


def matroska(kind: bytes) -> bytes:
    """Return the beginning of a Matroska file: an EBML header that names the kind of document."""
    fields = (
        b"\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81\x04\x42\xf3\x81\x08\x42\x82" + bytes([0x80 | len(kind)]) + kind
    )
    return b"\x1a\x45\xdf\xa3" + bytes([0x80 | len(fields)]) + fields + b"\x18\x53\x80\x67"


def mpeg_audio() -> bytes:
    """Return three frames of MP3 without a tag: 128 kilobits and 44,100 samples a second, 417 bytes a frame."""
    return (b"\xff\xfb\x90\x00" + bytes(413)) * 3


MEDIA = {
    ".png": PNG,
    ".jpg": image("JPEG"),
    ".gif": image("GIF"),
    ".webp": image("WEBP"),
    ".bmp": image("BMP"),
    ".tif": image("TIFF"),
    ".avif": image("AVIF"),
    ".wav": sound(),
    ".mp3": mpeg_audio(),
    ".flac": b"fLaC\x00\x00\x00\x22" + bytes(34),
    ".ogg": b"OggS\x00\x02" + bytes(22),
    ".aiff": b"FORM\x00\x00\x00\x2eAIFFCOMM" + bytes(30),
    ".m4a": base_media(b"M4A "),
    ".mp4": base_media(b"isom"),
    ".mov": base_media(b"qt  "),
    ".heic": base_media(b"heic"),
    ".webm": matroska(b"webm"),
    ".mkv": matroska(b"matroska"),
    ".avi": b"RIFF\x24\x00\x00\x00AVI LIST" + bytes(24),
}
