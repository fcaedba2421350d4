import numpy as np
import pytest
from PIL import Image, ImageFilter
from scipy.ndimage import convolve

from cupel.modalities.image.features import FEATURES, image_features
from cupel.modalities.image.measures import MeasuredImage, measure_image, measure_images
from cupel.modalities.image.previews import preview_jpeg, preview_uri
from cupel.modalities.image.problems import ImageProblem
from cupel.modalities.image.signals import laplacian_variance, measure_signals
from pictures import encoded, picture


def test_a_picture_of_one_colour_has_no_contrast_and_no_hash() -> None:
    found = measure_image(encoded(Image.new("RGB", (64, 64), (200, 30, 30)), "JPEG"))
    assert isinstance(found, MeasuredImage)
    assert found.signals.contrast == pytest.approx(0, abs=1e-9)
    assert found.signals.sharpness == 0
    assert found.hash is None


def test_contrast_of_colour_alone_is_contrast() -> None:
    both = Image.new("RGB", (64, 64), (128, 0, 0))
    both.paste((0, 65, 2), (0, 0, 32, 64))  # of the same grey
    assert measure_signals(both).contrast > 0.2


def test_exposure_counts_what_is_black_and_what_is_white() -> None:
    image = Image.new("L", (100, 100), 128)
    image.paste(0, (0, 0, 100, 20))
    image.paste(255, (0, 20, 100, 50))
    found = measure_signals(image.convert("RGB"))
    assert found.dark_share == pytest.approx(0.2)
    assert found.bright_share == pytest.approx(0.3)
    assert found.brightness == pytest.approx((0.3 * 255 + 0.5 * 128) / 255)


def test_the_laplacian_is_scipys() -> None:
    grey = np.asarray(picture(3).convert("L"), np.float32)
    kernel = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]])
    expected = convolve(grey.astype(np.float64), kernel)[1:-1, 1:-1].var()
    assert laplacian_variance(grey) == pytest.approx(expected, rel=1e-6)


def test_more_blur_is_less_sharpness() -> None:
    blurred = [picture(1, 256, 192).filter(ImageFilter.GaussianBlur(radius)) for radius in (0, 1, 2, 4)]
    found = [measure_signals(image).sharpness for image in blurred]
    assert found == sorted(found, reverse=True)
    assert found[0] > 20 * found[2]


@pytest.mark.parametrize("size", [(1, 1), (2, 9), (9, 2), (1, 5_000)])
def test_the_thinnest_pictures_are_measured(size: tuple[int, int]) -> None:
    found = measure_image(encoded(picture(width=size[0], height=size[1])))
    assert isinstance(found, MeasuredImage)
    assert (found.facts.width, found.facts.height) == size
    assert found.features.shape == (FEATURES,)
    assert np.isfinite(found.features).all()


def test_features_are_shares_and_tell_directions_apart() -> None:
    across = Image.fromarray(np.tile(np.uint8([0, 0, 255, 255] * 16), (64, 1))).convert("RGB")
    one, other = image_features(across), image_features(across.transpose(Image.Transpose.ROTATE_90))
    assert one.shape == (FEATURES,)
    assert one.min() >= 0
    assert one.max() <= 1
    assert np.abs(one[192:] - other[192:]).max() > 0.2


def test_measures_come_in_order_whatever_the_workers() -> None:
    contents = {f"{seed}": encoded(picture(seed), "PNG" if seed % 2 else "JPEG") for seed in range(40)}

    def read(location: str) -> bytes | ImageProblem:
        return contents.get(location, ImageProblem("missing_file"))

    names = [*contents, "nothing"]
    found = [list(measure_images(names, read, workers=workers)) for workers in (1, 3)]
    for one, other in zip(*found, strict=True):
        assert repr(one) == repr(other)
    assert found[0][-1] == ImageProblem("missing_file")
    assert len({one.sha256 for one in found[0] if isinstance(one, MeasuredImage)}) == 40


def test_a_preview_is_small_and_the_same_bytes_each_time() -> None:
    image = picture(1, 800, 600)
    image.info["comment"] = b"Ada Example"
    assert preview_jpeg(image) == preview_jpeg(image.copy())
    assert len(preview_jpeg(image)) < 10_000
    assert b"Ada" not in preview_jpeg(image)
    assert preview_uri(image).startswith("data:image/jpeg;base64,/9j/")
    assert image.size == (800, 600)
