"""Made photographs for the benchmark of images: smooth fields with shapes and grain, and changed copies of some."""

import csv
import io
import math
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance

SEED = 16
CHANGES = ("resized", "recompressed", "cropped", "brighter")
# Of so many originals one has a copy of each change.
ONE_IN = 20
PNG_ONE_IN = 10
TRUTH = "truth.csv"
_GRAIN_SIDE = 3_000
_BATCH = 25


class ImageSet(NamedTuple):
    """A folder's images in order of name, and the copies among them: name, name of the original, how it was changed."""

    folder: Path
    names: list[str]
    copies: list[tuple[str, str, str]]


def read_images(folder: Path) -> ImageSet:
    """Return the images of a folder; truth.csv (copy, original, change) names copies, where there is one."""
    names = sorted(path.name for path in folder.iterdir() if path.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp"))
    copies = []
    if (folder / TRUTH).exists():
        with (folder / TRUTH).open(newline="") as file:
            copies = [(row["copy"], row["original"], row["change"]) for row in csv.DictReader(file)]
    return ImageSet(folder, names, copies)


def make_images(folder: Path, count: int, size_bytes: int) -> ImageSet:
    """Make so many images of about so many bytes; one in ten is a PNG, and one original in twenty has four copies."""
    jobs = list(_jobs(count, size_bytes))
    copies = []
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        batches = [jobs[place : place + _BATCH] for place in range(0, len(jobs), _BATCH)]
        for made in pool.map(_write, [folder] * len(batches), batches):
            copies += made
    with (folder / TRUTH).open("w", newline="") as file:
        csv.writer(file).writerows([("copy", "original", "change"), *copies])
    return read_images(folder)


class _Job(NamedTuple):
    number: int
    is_png: bool
    pixels: int
    changes: tuple[str, ...]


def _jobs(count: int, size_bytes: int) -> Iterator[_Job]:
    """Yield the originals; with their copies they are `count` images."""
    per_pixel = {is_png: _bytes_per_pixel(is_png) for is_png in (False, True)}
    left, number = count, 0
    while left > 0:
        changes = CHANGES[: left - 1] if number % ONE_IN == 0 else ()
        is_png = number % PNG_ONE_IN == PNG_ONE_IN - 1
        yield _Job(number, is_png, max(4_096, int(size_bytes / per_pixel[is_png])), changes)
        left -= 1 + len(changes)
        number += 1


def _bytes_per_pixel(is_png: bool) -> float:
    image = _photograph(np.random.default_rng(SEED), 800, 600, _grain())
    return len(_encoded(image, is_png)) / (800 * 600)


def _write(folder: Path, jobs: list[_Job]) -> list[tuple[str, str, str]]:
    grain, copies = _grain(), []
    for job in jobs:
        random = np.random.default_rng([SEED, job.number])
        shape = random.uniform(1.2, 1.6)
        height = max(8, math.isqrt(int(job.pixels / shape)))
        image = _photograph(random, int(height * shape), height, grain)
        original = f"{job.number:07}.{'png' if job.is_png else 'jpg'}"
        (folder / original).write_bytes(_encoded(image, job.is_png))
        for change in job.changes:
            copy = f"{job.number:07}-{change}.jpg"
            changed = _changed(image, change)
            (folder / copy).write_bytes(_encoded(changed, False, 40 if change == "recompressed" else 88))
            copies.append((copy, original, change))
    return copies


def _grain() -> np.ndarray[tuple[int, ...], np.dtype[np.int16]]:
    """Return grain as a sensor has it, of which each image takes a piece."""
    return np.random.default_rng(SEED).normal(0, 7, (_GRAIN_SIDE, _GRAIN_SIDE)).astype(np.int16)


def _photograph(
    random: np.random.Generator, width: int, height: int, grain: np.ndarray[tuple[int, ...], np.dtype[np.int16]]
) -> Image.Image:
    rows, columns = random.integers(3, 9, 2)
    field = Image.fromarray(random.integers(20, 236, (rows, columns, 3), dtype=np.uint8))
    image = field.resize((width, height), Image.Resampling.BICUBIC)
    drawn = ImageDraw.Draw(image)
    for _ in range(int(random.integers(3, 12))):
        x, y, across, down = random.uniform(0, 1, 4) * (width, height, width / 2, height / 2)
        box = (float(x), float(y), float(x + across), float(y + down))
        colour = tuple(int(one) for one in random.integers(0, 256, 3))
        if random.random() < 0.5:
            drawn.ellipse(box, fill=colour)
        else:
            drawn.rectangle(box, fill=colour)
    top, left = random.integers(0, _GRAIN_SIDE // 4, 2)
    tile = np.resize(grain[top:, left:][:height, :width], (height, width))
    noisy = np.asarray(image, np.int16) + tile[..., None]
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def _changed(image: Image.Image, change: str) -> Image.Image:
    if change == "resized":
        return image.resize((int(image.width * 0.6), int(image.height * 0.6)), Image.Resampling.LANCZOS)
    if change == "cropped":
        across, down = round(image.width * 0.03), round(image.height * 0.03)
        return image.crop((across, down, image.width - across, image.height - down))
    return ImageEnhance.Brightness(image).enhance(1.15) if change == "brighter" else image


def _encoded(image: Image.Image, is_png: bool, quality: int = 88) -> bytes:
    out = io.BytesIO()
    if is_png:
        image.save(out, "PNG", compress_level=1)
    else:
        image.save(out, "JPEG", quality=quality)
    return out.getvalue()
