"""Texts for the benchmark of near-duplicates: read, edited, grown; and what is true of their pairs, in plain Python."""

import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cupel.cleaning.duplicates.folded_texts import fold_text
from cupel.errors import SourceError

Pair = tuple[int, int]
# Edited copies and grown texts are drawn with it: the same folder gives the same texts.
SEED = 1938
# Of a thousand grown documents a hundred are edited copies, a quarter of them each with so many words edited.
COPIES_SHARE = 0.1
RATES = (0.02, 0.05, 0.1, 0.2)
# A grown document is put together from runs of so many words of the folder's.
SHORTEST_RUN, LONGEST_RUN = 6, 12
LEAST_WORDS = 20


class Folder(NamedTuple):
    """Documents, and pairs of rows that are near-duplicates."""

    texts: list[str]
    truth: list[Pair]


def read_folder(data: Path) -> Folder:
    """Read docs.parquet (id, text) and truth.parquet (a, b: ids); a null text is an empty one.

    Raises:
        SourceError: A file or column is missing, an id stands twice, or the truth names one that is not there.
    """
    docs, truth = _read(data / "docs.parquet", ["id", "text"]), _read(data / "truth.parquet", ["a", "b"])
    ids = docs.column("id").combine_chunks()
    if len(pc.unique(ids)) != len(ids):
        raise SourceError(f"{data / 'docs.parquet'}, column id: an id stands twice; number the documents")
    rows = [pc.index_in(truth.column(name).cast(ids.type), ids) for name in ("a", "b")]
    for name, found in zip(("a", "b"), rows, strict=True):
        if found.null_count:
            missing = truth.column(name).filter(pc.is_null(found))[0].as_py()
            raise SourceError(f"{data / 'truth.parquet'}, column {name}: {missing!r} is no id of docs.parquet")
    pairs = {_ordered(a, b) for a, b in zip(*(found.to_pylist() for found in rows), strict=True) if a != b}
    return Folder([text or "" for text in docs.column("text").to_pylist()], sorted(pairs))


def _read(file: Path, columns: list[str]) -> pa.Table:
    try:
        missing = [name for name in columns if name not in pq.read_schema(file).names]
        if not missing:
            return pq.read_table(file, columns=columns)
    except FileNotFoundError:
        raise SourceError(f"{file}: not there; the folder must hold docs.parquet and truth.parquet") from None
    raise SourceError(f"{file}: no column {missing[0]!r}; expected {', '.join(columns)}")


def _ordered(one: int, other: int) -> Pair:
    return max(one, other), min(one, other)


def edited_copies(texts: Sequence[str], rate: float, count: int) -> Folder:
    """Append copies of some documents of at least 20 words, in which each word is deleted or replaced at this rate.

    Which, and by what, is drawn with a fixed seed; a copy has one edit at least. The truth holds these pairs only.
    """
    draw = random.Random(f"{SEED} {rate}")
    fit = [row for row, text in enumerate(texts) if len(text.split()) >= LEAST_WORDS]
    chosen = sorted(draw.sample(fit, min(count, len(fit))))
    copies = [edit_text(texts[row], rate, texts, draw) for row in chosen]
    return Folder([*texts, *copies], [(len(texts) + place, row) for place, row in enumerate(chosen)])


def edit_text(text: str, rate: float, texts: Sequence[str], draw: random.Random) -> str:
    """Return a text in which each word is deleted or replaced at this rate, one at least."""
    words = text.split()
    places = [place for place in range(len(words)) if draw.random() < rate] or [draw.randrange(len(words))]
    kept: list[str | None] = list(words)
    for place in places:
        other = draw.choice(texts).split()
        kept[place] = draw.choice(other) if other and draw.random() < 0.5 else None
    return " ".join(word for word in kept if word is not None)


def grown(texts: Sequence[str], count: int) -> list[str]:
    """Return so many documents made of the folder's: its own first, as far as they go, then new ones.

    A new document is put together from runs of 6 to 12 words of documents drawn at random, until it is as long as one
    of them; every tenth is an edited copy of one before it instead.
    """
    draw = random.Random(f"{SEED} {count}")
    words = [text.split() for text in texts if text.strip()]
    found = list(texts[:count])
    while len(found) < count:
        if draw.random() < COPIES_SHARE:
            original = draw.choice(found)
            found.append(edit_text(original, draw.choice(RATES), texts, draw) if original.strip() else original)
            continue
        length = len(draw.choice(words))
        made: list[str] = []
        while len(made) < length:
            source = draw.choice(words)
            start = draw.randrange(len(source))
            made += source[start : start + draw.randint(SHORTEST_RUN, LONGEST_RUN)]
        found.append(" ".join(made[:length]))
    return found


class Shingled:
    """Exact similarities by Python's own sets of strings, independent of all hashes."""

    def __init__(self, texts: Sequence[str], width: int, of_words: bool) -> None:
        self._texts, self._width, self._of_words = texts, width, of_words
        self._sets: dict[int, frozenset[object]] = {}

    def similarity(self, one: int, other: int) -> float:
        """Return the Jaccard similarity of two documents' shingle sets."""
        left, right = self.shingles(one), self.shingles(other)
        return len(left & right) / len(left | right)

    def containment(self, one: int, other: int) -> float:
        """Return the share of the smaller document's shingle set that the other's holds."""
        left, right = self.shingles(one), self.shingles(other)
        return len(left & right) / min(len(left), len(right))

    def shingles(self, row: int) -> frozenset[object]:
        """Return the shingle set of a document."""
        if row not in self._sets:
            text, width = fold_text(self._texts[row]), self._width
            parts = tuple(text.split()) if self._of_words else text
            self._sets[row] = frozenset(parts[place : place + width] for place in range(max(1, len(parts) - width + 1)))
        return self._sets[row]


class Reported:
    """The pairs that a tool reports, asked for a pair; what is true of a text is true of its exact copies.

    Args:
        texts: The documents.
        pairs: The pairs, later row first.
    """

    def __init__(self, texts: Sequence[str], pairs: Iterable[Pair]) -> None:
        self._pairs = set(pairs)
        first_of: dict[str, int] = {}
        self._first = [first_of.setdefault(fold_text(text), row) for row, text in enumerate(texts)]

    def holds(self, one: int, other: int) -> bool:
        """Tell whether a pair is reported: itself, or the first copies of its texts and that these are copies."""
        first, other_first = self._first[one], self._first[other]
        if _ordered(one, other) in self._pairs:
            return True
        if not (self._is_tied(one, first) and self._is_tied(other, other_first)):
            return False
        return first == other_first or _ordered(first, other_first) in self._pairs

    def _is_tied(self, row: int, first: int) -> bool:
        return row == first or (row, first) in self._pairs
