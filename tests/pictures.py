"""Pictures for tests: made from a seed, and written in every format."""

import io
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo


def picture(seed: int = 0, width: int = 96, height: int = 64) -> Image.Image:
    """Return a smooth picture with some detail, another one for each seed."""
    random = np.random.default_rng(seed)
    low = random.integers(0, 256, (5, 7, 3), dtype=np.uint8)
    image = Image.fromarray(low).resize((width, height), Image.Resampling.BICUBIC)
    noise = random.normal(0, 6, (height, width, 1))
    return Image.fromarray(np.clip(np.asarray(image) + noise, 0, 255).astype(np.uint8))


def encoded(image: Image.Image, name: str = "PNG", **options: object) -> bytes:
    """Return an image in a format."""
    out = io.BytesIO()
    image.save(out, name, **options)  # type: ignore[arg-type]
    return out.getvalue()


def personal_exif(orientation: int = 1) -> Image.Exif:
    """Return EXIF that names a place, a person and a camera."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Artist] = "Ada Example"
    exif[ExifTags.Base.Make] = "Kamera AG"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.BodySerialNumber] = "SN-0815"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.MakerNote] = b"maker's secret"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (52.0, 31.0, 12.0)
    return exif


def personal_text() -> PngInfo:
    """Return text chunks that name a person."""
    text = PngInfo()
    text.add_text("Author", "Ada Example")
    text.add_text("Comment", "at home, Ada Example", zip=True)
    text.add_itxt("XML:com.adobe.xmp", "<x>Ada Example</x>")
    return text


def write_pictures(folder: Path, count: int, ending: str = ".png", **size: int) -> list[str]:
    """Write pictures of different seeds into a folder; return their names."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"{number:03}{ending}" for number in range(count)]
    for number, name in enumerate(names):
        (folder / name).write_bytes(encoded(picture(number, **size), "JPEG" if ending == ".jpg" else "PNG"))
    return names
