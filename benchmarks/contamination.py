"""Contamination: how often a bound passes, how often falsely, and how much that is good is kept.

    .venv/bin/python -m benchmarks.contamination --data DIR --json FILE --bad LABEL[,LABEL] [--share 0.15]
        [--answers 1000] [--budget 0.02] [--alpha 0.05] [--seeds N]

DIR holds data.parquet with `text` and `label`. For each seed, documents of the bad labels are mixed with all others
so that they are the share asked for, and `cupel.cleaning.contamination` keeps what it can vouch for. Labels are
reached through `ask` alone, which counts every document once; the scorer reads the others afterwards.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from rich.progress import track

from benchmarks.new_file import new_file
from cupel.certificate.hypergeometric import clopper_pearson_lower, clopper_pearson_upper
from cupel.cleaning.contamination.purify import Purity, purify
from cupel.errors import SourceError
from cupel.store.files import put_file

# What lies further behind in a document says little of what it is, and takes long to count.
MOST_CHARACTERS = 4_000
LEAST_WORDS, LEAST_RUNS = 3, 10


class Replay(NamedTuple):
    """One seed: whether a cut passed, whether the kept hold more junk than the budget, and how the rest came out."""

    is_passed: bool
    is_false: bool
    good_kept: float
    residual: float | None
    bound: float | None
    answers: int


def main() -> None:
    """Replay, print, and write the figures as JSON."""
    parser = mix_parser(__doc__)
    parser.add_argument("--alpha", type=float, default=0.05, help="a project's first attempt spends 0.04")
    parser.add_argument("--seeds", type=int, default=100)
    options = parser.parse_args()
    purity = Purity(options.budget, options.answers, options.alpha)
    purity = purity._replace(learning=purity.learning._replace(answers=int(0.4 * options.answers)))
    found = figures(options.data, options.bad.split(","), options.share, purity, options.seeds)
    content = json.dumps(found, indent=1) + "\n"
    print(content, end="")
    if options.json:
        put_file(options.json, content.encode())


def mix_parser(description: str | None) -> argparse.ArgumentParser:
    """Return the parser of what every benchmark on a mixed set is told: the set, what is junk in it, what is wanted."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--json", type=new_file)
    parser.add_argument("--bad", required=True, help="labels that are junk, with commas between")
    parser.add_argument("--share", type=float, default=0.15)
    parser.add_argument("--answers", type=int, default=1_000)
    parser.add_argument("--budget", type=float, default=0.02)
    return parser


def figures(data: Path, bad: list[str], share: float, purity: Purity, seeds: int) -> dict[str, Any]:
    """Return all figures of the benchmark."""
    start = time.process_time()
    features, is_junk = read(data, bad)
    counted = time.process_time() - start
    replays = [replay(features, is_junk, share, purity, seed) for seed in track(range(seeds), "seeds", transient=True)]
    passed = [found for found in replays if found.is_passed]
    false = sum(found.is_false for found in replays)
    kept = [found.good_kept for found in replays]
    return {
        "dataset": data.name,
        "bad": bad,
        "share": share,
        "budget": purity.budget,
        "alpha": purity.alpha,
        "answers": purity.answers,
        "most_answers_used": max(found.answers for found in replays),
        "seeds": seeds,
        "documents": len(is_junk),
        "pass_share": len(passed) / seeds,
        "false_pass_share": false / seeds,
        "false_pass_interval": [clopper_pearson_lower(false, seeds, 0.975), clopper_pearson_upper(false, seeds, 0.975)],
        "good_kept": {
            "mean": float(np.mean(kept)),
            "quartiles": [float(q) for q in np.quantile(kept, [0.25, 0.5, 0.75])],
        },
        "residual": _mean([found.residual for found in passed]),
        "bound": _mean([found.bound for found in passed]),
        "cpu_seconds_features": counted,
        "cpu_seconds_per_seed": (time.process_time() - start - counted) / seeds,
    }


def read(data: Path, bad: list[str]) -> tuple[Any, NDArray[np.bool_]]:
    """Return the features of all documents, and which are junk.

    Raises:
        SourceError: There is no data.parquet with text and label, or none or all of its labels are bad.
    """
    from scipy.sparse import vstack

    from cupel.modalities.text.hashed_words import features, vocabulary

    path = data / "data.parquet"
    if not path.is_file() or not {"text", "label"} <= set(pq.read_schema(path).names):
        raise SourceError(f"{path}: expected a Parquet file with the columns text and label")
    table = pq.read_table(path, columns=["text", "label"]).drop_null()
    labels = [str(label) for label in table["label"].to_pylist()]
    is_junk = np.isin(labels, bad)
    if is_junk.all() or not is_junk.any():
        raise SourceError(
            f"{path}: labels {bad} are {'all' if is_junk.all() else 'none'} of {sorted(set(labels))[:10]}"
        )
    texts = pa.chunked_array([pa.array([text[:MOST_CHARACTERS] for text in table["text"].to_pylist()], pa.string())])
    known = vocabulary(texts, LEAST_WORDS, LEAST_RUNS)
    return vstack(list(features(texts, known))).tocsr(), is_junk


def replay(features: Any, is_junk: NDArray[np.bool_], share: float, purity: Purity, seed: int) -> Replay:
    """Mix a set, keep what can be vouched for, and score it."""
    rng = np.random.default_rng([1895, seed])
    mixed = mix(is_junk, share, rng)
    truth, asked = is_junk[mixed], np.zeros(len(mixed), np.bool_)

    def ask(places: NDArray[np.int64]) -> NDArray[np.bool_]:
        asked[places] = True
        return np.asarray(truth[places])

    found = purify(features[mixed], ask, purity, seed)
    good_kept = float((found.is_kept & ~truth).sum() / (~truth).sum())
    if found.bound is None:
        return Replay(False, False, 0.0, None, None, int(asked.sum()))
    residual = float(truth[found.is_kept].mean()) if found.is_kept.any() else 0.0
    return Replay(True, residual > purity.budget, good_kept, residual, found.bound, int(asked.sum()))


def mix(is_junk: NDArray[np.bool_], share: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the places of a mix in which junk is the share asked for, as large as can be."""
    good, junk = rng.permutation(np.flatnonzero(~is_junk)), rng.permutation(np.flatnonzero(is_junk))
    wanted = int(share / (1 - share) * len(good))
    if wanted > len(junk):
        good = good[: int(len(junk) * (1 - share) / share)]
    return np.asarray(rng.permutation(np.concatenate([good, junk[:wanted]])))


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


if __name__ == "__main__":
    main()
