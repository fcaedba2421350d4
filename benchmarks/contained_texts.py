"""Texts of which one holds the other: how many are found, are they truly held, and how fast, beside LSH Ensemble.

    .venv/bin/python -m benchmarks.contained_texts --data FILE [--json FILE] [--copies 500] [--peer-texts 20000]

FILE is a Parquet or CSV file with a column `text`; equal texts count once. Copies of texts drawn with a fixed seed are
put behind them: cut to 60% of their characters, wrapped in the same four sentences of a page, with 5% of their words
edited, and cut and edited. Ours runs at a similarity of .7, without and with a containment of .9. The peer is
datasketch's MinHashLSHEnsemble (`uv pip install datasketch`; it is not among `make peers`): 128 values, 16 parts, the
same shingles of 5 characters, every text asked for those that hold it; at most `--peer-texts` texts, since it is slow.

What is true of a pair is computed by Python's sets of strings. `recall_held` is that of the copies that truly share .9
of the smaller set, `recall` that of all; `true_share` the share of reported pairs (of a sample of 5,000) that truly
share .9 so or have a similarity of .7. Of invoices of one template it is counted how many are left.
"""

import argparse
import json
import random
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

from benchmarks.duplicate_texts import SEED, Pair, Shingled, edit_text
from benchmarks.new_file import new_file
from cupel.cleaning.duplicates.near_duplicates import find_near_duplicates
from cupel.store.files import put_file

SIMILARITY, CONTAINMENT, WIDTH = 0.7, 0.9, 5
LEAST_CHARACTERS, PAIRS_VERIFIED, INVOICES = 80, 5_000, 900
CUT_SHARE, EDIT_RATE = 0.6, 0.05
BEFORE = "Home, news, sports, weather. Sign in to read all of it, or share this page with those you know. "
BEHIND = " Read more of the same kind on the next page. All rights belong to those who wrote and published it here."
INVOICE = (
    "Invoice no. {0:06} of 2024-{1:02}-{2:02}. For services in the month before, as agreed, we ask for {3:,}.{4:02} "
    "EUR. Please pay within 14 days to the account that is named below, and give the number of the invoice."
)


def main() -> None:
    """Measure, print, and write the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--json", type=new_file)
    parser.add_argument("--copies", type=int, default=500)
    parser.add_argument("--peer-texts", type=int, default=20_000)
    options = parser.parse_args()
    table = pq.read_table(options.data) if options.data.suffix == ".parquet" else pcsv.read_csv(options.data)
    texts = list(dict.fromkeys(text for text in table.column("text").to_pylist() if text))
    content = json.dumps(figures(texts, options.copies, options.peer_texts), indent=1) + "\n"
    print(content, end="")
    if options.json:
        put_file(options.json, content.encode())


def figures(texts: list[str], copies: int, peer_texts: int) -> dict[str, Any]:
    """Return all figures of the benchmark."""
    found: dict[str, Any] = {"texts": len(texts), "invoices_left_of_900": invoices_left()}
    for name, make in FORMS.items():
        found[name] = form_figures(texts, make, copies, {"similarity": _ours(None), "containment": _ours(CONTAINMENT)})
    if find_spec("datasketch"):
        some = texts[:peer_texts]
        tools = {"containment": _ours(CONTAINMENT), "lsh_ensemble": lsh_ensemble}
        found["beside_lsh_ensemble"] = {name: form_figures(some, make, copies, tools) for name, make in FORMS.items()}
        found["beside_lsh_ensemble"]["texts"] = len(some)
    return found


Tool = Callable[[list[str]], list[Pair]]


def form_figures(
    texts: list[str], make: Callable[[str, random.Random, Sequence[str]], str], copies: int, tools: dict[str, Tool]
) -> dict[str, Any]:
    """Return what each tool finds of copies in one form."""
    draw = random.Random(SEED)
    fit = [row for row, text in enumerate(texts) if len(text) >= LEAST_CHARACTERS]
    chosen = sorted(draw.sample(fit, min(copies, len(fit))))
    whole = [*texts, *(make(texts[row], draw, texts) for row in chosen)]
    truth = [(len(texts) + place, row) for place, row in enumerate(chosen)]
    exact = Shingled(whole, WIDTH, of_words=False)
    held = [pair for pair in truth if exact.containment(*pair) >= CONTAINMENT]
    found: dict[str, Any] = {"copies": len(truth), "held": len(held)}
    for name, run in tools.items():
        run(whole[:200])
        start, cpu = time.perf_counter(), time.process_time()
        pairs = set(run(whole))
        seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu
        sample = random.Random(SEED).sample(sorted(pairs), min(len(pairs), PAIRS_VERIFIED))
        found[name] = {
            "recall": _share([pair in pairs for pair in truth]),
            "recall_held": _share([pair in pairs for pair in held]),
            "pairs": len(pairs),
            "true_share": _share([
                exact.containment(*pair) >= CONTAINMENT or exact.similarity(*pair) >= SIMILARITY for pair in sample
            ]),
            "texts_per_second": len(whole) / seconds,
            "texts_per_cpu_second": len(whole) / cpu_seconds,
        }  # fmt: skip
    return found


def invoices_left() -> dict[str, int]:
    """Return how many invoices of one template are kept, without and with the switch that keeps other digits."""
    draw = random.Random(SEED)
    texts = [
        INVOICE.format(number, draw.randint(1, 12), draw.randint(1, 28), draw.randint(10, 9_999), draw.randint(0, 99))
        for number in range(INVOICES)
    ]
    left = {}
    for keep in (False, True):
        kept = find_near_duplicates(pa.array(texts), SIMILARITY, keep_other_digits=keep).kept
        left["with the switch" if keep else "without"] = len(set(kept.tolist()))
    return left


def _cut(text: str, draw: random.Random, texts: Sequence[str]) -> str:
    size = round(len(text) * CUT_SHARE)
    start = draw.randint(0, len(text) - size)
    return text[start : start + size]


def _edited(text: str, draw: random.Random, texts: Sequence[str]) -> str:
    return edit_text(text, EDIT_RATE, texts, draw)


FORMS: dict[str, Callable[[str, random.Random, Sequence[str]], str]] = {
    "cut": _cut,
    "wrapped": lambda text, draw, texts: f"{BEFORE}{text}{BEHIND}",
    "edited": _edited,
    "cut and edited": lambda text, draw, texts: _edited(_cut(text, draw, texts), draw, texts),
}


def _ours(containment: float | None) -> Tool:
    def find(texts: list[str]) -> list[Pair]:
        found = find_near_duplicates(pa.array(texts, pa.large_string()), SIMILARITY, containment=containment)
        return list(zip(found.later.tolist(), found.earlier.tolist(), strict=True))

    return find


def lsh_ensemble(texts: list[str]) -> list[Pair]:
    """Return the pairs of datasketch's index for containment; it verifies nothing."""
    from datasketch import MinHash, MinHashLSHEnsemble

    shingled = Shingled(texts, WIDTH, of_words=False)
    sets = [[str(one).encode() for one in shingled.shingles(row)] for row in range(len(texts))]
    hashes = list(MinHash.generator(sets, num_perm=128))
    index = MinHashLSHEnsemble(threshold=CONTAINMENT, num_perm=128, num_part=16)
    index.index([(row, one, len(sets[row])) for row, one in enumerate(hashes)])
    pairs = set[Pair]()
    for row, one in enumerate(hashes):
        pairs.update((max(row, other), min(row, other)) for other in index.query(one, len(sets[row])) if other != row)
    return sorted(pairs)


def _share(is_true: Sequence[bool]) -> float | None:
    return sum(is_true) / len(is_true) if is_true else None


if __name__ == "__main__":
    main()
