"""YAML read strictly: plain data, no key twice, nothing that grows when it is read."""

import re
from copy import deepcopy
from functools import lru_cache
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode

from cupel.printable import printable

MOST_CHARACTERS = 1 << 20
# Aliases written out; a few lines of them can stand for billions of values.
MOST_VALUES = 100_000
INTEGER_BITS = 63
_TAG = "tag:yaml.org,2002:"
_PLAIN = frozenset(_TAG + kind for kind in ("str", "int", "float", "bool", "null", "seq", "map", "timestamp", "merge"))
# Control characters other than tab and line ends, and halves of characters.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
# What PyYAML's constructors raise, besides its own errors, where a value is not what its tag says.
_BAD_VALUE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError)


def read_yaml(text: str) -> Any:
    """Return what a YAML document holds.

    Args:
        text: One document; only the tags of plain data, and aliases that do not run in a circle.

    Returns:
        Dictionaries, lists, texts, numbers, dates, booleans, None.

    Raises:
        ValueError: It is not YAML, names a key twice, is too large, or holds what plain data do not; says where.

    >>> read_yaml("a: [1, x]")
    {'a': [1, 'x']}
    """
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"{len(text):,} characters, at most {MOST_CHARACTERS:,} are read")
    try:
        return deepcopy(_parse(text))
    except yaml.YAMLError as error:
        raise ValueError(printable(str(error))) from None
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except _BAD_VALUE as error:
        raise ValueError(f"a value cannot be read: {printable(str(error))}") from None


@lru_cache(maxsize=16)
def _parse(text: str) -> Any:
    """Return what a document holds: each step of a run reads the same project file anew."""
    loader = _Loader(text)
    node = loader.get_single_node()
    if node is None:
        return None
    _check(node, {}, set())
    return loader.construct_document(node)


class _Loader(yaml.SafeLoader):
    def construct_yaml_int(self, node: ScalarNode) -> int:
        """Refuse what no table can hold, and Python would not print."""
        number = super().construct_yaml_int(node)
        if number.bit_length() > INTEGER_BITS:
            raise _error(node, f"the number {_shown(node)} has more than {INTEGER_BITS} bits")
        return int(number)


_Loader.add_constructor(f"{_TAG}int", _Loader.construct_yaml_int)


def _check(node: Node, sizes: dict[Node, int], above: set[Node]) -> int:
    """Return how many values a node stands for, refusing circles, unprintable texts and tags of other than data."""
    if node in above:
        raise _error(node, "it holds itself; write it out")
    if node in sizes:
        return sizes[node]
    if node.tag not in _PLAIN:
        raise _error(node, f"the tag {printable(node.tag)} is not allowed; write plain values")
    size = 1
    if isinstance(node, ScalarNode):
        if _UNPRINTABLE.search(node.value):
            raise _error(node, f"unprintable characters in {_shown(node)}; remove them")
    else:
        above.add(node)
        parts = [part for pair in node.value for part in pair] if isinstance(node, MappingNode) else node.value
        if isinstance(node, MappingNode):
            _check_keys([key for key, _ in node.value])
        size += sum(_check(part, sizes, above) for part in parts)
        above.remove(node)
    if size > MOST_VALUES:
        raise _error(node, f"more than {MOST_VALUES:,} values, aliases written out")
    sizes[node] = size
    return size


def _check_keys(keys: list[Node]) -> None:
    """Refuse a key that stands twice, of which PyYAML would silently keep the last."""
    seen: set[tuple[str, str]] = set()
    for key in keys:
        if not isinstance(key, ScalarNode):
            raise _error(key, "a key must be a single value")
        if (key.tag, key.value) in seen:
            raise _error(key, f"the key {_shown(key)} stands twice; remove one")
        seen.add((key.tag, key.value))


def _error(node: Node, message: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=message, problem_mark=node.start_mark)


def _shown(node: Node) -> str:
    text = node.value if isinstance(node, ScalarNode) else node.tag
    return ascii(text[:60])
