"""Near-duplicates of a column of texts, by itself or against another: for who has texts, and no project."""

from typing import NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa

from cupel.cleaning.bands import MOST_ITEMS, Earlier, Piece, sharing
from cupel.cleaning.candidates import Own, alike
from cupel.cleaning.clusters import clusters
from cupel.cleaning.fingerprints import Fingerprints, fingerprints
from cupel.cleaning.jaccard import HashSets, Positions, Shares, verified
from cupel.cleaning.minhash import Banding
from cupel.cleaning.register import first_equal
from cupel.cleaning.shingles import Hashes, Shape
from cupel.errors import TableError

Texts: TypeAlias = pa.Array | pa.ChunkedArray
CHARACTERS = Shape(5)
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


class Found(NamedTuple):
    """The rows of one column that another holds too: `row[i]` is like `other[i]`, the similarity is exact.

    Of equal texts of the other column the first is named. `compared` and `not_compared` as in `NearDuplicates`.
    """

    row: Positions
    other: Positions
    similarity: Shares
    compared: int
    not_compared: int


def near_duplicates(
    texts: Texts, similarity: float = SIMILARITY, shape: Shape = CHARACTERS, banding: Banding | None = None,
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
    >>> near_duplicates(pa.array(texts), 0.5).kept.tolist()
    [0, 1, 0, 0]
    """
    signed = fingerprints(texts, shape, _checked(similarity, banding, len(texts)), threads=threads)
    firsts = first_equal(_named(signed))
    places = np.arange(len(firsts))
    own = Own(signed.bands, signed.sketches, signed.sizes, (firsts == places) & (signed.sizes > 0))
    found = alike(own, Earlier.none(signed.bands.shape[1]), firsts, similarity, threads=threads)
    share = verified(
        found.later, found.earlier, signed.sizes, lambda used: _sets(texts, used, shape, threads), similarity, threads
    )
    is_alike, copies = np.flatnonzero(share), np.flatnonzero(firsts != places)
    later = np.concatenate([copies, found.later[is_alike]])
    earlier = np.concatenate([firsts[copies], found.earlier[is_alike]])
    order = np.lexsort((earlier, later))
    later, earlier = later[order], earlier[order]
    shares = np.concatenate([np.ones(len(copies)), share[is_alike]])[order]
    return NearDuplicates(
        later, earlier, shares, clusters(len(firsts), later, earlier), found.compared, found.not_compared
    )


def resembling(
    texts: Texts, others: Texts, similarity: float = SIMILARITY, shape: Shape = CHARACTERS,
    banding: Banding | None = None, threads: int | None = None,
) -> Found:  # fmt: skip
    """Find the texts of one column in another; neither is compared with itself.

    Args:
        texts: What is looked for.
        others: Where it is looked for.
        similarity: As in `near_duplicates`; so are shape, banding and threads.

    Raises:
        TableError: There are more than 2,147,483,647 texts.
        ValueError: The similarity is not above 0 and up to 1.

    >>> found = resembling(pa.array(["to be", "or not to be"]), pa.array(["Or not to  be", "or not", "to be or not"]))
    >>> found.row.tolist(), found.other.tolist()
    ([1], [0])
    """
    banding = _checked(similarity, banding, len(texts) + len(others))
    signed, before = (fingerprints(column, shape, banding, threads=threads) for column in (texts, others))
    count = len(before.sizes)
    names, before_names = _named(signed, count), _named(before)
    own_firsts, firsts = first_equal(names), first_equal(np.concatenate([before_names, names]))
    takes_part = (own_firsts == np.arange(len(names))) & (signed.sizes > 0)
    pieces = Piece(np.arange(count), before.bands, before.sketches, before.sizes).those(
        (firsts[:count] == np.arange(count)) & (before.sizes > 0)
    )
    sizes = np.concatenate([before.sizes, signed.sizes])
    earlier = sharing(signed.bands[takes_part], [pieces], threads)
    own = Own(signed.bands, signed.sketches, signed.sizes, takes_part)
    found = alike(own, earlier, firsts, similarity, within=False, threads=threads)
    share = verified(
        found.later, found.earlier, sizes, lambda used: _sets_of_both(others, texts, used, shape, threads), similarity,
        threads,
    )  # fmt: skip
    is_alike, copies = np.flatnonzero(share), np.flatnonzero(firsts[count:] < count)
    # What is found of the first of equal texts is true of the others; its twin in the other column is one of them.
    rows, places = _copied(own_firsts, found.later[is_alike] - count)
    row = np.concatenate([copies, rows])
    other = np.concatenate([firsts[count:][copies], found.earlier[is_alike][places]])
    order = np.lexsort((other, row))
    shares = np.concatenate([np.ones(len(copies)), share[is_alike][places]])[order]
    return Found(row[order], other[order], shares, found.compared, found.not_compared)


def _copied(firsts: Positions, rows: Positions) -> tuple[Positions, Positions]:
    """Return, for rows that ascend, all rows that have the same first, and the place in `rows` that each comes from."""
    order = np.argsort(firsts, kind="stable")
    low, high = np.searchsorted(firsts[order], rows), np.searchsorted(firsts[order], rows, side="right")
    times = high - low
    ends = np.cumsum(times)
    within = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - times, times)
    return order[np.repeat(low, times) + within], np.repeat(np.arange(len(rows)), times)


def _named(signed: Fingerprints, first: int = 0) -> Hashes:
    """Return what names each text: its hash and length, and of null something that no other row has."""
    names = signed.texts.copy()
    nothing = np.flatnonzero(signed.sizes == 0)
    names[nothing, 0], names[nothing, 1] = nothing + first, np.uint64(2**64 - 1)
    return names


def _sets(texts: Texts, used: Positions, shape: Shape, threads: int | None) -> HashSets:
    signed = fingerprints(texts.take(pa.array(used)), shape, _NO_BANDS, keep_shingles=True, threads=threads)
    return HashSets(signed.shingles, signed.sizes)


def _sets_of_both(others: Texts, texts: Texts, used: Positions, shape: Shape, threads: int | None) -> HashSets:
    """Return the sets at positions that go through the other column first."""
    before = used < len(others)
    parts = _sets(others, used[before], shape, threads), _sets(texts, used[~before] - len(others), shape, threads)
    return HashSets(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("hashes", "sizes")))


def _checked(similarity: float, banding: Banding | None, count: int) -> Banding:
    if not 0 < similarity <= 1:
        raise ValueError(f"similarity {similarity}: must be above 0, and at most 1")
    if count > MOST_ITEMS:
        raise TableError(f"{count} texts; at most {MOST_ITEMS} can be compared: divide them")
    return banding or Banding.of(similarity)
