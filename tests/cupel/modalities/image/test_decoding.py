import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from cupel.modalities.image.decoding import MOST_PIXELS, DecodedImage, decode
from cupel.modalities.image.problems import ImageProblem
from pictures import encoded, personal_exif, picture

FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF")


def decoded(content: bytes, side: int | None = None) -> DecodedImage:
    found = decode(content, side)
    assert isinstance(found, DecodedImage), found
    return found


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_told_by_its_content(name: str) -> None:
    facts, shown = decoded(encoded(picture(), name))
    assert (facts.format, facts.width, facts.height, facts.frames) == (name, 96, 64, 1)
    assert shown.mode == "RGB"


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_as_exif_says(name: str, orientation: int) -> None:
    content = encoded(picture(), name, exif=personal_exif(orientation))
    facts, shown = decoded(content)
    with Image.open(io.BytesIO(content)) as image:
        image.load()
        expected = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    assert np.array_equal(np.asarray(shown), expected)
    assert (facts.width, facts.height) == shown.size == ((64, 96) if orientation >= 5 else (96, 64))


@pytest.mark.parametrize("orientation", [1, 6])
def test_the_small_view_has_the_proportions_of_the_whole(orientation: int) -> None:
    content = encoded(picture(width=1200, height=400), "JPEG", exif=personal_exif(orientation))
    facts, view = decoded(content, 256)
    assert sorted(view.size) == [85, 256]
    assert sorted((facts.width, facts.height)) == [400, 1200]
    whole = decoded(content).picture.resize(view.size, Image.Resampling.BOX)
    assert np.abs(np.asarray(view, np.float64) - np.asarray(whole, np.float64)).mean() < 2


def test_the_view_of_a_small_picture_is_the_picture() -> None:
    assert decoded(encoded(picture()), 256).picture.tobytes() == picture().tobytes()


def test_alpha_is_seen_on_white() -> None:
    image = Image.new("RGBA", (10, 10), (255, 0, 0, 0))
    assert decoded(encoded(image)).picture.getpixel((5, 5)) == (255, 255, 255)
    palette = Image.new("P", (10, 10), 1)
    palette.putpalette([0, 0, 0, 255, 0, 0])
    assert decoded(encoded(palette, transparency=1)).picture.getpixel((5, 5)) == (255, 255, 255)


def test_cmyk_is_seen_in_rgb() -> None:
    facts, shown = decoded(encoded(picture().convert("CMYK"), "JPEG", quality=95))
    assert facts.mode == "CMYK"
    expected = np.asarray(picture().convert("CMYK").convert("RGB"), np.float64)
    assert np.abs(np.asarray(shown, np.float64) - expected).mean() < 8


@pytest.mark.parametrize("side", [None, 16])
@pytest.mark.parametrize("name", ["PNG", "TIFF"])
def test_16_bits_become_8_and_are_not_cut_off(name: str, side: int | None) -> None:
    values = np.linspace(0, 65_535, 64 * 64).astype(np.uint16).reshape(64, 64)
    facts, shown = decoded(encoded(Image.fromarray(values), name), side)
    assert facts.mode.startswith("I")
    grey = np.asarray(shown)[..., 0]
    assert grey[0, 0] < 10
    assert grey[-1, -1] > 245
    assert 110 < grey.mean() < 145


def test_of_an_animation_the_first_frame_is_judged_and_all_are_counted() -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "green", "blue")]
    for name in ("GIF", "PNG", "WEBP"):
        facts, shown = decoded(encoded(frames[0], name, save_all=True, append_images=frames[1:], lossless=True))
        assert facts.frames == 3
        assert np.abs(np.asarray(shown, np.int64) - (255, 0, 0)).max() <= 1, name


def declared_png(width: int, height: int) -> bytes:
    """Return the beginning of a PNG that declares a size, with pixels for none of it."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    packed = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("width", "height"), [(50_000, 50_000), (10_000, 10_000), (MOST_PIXELS + 1, 1)])
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_decompression_bomb_is_refused_by_what_it_declares(
    width: int, height: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda self: pytest.fail("it was decoded"))
    found = decode(declared_png(width, height))
    assert isinstance(found, ImageProblem)
    assert found.reason == "too_many_pixels"


def test_the_most_pixels_are_the_projects() -> None:
    content = encoded(picture())
    assert isinstance(decode(content, max_pixels=96 * 64), DecodedImage)
    assert decode(content, max_pixels=96 * 64 - 1) == ImageProblem("too_many_pixels", "96 x 64 of at most 6,143")


@pytest.mark.parametrize("name", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF"])
@pytest.mark.parametrize("side", [None, 256])
def test_a_file_that_is_cut_off_is_damaged(name: str, side: int | None) -> None:
    content = encoded(picture(width=1200, height=900), name)
    for share in (0.3, 0.6, 0.9):
        found = decode(content[: int(len(content) * share)], side)
        assert isinstance(found, ImageProblem), (name, share)
        assert found.reason in ("damaged", "no_image")


def test_a_progressive_jpeg_that_is_cut_off_is_damaged() -> None:
    content = encoded(picture(width=1200, height=900), "JPEG", progressive=True)
    found = decode(content[: len(content) - 2_000])
    assert isinstance(found, ImageProblem)


@pytest.mark.parametrize("content", [b"hello", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7", b"\x00" * 99])
def test_what_is_no_image_is_said_to_be_none(content: bytes) -> None:
    found = decode(content)
    assert isinstance(found, ImageProblem)
    assert found.reason == "no_image"


def test_formats_that_run_programs_are_not_read() -> None:
    assert decode(encoded(picture(), "EPS")) == ImageProblem("no_image", "begins with 25 21 50 53 2d 41 64 6f")


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "YCbCr", "LAB", "F", "I", "I;16"])
@pytest.mark.parametrize("side", [None, 5])
def test_pixels_of_every_kind_are_seen_in_rgb(mode: str, side: int | None) -> None:
    content = encoded(Image.new(mode, (8, 8)), "JPEG" if mode == "YCbCr" else "PNG" if mode == "P" else "TIFF")
    assert decoded(content, side).picture.mode == "RGB"


@given(st.sampled_from(FORMATS), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=6), st.floats(0, 1))
def test_damage_of_any_kind_is_an_answer_and_no_error(name: str, changes: list[tuple[float, int]], cut: float) -> None:
    content = bytearray(encoded(picture(width=24, height=16), name))
    for place, byte in changes:
        content[int(place * (len(content) - 1))] = byte
    found = decode(bytes(content[: int(cut * len(content))]))
    assert isinstance(found, DecodedImage | ImageProblem)
