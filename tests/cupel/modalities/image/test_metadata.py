import io
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageOps

from cupel.modalities.image.metadata.jpeg import split_jpeg
from cupel.modalities.image.metadata.strip import list_metadata, strip_metadata
from cupel.modalities.image.problems import ImageProblem
from pictures import encoded, personal_exif, personal_text, picture

XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>Ada Example</x:xmpmeta>"
SECRETS = (b"Ada Example", b"Kamera AG", b"SN-0815", b"maker's secret")


def profile() -> bytes:
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def personal(name: str, orientation: int = 1) -> bytes:
    exif = personal_exif(orientation)
    if name == "JPEG":
        content = encoded(
            picture(), name, exif=exif, comment=b"Ada Example", icc_profile=profile(), xmp=XMP, dpi=(300, 300)
        )
        iptc = b"Photoshop 3.0\x008BIM\x04\x04\x00\x00\x00\x00\x00\x0bAda Example\x00"
        segment = b"\xff\xed" + (len(iptc) + 2).to_bytes(2, "big") + iptc
        return content[:2] + segment + content[2:] + b"behind the end: Ada Example"
    if name == "PNG":
        return encoded(picture(), name, exif=exif, pnginfo=personal_text(), icc_profile=profile()) + b"Ada Example"
    if name == "WEBP":
        return encoded(picture(), name, exif=exif, xmp=XMP, icc_profile=profile())
    return encoded(picture(), name, comment=b"Ada Example")


def stripped(content: bytes, name: str, orientation: int = 1) -> bytes:
    found = strip_metadata(content, name, orientation)
    assert isinstance(found, bytes), found
    return found


def pixels(content: bytes) -> bytes:
    with Image.open(io.BytesIO(content)) as image:
        return image.tobytes()


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "GIF"])
def test_person_and_place_are_gone_and_every_pixel_is_as_it_was(name: str) -> None:
    content = personal(name)
    assert b"Ada Example" in content
    bare = stripped(content, name)
    assert [secret for secret in SECRETS if secret in bare] == []
    assert pixels(bare) == pixels(content)
    with Image.open(io.BytesIO(bare)) as image:
        image.load()
        assert not image.getexif()
        assert not {"comment", "xmp", "photoshop", "Author", "Comment", "exif"} & image.info.keys()


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP"])
def test_a_colour_profile_stays(name: str) -> None:
    with Image.open(io.BytesIO(stripped(personal(name), name))) as image:
        assert image.info["icc_profile"] == profile()


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_stripped_picture_looks_the_same_way_up(name: str, orientation: int) -> None:
    content = personal(name, orientation)
    bare = stripped(content, name, orientation)
    shown = []
    for one in (content, bare):
        with Image.open(io.BytesIO(one)) as image:
            shown.append(np.asarray(ImageOps.exif_transpose(image)))
    assert np.array_equal(*shown)
    with Image.open(io.BytesIO(bare)) as image:
        assert set(image.getexif()) == ({ExifTags.Base.Orientation} if orientation > 1 else set())


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 3}, {"subsampling": 0}])
def test_the_scans_of_a_jpeg_are_the_same_bytes(options: dict[str, object]) -> None:
    content = encoded(picture(), "JPEG", exif=personal_exif(), **options)
    bare = stripped(content, "JPEG")
    before, after = ([part.whole for part in split_jpeg(one) if part.marker < 0xE0] for one in (content, bare))
    assert before == after
    assert sum(part[1] == 0xDA for part in after) == (1 if "progressive" not in options else 10)


def test_cmyk_keeps_adobes_colours() -> None:
    content = encoded(picture().convert("CMYK"), "JPEG", exif=personal_exif())
    assert pixels(stripped(content, "JPEG")) == pixels(content)


def test_a_thumbnail_of_the_whole_picture_goes() -> None:
    content = encoded(picture(), "JPEG")
    header = b"JFIF\0\x01\x01\x00\x00\x01\x00\x01\x02\x01" + b"secret"
    with_thumbnail = b"\xff\xd8\xff\xe0" + (len(header) + 2).to_bytes(2, "big") + header + content[20:]
    bare = stripped(with_thumbnail, "JPEG")
    assert b"secret" not in bare
    assert pixels(bare) == pixels(content)


@pytest.mark.parametrize("name", ["GIF", "PNG", "WEBP"])
def test_an_animation_keeps_its_frames_and_their_times(name: str) -> None:
    frames = [picture(seed) for seed in range(3)]
    content = encoded(frames[0], name, save_all=True, append_images=frames[1:], duration=[100, 200, 300], loop=3)
    bare = stripped(content, name)
    with Image.open(io.BytesIO(content)) as one, Image.open(io.BytesIO(bare)) as other:
        assert one.n_frames == other.n_frames == 3  # type: ignore[attr-defined]
        assert one.info["loop"] == other.info["loop"]
        for number in range(3):
            one.seek(number)
            other.seek(number)
            assert one.tobytes() == other.tobytes()
            assert one.info.get("duration") == other.info.get("duration")


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "GIF"])
def test_stripping_twice_is_stripping_once(name: str) -> None:
    bare = stripped(personal(name, 6), name, 6)
    assert stripped(bare, name, 6) == bare


def test_what_a_file_says_is_listed() -> None:
    assert list_metadata(personal("JPEG"), "JPEG") == ["EXIF", "IPTC", "XMP", "comment", "place"]
    assert list_metadata(personal("PNG"), "PNG") == ["EXIF", "XMP", "place", "text"]
    assert list_metadata(personal("WEBP"), "WEBP") == ["EXIF", "XMP", "place"]
    assert list_metadata(personal("GIF"), "GIF") == ["comment"]
    for name in ("JPEG", "PNG", "WEBP", "GIF"):
        assert list_metadata(stripped(personal(name), name), name) == []


@pytest.mark.parametrize("name", ["TIFF", "AVIF"])
def test_a_format_that_would_have_to_be_encoded_anew_is_refused(name: str) -> None:
    assert strip_metadata(encoded(picture(), name), name, 1) == ImageProblem("metadata_stays", name)


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "GIF"])
def test_a_file_that_is_cut_off_anywhere_is_a_problem(name: str) -> None:
    content = stripped(personal(name), name)
    for end in sorted({*range(0, len(content) - 1, 37), len(content) - 1}):
        found = strip_metadata(content[:end], name, 1)
        assert isinstance(found, ImageProblem), (name, end)
        assert found.reason == "damaged"


@given(st.sampled_from(["JPEG", "PNG", "WEBP", "GIF"]), st.binary(max_size=200), st.integers(0, 40))
def test_any_bytes_are_taken_apart_or_refused(name: str, tail: bytes, kept: int) -> None:
    content = encoded(picture(width=8, height=8), name)[:kept] + tail
    assert isinstance(strip_metadata(content, name, 1), bytes | ImageProblem)
    assert isinstance(list_metadata(content, name), list | ImageProblem)


def test_segments_follow_one_another_without_a_gap() -> None:
    content = encoded(picture(), "JPEG", progressive=True, exif=personal_exif())
    parts = [part.whole for part in split_jpeg(content)]
    assert b"".join([content[:2], *parts, b"\xff\xd9"]) == content
    assert all(one for one, _ in pairwise(parts))
