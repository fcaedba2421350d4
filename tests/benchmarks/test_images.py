"""The benchmark of images: what it makes, and that its figures can be bad."""

import numpy as np
import pytest

from benchmarks.images import figures, recall
from benchmarks.made_images import ImageSet, make_images, read_images


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> ImageSet:
    return make_images(tmp_path_factory.mktemp("images"), 30, 20_000)


def test_as_many_images_are_made_as_are_asked_for_of_about_the_size(images: ImageSet) -> None:
    assert len(images.names) == 30
    assert [change for _, _, change in images.copies] == ["resized", "recompressed", "cropped", "brighter"] * 2
    sizes = [(images.folder / name).stat().st_size for name in images.names if "-" not in name]
    assert 12_000 < np.mean(sizes) < 30_000
    assert read_images(images.folder) == images


def test_the_whole_benchmark_runs(images: ImageSet) -> None:
    found = figures(images)
    assert found["images"] == 30
    assert found["speed"]["ours"]["ratio_to_decode"] > 0
    assert found["memory"]["peak_bytes"] > 10_000_000
    assert found["found"]["10"]["ours"]["found"]["resized"] == 1
    assert found["found"]["10"]["ours"]["pairs_not_planted"] == 0


def test_a_hash_that_finds_nothing_or_too_much_has_bad_figures(images: ImageSet) -> None:
    chance = np.random.default_rng(1).integers(0, 1 << 64, 30, dtype=np.uint64)
    assert set(recall(images, chance, 8)["found"].values()) == {0.0}
    same = np.zeros(30, np.uint64)
    assert set(recall(images, same, 8)["found"].values()) == {1.0}
    assert recall(images, same, 8)["pairs_not_planted"] == 30 * 29 / 2 - 2 * 10
