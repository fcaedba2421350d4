"""Pictures of the page: there, as large as they are taken, small on the disk; and what is said without a browser."""

import io
from pathlib import Path

import pytest
from PIL import Image

from docs import chromium, screenshots
from docs.screenshots import IMAGES, MOST_BYTES, Picture, list_pictures, shrink

PICTURES = list_pictures("a run", "sentiment", "movies-r1", "newspaper-r1")


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_a_picture_is_there_and_small(picture: Picture) -> None:
    path = IMAGES / f"{picture.name}.png"
    assert path.stat().st_size < MOST_BYTES
    with Image.open(path) as image:
        assert image.size == picture.screen


def test_a_picture_with_many_colours_is_kept_with_fewer() -> None:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((1400, 900)).convert("RGB").save(out, "PNG")
    small = shrink(out.getvalue())
    assert len(small) < MOST_BYTES
    with Image.open(io.BytesIO(small)) as image:
        assert (image.size, image.mode) == ((1400, 900), "P")


def test_without_a_browser_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(chromium.shutil, "which", lambda name: None)
    before = {path: path.stat().st_mtime_ns for path in Path(IMAGES).iterdir()}
    assert screenshots.main() == 1
    assert "apt-get install chromium" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in Path(IMAGES).iterdir()} == before
