"""The perceptual hash of an image: 64 bits that change little when a picture is resized or compressed anew."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

BITS = 64
_SIDE, _KEPT = 32, 8
# The DCT of type 2, its 8 lowest frequencies: rows are frequencies, columns are pixels.
_COSINES = np.cos(np.pi * np.outer(np.arange(_KEPT), 2 * np.arange(_SIDE) + 1) / (2 * _SIDE))


def perceptual_hash(picture: Image.Image) -> int:
    """Return the pHash of an image, as an unsigned integer of 64 bits.

    The grey levels of 32 x 32 pixels are transformed by the discrete cosine transform; a bit says whether one of the
    8 x 8 lowest frequencies is above their median. An image of one colour has no frequencies, and a hash of chance.

    Source: Zauner (2010), Implementation and benchmarking of perceptual image hash functions, section 3.2.
    """
    grey = picture.convert("L").resize((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    return hash_of_grey(np.asarray(grey, np.float64))


def hash_of_grey(grey: NDArray[np.float64]) -> int:
    """Return the pHash of grey levels, shape 32 x 32; its first bit, the highest, is the mean's."""
    low = (_COSINES @ grey @ _COSINES.T).ravel()
    bits = low > np.median(low)
    return int.from_bytes(np.packbits(bits).tobytes(), "big")
