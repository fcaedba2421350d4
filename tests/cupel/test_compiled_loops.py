"""Loops compile also where nothing may be written."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from numba.core.caching import CacheImpl

from cupel.compiled_loops import FOLDERS_KEPT, PACKAGE, choose_folder, compiled, hash_loops

REPOSITORY = PACKAGE.parent


def test_a_loop_compiles_where_no_folder_may_be_written_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CacheImpl, "_locator_classes", [])

    @compiled
    def double(value: int) -> int:
        return value * 2

    assert double(21) == 42


def test_a_loop_says_its_name() -> None:
    def double(value: int) -> int:
        return value * 2

    assert compiled(double).__name__ == "double"


LOOPS = {
    "__init__.py": "",
    "inner.py": "from cupel.compiled_loops import compiled\nFROM = 1\n\n"
    "@compiled\ndef inner(value):\n    return value + FROM\n",
    "outer.py": "from cupel.compiled_loops import compiled\nfrom pack.inner import inner\n\n"
    "@compiled\ndef outer(value):\n    return inner(value) * 2\n",
    "other.py": "def other():\n    return 1\n",
}


def write_package(folder: Path, **changed: str) -> Path:
    package = folder / "pack"
    package.mkdir(exist_ok=True)
    for name, text in (LOOPS | {f"{stem}.py": text for stem, text in changed.items()}).items():
        (package / name).write_text(text)
    return package


def test_machine_code_is_kept_by_the_code_of_every_loop(tmp_path: Path) -> None:
    before = hash_loops(write_package(tmp_path))
    assert hash_loops(write_package(tmp_path, inner=LOOPS["inner.py"].replace("FROM = 1", "FROM = 2"))) != before
    assert hash_loops(write_package(tmp_path, inner=LOOPS["inner.py"].replace("FROM = 1", "FROM = 1  # one"))) == before
    assert hash_loops(write_package(tmp_path, other=LOOPS["other.py"].replace("1", "2"))) == before


def test_packages_of_others_that_are_installed_beside_the_loops_are_not_followed(tmp_path: Path) -> None:
    """Their code may be written in ways that a walk along references does not know, as that of NumPy is."""
    before = hash_loops(
        write_package(tmp_path, inner="import others\n" + LOOPS["inner.py"].replace("+ F", "+ others.F"))
    )
    (tmp_path / "others").mkdir()
    (tmp_path / "others" / "__init__.py").write_text("from others.more import *\n")
    assert hash_loops(tmp_path / "pack") == before


def test_a_loop_that_another_module_holds_is_not_run_as_it_was(tmp_path: Path) -> None:
    """Numba alone says 4 the second time: `outer.py` did not change."""
    run = f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(REPOSITORY)!r}]\n" + (
        "from pathlib import Path\nimport numba\nfrom cupel.compiled_loops import choose_folder\n"
        f"numba.config.CACHE_DIR = str(choose_folder(Path({str(tmp_path / 'pack')!r})))\n"
        "from pack.outer import outer\nprint(outer(1))\n"
    )
    found = []
    for number in ("1", "2"):
        write_package(tmp_path, inner=LOOPS["inner.py"].replace("FROM = 1", f"FROM = {number}"))
        done = subprocess.run([sys.executable, "-B", "-c", run], capture_output=True, text=True, check=True)
        found.append(done.stdout.strip())
    assert found == ["4", "6"]


def test_folders_of_other_code_are_not_kept_for_ever(tmp_path: Path) -> None:
    for number in range(FOLDERS_KEPT + 2):
        assert choose_folder(write_package(tmp_path, inner=LOOPS["inner.py"].replace("1", str(number)))) is not None
    assert len(list((tmp_path / "pack" / "__pycache__").glob("loops-*"))) == FOLDERS_KEPT


def test_where_nothing_may_be_written_there_is_no_folder(tmp_path: Path) -> None:
    package = write_package(tmp_path)
    (package / "__pycache__").write_text("in the way")
    assert choose_folder(package) is None


def test_numba_is_taken_from_here_everywhere_so_that_the_folder_is_named_first() -> None:
    others = [path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "compiled_loops.py"]
    taken = [path.name for path in others if re.search(r"^(import|from) numba", path.read_text("utf-8"), re.MULTILINE)]
    assert taken == []
    assert sum("cupel.compiled_loops import numba" in path.read_text("utf-8") for path in others) > 10
