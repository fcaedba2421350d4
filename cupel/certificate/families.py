"""Families: which items were audited before, whatever brought them, and how many attempts that has taken.

A key is the first 16 bytes of the SHA-256 of an item's content, as two numbers. Every key that was ever audited belongs
to one family, for good. The depth of a family is the last attempt that was spent on it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cupel.certificate.hypergeometric import Integers
from cupel.certificate.sequence import Flags
from cupel.errors import AuditError

Keys = NDArray[np.uint64]
_DIGITS = 64


@dataclass(frozen=True)
class Families:
    """The families of all items that were audited.

    `keys` has the shape (items, 2); its rows are distinct and in ascending order. `members` is the family of each key,
    a number from 0 on, in the order in which families were founded. `depths` is the depth of each family.
    """

    keys: Keys
    members: NDArray[np.int32]
    depths: Integers

    @classmethod
    def empty(cls) -> "Families":
        """Return the families before the first audit: none."""
        return cls(np.empty((0, 2), np.uint64), np.empty(0, np.int32), np.empty(0, np.int64))


def parse_keys(digits: bytes) -> Keys:
    """Return the keys of items, of shape (items, 2), in the order in which they came.

    Args:
        digits: SHA-256 digests in hexadecimal, 64 digits each, one after the other.

    Raises:
        AuditError: These are no such digests.

    >>> parse_keys(b"0" * 15 + b"1" + b"0" * 15 + b"2" + b"f" * 32).tolist()
    [[1, 2]]
    """
    try:
        content = bytes.fromhex(digits.decode("ascii"))
    except ValueError:
        content = b""
    if 2 * len(content) != len(digits) or len(digits) % _DIGITS:
        raise AuditError(f"digests: found {len(digits)} bytes; expected {_DIGITS} hexadecimal digits an item")
    rows = np.frombuffer(content, ">u8").reshape(-1, 4)[:, :2]
    return np.ascontiguousarray(rows, dtype=np.uint64)


def sort_keys(keys: Keys) -> Keys:
    """Return the distinct keys in ascending order."""
    ordered = keys[np.argsort(keys[:, 0])]
    if (ordered[1:, 0] == ordered[:-1, 0]).any():
        ordered = keys[np.lexsort((keys[:, 1], keys[:, 0]))]
        is_first = np.append(True, (ordered[1:] != ordered[:-1]).any(axis=1))
        ordered = ordered[is_first[: len(ordered)]]
    return ordered


def find_keys(ordered: Keys, keys: Keys) -> Integers:
    """Return the row at which each key stands in distinct, ascending keys; -1 where it does not.

    >>> ordered = np.array([[1, 5], [1, 7], [2, 0]], np.uint64)
    >>> find_keys(ordered, np.array([[1, 7], [2, 1]], np.uint64)).tolist()
    [1, -1]
    """
    if not len(ordered):
        return np.full(len(keys), -1, np.int64)
    rows = _find_places(ordered, keys)
    is_there = (ordered[np.minimum(rows, len(ordered) - 1)] == keys).all(axis=1) & (rows < len(ordered))
    return np.where(is_there, rows, -1)


def are_known(families: Families, keys: Keys) -> Flags:
    """Return whether an item of each key was audited before."""
    return np.asarray(find_keys(families.keys, keys) >= 0, np.bool_)


def count_attempt(families: Families, keys: Keys) -> int:
    """Return which attempt an audit of these items is: 1 + the largest depth of the families that it touches.

    An audit touches the families of its items. One that touches none is the first attempt.

    Args:
        families: Of all audits that were frozen before.
        keys: The items' keys, of shape (items, 2), in any order; the same key may come twice.

    >>> one, other = np.array([[1, 0], [2, 0]], np.uint64), np.array([[3, 0]], np.uint64)
    >>> families = add_audit(Families.empty(), one, 1)
    >>> count_attempt(families, one), count_attempt(families, other)
    (2, 1)
    """
    return _count_attempt(families, _find_touched(families, find_keys(families.keys, sort_keys(keys))))


def add_audit(families: Families, keys: Keys, attempt: int) -> Families:
    """Return the families after an audit.

    New items join the family that the audit touches. Where it touches none or several, they are a new family: families
    never merge. The depth of all of these becomes the audit's attempt.

    Args:
        families: Of all audits that were frozen before.
        keys: Its items' keys; see `count_attempt`.
        attempt: The attempt that it was. Where it is less than `count_attempt` says (older releases counted by names),
            that counts. A later look at the same items is an audit of its own, with a draw of its own among what is
            left; looks that accumulated one sample would all have to count from the first on.

    Raises:
        AuditError: The attempt is below 1.

    >>> families = Families.empty()
    >>> for number in range(3):
    ...     families = add_audit(families, np.array([[number, 0]], np.uint64), 1)
    >>> together = np.array([[0, 0], [1, 0], [2, 0], [3, 0]], np.uint64)
    >>> count_attempt(families, together)
    2
    >>> families = add_audit(families, together, 2)
    >>> families.members.tolist(), families.depths.tolist()
    ([0, 1, 2, 3], [2, 2, 2, 2])
    """
    if attempt < 1:
        raise AuditError(f"attempt: found {attempt}; expected 1 or more, the first is 1")
    ordered = sort_keys(keys)
    rows = find_keys(families.keys, ordered)
    touched, new = _find_touched(families, rows), ordered[rows < 0]
    depth = max(attempt, _count_attempt(families, touched))
    depths = families.depths.copy()
    depths[touched] = depth
    if not len(new):
        return Families(families.keys, families.members, depths)
    if len(touched) == 1:
        family = int(touched[0])
    else:
        family, depths = len(depths), np.append(depths, depth)
    places = _find_places(families.keys, new)
    return Families(
        np.insert(families.keys, places, new, axis=0), np.insert(families.members, places, np.int32(family)), depths
    )


def _count_attempt(families: Families, touched: Integers) -> int:
    return 1 + int(families.depths[touched].max(initial=0))


def _find_touched(families: Families, rows: Integers) -> Integers:
    """Return the families of the keys at some rows, -1 for none, in ascending order."""
    return np.flatnonzero(np.bincount(families.members[rows[rows >= 0]], minlength=len(families.depths)))


def _find_places(ordered: Keys, keys: Keys) -> Integers:
    """Return for each key how many of the distinct, ascending keys are below it."""
    rows, order = np.empty(len(keys), np.int64), np.argsort(keys[:, 0])
    # In ascending order they are found in a tenth of the time.
    rows[order] = np.searchsorted(ordered[:, 0], keys[order, 0])
    # Keys that share their first half are next to never met, unless somebody made them.
    left = np.arange(len(keys))
    while left.size:
        left = left[rows[left] < len(ordered)]
        first, second = ordered[rows[left]].T
        left = left[(first == keys[left, 0]) & (second < keys[left, 1])]
        rows[left] += 1
    return rows
