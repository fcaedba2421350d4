"""What is measured of an image's small view: contrast, sharpness, exposure. No number decides anything here."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.float32]
# Grey levels of 0 to 255 that count as black or white through and through.
DARKEST, BRIGHTEST = 4, 251


class ImageSignals(NamedTuple):
    """What was measured of an image's view of at most 256 pixels a side.

    Attributes:
        brightness: Mean of the grey levels, 0 (black) to 1 (white).
        contrast: Largest standard deviation of the three colours, 0 (one colour) to 0.5.
        sharpness: Variance of the Laplacian of the grey levels of 0 to 255; small where nothing has an edge. Blur
            that is finer than a pixel of the view is not seen.
        dark_share: Pixels that are black, of all.
        bright_share: Pixels that are white, of all.
    """

    brightness: float
    contrast: float
    sharpness: float
    dark_share: float
    bright_share: float


def measure_signals(picture: Image.Image) -> ImageSignals:
    """Return what is measured of an RGB image.

    Source of the sharpness: Pech-Pacheco et al. (2000), Diatom autofocusing in brightfield microscopy, ICPR 15.
    """
    grey = np.asarray(picture.convert("L"))
    counts = np.bincount(grey.ravel(), minlength=256) / grey.size
    colours = [np.array(picture.getchannel(name).histogram(), np.float64) / grey.size for name in picture.getbands()]
    return ImageSignals(
        brightness=float(counts @ _LEVELS / 255),
        contrast=float(max(_deviation(shares) for shares in colours) / 255),
        sharpness=laplacian_variance(grey.astype(np.float32)),
        dark_share=float(counts[: DARKEST + 1].sum()),
        bright_share=float(counts[BRIGHTEST:].sum()),
    )


def laplacian_variance(grey: Pixels) -> float:
    """Return the variance of the Laplacian inside an image; 0 of one with fewer than three pixels a side."""
    if min(grey.shape) < 3:
        return 0.0
    inner = grey[1:-1, 1:-1] * np.float32(-4)
    inner += grey[:-2, 1:-1]
    inner += grey[2:, 1:-1]
    inner += grey[1:-1, :-2]
    inner += grey[1:-1, 2:]
    return float(inner.var(dtype=np.float64))


def _deviation(shares: NDArray[np.float64]) -> float:
    mean = float(shares @ _LEVELS)
    return float(np.sqrt(max(0.0, float(shares @ (_LEVELS - mean) ** 2))))


_LEVELS = np.arange(256, dtype=np.float64)
