"""What finds near-duplicates: ours, gaoya and rensa, each timed in a process of its own."""

import gc
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from cupel.cleaning.duplicates.fingerprints import ShingleShape
from cupel.cleaning.duplicates.near_duplicates import find_near_duplicates

SIMILARITY = 0.7
WIDTH = 5
# The peers' signatures, as both are used most: 128 values in 16 bands of 8.
VALUES, BANDS = 128, 16

Pairs = NDArray[np.int64]


class Ran(NamedTuple):
    """What a tool took, and the pairs that it found, later row first; None where it tells no pairs."""

    seconds: float
    cpu_seconds: float
    memory_bytes: int
    pairs: Pairs | None


class Tool(NamedTuple):
    """A tool: what it takes the texts as, what it does, whether its shingles are of words, and if it tells pairs."""

    prepare: Callable[[pa.ChunkedArray], Any]
    run: Callable[[Any], Pairs | None]
    of_words: bool
    tells_pairs: bool = True


def run(name: str, texts: Path) -> Ran:
    """Run a tool on a Parquet file of texts, in a new process; loops are compiled and texts are read before."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(_timed, name, texts).result()


def _timed(name: str, texts: Path) -> Ran:
    tool = TOOLS[name]
    column = pq.read_table(texts).column("text")
    tool.run(tool.prepare(column.slice(0, 500)))
    prepared = tool.prepare(column)
    gc.collect()
    pa.default_memory_pool().release_unused()
    before = _memory("VmRSS")
    start, cpu = time.perf_counter(), time.process_time()
    pairs = tool.run(prepared)
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu
    return Ran(seconds, cpu_seconds, max(0, _memory("VmHWM") - before), pairs)


def _memory(name: str) -> int:
    """Return a line of what Linux says of this process, in bytes; 0 elsewhere."""
    file = Path("/proc/self/status")
    lines = file.read_text().splitlines() if file.exists() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(name + ":")), 0)


def _ours(shape: ShingleShape, similarity: float = SIMILARITY) -> Callable[[Any], Pairs]:
    def find(texts: pa.ChunkedArray) -> Pairs:
        found = find_near_duplicates(texts, similarity, shape)
        return np.stack([found.later, found.earlier], axis=1)

    return find


def _gaoya(texts: list[str]) -> Pairs:
    """Return the pairs of gaoya's index: it makes shingles, compares signatures with the threshold, uses all cores."""
    from gaoya.minhash import MinHashStringIndex

    index = MinHashStringIndex(
        hash_size=32, jaccard_threshold=SIMILARITY, num_bands=BANDS, band_size=VALUES // BANDS, analyzer="word",
        lowercase=True, ngram_range=(WIDTH, WIDTH), id_container="smallvec",
    )  # fmt: skip
    index.par_bulk_insert_docs(list(range(len(texts))), texts)
    return _later_first(index.par_bulk_query(texts))


def _shingled(texts: list[str]) -> list[list[str]]:
    """Return word shingles: rensa takes tokens, which its user makes."""
    found = []
    for text in texts:
        words = text.lower().split()
        found.append([" ".join(words[place : place + WIDTH]) for place in range(max(1, len(words) - WIDTH + 1))])
    return found


def _rensa(texts: list[str]) -> Pairs:
    from rensa import RMinHash, RMinHashLSH

    hashes = RMinHash.from_token_sets(_shingled(texts), VALUES, 42)
    index = RMinHashLSH(SIMILARITY, VALUES, BANDS)
    index.insert_many(hashes)
    return _later_first(index.query_all(hashes))


def _rensa_flags(texts: list[str]) -> None:
    """Flag duplicates as rensa does fastest; it does not say of what."""
    from rensa import RMinHash, RMinHashLSH

    matrix = RMinHash.digest_matrix_from_token_sets(_shingled(texts), VALUES, 42)
    RMinHashLSH(SIMILARITY, VALUES, BANDS).query_duplicate_flags_matrix_one_shot(matrix)


def _rensa_rho(texts: list[str]) -> None:
    """The same with its sketch of one hash a token, Rho."""
    from rensa import RMinHash, RMinHashLSH

    matrix = RMinHash.digest_matrix_from_token_sets_rho(_shingled(texts), VALUES, 42)
    RMinHashLSH(SIMILARITY, VALUES, BANDS).query_duplicate_flags_matrix_one_shot(matrix)


def _later_first(found: Sequence[Sequence[int]]) -> Pairs:
    pairs = [(row, other) for row, others in enumerate(found) for other in others if other < row]
    return np.array(pairs, np.int64).reshape(-1, 2)


def _arrow(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    return texts


def _strings(texts: pa.ChunkedArray) -> list[str]:
    strings: list[str] = texts.to_pylist()
    return strings


OURS = {
    "characters": Tool(_arrow, _ours(ShingleShape(WIDTH)), False),
    "words": Tool(_arrow, _ours(ShingleShape(WIDTH, of_words=True)), True),
}
PEERS = {
    "gaoya": Tool(_strings, _gaoya, True),
    "rensa": Tool(_strings, _rensa, True),
    "rensa_flags": Tool(_strings, _rensa_flags, True, False),
    "rensa_rho": Tool(_strings, _rensa_rho, True, False),
}
TOOLS = OURS | PEERS


def installed() -> list[str]:
    """Return the names of the tools that are there; peers may not be."""
    return [name for name in TOOLS if name in OURS or find_spec(name.split("_")[0])]
