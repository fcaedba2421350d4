"""One pass over many images: each is read once and decoded once, on all cores, and only a few are held at a time."""

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from os import cpu_count
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cupel.modalities.image.decoding import MOST_PIXELS, ImageFacts, decode
from cupel.modalities.image.features import image_features
from cupel.modalities.image.metadata.strip import list_metadata, strip_metadata
from cupel.modalities.image.perceptual_hash import perceptual_hash
from cupel.modalities.image.problems import ImageProblem
from cupel.modalities.image.signals import ImageSignals, measure_signals


class MeasuredImage(NamedTuple):
    """What is known of a readable image.

    Attributes:
        sha256: Hash of the file's bytes, as hexadecimal digits.
        stripped_sha256: Hash of these bytes without metadata; None where it cannot be taken out.
        size_bytes: How many they are.
        facts: Format, size as shown, frames.
        metadata: Kinds of metadata that the file holds.
        signals: What was measured of its view.
        hash: Its perceptual hash; None where it is of one colour, so that its hash would be chance.
        features: Numbers for a linear model.
    """

    sha256: str
    stripped_sha256: str | None
    size_bytes: int
    facts: ImageFacts
    metadata: list[str]
    signals: ImageSignals
    hash: int | None
    features: NDArray[np.float32]


# Below this deviation of its colours an image has no picture in it that could resemble another.
LEAST_CONTRAST = 0.004


def measure_image(content: bytes, max_pixels: int = MOST_PIXELS) -> MeasuredImage | ImageProblem:
    """Return what is known of an image, or why it cannot be read."""
    decoded = decode(content, max_pixels=max_pixels)
    if isinstance(decoded, ImageProblem):
        return decoded
    facts, picture = decoded
    signals = measure_signals(picture)
    phash = perceptual_hash(picture) if signals.contrast >= LEAST_CONTRAST else None
    sha256 = hashlib.sha256(content).hexdigest()
    listed = list_metadata(content, facts.format)
    metadata = [] if isinstance(listed, ImageProblem) else listed
    bare = strip_metadata(content, facts.format, facts.orientation)
    stripped = None if isinstance(bare, ImageProblem) else hashlib.sha256(bare).hexdigest()
    return MeasuredImage(sha256, stripped, len(content), facts, metadata, signals, phash, image_features(picture))


def measure_images(
    locations: Iterable[str],
    read: Callable[[str], bytes | ImageProblem],
    max_pixels: int = MOST_PIXELS,
    workers: int | None = None,
) -> Iterator[MeasuredImage | ImageProblem]:
    """Yield what is known of each image, in order; Pillow decodes in threads, one a core.

    Args:
        locations: Where the images lie.
        read: Returns the bytes of one.
        max_pixels: More declared pixels are refused.
        workers: Threads; None: one for each core.
    """
    threads = workers or cpu_count() or 1

    def work(location: str) -> MeasuredImage | ImageProblem:
        content = read(location)
        return content if isinstance(content, ImageProblem) else measure_image(content, max_pixels)

    waiting = deque[Future[MeasuredImage | ImageProblem]]()
    with ThreadPoolExecutor(threads) as pool:
        for location in locations:
            waiting.append(pool.submit(work, location))
            if len(waiting) >= 4 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
