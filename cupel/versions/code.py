"""What code a function reaches: every definition that it refers to, and so on, with data files and packages."""

import hashlib
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from cupel.store.files import find_files, hash_file, is_file, read_file, read_text
from cupel.versions.module import Definition, Module, Name
from cupel.versions.module_cache import MODULES

# What is imported under another name than it is installed under.
DISTRIBUTIONS = {"sklearn": "scikit-learn", "yaml": "pyyaml", "upath": "universal-pathlib"}


class Reach(NamedTuple):
    """What a function reaches.

    Attributes:
        files: Hash of the definitions that are reached, by file (`cupel/lake/lake.py`); of a data file, of its bytes.
        distributions: Packages of others, by the name under which they are installed.
        names: The definitions: module and name.
    """

    files: dict[str, str]
    distributions: frozenset[str]
    names: frozenset[tuple[str, str]] = frozenset()


class Code:
    """The modules under a folder, read when they are asked for.

    Args:
        root: Folder of the packages.
        outside: Modules, or packages with all in them, that decide no value; nothing in them is followed.
        own: The packages that are followed, all of them by default; where these are installed, packages of others lie
            in the same folder.
    """

    def __init__(self, root: Path, outside: Iterable[str] = (), own: Iterable[str] | None = None) -> None:
        self.root = root
        self._own = None if own is None else frozenset(own)
        self.outside = frozenset(outside)
        self._modules: dict[str, Module | None] = {}
        self._paths: dict[str, Path | None] = {}
        self._data: dict[Path, dict[str, list[Path]]] = {}
        self._hashes: dict[Path, str] = {}

    def reach(
        self,
        roots: Iterable[Name],
        option_of: Callable[[str], str],
        function_of: Callable[[str], Name | None] = lambda use: None,
    ) -> Reach:
        """Return all that some definitions reach.

        Args:
            roots: Module and name of each.
            option_of: Returns the value of a setting; where code is chosen by it, only that option is followed.
            function_of: Returns the function that `kind.parse`, say, stands for in the project; None where it is none.

        Raises:
            KeyError: A root, or what one refers to, is not there; so nothing escapes in silence.
        """
        walk = _Walk(self, option_of, function_of)
        for module, name in roots:
            if self.module(module) is None:
                raise KeyError(f"{module}: no such module")
            walk.add(module, name)
        MODULES.save()
        return walk.result()

    def module(self, name: str) -> Module | None:
        """Return a module of these packages; None where there is none of that name."""
        if name not in self._modules:
            path = self.path(name)
            is_package = path is not None and path.name == "__init__.py"
            self._modules[name] = None if path is None else MODULES.read(name, read_file(path), is_package)
        return self._modules[name]

    def path(self, name: str) -> Path | None:
        """Return the file of a module, if there is one."""
        if name not in self._paths:
            parts = name.split(".")
            base = self.root.joinpath(*parts)
            places = (base.with_suffix(".py"), base / "__init__.py")
            is_own = self._own is None or parts[0] in self._own
            self._paths[name] = next(filter(is_file, places), None) if is_own else None
        return self._paths[name]

    def is_outside(self, name: str) -> bool:
        """Tell whether a module decides no value."""
        parts = name.split(".")
        return any(".".join(parts[:length]) in self.outside for length in range(1, len(parts) + 1))

    def data_files(self, folder: Path, name: str) -> list[Path]:
        """Return the files of that name beside a module or in folders below, modules aside."""
        if folder not in self._data:
            self._data[folder] = {}
            for path in find_files(folder, "**/*.*"):
                if path.suffix not in (".py", ".pyc"):
                    self._data[folder].setdefault(path.name, []).append(path)
        return self._data[folder].get(name, [])

    def file_sha256(self, path: Path) -> str:
        """Return the hash of a file's bytes; it is read once."""
        if path not in self._hashes:
            self._hashes[path] = hash_file(path)
        return self._hashes[path]


class _Walk:
    """One walk along all references."""

    def __init__(self, code: Code, option_of: Callable[[str], str], function_of: Callable[[str], Name | None]) -> None:
        self.code = code
        self.option_of = option_of
        self.function_of = function_of
        self.seen: set[Name] = set()
        self.hashes: dict[str, set[str]] = {}
        self.distributions: set[str] = set()

    def add(self, module_name: str, name: str | None) -> None:
        """Follow a name of a module, or the whole module."""
        waiting: list[Name] = [(module_name, name)]
        while waiting:
            reference = waiting.pop()
            if reference in self.seen:
                continue
            module = self.code.module(reference[0])
            if module is None:
                self._add_distribution(reference[0])
                continue
            self.seen.add(reference)
            if self.code.is_outside(reference[0]):
                continue
            is_first = (reference[0], "") not in self.seen
            self.seen.add((reference[0], ""))
            found, others = self._resolve(module, reference[1])
            for definition in [*found, *(module.effects if is_first else ())]:
                self._record(module, definition)
                waiting.extend(self._references(module, definition))
            waiting.extend(others)

    def result(self) -> Reach:
        """Return what was found so far."""
        files = {
            path: hashlib.sha256("\n".join(sorted(hashes)).encode()).hexdigest() for path, hashes in self.hashes.items()
        }
        names = frozenset((module, name) for module, name in self.seen if name)
        return Reach(dict(sorted(files.items())), frozenset(self.distributions), names)

    def _resolve(self, module: Module, name: str | None) -> tuple[list[Definition], list[Name]]:
        """Return the definitions that a name of a module stands for, and names of other modules that it does."""
        if name is None:
            self.seen.update((module.name, every) for every in module.definitions)
            everything = [definition for found in module.definitions.values() for definition in found]
            return everything, list(module.imported.values())
        first, _, rest = name.partition(".")
        if first in module.definitions:
            imported = [module.imported[first]] if first in module.imported else []
            return module.definitions[first], imported
        if first in module.imported:
            base, symbol = module.imported[first]
            return [], [self._further(base, symbol, rest)]
        inner = f"{module.name}.{first}"
        if self.code.path(inner) is not None:
            return [], [self._further(inner, None, rest)]
        if first.startswith("__") and first.endswith("__"):
            return [], []  # what every module has, such as `__file__`
        raise KeyError(f"{module.name}: no definition of {first}")

    def _further(self, base: str, symbol: str | None, rest: str) -> Name:
        """Return what `rest` of an imported module or name stands for: `from a import b`, then `b.c`."""
        if symbol is not None and self.code.path(f"{base}.{symbol}") is not None:
            base, symbol = f"{base}.{symbol}", None
        if symbol is not None or not rest or self.code.path(base) is None:
            return base, symbol
        name, _, deeper = rest.partition(".")
        return self._further(base, name, deeper)

    def _references(self, module: Module, definition: Definition) -> Iterator[Name]:
        names: Iterable[str] = definition.names
        if definition.choices is not None:
            setting, options = definition.choices
            unchosen = {name for option, used in options.items() if option != self.option_of(setting) for name in used}
            names = [name for name in names if name not in unchosen]
            names += options.get(self.option_of(setting), ())
        for name in names:
            first = name.partition(".")[0]
            if first in module.definitions:
                yield module.name, first
            elif first in module.imported:
                yield module.name, name
        for base, symbol in definition.imports:
            yield self._further(base, symbol, "")
        for function in filter(None, map(self.function_of, definition.uses)):
            if self.code.path(function[0]) is None:
                self._record_elsewhere(function[0])
            else:
                yield function

    def _record(self, module: Module, definition: Definition) -> None:
        path = self.code.path(module.name)
        if path is None:  # pragma: no cover
            return
        self.hashes.setdefault(self._shown(path), set()).add(definition.sha256)
        for text in definition.strings:
            for data in self.code.data_files(path.parent, text.rpartition("/")[2]):
                self.hashes.setdefault(self._shown(data), set()).add(self.code.file_sha256(data))

    def _record_elsewhere(self, module: str) -> None:
        """Record the file of a kind's function that is none of this code: a kind that somebody else has written."""
        path = getattr(sys.modules.get(module), "__file__", None)
        if path is not None:
            self.hashes[module] = {self.code.file_sha256(Path(path))}

    def _shown(self, path: Path) -> str:
        return path.relative_to(self.code.root).as_posix()

    def _add_distribution(self, module: str) -> None:
        top = module.partition(".")[0]
        if top not in sys.stdlib_module_names:
            self.distributions.add(DISTRIBUTIONS.get(top, top.replace("_", "-")))


class Lock:
    """The locked versions: what a distribution's own needs are locked at, too.

    Args:
        paths: Lock files of `uv pip compile`; a line `name==version`, and below it who needs it (`# via`). Those that
            are not there count as empty.
    """

    def __init__(self, *paths: Path) -> None:
        self.paths = paths

    def versions(self, distributions: Iterable[str]) -> dict[str, str]:
        """Return name and version of some distributions and of all that they need, as far as they are locked.

        Where one is locked at several versions, a version for each of several Pythons, all of them are named.
        """
        wanted, waiting = set[str](), list(distributions)
        while waiting:
            name = waiting.pop()
            if name not in wanted:
                wanted.add(name)
                waiting.extend(self._needs.get(name, ()))
        return {name: self._locked[name] for name in sorted(wanted) if name in self._locked}

    @cached_property
    def _locked(self) -> dict[str, str]:
        locked: dict[str, dict[str, None]] = {}
        for name, version, _ in self._entries():
            locked.setdefault(name, {})[version] = None
        return {name: " ".join(versions) for name, versions in locked.items()}

    @cached_property
    def _needs(self) -> dict[str, list[str]]:
        needs: dict[str, list[str]] = {}
        for name, _, needed_by in self._entries():
            for other in needed_by:
                needs.setdefault(other, []).append(name)
        return needs

    def _entries(self) -> Iterator[tuple[str, str, list[str]]]:
        """Yield each locked distribution, its version, and the distributions that need it."""
        name, version, needed_by, is_via = "", "", list[str](), False
        texts = (read_text(path) for path in self.paths if is_file(path))
        for line in (line for text in texts for line in text.splitlines()):
            if line and not line[0].isspace() and "==" in line:
                if name:
                    yield name, version, needed_by
                name, _, rest = line.partition("==")
                version, needed_by, is_via = rest.split()[0].rstrip("\\"), [], False
            elif line.strip().startswith("# via"):
                is_via = True
                needed_by += [part for part in [line.strip().removeprefix("# via").strip()] if part]
            elif is_via and line.strip().startswith("#"):
                needed_by.append(line.strip().lstrip("# "))
        if name:
            yield name, version, needed_by
