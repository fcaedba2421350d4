"""Functions compiled to machine code, which is kept where there is room for it; slow to import (numba)."""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import ParamSpec, TypeVar

import numba as numba  # others take it from here, so that the folder below is named before they compile

from cupel.store.files import claim_folder, delete_folder, find_files, list_folder, read_file, stat_file
from cupel.versions.code import Code
from cupel.versions.module import Name

P = ParamSpec("P")
R = TypeVar("R")
PACKAGE = Path(__file__).parent
# So many folders of machine code are kept: of the code now, and of what was checked out lately.
FOLDERS_KEPT = 3


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Return the function, compiled when it is first called; sums keep the order in which they are written.

    The machine code is kept beside the source, in a folder named by the code of all loops: Numba itself looks at the
    one file that a loop stands in, and would go on with the old code of another loop that it calls. Where the source
    may not be written to, it is kept in the user's cache folder (NUMBA_CACHE_DIR names another); where neither may,
    each process compiles anew, in a second or two. Other threads may run meanwhile.
    """
    try:
        kept: Callable[P, R] = numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:  # Numba found no folder that may be written to.
        kept = numba.njit(nogil=True)(function)
    return kept


def hash_loops(package: Path = PACKAGE) -> str:
    """Return what changes with the code of any loop, and of all that loops call or hold fast as constants.

    Args:
        package: Folder of the package that the loops are in.
    """
    code = Code(package.parent, own=[package.name])
    reach = code.reach(_find_loops(code, package), lambda setting: "")
    return hashlib.sha256(json.dumps(reach.files, sort_keys=True).encode()).hexdigest()[:12]


def choose_folder(package: Path = PACKAGE, named: str | None = None) -> Path | None:
    """Return the folder for the machine code of these loops, made if need be; None where nothing may be written.

    Args:
        package: Folder of the package that the loops are in.
        named: Folder to use instead of one beside the source.
    """
    above = Path(named) if named else package / "__pycache__"
    folder = above / f"loops-{hash_loops(package)}"
    try:
        is_writable = claim_folder(folder)
        found = [path for path in list_folder(above) if path.name.startswith("loops-")]
        used = {path: stat.changed_ns for path in found if (stat := stat_file(path)) is not None}
    except OSError:
        return None
    for path in sorted(used, key=lambda path: used[path], reverse=True)[FOLDERS_KEPT:]:
        with suppress(OSError):  # another process removes it too, or runs what is in it
            delete_folder(path)
    return folder if is_writable else None


def _find_loops(code: Code, package: Path) -> Iterator[Name]:
    """Yield the compiled functions of a package, as module and name."""
    for path in find_files(package, "**/*.py"):
        text = read_file(path)
        if b"njit" not in text and b"import compiled" not in text:
            continue
        name = ".".join(path.relative_to(package.parent).with_suffix("").parts)
        module = code.module(name)
        for function, definitions in module.definitions.items() if module is not None else ():
            names = {name for definition in definitions for name in definition.names}
            if "compiled" in names or any(name.endswith(".njit") for name in names):
                yield name, function


_kept_in = choose_folder(named=os.environ.get("NUMBA_CACHE_DIR"))
if _kept_in is not None:
    numba.config.CACHE_DIR = str(_kept_in)  # type: ignore[attr-defined]
