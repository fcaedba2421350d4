"""Signals and decisions of the published web-text rules: how fast, and do they agree with datatrove's filters?

    .venv/bin/python -m benchmarks.cleaning --data DIR --json FILE [--documents N]

DIR holds Parquet files with a column `text` (or is one). All documents are measured by `cupel.modalities.text.scan` on
one thread and on all; some hundred of them, drawn with a fixed seed, also go through datatrove's four filters, which
are timed on them, and whose decisions are compared twice: with datatrove's own words, and with both seeing ours. What
is compared with datatrove is processor time. The speed is also set beside that of copying memory. `make peers` installs
datatrove; without it only our part is measured.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.new_file import new_file
from cupel.errors import SourceError
from cupel.modalities.text.scan.measures import measures
from cupel.modalities.text.scan.rules import ENGLISH_STOP_WORDS, RULES, reasons
from cupel.modalities.text.scan.tokens import tokenise
from cupel.store.files import put_file

SEED = 1895
REPEATS = 5
PEER_DOCUMENTS = 500
PEER_SECONDS = 120


def main() -> None:
    """Measure, print, and write the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--json", type=new_file)
    parser.add_argument("--documents", type=int, default=PEER_DOCUMENTS, help="documents that datatrove sees")
    options = parser.parse_args()
    found = figures(read_texts(options.data), options.documents)
    content = json.dumps(found, indent=1) + "\n"
    print(content, end="")
    if options.json:
        put_file(options.json, content.encode())


def read_texts(data: Path) -> pa.ChunkedArray:
    """Return the texts of a Parquet file, or of all in a folder that have a column `text`.

    Raises:
        SourceError: There is none.
    """
    files = [data] if data.is_file() else sorted(data.rglob("*.parquet"))
    chunks: list[pa.Array] = []
    for file in files:
        if "text" in pq.read_schema(file).names:
            chunks += pq.read_table(file, columns=["text"])["text"].cast(pa.large_string()).chunks
    if not chunks:
        raise SourceError(f"{data}: no Parquet file with a column 'text'; name a folder that holds one")
    return pa.chunked_array(chunks).drop_null()


def figures(texts: pa.ChunkedArray, documents: int) -> dict[str, Any]:
    """Return all figures of the benchmark."""
    measures(texts.slice(0, 2), ENGLISH_STOP_WORDS)  # compiled before it is timed
    size = sum(len(buffer) for chunk in texts.chunks for buffer in chunk.buffers()[2:] if buffer is not None)
    one, measured = _median(lambda: _decided(texts, 1), time.process_time)
    every, _ = _median(lambda: _decided(texts, os.cpu_count() or 1))
    copied, _ = _median(lambda: np.copy(np.frombuffer(np.zeros(1 << 28, np.uint8), np.uint8)))
    rng = np.random.default_rng(SEED)
    drawn = np.sort(rng.permutation(len(texts))[:documents])
    return {
        "documents": len(texts),
        "bytes": size,
        "cpu_seconds_one_core": one,
        "megabytes_per_second_one_core": size / one / 1e6,
        "documents_per_second_one_core": len(texts) / one,
        "cores": os.cpu_count(),
        "seconds_all_cores": every,
        "megabytes_per_second_all_cores": size / every / 1e6,
        "memory_copy_megabytes_per_second": (1 << 28) / copied / 1e6,
        "share_of_memory_copy": size / one / ((1 << 28) / copied),
        "kept_share": {name: measured[name].null_count / len(texts) for name in RULES},
        "datatrove": _peer(texts.take(pa.array(drawn)).to_pylist(), len(texts) / one, size / len(texts)),
    }


def _decided(texts: pa.ChunkedArray, threads: int) -> dict[str, pa.Array]:
    measured = measures(texts, ENGLISH_STOP_WORDS, threads)
    return {name: reasons(name, measured) for name in RULES}


def _median(work: Callable[[], Any], clock: Callable[[], float] = time.perf_counter) -> tuple[float, Any]:
    seconds, result = [], None
    for _ in range(REPEATS):
        start = clock()
        result = work()
        seconds.append(clock() - start)
    return statistics.median(seconds), result


def _peer(texts: list[str], ours_per_second: float, mean_bytes: float) -> dict[str, Any] | None:
    """Return datatrove's speed on some documents, how its decisions agree with ours, and where they do not."""
    try:
        from datatrove.data import Document
    except ImportError:
        print("datatrove is not installed, so nothing is compared: make peers")
        return None
    filters = _filters()
    start, kept, seen = time.process_time(), {name: [] for name in filters}, 0  # type: ignore[var-annotated]
    for text in texts:
        for name, peer in filters.items():
            kept[name].append(_keeps(peer, Document(text=text, id=str(seen))))
        seen += 1
        if time.process_time() - start > PEER_SECONDS:
            break
    seconds = time.process_time() - start
    texts = texts[:seen]
    ours = {name: np.asarray(found.is_null()) for name, found in _decided(pa.chunked_array([texts]), 1).items()}
    same_words = _with_our_words(filters, texts, Document)
    mine = statistics.mean(len(text.encode()) for text in texts)
    speed = seen / seconds
    # The sample's documents are not exactly as long as all are: speeds are compared by the byte.
    return {
        "documents": seen,
        "cpu_seconds": seconds,
        "documents_per_second": speed,
        "megabytes_per_second": speed * mine / 1e6,
        "times_as_fast_one_core": ours_per_second * mean_bytes / (speed * mine),
        "equal_share": {name: float(np.mean(ours[name] == np.array(kept[name]))) for name in filters},
        "equal_share_same_words": {name: float(np.mean(ours[name] == same_words[name])) for name in filters},
    }


def _filters() -> dict[str, Any]:
    from datatrove.pipeline.filters import (
        C4QualityFilter,
        FineWebQualityFilter,
        GopherQualityFilter,
        GopherRepetitionFilter,
    )

    made = (GopherQualityFilter(), GopherRepetitionFilter(), C4QualityFilter(), FineWebQualityFilter())
    return dict(zip(RULES, made, strict=True))


def _keeps(peer: Any, document: Any) -> bool:
    try:
        result = peer.filter(document)
    except ZeroDivisionError:
        return False  # a document without a word
    return result is True


def _with_our_words(filters: dict[str, Any], texts: list[str], document: Any) -> dict[str, np.ndarray[Any, Any]]:
    """Return datatrove's decisions when its filters are handed our words."""
    from datatrove.pipeline.filters import fineweb_quality_filter, gopher_quality_filter, gopher_repetition_filter

    modules = (fineweb_quality_filter, gopher_quality_filter, gopher_repetition_filter)
    theirs = [module.split_into_words for module in modules]
    try:
        for module in modules:
            module.split_into_words = lambda text, language: tokenise(text)
        return {
            name: np.array([_keeps(peer, document(text=text, id="0")) for text in texts])
            for name, peer in filters.items()
        }
    finally:
        for module, own in zip(modules, theirs, strict=True):
            module.split_into_words = own


if __name__ == "__main__":
    main()
