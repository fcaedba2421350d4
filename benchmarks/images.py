"""Images: signals, hashes and near-duplicates at the speed of decoding, beside Pillow and imagehash in the same run.

    .venv/bin/python -m benchmarks.images --images 10000 --bytes 1MB --json FILE [--data DIR]

Without --data, photographs are made (benchmarks/made_images.py) in a folder that is gone at the end; with it, those in
DIR are read, and truth.csv there (copy, original, change) names its near-duplicates. Made ones stand for the work of
decoding and not for what is in real photographs: recall on them says which changes a hash survives, no more.

- **speed**: blocks of 250 images, warm in memory, each block by three tools in turn, in the order A B C and C B A, by
  as many threads as there are cores. `decode` opens and decodes with Pillow, and does nothing else; `ours` reads,
  hashes the bytes, decodes, measures, hashes and takes features; `imagehash` opens, decodes and takes its phash. The
  ratios are of the medians over blocks of the ratio within a block, by the clock and by processor time.
- **search**: all pairs of hashes, by ours and by imagehash's subtraction of all with all (of a part, scaled up).
- **memory**: the largest that a process of its own takes which measures all images and looks for duplicates.
- **found**: at equal thresholds in bits, which share of planted copies each tool's hash finds, by how they were
  changed, and how many pairs it reports that were not planted.

`make peers` installs imagehash; without it only ours is measured.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.made_images import ImageSet, make_images, read_images
from benchmarks.new_file import new_file
from cupel.modalities.image.measures import MeasuredImage, measure_image, measure_images
from cupel.modalities.image.similar_hashes import similar_hashes
from cupel.store.files import put_file

BLOCK = 250
BITS = (4, 6, 8, 10)
PEERS_COMPARED = 1_000
UNITS = {"KB": 1_000, "MB": 1_000_000}

Work = Callable[[Path], object]


def main() -> None:
    """Measure, print, and write the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--bytes", type=parse_size, default=UNITS["MB"])
    parser.add_argument("--json", type=new_file)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        images = read_images(options.data) if options.data else make_images(Path(folder), options.images, options.bytes)
        content = json.dumps(figures(images), indent=1) + "\n"
    print(content, end="")
    if options.json:
        put_file(options.json, content.encode())


def parse_size(text: str) -> int:
    """Return a number of bytes.

    >>> parse_size("1MB"), parse_size("200KB"), parse_size("5000")
    (1000000, 200000, 5000)
    """
    unit = text[-2:].upper()
    return int(text[:-2]) * UNITS[unit] if unit in UNITS else int(text)


def figures(images: ImageSet) -> dict[str, Any]:
    """Return all figures of the benchmark."""
    tools: dict[str, Work] = {"decode": decode_alone, "ours": _ours}
    if find_spec("imagehash"):
        tools["imagehash"] = peers_hash
    else:
        print("imagehash is not installed, so nothing is compared with it: make peers")
    sizes = [(images.folder / name).stat().st_size for name in images.names]
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        memory, seconds = pool.submit(measure_all, images).result()
    timed, found = speed(images, tools)
    hashes = {"ours": [one.hash if isinstance(one, MeasuredImage) else None for one in found["ours"]]}
    if "imagehash" in found:
        hashes["imagehash"] = found["imagehash"]
    return {
        "images": len(images.names),
        "mean_bytes": statistics.mean(sizes),
        "cores": os.cpu_count(),
        "speed": timed,
        "search": {name: search(name, _array(found)) for name, found in hashes.items()},
        "memory": {"peak_bytes": memory, "seconds_of_the_whole": seconds},
        "found": {
            str(bits): {name: recall(images, _array(one), bits) for name, one in hashes.items()} for bits in BITS
        },
    }


def decode_alone(path: Path) -> None:
    """Open and decode an image, and nothing else."""
    with Image.open(path) as image:
        image.load()


def peers_hash(path: Path) -> int:
    """Return imagehash's phash of an image, as it is used."""
    import imagehash

    with Image.open(path) as image:
        return int(str(imagehash.phash(image)), 16)


def _ours(path: Path) -> object:
    return measure_image(path.read_bytes())


def speed(images: ImageSet, tools: dict[str, Work]) -> tuple[dict[str, Any], dict[str, list[Any]]]:
    """Return what each tool takes, and what it returned of each image in order."""
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in tools}
    found: dict[str, list[Any]] = {name: [] for name in tools}
    order = list(tools)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for first in range(0, len(images.names), BLOCK):
            paths = [images.folder / name for name in images.names[first : first + BLOCK]]
            list(pool.map(Path.read_bytes, paths[:BLOCK]))
            for name in order:
                began, cpu = time.perf_counter(), time.process_time()
                found[name] += pool.map(tools[name], paths)
                took[name].append((time.perf_counter() - began, time.process_time() - cpu))
            order.reverse()
    return {name: _speed(took[name], took["decode"], len(images.names)) for name in tools}, found


def _speed(took: Sequence[tuple[float, float]], decode: Sequence[tuple[float, float]], images: int) -> dict[str, Any]:
    clock, cpu = (sum(one[part] for one in took) for part in (0, 1))
    ratios = [
        statistics.median(one[part] / other[part] for one, other in zip(took, decode, strict=True)) for part in (0, 1)
    ]
    return {
        "seconds": clock, "cpu_seconds": cpu, "images_per_second": images / clock,
        "ratio_to_decode": ratios[0], "ratio_to_decode_cpu": ratios[1],
    }  # fmt: skip


def measure_all(images: ImageSet) -> tuple[int, float]:
    """Measure all images and look for near-duplicates; return the largest memory of this process, and the seconds."""
    began = time.perf_counter()
    hashes = [
        one.hash
        for one in measure_images(images.names, lambda name: (images.folder / name).read_bytes())
        if isinstance(one, MeasuredImage) and one.hash is not None
    ]
    similar_hashes(np.array(hashes, np.uint64), max(BITS))
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    peak = next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)
    return peak, time.perf_counter() - began


def search(name: str, hashes: NDArray[np.uint64]) -> dict[str, Any]:
    """Return how long it takes to find all pairs; by imagehash one by one, of a part, scaled to all by its square."""
    began = time.perf_counter()
    if name == "ours":
        found = similar_hashes(hashes, BITS[2])
        return {"seconds": time.perf_counter() - began, "pairs": len(found.later)}
    import imagehash

    part = [imagehash.hex_to_hash(f"{int(one):016x}") for one in hashes[:PEERS_COMPARED]]
    pairs = sum(bool(one - other <= BITS[2]) for place, one in enumerate(part) for other in part[:place])
    scale = (len(hashes) / max(1, len(part))) ** 2
    return {"seconds": (time.perf_counter() - began) * scale, "pairs_of_part": pairs, "is_scaled": scale > 1}


def recall(images: ImageSet, hashes: NDArray[np.uint64], bits: int) -> dict[str, Any]:
    """Return the share of planted copies that are found with their original, and the pairs that nobody planted."""
    place = {name: number for number, name in enumerate(images.names)}
    found = similar_hashes(hashes, bits)
    family = np.arange(len(images.names))
    for copy, original, _ in images.copies:
        family[place[copy]] = place[original]
    shares: dict[str, list[bool]] = {}
    for copy, original, change in images.copies:
        near = int(hashes[place[copy]] ^ hashes[place[original]]).bit_count() <= bits
        shares.setdefault(change, []).append(near)
    return {
        "found": {change: sum(those) / len(those) for change, those in sorted(shares.items())},
        "copies": len(images.copies),
        "pairs_not_planted": int((family[found.later] != family[found.earlier]).sum()),
    }


def _array(hashes: Sequence[int | None]) -> NDArray[np.uint64]:
    """Return hashes as an array; what has none differs from all others by chance."""
    other = np.random.default_rng(0).integers(0, 1 << 64, len(hashes), dtype=np.uint64)
    return np.array([int(other[place]) if one is None else one for place, one in enumerate(hashes)], np.uint64)


if __name__ == "__main__":
    main()
