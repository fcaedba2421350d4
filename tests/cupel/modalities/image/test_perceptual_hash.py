import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageEnhance
from scipy.fft import dct

from cupel.modalities.image.decoding import DecodedImage, decode
from cupel.modalities.image.perceptual_hash import hash_of_grey, perceptual_hash
from pictures import encoded, picture


def expected_hash(grey: np.ndarray) -> int:
    """Return the pHash as its source says, by SciPy's DCT."""
    low = dct(dct(grey, axis=0), axis=1)[:8, :8]
    return int("".join("1" if value > np.median(low) else "0" for value in low.ravel()), 2)


@pytest.mark.parametrize("seed", range(20))
def test_it_is_the_hash_that_scipys_dct_makes(seed: int) -> None:
    grey = np.asarray(picture(seed).convert("L").resize((32, 32), Image.Resampling.LANCZOS), np.float64)
    assert perceptual_hash(picture(seed)) == hash_of_grey(grey) == expected_hash(grey)


def test_it_is_near_the_peers_on_the_whole_picture() -> None:
    imagehash = pytest.importorskip("imagehash", reason="make peers installs it")
    distances = []
    for seed in range(30):
        whole = picture(seed, 1600, 1200)
        decoded = decode(encoded(whole, "JPEG", quality=90))
        assert isinstance(decoded, DecodedImage)
        ours, peers = perceptual_hash(decoded.picture), int(str(imagehash.phash(whole)), 16)
        distances.append((ours ^ peers).bit_count())
    assert max(distances) <= 4, distances


@pytest.mark.parametrize("seed", range(10))
def test_what_looks_the_same_hashes_nearly_the_same(seed: int) -> None:
    whole = picture(seed, 640, 480)
    changed = [
        whole.resize((320, 240), Image.Resampling.BICUBIC),
        whole.resize((800, 600), Image.Resampling.BICUBIC),
        ImageEnhance.Brightness(whole).enhance(1.1),
        decoded_jpeg(whole, 30),
    ]
    for image in changed:
        assert (perceptual_hash(whole) ^ perceptual_hash(image)).bit_count() <= 6


def decoded_jpeg(image: Image.Image, quality: int) -> Image.Image:
    found = decode(encoded(image, "JPEG", quality=quality), None)
    assert isinstance(found, DecodedImage)
    return found.picture


def test_what_looks_different_hashes_differently() -> None:
    hashes = [perceptual_hash(picture(seed, 320, 240)) for seed in range(60)]
    distances = [(one ^ other).bit_count() for place, one in enumerate(hashes) for other in hashes[:place]]
    assert min(distances) > 8
    assert 28 < np.mean(distances) < 36


@given(arrays(np.float64, (32, 32), elements=st.integers(0, 255).map(float)), st.sampled_from([0.5, 2.0, 4.0]))
def test_it_does_not_change_with_the_scale_of_grey_levels(grey: np.ndarray, scale: float) -> None:
    assert hash_of_grey(grey) == hash_of_grey(grey * scale)
