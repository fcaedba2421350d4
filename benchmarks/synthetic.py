"""A made-up project of any size: texts, annotators with known errors, and experts; written in pieces, never held."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml
from numpy.typing import NDArray

from orchestration.deployment import Deployment

NAME = "synthetic"
SEED = 1895
CLASSES = ("harbour", "kitchen", "railway", "theatre")
ROWS_PER_PIECE = 25_000

# Words a text, about 300 characters; common words come often, as in real language.
WORDS, FEWEST_WORDS, MOST_WORDS = 30_000, 20, 75
# Words that only one class has, and the share of a text's words that are of its class: enough to be learned,
# not enough to make people unnecessary.
CLASS_WORDS, CLASS_WORD_SHARE = 400, 0.06
ANSWERS_PER_ITEM = 3
LEAST_ERROR, MOST_ERROR, EXPERTS = 0.04, 0.2, 4
FEWEST_ANNOTATORS, ITEMS_PER_ANNOTATOR = 12, 10_000
# Of so many rows, one each.
COPIES, VARIANTS, ACCENTS, EMAILS, PHONES, SHORT, BROKEN, REPEATED_IDS = 50, 60, 20, 90, 150, 250, 500, 700

Places = NDArray[np.int64]


class Piece(NamedTuple):
    """Some rows of a delivery: lines of JSON, and of each row that can be read its id and its true class."""

    lines: pa.Array
    item_ids: pa.Array
    truth: Places


def write_project(folder: Path, rows: int, rows_per_delivery: int) -> Deployment:
    """Write a project with its deliveries and the answers of annotators and experts to every item.

    Args:
        folder: Where to; it gets the folders projects, data and lake.
        rows: Rows of all deliveries.
        rows_per_delivery: Most rows of one delivery; those beyond are further deliveries.

    Returns:
        Where everything is. The same arguments give the same bytes.
    """
    data = folder / "data" / NAME
    data.mkdir(parents=True, exist_ok=True)
    (folder / "projects").mkdir(exist_ok=True)
    sizes = [min(rows_per_delivery, rows - first) for first in range(0, rows, rows_per_delivery)]
    batches = {f"d{number:03}": size for number, size in enumerate(sizes, 1)}
    words = _Words()
    for number, (batch, size) in enumerate(batches.items()):
        _write_delivery(data, batch, size, np.random.SeedSequence([SEED, number]), words)
    path = folder / "projects" / f"{NAME}.yaml"
    path.write_text(yaml.safe_dump(_project(batches, min(sizes)), sort_keys=False), encoding="utf-8")
    return Deployment(folder / "projects", folder / "data", str(folder / "lake"))


def _project(batches: dict[str, int], least: int) -> dict[str, object]:
    deliveries = {batch: {"files": [f"{NAME}/{batch}.jsonl"], "licence": "CC0-1.0"} for batch in batches}
    answers = [f"{NAME}/{batch}.{purpose}.parquet" for batch in batches for purpose in ("label", "expert")]
    return {
        "project": NAME,
        "title": "Where does it happen?",
        "owner": "team:benchmarks",
        "raw": {"deliveries": deliveries},
        "labeling": {
            "question": "Where does it happen?",
            "classes": list(CLASSES),
            "overlap": {"first": 2, "most": ANSWERS_PER_ITEM},
            "answers": answers,
            "experts": {"answers": 1, "description": "made-up experts who are always right"},
        },
        "release": {
            "holds": "each_batch",
            "error_budget": 0.05,
            "audit_size": max(1, min(1_000, least // 10)),
            "max_experts_seen_share": 0.9,
        },
    }


def _write_delivery(data: Path, batch: str, size: int, seed: np.random.SeedSequence, words: "_Words") -> None:
    crew = max(FEWEST_ANNOTATORS, size // ITEMS_PER_ANNOTATOR)
    errors = np.linspace(LEAST_ERROR, MOST_ERROR, crew)
    label, expert = (pq.ParquetWriter(data / f"{batch}.{name}.parquet", _ANSWERS) for name in ("label", "expert"))
    with (data / f"{batch}.jsonl").open("wb") as file, label, expert:
        for piece, rng in _pieces(batch, size, seed, words):
            file.write("\n".join(piece.lines.to_pylist()).encode() + b"\n")
            for annotators in _crews(len(piece.truth), crew, rng):
                labels = _said(piece.truth, errors[annotators], rng)
                label.write_table(_answers(batch, piece.item_ids, "label", f"{batch}-a", annotators, labels, rng))
            experts = rng.integers(EXPERTS, size=len(piece.truth))
            expert.write_table(_answers(batch, piece.item_ids, "expert", "expert-", experts, piece.truth, rng))


def _pieces(
    batch: str, size: int, seed: np.random.SeedSequence, words: "_Words"
) -> Iterator[tuple[Piece, np.random.Generator]]:
    """Yield the rows of a delivery; each piece is drawn from a seed of its own."""
    firsts = range(0, size, ROWS_PER_PIECE)
    for first, own in zip(firsts, seed.spawn(len(firsts)), strict=True):
        rng = np.random.default_rng(own)
        yield _piece(batch, first, min(ROWS_PER_PIECE, size - first), rng, words), rng


def _piece(batch: str, first: int, count: int, rng: np.random.Generator, words: "_Words") -> Piece:
    texts, truth = words.texts(count, rng)
    numbers = np.arange(first, first + count)
    texts, truth = _with_copies(texts, truth, rng, words)
    texts = _with_oddities(texts, rng)
    is_repeated, is_broken = _one_in(REPEATED_IDS, count, rng), _one_in(BROKEN, count, rng)
    is_repeated[0] = is_broken[0] = False  # what is repeated is there, and answered
    numbers[is_repeated] = first
    item_ids = pc.binary_join_element_wise(batch, pa.array(numbers).cast(pa.string()), "-")
    lines = pc.binary_join_element_wise('{"id": "', item_ids, '", "text": "', texts, '"}', "")
    lines = pc.if_else(pa.array(is_broken), pc.utf8_slice_codeunits(lines, 0, 60), lines)
    is_readable = pa.array(~is_repeated & ~is_broken)
    return Piece(lines, item_ids.filter(is_readable), truth[np.asarray(is_readable)])


def _with_copies(texts: pa.Array, truth: Places, rng: np.random.Generator, words: "_Words") -> tuple[pa.Array, Places]:
    """Return the texts with some replaced by copies, and by variants that differ in a word: of texts of the same
    piece, or of the ones that all deliveries share."""
    count = len(texts)
    source = np.arange(count)
    is_copy, is_variant = _one_in(COPIES, count, rng), _one_in(VARIANTS, count, rng)
    is_taken = is_copy | is_variant
    source[is_taken] = rng.integers(count, size=int(is_taken.sum()))
    copied, classes = texts.take(pa.array(source)), truth[source]
    is_shared = is_taken & _one_in(4, count, rng)
    place = pa.array(rng.integers(len(words.shared), size=count))
    copied = pc.if_else(pa.array(is_shared), words.shared.take(place), copied)
    classes = np.where(is_shared, words.shared_truth[np.asarray(place)], classes)
    copied = pc.if_else(pa.array(is_copy & _one_in(2, count, rng)), pc.utf8_upper(copied), copied)
    return pc.if_else(
        pa.array(is_variant), pc.replace_substring(copied, " ", " und ", max_replacements=1), copied
    ), classes


def _with_oddities(texts: pa.Array, rng: np.random.Generator) -> pa.Array:
    count = len(texts)
    endings = {
        ACCENTS: " caf\u00e9 \u2014 \u00fcber\u00a0all",
        EMAILS: " write to jo.doe@example.org",
        PHONES: " call (415) 555-2671",
    }
    for share, ending in endings.items():
        ended = pc.binary_join_element_wise(texts, ending, "")
        texts = pc.if_else(pa.array(_one_in(share, count, rng)), ended, texts)
    return pc.if_else(pa.array(_one_in(SHORT, count, rng)), pa.scalar("short"), texts)


class _Words:
    """The vocabulary, and the texts that all deliveries may copy."""

    def __init__(self) -> None:
        rng = np.random.default_rng(SEED)
        syllables = np.array([a + b for a in "bcdfghjklmnprstvwz" for b in ("a", "e", "i", "o", "u", "an", "er", "is")])
        count = WORDS + len(CLASSES) * CLASS_WORDS
        lengths = rng.choice([1, 2, 3, 4], p=[0.2, 0.4, 0.3, 0.1], size=count)
        drawn = rng.choice(syllables, size=(count, 4))
        self._words = pa.array(["".join(row[:length]) for row, length in zip(drawn.tolist(), lengths, strict=True)])
        weights = 1 / (np.arange(WORDS) + 3.0)
        self._chances = np.cumsum(weights) / weights.sum()
        self.shared, self.shared_truth = self.texts(2_000, rng)

    def texts(self, count: int, rng: np.random.Generator) -> tuple[pa.Array, Places]:
        """Return texts, and the class of each."""
        truth = rng.integers(len(CLASSES), size=count)
        lengths = rng.integers(FEWEST_WORDS, MOST_WORDS, size=count)
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        places = np.searchsorted(self._chances, rng.random(offsets[-1]))
        is_own = rng.random(offsets[-1]) < CLASS_WORD_SHARE
        first = WORDS + np.repeat(truth, lengths) * CLASS_WORDS
        places = np.where(is_own, first + rng.integers(CLASS_WORDS, size=offsets[-1]), places)
        lists = pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), self._words.take(pa.array(places)))
        return pc.binary_join(lists, " "), truth


_ANSWERS = pa.schema(
    [(name, pa.string()) for name in ("batch", "item_id", "purpose", "annotator", "label")]
    + [("seconds_spent", pa.float64())]
)


def _crews(count: int, crew: int, rng: np.random.Generator) -> list[Places]:
    """Return for each answer of an item who gives it: for one item never the same person twice."""
    first, step = rng.integers(crew, size=count), rng.integers(1, crew // ANSWERS_PER_ITEM + 1, size=count)
    return [(first + place * step) % crew for place in range(ANSWERS_PER_ITEM)]


def _said(truth: Places, errors: NDArray[np.float64], rng: np.random.Generator) -> Places:
    """Return the answers: the truth, or with the chance of an error another class."""
    other = (truth + rng.integers(1, len(CLASSES), size=len(truth))) % len(CLASSES)
    return np.where(rng.random(len(truth)) < errors, other, truth)


def _answers(
    batch: str, item_ids: pa.Array, purpose: str, who: str, annotators: Places, labels: Places, rng: np.random.Generator
) -> pa.Table:
    count = len(item_ids)
    columns = [
        pa.repeat(batch, count),
        item_ids,
        pa.repeat(purpose, count),
        pc.binary_join_element_wise(who, pa.array(annotators).cast(pa.string()), ""),
        pa.array(CLASSES).take(pa.array(labels)),
        pa.array(rng.integers(20, 200, size=count) / 10),
    ]
    return pa.table(columns, schema=_ANSWERS)


def _one_in(many: int, count: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    return rng.random(count) < 1 / many


if __name__ == "__main__":
    write_project(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
