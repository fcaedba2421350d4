"""Ids of items whose names are not unique in a file: what tells them apart is put before the name."""

from collections import Counter
from collections.abc import Sequence


def make_distinct_ids(names: Sequence[str], marks: Sequence[Sequence[str | None]]) -> list[str | None]:
    """Return an id for each item, no two alike.

    Args:
        names: The items' names.
        marks: Of each item what may tell it from others of its name, the most telling last: its subset, its number.

    Returns:
        The name where it is there once; else the first mark that differs among all items of the name, before the name;
        None where no mark does.

    >>> make_distinct_ids(["a.png", "b.png", "b.png"], [("train",), ("train",), ("val",)])
    ['a.png', 'train/b.png', 'val/b.png']
    """
    places: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        places.setdefault(name, []).append(place)
    ids: list[str | None] = list(names)
    taken = Counter(name for name, found in places.items() if len(found) == 1)
    for name, found in places.items():
        if len(found) == 1:
            continue
        for level in range(max(len(marks[place]) for place in found)):
            given = [marks[place][level] if level < len(marks[place]) else None for place in found]
            wanted = [f"{mark}/{name}" for mark in given]
            if all(given) and len(set(given)) == len(found) and not any(one in taken for one in wanted):
                break
        else:
            wanted = []
        taken.update(wanted)
        for number, place in enumerate(found):
            ids[place] = wanted[number] if wanted else None
    return ids


def describe_repeated(names: Sequence[str], ids: Sequence[str | None]) -> list[str]:
    """Return a sentence on the names that are there more than once; none where there are none.

    >>> describe_repeated(["a", "a", "b"], ["1/a", "2/a", "b"])
    ["names of several items: 1, as 'a'; their ids are '1/a', '2/a'"]
    """
    changed: dict[str, list[str]] = {}
    for name, item in zip(names, ids, strict=True):
        if item is not None and item != name:
            changed.setdefault(name, []).append(item)
    if not changed:
        return []
    name, shown = next(iter(changed.items()))
    return [f"names of several items: {len(changed):,}, as {name!r}; their ids are {', '.join(map(repr, shown[:3]))}"]
