"""Near-duplicates of a column of texts, by itself or against another one: for who has texts, and no project."""

from typing import NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa

from cupel.cleaning.duplicates.candidates import (
    MOST_ITEMS,
    EarlierCandidates,
    EarlierPiece,
    OwnItems,
    Positions,
    find_candidate_pairs,
    find_earlier_candidates,
)
from cupel.cleaning.duplicates.fingerprints import Banding, Fingerprints, Hashes, ShingleShape, take_fingerprints
from cupel.cleaning.duplicates.similarity import HashSets, Shares, find_first_equal, verify_pairs
from cupel.compiled_loops import numba as nb
from cupel.errors import TableError

Texts: TypeAlias = pa.Array | pa.ChunkedArray
CHARACTERS = ShingleShape(5)
SIMILARITY = 0.7
_NO_BANDS = Banding(0, 1)


class NearDuplicates(NamedTuple):
    """The pairs of a column that are alike, and the clusters that they make.

    Pair i is rows `later[i]` and `earlier[i]`, with the exact Jaccard `similarity[i]` of their shingle sets. A row
    whose text stood before (case and white space aside) points to the first such row only, with similarity 1, and only
    that first row is compared with others. `kept` is, for each row, the earliest row of its cluster. `compared` counts
    pairs that were held against each other, `not_compared` bounds those left out of crowds; 0 means none.
    """

    later: Positions
    earlier: Positions
    similarity: Shares
    kept: Positions
    compared: int
    not_compared: int


class TextMatches(NamedTuple):
    """The rows of one column that another holds too: `row[i]` is like `other[i]`, the similarity is exact.

    Of equal texts of the other column the first is named. `compared` and `not_compared` as in `NearDuplicates`.
    """

    row: Positions
    other: Positions
    similarity: Shares
    compared: int
    not_compared: int


def find_near_duplicates(
    texts: Texts, similarity: float = SIMILARITY, shape: ShingleShape = CHARACTERS, banding: Banding | None = None,
    threads: int | None = None,
) -> NearDuplicates:  # fmt: skip
    """Find near-duplicates within a column of texts.

    Args:
        texts: Strings or bytes, valid UTF-8 or not; null resembles nothing.
        similarity: Least Jaccard similarity of shingle sets, above 0, up to 1.
        shape: What a shingle is.
        banding: How pairs are proposed; by default so that of pairs of just this similarity 2 in 100 are missed, and
            fewer of those more similar.
        threads: How many threads; None for one a core. The result is the same with any number.

    Raises:
        TableError: There are more than 2,147,483,647 texts.
        ValueError: The similarity is not above 0 and up to 1.

    Source: Broder (1997), On the resemblance and containment of documents.

    >>> texts = ["A first text of some words", "another", "a first text of  some WORDS", "a first text of words"]
    >>> find_near_duplicates(pa.array(texts), 0.5).kept.tolist()
    [0, 1, 0, 0]
    """
    signed = take_fingerprints(texts, shape, _choose_banding(similarity, banding, len(texts)), threads=threads)
    firsts = find_first_equal(_name_texts(signed))
    places = np.arange(len(firsts))
    own = OwnItems(signed.bands, signed.sketches, signed.sizes, (firsts == places) & (signed.sizes > 0))
    nothing = EarlierCandidates.none(signed.bands.shape[1])
    found = find_candidate_pairs(own, nothing, firsts, similarity, threads=threads)
    share = verify_pairs(
        found.later, found.earlier, signed.sizes, lambda used: _make_sets(texts, used, shape, threads), similarity,
        threads,
    )  # fmt: skip
    is_alike, copies = np.flatnonzero(share), np.flatnonzero(firsts != places)
    later = np.concatenate([copies, found.later[is_alike]])
    earlier = np.concatenate([firsts[copies], found.earlier[is_alike]])
    order = np.lexsort((earlier, later))
    later, earlier = later[order], earlier[order]
    shares = np.concatenate([np.ones(len(copies)), share[is_alike]])[order]
    return NearDuplicates(
        later, earlier, shares, find_clusters(len(firsts), later, earlier), found.compared, found.not_compared
    )


def match_texts(
    texts: Texts, others: Texts, similarity: float = SIMILARITY, shape: ShingleShape = CHARACTERS,
    banding: Banding | None = None, threads: int | None = None,
) -> TextMatches:  # fmt: skip
    """Find the texts of one column in another; neither is compared with itself.

    Args:
        texts: What is looked for.
        others: Where it is looked for.
        similarity: As in `find_near_duplicates`; so are shape, banding and threads.

    Raises:
        TableError: There are more than 2,147,483,647 texts.
        ValueError: The similarity is not above 0 and up to 1.

    >>> found = match_texts(pa.array(["to be", "or not to be"]), pa.array(["Or not to  be", "or not", "to be or not"]))
    >>> found.row.tolist(), found.other.tolist()
    ([1], [0])
    """
    banding = _choose_banding(similarity, banding, len(texts) + len(others))
    signed, before = (take_fingerprints(column, shape, banding, threads=threads) for column in (texts, others))
    count = len(before.sizes)
    names, before_names = _name_texts(signed, count), _name_texts(before)
    own_firsts, firsts = find_first_equal(names), find_first_equal(np.concatenate([before_names, names]))
    takes_part = (own_firsts == np.arange(len(names))) & (signed.sizes > 0)
    pieces = EarlierPiece(np.arange(count), before.bands, before.sketches, before.sizes).choose(
        (firsts[:count] == np.arange(count)) & (before.sizes > 0)
    )
    sizes = np.concatenate([before.sizes, signed.sizes])
    earlier = find_earlier_candidates(signed.bands[takes_part], [pieces], threads)
    own = OwnItems(signed.bands, signed.sketches, signed.sizes, takes_part)
    found = find_candidate_pairs(own, earlier, firsts, similarity, within=False, threads=threads)
    share = verify_pairs(
        found.later, found.earlier, sizes, lambda used: _make_sets_of_both(others, texts, used, shape, threads),
        similarity, threads,
    )  # fmt: skip
    is_alike, copies = np.flatnonzero(share), np.flatnonzero(firsts[count:] < count)
    # What is found of the first of equal texts is true of the others; its copy in the other column is one of them.
    rows, places = _repeat_for_copies(own_firsts, found.later[is_alike] - count)
    row = np.concatenate([copies, rows])
    other = np.concatenate([firsts[count:][copies], found.earlier[is_alike][places]])
    order = np.lexsort((other, row))
    shares = np.concatenate([np.ones(len(copies)), share[is_alike][places]])[order]
    return TextMatches(row[order], other[order], shares, found.compared, found.not_compared)


def _repeat_for_copies(firsts: Positions, rows: Positions) -> tuple[Positions, Positions]:
    """Return, for rows that ascend, all rows that have the same first, and the place in `rows` that each comes from."""
    order = np.argsort(firsts, kind="stable")
    low, high = np.searchsorted(firsts[order], rows), np.searchsorted(firsts[order], rows, side="right")
    times = high - low
    ends = np.cumsum(times)
    within = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - times, times)
    return order[np.repeat(low, times) + within], np.repeat(np.arange(len(rows)), times)


def _name_texts(signed: Fingerprints, first: int = 0) -> Hashes:
    """Return what names each text: its hash and length, and of null something that no other row has."""
    names = signed.texts.copy()
    nothing = np.flatnonzero(signed.sizes == 0)
    names[nothing, 0], names[nothing, 1] = nothing + first, np.uint64(2**64 - 1)
    return names


def _make_sets(texts: Texts, used: Positions, shape: ShingleShape, threads: int | None) -> HashSets:
    signed = take_fingerprints(texts.take(pa.array(used)), shape, _NO_BANDS, keep_shingles=True, threads=threads)
    return HashSets(signed.shingles, signed.sizes)


def _make_sets_of_both(
    others: Texts, texts: Texts, used: Positions, shape: ShingleShape, threads: int | None
) -> HashSets:
    """Return the sets at positions that go through the other column first."""
    before = used < len(others)
    parts = (
        _make_sets(others, used[before], shape, threads),
        _make_sets(texts, used[~before] - len(others), shape, threads),
    )
    return HashSets(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("hashes", "sizes")))


def _choose_banding(similarity: float, banding: Banding | None, count: int) -> Banding:
    if not 0 < similarity <= 1:
        raise ValueError(f"similarity {similarity}: must be above 0, and at most 1")
    if count > MOST_ITEMS:
        raise TableError(f"{count} texts; at most {MOST_ITEMS} can be compared: divide them")
    return banding or Banding.of(similarity)


@nb.njit(nogil=True, cache=True)
def find_clusters(count: int, left: Positions, right: Positions) -> Positions:
    """Return, for each of `count` items, the earliest item of its cluster: the one that is kept.

    Args:
        count: Items; they are their places, the earliest first.
        left: One item of each pair.
        right: The other one.

    Returns:
        The kept item of each item's cluster; of an item without pairs itself. The order of pairs does not matter.

    Source: Tarjan (1975), Journal of the ACM 22(2).

    >>> find_clusters(5, np.array([4, 2]), np.array([2, 1])).tolist()
    [0, 1, 1, 3, 1]
    """
    parent = np.arange(count)
    for pair in range(len(left)):
        one, other = left[pair], right[pair]
        while parent[one] != one:
            parent[one] = parent[parent[one]]
            one = parent[one]
        while parent[other] != other:
            parent[other] = parent[parent[other]]
            other = parent[other]
        parent[max(one, other)] = min(one, other)
    # A parent stands before its children, so that its own root is known when theirs is asked for.
    for item in range(count):
        parent[item] = parent[parent[item]]
    return parent
