"""The versions of installed packages, where Cupel is one of them: then no lock file lies beside its code."""

import re
from collections.abc import Iterator
from importlib.metadata import distributions

from cupel.versions.code import Lock

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class InstalledPackages(Lock):
    """What a lock says, told of the environment: name and version of each package, and what it needs."""

    def _entries(self) -> Iterator[tuple[str, str, list[str]]]:
        installed = {_normal(each.name): each for each in distributions() if each.name}
        needed_by: dict[str, list[str]] = {name: [] for name in installed}
        for name, each in installed.items():
            for needed in each.requires or ():
                found = _NAME.match(needed)
                if found and "extra ==" not in needed and (other := _normal(found.group())) in needed_by:
                    needed_by[other].append(name)
        for name, each in installed.items():
            yield name, each.version, needed_by[name]


def _normal(name: str) -> str:
    """Return a package's name as locks write it."""
    return re.sub(r"[-_.]+", "-", name).lower()
