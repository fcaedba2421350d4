"""A few numbers of an image for a linear model: where which colours are, and which way edges run.

They are weak: enough for what differs in colour or rough shape, not for what a trained network sees. A project that has
features or predictions of its own does better with those.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

COLOUR_SIDE = 8
GRADIENT_SIDE, CELLS, DIRECTIONS = 64, 4, 8
FEATURES = COLOUR_SIDE**2 * 3 + CELLS**2 * DIRECTIONS


def image_features(picture: Image.Image) -> NDArray[np.float32]:
    """Return 320 numbers of an RGB image, each from 0 to 1: 8 x 8 colours, and a gradient histogram of 4 x 4 cells.

    Source of the second part: Dalal and Triggs (2005), Histograms of oriented gradients, CVPR; without its blocks.
    """
    colours = picture.resize((COLOUR_SIDE, COLOUR_SIDE), Image.Resampling.BOX)
    grey = picture.convert("L").resize((GRADIENT_SIDE, GRADIENT_SIDE), Image.Resampling.BOX)
    return np.concatenate([np.asarray(colours, np.float32).ravel() / 255, _gradients(np.asarray(grey, np.float32))])


def _gradients(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the share of each cell's gradient that runs in each direction, all cells one after another."""
    across, down = np.zeros_like(grey), np.zeros_like(grey)
    across[:, 1:-1] = grey[:, 2:] - grey[:, :-2]
    down[1:-1] = grey[2:] - grey[:-2]
    strength = np.hypot(across, down)
    turn = np.arctan2(down, across) % np.pi
    direction = np.minimum((turn * (DIRECTIONS / np.pi)).astype(np.int64), DIRECTIONS - 1)
    places = np.arange(GRADIENT_SIDE) // (GRADIENT_SIDE // CELLS)
    cell = places[:, None] * CELLS + places
    found = np.bincount((cell * DIRECTIONS + direction).ravel(), strength.ravel(), CELLS**2 * DIRECTIONS)
    length = np.sqrt((found**2).sum())
    return np.asarray(found / length if length > 0 else found, np.float32)
