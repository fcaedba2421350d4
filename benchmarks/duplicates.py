"""Near-duplicates: how fast, how many are found, and are they truly alike, beside gaoya and rensa in the same run.

    .venv/bin/python -m benchmarks.duplicates --data DIR --json FILE [--sizes 100000,1000000]

DIR holds docs.parquet (id, text) and truth.parquet (a, b: ids of near-duplicates). Every tool runs from texts to pairs
in a process of its own, at a similarity of .7: ours on runs of 5 characters and on runs of 5 words, with exact
similarities and clusters; the peers on runs of 5 words, as they are used, and they verify nothing exactly. Of rensa
also the fastest ways are timed, which flag duplicates without saying of what. What is true of pairs is computed by
Python's sets of strings. Three things are measured:

- **quality**: recall of the pairs of truth.parquet, of all and of those with a similarity of .7 or more; precision,
  the share of reported pairs (of a sample of 20,000, if there are more) with a similarity of .7 or more. Similarity is
  of the shingles that the tool itself looks at.
- **edited**: the recall of 2,000 copies in which 5% or 10% of the words are edited; all of them count, whatever their
  similarity. The copies are made here, from the folder's documents, with a fixed seed.
- **speed** at two sizes: the folder's documents, as many as there are, then new ones put together from them, one in
  ten an edited copy. `times_as_fast` is the fastest peer's time divided by ours, by the clock and by processor time.

`make peers` installs the peers; without them only ours is measured.
"""

import argparse
import json
import os
import random
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.duplicate_texts import SEED, Folder, Pair, Reported, Shingled, edited_copies, grown, read_folder
from benchmarks.duplicate_tools import OURS, SIMILARITY, TOOLS, WIDTH, Ran, installed, run
from benchmarks.new_file import new_file
from cupel.store.files import put_file

SIZES = (100_000, 1_000_000)
EDIT_RATES = (0.05, 0.1)
COPIES = 2_000
PAIRS_VERIFIED = 20_000
# Large sizes are timed once.
REPEATS, REPEATED_UP_TO = 3, 200_000


def main() -> None:
    """Measure, print, and write the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--json", type=new_file)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="documents at which speed is measured")
    options = parser.parse_args()
    found = figures(read_folder(options.data), [int(size) for size in options.sizes.split(",") if size])
    content = json.dumps(found, indent=1) + "\n"
    print(content, end="")
    if options.json:
        put_file(options.json, content.encode())


def figures(folder: Folder, sizes: Sequence[int]) -> dict[str, Any]:
    """Return all figures of the benchmark."""
    tools = installed()
    if len(tools) == len(OURS):
        print("gaoya and rensa are not installed, so nothing is compared: make peers")
    tell_pairs = [name for name in tools if TOOLS[name].tells_pairs]
    return {
        "documents": len(folder.texts),
        "truth_pairs": len(folder.truth),
        "cores": os.cpu_count(),
        "similarity": SIMILARITY,
        "quality": quality(folder, tell_pairs),
        "edited": {str(rate): edited(folder.texts, rate, tell_pairs) for rate in EDIT_RATES},
        "speed": {str(size): speed(grown(folder.texts, size), tools) for size in sizes},
    }


def quality(folder: Folder, tools: Sequence[str]) -> dict[str, Any]:
    """Return recall and precision of each tool that tells pairs."""
    exact = {of_words: Shingled(folder.texts, WIDTH, of_words) for of_words in (False, True)}
    return {
        name: _quality(folder, _pairs(ran), exact[TOOLS[name].of_words])
        for name, ran in _ran(folder.texts, tools).items()
    }


def _quality(folder: Folder, pairs: list[Pair], exact: Shingled) -> dict[str, Any]:
    reported = Reported(folder.texts, pairs)
    similar = [pair for pair in folder.truth if exact.similarity(*pair) >= SIMILARITY]
    sample = random.Random(SEED).sample(pairs, min(len(pairs), PAIRS_VERIFIED))
    return {
        "pairs": len(pairs),
        "truth_pairs_similar": len(similar),
        "recall_similar": _share([reported.holds(*pair) for pair in similar]),
        "recall": _share([reported.holds(*pair) for pair in folder.truth]),
        "precision": _share([exact.similarity(*pair) >= SIMILARITY for pair in sample]),
        "pairs_verified": len(sample),
    }


def edited(texts: Sequence[str], rate: float, tools: Sequence[str]) -> dict[str, Any]:
    """Return the share of edited copies that each tool finds."""
    folder = edited_copies(texts, rate, COPIES)
    found: dict[str, Any] = {"copies": len(folder.truth)}
    for name, ran in _ran(folder.texts, tools).items():
        reported = Reported(folder.texts, _pairs(ran))
        found[name] = _share([reported.holds(*pair) for pair in folder.truth])
    return found


def speed(texts: Sequence[str], tools: Sequence[str]) -> dict[str, Any]:
    """Return what each tool takes, and how many times as fast as the fastest peer ours is."""
    repeats = REPEATS if len(texts) <= REPEATED_UP_TO else 1
    turns = [_ran(texts, tools) for _ in range(repeats)]
    found: dict[str, Any] = {name: _took([turn[name] for turn in turns], len(texts)) for name in tools}
    peers = [name for name in tools if name not in OURS]
    if peers:
        for ours in OURS:
            found[ours] |= {
                f"times_as_fast_{clock}": min(found[peer][clock] for peer in peers) / found[ours][clock]
                for clock in ("seconds", "cpu_seconds")
            }
    return found


def _took(turns: Sequence[Ran], documents: int) -> dict[str, Any]:
    seconds = statistics.median(ran.seconds for ran in turns)
    cpu_seconds = statistics.median(ran.cpu_seconds for ran in turns)
    memory = statistics.median(ran.memory_bytes for ran in turns)
    return {
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "documents_per_second": documents / seconds,
        "documents_per_cpu_second": documents / cpu_seconds,
        "peak_memory_bytes": memory,
        "peak_memory_bytes_per_document": memory / documents,
    }


def _ran(texts: Sequence[str], tools: Sequence[str]) -> dict[str, Ran]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "texts.parquet"
        pq.write_table(pa.table({"text": pa.array(texts, pa.large_string())}), file)
        return {name: run(name, file) for name in tools}


def _pairs(ran: Ran) -> list[Pair]:
    return [(int(later), int(earlier)) for later, earlier in ran.pairs.tolist()] if ran.pairs is not None else []


def _share(is_true: Sequence[bool]) -> float | None:
    """Return the share that is true; None of nothing."""
    return sum(is_true) / len(is_true) if is_true else None


if __name__ == "__main__":
    main()
