"""Names of classes beside each other: those that are one class written in several ways, and several written as one."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from cupel.sources.class_values import plain_spelling, spelling_key

# What tools and people join several classes with in one cell.
SEPARATORS = ("#", "|", ";", ",", "/", "+", "&", "\t")


def merge_spellings(names: Iterable[str], declared: Sequence[str] = ()) -> dict[str, str]:
    """Return which class each name that is written otherwise stands for.

    Names that differ only by case, Unicode form, spaces or invisible characters are one class: as it was declared,
    else as it is written most often, the first in the alphabet of equals.

    Args:
        names: Names, once for each time that they are met.
        declared: Classes that the guideline knows. Of two that are spelt alike each stays what it is.

    Returns:
        Only names that change.

    >>> merge_spellings(["Positive", "positive", "Positive", "cold"])
    {'positive': 'Positive'}
    """
    counts = Counter(names)
    groups: dict[str, list[str]] = {}
    for name in counts:
        groups.setdefault(spelling_key(name), []).append(name)
    known: dict[str, list[str]] = {}
    for name in dict.fromkeys(declared):
        known.setdefault(spelling_key(name), []).append(name)
    merged = {}
    for key, group in groups.items():
        wanted = known.get(key) or [plain_spelling(min(group, key=lambda name: (-counts[name], name)))]
        if len(wanted) == 1:
            merged.update({name: wanted[0] for name in sorted(group) if name != wanted[0]})
    return merged


def find_joined(names: Iterable[str], declared: Sequence[str] = ()) -> dict[str, tuple[str, ...]]:
    """Return the names that are several other classes with a separator between them, and those classes.

    >>> find_joined(["war", "law", "war|law", "tea/coffee"])
    {'war|law': ('war', 'law')}
    """
    known = frozenset(names)
    keys = {spelling_key(name) for name in (*known, *declared)}
    found = {}
    for name in sorted(known - frozenset(declared)):
        for separator in SEPARATORS:
            parts = [part.strip() for part in name.split(separator)]
            if len(parts) > 1 and all(part and spelling_key(part) in keys for part in parts):
                found[name] = tuple(parts)
                break
    return found


def describe_shared_parts(names: Iterable[str]) -> list[str]:
    """Return a sentence where names of several parts have parts in common: they may be several classes in one cell.

    >>> describe_shared_parts(["war|law", "law|art", "AC/DC"])
    ["'law|art' and 'war|law' have 'law' in common: several classes in one cell? Then name --kind and --classes"]
    """
    known = sorted(set(names))
    for separator in SEPARATORS:
        of_part: dict[str, str] = {}
        for name in known:
            parts = {part.strip() for part in name.split(separator)}
            for part in sorted(parts) if len(parts) > 1 and "" not in parts else ():
                first = of_part.setdefault(part, name)
                if first != name:
                    return [
                        f"{first!r} and {name!r} have {part!r} in common: several classes in one cell? Then name "
                        "--kind and --classes"
                    ]
    return []


def describe_spellings(merged: Mapping[str, str]) -> list[str]:
    """Return a sentence for each class that was written in several ways.

    >>> describe_spellings({"positive": "Positive"})
    ["'Positive' is also written 'positive': taken as one class; --as-written keeps them apart"]
    """
    ways: dict[str, list[str]] = {}
    for name, wanted in merged.items():
        ways.setdefault(wanted, []).append(ascii(name) if not name.isascii() else repr(name))
    return [
        f"{wanted!r} is also written {', '.join(sorted(names))}: taken as one class; --as-written keeps them apart"
        for wanted, names in sorted(ways.items())
    ]
