"""Texts that are nearly the same as those of earlier audits: their sketches, and which of them are alike.

A sketch is 64 numbers: of each of 64 hash functions, the lowest 16 bits of the least hash among a text's runs of five
characters. Two texts agree in each with a chance that is the Jaccard similarity of their runs (MinHash). They count as
nearly the same where at least 75% of the numbers agree: so of pairs of similarity .8 nine in ten do, of .85 and more
nearly all, and of .65 and less next to none. Only the first 4,000 characters are looked at, and nothing is said of
texts that were written anew in other words.

Source: Broder (1997), On the resemblance and containment of documents; Li and Koenig (2010), b-bit minwise hashing.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cupel.certificate.families import Keys
from cupel.certificate.hypergeometric import Integers

RUN_CHARACTERS = 5
NUMBERS = 64
# Pairs are looked for among texts that agree in four numbers in a row.
BAND_NUMBERS = 4
LEAST_AGREEING = 48
MOST_CHARACTERS = 4_000
CHARACTERS_AT_ONCE = 1_000_000
# Texts that agree with a crowd of earlier ones need not be compared with all of them.
MOST_COMPARED = 8
SKETCH_BYTES = 16 + 2 * NUMBERS

Sketches = NDArray[np.uint16]


class SketchedTexts(NamedTuple):
    """Texts by their keys, of shape (texts, 2), with their sketches, of shape (texts, 64)."""

    keys: Keys
    sketches: Sketches


def sketch_texts(keys: Keys, texts: Sequence[str | None]) -> SketchedTexts:
    """Return the sketches of texts, each distinct one once.

    Args:
        keys: Keys of the items, of shape (items, 2).
        texts: Their folded texts; None and texts under five characters have no sketch.
    """
    distinct: dict[str, int] = {}
    for place, text in enumerate(texts):
        if text is not None and len(text) >= RUN_CHARACTERS:
            distinct.setdefault(text, place)
    pieces = [_sketch(piece) for piece in _pieces(list(distinct))]
    sketches = np.concatenate(pieces) if pieces else np.empty((0, NUMBERS), np.uint16)
    return SketchedTexts(keys[list(distinct.values())], sketches)


def pack_sketches(sketched: SketchedTexts) -> bytes:
    """Return texts as bytes: of each its key, then its sketch, both with the highest byte first."""
    keys = sketched.keys.astype(">u8").view(np.uint8).reshape(-1, 16)
    return np.hstack([keys, sketched.sketches.astype(">u2").view(np.uint8).reshape(-1, 2 * NUMBERS)]).tobytes()


def unpack_sketches(content: bytes) -> SketchedTexts:
    """Return the texts that `pack_sketches` packed."""
    rows = np.frombuffer(content, np.uint8).reshape(-1, SKETCH_BYTES)
    keys = np.ascontiguousarray(rows[:, :16]).view(">u8").astype(np.uint64)
    return SketchedTexts(keys, np.ascontiguousarray(rows[:, 16:]).view(">u2").astype(np.uint16))


def find_alike(texts: SketchedTexts, earlier: SketchedTexts) -> Integers:
    """Return for each text the place of an earlier one that is nearly the same; -1 where none is."""
    found = np.full(len(texts.keys), -1, np.int64)
    if not len(earlier.keys):
        return found
    for first in range(0, NUMBERS, BAND_NUMBERS):
        open_texts = np.flatnonzero(found < 0)
        bands, known = (
            np.ascontiguousarray(sketches[:, first : first + BAND_NUMBERS]).view(np.uint64).ravel()
            for sketches in (texts.sketches[open_texts], earlier.sketches)
        )
        order = np.argsort(known, kind="stable")
        start, end = (np.searchsorted(known[order], bands, side) for side in ("left", "right"))
        for step in range(MOST_COMPARED):
            are_candidates = np.flatnonzero((start + step < end) & (found[open_texts] < 0))
            if not are_candidates.size:
                break
            places = order[start[are_candidates] + step]
            agreeing = (texts.sketches[open_texts[are_candidates]] == earlier.sketches[places]).sum(axis=1)
            is_alike = agreeing >= LEAST_AGREEING
            found[open_texts[are_candidates[is_alike]]] = places[is_alike]
    return found


def _pieces(texts: Sequence[str]) -> Iterator[list[str]]:
    """Yield texts, cut to the characters that are looked at, as many at once as memory is spent on."""
    piece, size = [], 0
    for text in texts:
        piece.append(text[:MOST_CHARACTERS])
        size += len(piece[-1])
        if size >= CHARACTERS_AT_ONCE:
            yield piece
            piece, size = [], 0
    if piece:
        yield piece


def _sketch(texts: Sequence[str]) -> Sketches:
    """Sketch texts of five characters and more, all at once."""
    codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)
    lengths = np.array([len(text) for text in texts])
    runs = lengths - RUN_CHARACTERS + 1
    ends = np.cumsum(runs)
    # Runs of all texts in one row: of each its first character's place, past the ends of the texts before it.
    places = np.arange(ends[-1]) + np.repeat((RUN_CHARACTERS - 1) * np.arange(len(texts)), runs)
    hashes = np.zeros(len(places), np.uint64)
    for character in range(RUN_CHARACTERS):
        hashes = hashes * _MULTIPLIER + codes[places + character]
    hashes = _mix(hashes)
    hashed, step = hashes.astype(np.uint32), (hashes >> np.uint64(32)).astype(np.uint32) | np.uint32(1)
    starts = np.concatenate([[0], ends[:-1]])
    sketches = np.empty((len(texts), NUMBERS), np.uint16)
    for number in range(NUMBERS):
        # Two halves of one hash give all others (Kirsch and Mitzenmacher 2006); their lowest bits are mixed at the end.
        hashed += step
        sketches[:, number] = _mix(np.minimum.reduceat(hashed, starts).astype(np.uint64)).astype(np.uint16)
    return sketches


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return hashes with every bit dependent on every other. Source: Steele, Lea and Flood (2014), SplitMix."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


_MULTIPLIER = np.uint64(0x100000001B3)
