"""What people and spreadsheets may write for a class: other case, invisible signs, an apostrophe, 1 as 1.0."""

import re
from collections import Counter
from collections.abc import Iterable

from cupel.sources.class_values import plain_spelling


def spellings_of(names: Iterable[str]) -> dict[str, str]:
    """Return what may be written for each name, by its key; names that others would be taken for are left out.

    >>> spellings_of(["Warm", "cold", "COLD"])
    {'warm': 'Warm'}
    """
    names = list(names)
    keys = Counter(key_of(name) for name in names)
    return {key_of(name): name for name in names if keys[key_of(name)] == 1}


def key_of(label: str) -> str:
    """Return a label as spreadsheets may have changed it: case, invisible signs, a guarding apostrophe, 1 as 1.0.

    >>> key_of("'Warm "), key_of("1.0")
    ('warm', '1')
    """
    text = plain_spelling(label).removeprefix("'").casefold()
    return re.sub(r"^(-?\d+)[.,]0+$", r"\1", text)
