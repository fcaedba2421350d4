"""Near-duplicates of a column of texts, by itself or against another one: for who has texts, and no project."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa

from cupel.cleaning.duplicates.candidates import (
    MOST_ITEMS,
    EarlierCandidates,
    EarlierPiece,
    Flags,
    OwnItems,
    Positions,
    find_candidate_pairs,
    find_earlier_candidates,
    join_candidates,
)
from cupel.cleaning.duplicates.contained_candidates import choose_key_runs, find_contained_pairs, key_items
from cupel.cleaning.duplicates.fingerprints import Banding, Fingerprints, Hashes, ShingleShape, take_fingerprints
from cupel.cleaning.duplicates.similarity import ComparedPairs, HashSets, Shares, find_first_equal, verify_pairs
from cupel.compiled_loops import numba as nb
from cupel.errors import TableError

Texts: TypeAlias = pa.Array | pa.ChunkedArray
CHARACTERS = ShingleShape(5)
SIMILARITY = 0.7
_NO_BANDS = Banding(0, 1)


class SearchRules(NamedTuple):
    """What counts as alike.

    Attributes:
        similarity: Least Jaccard similarity of shingle sets, above 0, up to 1.
        containment: Least share of the smaller set that the other holds, above 0, up to 1; None: not looked for.
        keep_other_digits: Texts that differ in digits only are not alike.
    """

    similarity: float = SIMILARITY
    containment: float | None = None
    keep_other_digits: bool = False


class NearDuplicates(NamedTuple):
    """The pairs of a column that are alike, and the clusters that they make.

    Pair i is rows `later[i]` and `earlier[i]`, with the exact Jaccard `similarity[i]` of their shingle sets, and
    `containment[i]`, the share of the smaller set that the other holds; `is_longer[i]` tells that the later has more
    shingles, `differ_in_digits[i]` that they differ in digits only. A row
    whose text stood before (case and white space aside) points to the first such row only, with similarity 1, and only
    that first row is compared with others. `kept` is, for each row, the earliest row of its cluster. `compared` counts
    pairs that were held against each other, `not_compared` bounds those left out of crowds; 0 means none.
    `other_digits` counts the pairs that were left out because they differ in digits only.
    """

    later: Positions
    earlier: Positions
    similarity: Shares
    containment: Shares
    is_longer: Flags
    differ_in_digits: Flags
    kept: Positions
    compared: int
    not_compared: int
    other_digits: int


class TextMatches(NamedTuple):
    """The rows of one column that another holds too: `row[i]` is like `other[i]`, the similarity is exact.

    Of equal texts of the other column the first is named. All else as in `NearDuplicates`; `is_longer` speaks of the
    row.
    """

    row: Positions
    other: Positions
    similarity: Shares
    containment: Shares
    is_longer: Flags
    differ_in_digits: Flags
    compared: int
    not_compared: int
    other_digits: int


class _Pairs(NamedTuple):
    """Alike pairs of different texts, by position; the fields as in `NearDuplicates`."""

    later: Positions
    earlier: Positions
    shares: ComparedPairs
    is_longer: Flags
    differ_in_digits: Flags
    compared: int
    not_compared: int
    other_digits: int


def find_near_duplicates(
    texts: Texts, similarity: float = SIMILARITY, shape: ShingleShape = CHARACTERS, banding: Banding | None = None,
    threads: int | None = None, containment: float | None = None, keep_other_digits: bool = False,
) -> NearDuplicates:  # fmt: skip
    """Find near-duplicates within a column of texts.

    Args:
        texts: Strings or bytes, valid UTF-8 or not; null resembles nothing.
        similarity: Least Jaccard similarity of shingle sets, above 0, up to 1.
        shape: What a shingle is.
        banding: How pairs are proposed; by default so that of pairs of just this similarity 2 in 100 are missed, and
            fewer of those more similar.
        threads: How many threads; None for one a core. The result is the same with any number.
        containment: See `SearchRules`.
        keep_other_digits: See `SearchRules`.

    Raises:
        TableError: There are more than 2,147,483,647 texts.
        ValueError: The similarity or containment is not above 0 and up to 1.

    Source: Broder (1997), On the resemblance and containment of documents.

    >>> texts = ["A first text of some words", "another", "a first text of  some WORDS", "a first text of words"]
    >>> find_near_duplicates(pa.array(texts), 0.5).kept.tolist()
    [0, 1, 0, 0]
    """
    rules = SearchRules(similarity, containment, keep_other_digits)
    banding = _choose_banding(rules, banding, len(texts))
    signed = take_fingerprints(texts, shape, banding, threads=threads, runs=choose_key_runs(containment))
    firsts = find_first_equal(_name_texts(signed))
    places = np.arange(len(firsts))
    takes_part = (firsts == places) & (signed.sizes > 0)
    found = _find_pairs(
        signed, None, takes_part, firsts, rules, lambda used: _make_sets(texts, used, shape, threads), threads
    )
    copies = np.flatnonzero(firsts != places)
    return _order_pairs(found, copies, firsts[copies], len(firsts))


def match_texts(
    texts: Texts, others: Texts, similarity: float = SIMILARITY, shape: ShingleShape = CHARACTERS,
    banding: Banding | None = None, threads: int | None = None, containment: float | None = None,
    keep_other_digits: bool = False,
) -> TextMatches:  # fmt: skip
    """Find the texts of one column in another; neither is compared with itself.

    Args:
        texts: What is looked for.
        others: Where it is looked for.
        similarity: As in `find_near_duplicates`; so are all others.

    Raises:
        TableError: There are more than 2,147,483,647 texts.
        ValueError: The similarity or containment is not above 0 and up to 1.

    >>> found = match_texts(pa.array(["to be", "or not to be"]), pa.array(["Or not to  be", "or not", "to be or not"]))
    >>> found.row.tolist(), found.other.tolist()
    ([1], [0])
    """
    rules = SearchRules(similarity, containment, keep_other_digits)
    banding, runs = _choose_banding(rules, banding, len(texts) + len(others)), choose_key_runs(containment)
    signed, before = (
        take_fingerprints(column, shape, banding, threads=threads, runs=runs) for column in (texts, others)
    )
    count = len(before.sizes)
    names, before_names = _name_texts(signed, count), _name_texts(before)
    own_firsts, firsts = find_first_equal(names), find_first_equal(np.concatenate([before_names, names]))
    takes_part = (own_firsts == np.arange(len(names))) & (signed.sizes > 0)
    found = _find_pairs(
        signed, before, takes_part, firsts, rules,
        lambda used: _make_sets_of_both(others, texts, used, shape, threads), threads,
    )  # fmt: skip
    copies = np.flatnonzero(firsts[count:] < count)
    # What is found of the first of equal texts is true of the others; its copy in the other column is one of them.
    rows, places = _repeat_for_copies(own_firsts, found.later - count)
    repeated = found._replace(
        later=rows, earlier=found.earlier[places], shares=found.shares.choose(places),
        is_longer=found.is_longer[places], differ_in_digits=found.differ_in_digits[places],
    )  # fmt: skip
    ordered = _order_pairs(repeated, copies, firsts[count:][copies], 0)
    return TextMatches(*ordered[:6], *ordered[7:])


def _find_pairs(
    signed: Fingerprints, before: Fingerprints | None, takes_part: Flags, firsts: Positions, rules: SearchRules,
    read_sets: Callable[[Positions], HashSets], threads: int | None,
) -> _Pairs:  # fmt: skip
    """Return the alike pairs of the texts that take part, with each other or, where there are some, with others."""
    count = 0 if before is None else len(before.sizes)
    sizes = signed.sizes if before is None else np.concatenate([before.sizes, signed.sizes])
    numberless = signed.numberless if before is None else np.concatenate([before.numberless, signed.numberless])
    first = np.arange(count)
    is_first = np.zeros(0, np.bool_) if before is None else (firsts[:count] == first) & (before.sizes > 0)
    contained = None
    if rules.containment is not None:
        own = key_items(signed, takes_part, count)
        shared = own.choose_sharing(np.empty(0, np.uint32)) if before is None else key_items(before, is_first, 0)
        shared = shared.choose_sharing(np.unique(own.keys))
        contained = find_contained_pairs(own, shared, firsts, rules.containment, before is None, threads)
    if before is None:
        earlier = EarlierCandidates.none(signed.bands.shape[1])
    else:
        pieces = EarlierPiece(first, before.bands, before.sketches, before.sizes).choose(is_first)
        earlier = find_earlier_candidates(signed.bands[takes_part], [pieces], threads)
    own_items = OwnItems(signed.bands, signed.sketches, signed.sizes, takes_part)
    found = find_candidate_pairs(own_items, earlier, firsts, rules.similarity, before is None, threads)
    candidates = found if contained is None else join_candidates(found, contained)
    later, other = candidates.later, candidates.earlier
    shares = verify_pairs(later, other, sizes, read_sets, rules.similarity, threads, rules.containment)
    differ = numberless[later] == numberless[other]
    is_alike = shares.containment > 0
    is_left = is_alike & ~differ if rules.keep_other_digits else is_alike
    chosen = np.flatnonzero(is_left)
    later, other = later[chosen], other[chosen]
    return _Pairs(
        later, other, shares.choose(chosen), sizes[later] > sizes[other], differ[chosen], candidates.compared,
        candidates.not_compared, int(is_alike.sum() - is_left.sum()),
    )  # fmt: skip


def _order_pairs(found: _Pairs, copies: Positions, first_of: Positions, count: int) -> NearDuplicates:
    """Return pairs and copies in order, and the clusters of so many rows."""
    later, earlier = np.concatenate([copies, found.later]), np.concatenate([first_of, found.earlier])
    order = np.lexsort((earlier, later))
    later, earlier = later[order], earlier[order]
    similarity, containment = (np.append(np.ones(len(copies)), share)[order] for share in found.shares)
    is_longer, differ = (
        np.append(np.zeros(len(copies), np.bool_), flag)[order] for flag in (found.is_longer, found.differ_in_digits)
    )
    kept = find_clusters(count, later, earlier) if count else np.empty(0, np.int64)
    return NearDuplicates(
        later, earlier, similarity, containment, is_longer, differ, kept, found.compared, found.not_compared,
        found.other_digits,
    )  # fmt: skip


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


def _choose_banding(rules: SearchRules, banding: Banding | None, count: int) -> Banding:
    for name, share in (("similarity", rules.similarity), ("containment", rules.containment)):
        if share is not None and not 0 < share <= 1:
            raise ValueError(f"{name} {share}: must be above 0, and at most 1")
    if count > MOST_ITEMS:
        raise TableError(f"{count} texts; at most {MOST_ITEMS} can be compared: divide them")
    return banding or Banding.of(rules.similarity)


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
