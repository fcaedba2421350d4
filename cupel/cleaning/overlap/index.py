"""The runs of words of reference sets, to be found in texts."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from cupel.cleaning.overlap.references import Reference
from cupel.compiled_loops import numba as nb
from cupel.modalities.text.scan.decoding import Bytes
from cupel.modalities.text.words import Hashes, Places, hash_runs, hash_words, plain_words

# A reference of so many words and more is known by its runs of so many. Source: Brown et al. (2020), appendix C.
RUN = 13
# A shorter one is known by all of its words: so many at least, or with its answer together.
LEAST_WORDS, LEAST_WITH_ANSWER = 8, 5


class Match(NamedTuple):
    """The reference that a text holds most of: share of the runs of the shorter of the two, and in words."""

    share: float
    evidence: str


class Index:
    """Reference rows by their runs of words.

    Args:
        rows: The rows.

    Attributes:
        not_looked_for: Rows too short to be told from chance: fewer than `LEAST_WORDS` words and no answer.
    """

    def __init__(self, rows: Sequence[Reference]) -> None:
        words = plain_words(pa.array([row.text for row in rows], pa.large_string()))
        answers = plain_words(pa.array([row.answer for row in rows], pa.large_string()))
        self._names = [row.name for row in rows]
        self._answers = answers.to_pylist()
        self._lengths = np.array([len(text.split()) for text in words.to_pylist()], np.int64)
        with_answer = self._lengths + [len(answer.split()) for answer in self._answers]
        has_answer = np.array([bool(answer) for answer in self._answers], np.bool_)
        is_known = (self._lengths >= LEAST_WORDS) | (has_answer & (with_answer >= LEAST_WITH_ANSWER))
        self.not_looked_for = int((~is_known).sum())
        hashes, owners = _runs_of_rows(*_buffers(words), np.where(is_known, np.minimum(self._lengths, RUN), 0))
        pairs = np.unique(np.stack([hashes, owners.astype(np.uint64)], axis=1), axis=0)
        self._keys, first = np.unique(pairs[:, 0], return_index=True)
        self._starts = np.append(first, len(pairs))
        self._owners = pairs[:, 1].astype(np.int64)
        self._runs = np.bincount(self._owners, minlength=len(rows))
        self._table, self._values = _hash_table(self._keys)
        self._sizes = np.unique(np.minimum(self._lengths[is_known], RUN))

    def find(self, texts: pa.Array | pa.ChunkedArray) -> list[Match | None]:
        """Return for each text the reference that it holds most of; None where it holds nothing of any.

        A long reference is held as far as its runs of 13 words are; a short one if all its words stand there one
        after the other, and its answer anywhere, if it has one.
        """
        texts = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
        plain = plain_words(texts)
        data, offsets = _buffers(plain)
        found: list[Match | None] = [None] * len(plain)
        room = max(1_024, len(plain))
        while True:
            where, keys, words = np.empty(room, np.int64), np.empty(room, np.int64), np.zeros(len(plain), np.int64)
            hits = _search(data, offsets, self._sizes, self._table, self._values, where, keys, words)
            if hits <= room:
                break
            room = hits
        if not hits:
            return found
        pairs = np.unique(np.stack([where[:hits], keys[:hits]], axis=1), axis=0)
        places, first = np.unique(pairs[:, 0], return_index=True)
        for place, own in zip(places.tolist(), np.split(pairs[:, 1], first[1:]), strict=True):
            found[place] = self._best(own, int(words[place]), plain[place])
        return found

    def _best(self, keys: Places, words: int, text: pa.Scalar) -> Match | None:
        """Return the match of the row of which a text holds the largest share; of equals the earliest."""
        owners, counts = np.unique(
            np.concatenate([self._owners[self._starts[key] : self._starts[key + 1]] for key in keys]),
            return_counts=True,
        )
        best: Match | None = None
        for owner, count in zip(owners.tolist(), counts.tolist(), strict=True):
            is_short = self._lengths[owner] < RUN
            if is_short and self._answers[owner] and f" {self._answers[owner]} " not in f" {text.as_py()} ":
                continue
            whole = int(self._runs[owner]) if is_short else min(int(self._runs[owner]), max(words - RUN + 1, 1))
            share = min(count / whole, 1.0)
            if best is None or share > best.share:
                best = Match(share, f"{self._names[owner]}: {self._told(owner, count, whole)}")
        return best

    def _told(self, owner: int, count: int, whole: int) -> str:
        length = int(self._lengths[owner])
        if length >= RUN:
            return f"{min(count, whole)} of {whole} runs of {RUN} words"
        return f"all its {length} words" + (", and its answer" if self._answers[owner] else "")


def _buffers(texts: pa.Array) -> tuple[Bytes, Places]:
    array = texts.cast(pa.large_string()).fill_null("")
    offsets = np.frombuffer(array.buffers()[1], np.int64)[array.offset : array.offset + len(array) + 1]
    content = array.buffers()[2]
    data = np.frombuffer(content, np.uint8) if content is not None and content.size else np.zeros(1, np.uint8)
    return data, offsets if len(array) else np.zeros(1, np.int64)


@nb.njit(nogil=True, cache=True)
def _runs_of_rows(data: Bytes, offsets: Places, lengths: Places) -> tuple[Hashes, Places]:
    """Return the runs of each row, of as many words as `lengths` says (0: none), and whose they are."""
    most = 0
    for row in range(len(lengths)):
        most = max(most, offsets[row + 1] - offsets[row])
    words, runs = np.empty(most + 1, np.uint64), np.empty(most + 1, np.uint64)
    total = 0
    for row in range(len(lengths)):
        if lengths[row]:
            total += max(hash_words(data, offsets[row], offsets[row + 1], words) - lengths[row] + 1, 0)
    hashes, owners = np.empty(total, np.uint64), np.empty(total, np.int64)
    total = 0
    for row in range(len(lengths)):
        if lengths[row]:
            count = hash_words(data, offsets[row], offsets[row + 1], words)
            found = hash_runs(words, count, lengths[row], runs)
            hashes[total : total + found] = runs[:found]
            owners[total : total + found] = row
            total += found
    return hashes, owners


@nb.njit(nogil=True, cache=True)
def _hash_table(keys: Hashes) -> tuple[Hashes, Places]:
    """Return an open table of keys, 0 where it is free, and the place of each among the keys."""
    size = 16
    while size < 3 * len(keys):
        size *= 2
    table, values = np.zeros(size, np.uint64), np.zeros(size, np.int64)
    for number in range(len(keys)):
        place = np.int64((keys[number] >> np.uint64(20)) & np.uint64(size - 1))
        while table[place]:
            place = (place + 1) & (size - 1)
        table[place], values[place] = keys[number], number
    return table, values


@nb.njit(nogil=True, cache=True)
def _search(
    data: Bytes,
    offsets: Places,
    sizes: Places,
    table: Hashes,
    values: Places,
    where: Places,
    keys: Places,
    counts: Places,
) -> int:
    """Write which text holds which key, as far as there is room, and the words of each text; return how many hits."""
    most = 0
    for text in range(len(counts)):
        most = max(most, offsets[text + 1] - offsets[text])
    words, runs = np.empty(most + 1, np.uint64), np.empty(most + 1, np.uint64)
    hits = 0
    last = len(table) - 1
    for text in range(len(counts)):
        count = hash_words(data, offsets[text], offsets[text + 1], words)
        counts[text] = count
        for size in sizes:
            for run in range(hash_runs(words, count, size, runs)):
                place = np.int64((runs[run] >> np.uint64(20)) & np.uint64(last))
                while table[place]:
                    if table[place] == runs[run]:
                        if hits < len(where):
                            where[hits], keys[hits] = text, values[place]
                        hits += 1
                        break
                    place = (place + 1) & last
    return hits
