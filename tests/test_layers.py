"""Only `cupel.store` touches a file system: every other module reads and writes by its verbs.

Looked for by the syntax tree, in every module of the four packages:

- `os`: all of it but what is no file (`OF_PROCESSES`: environment, processes, CPUs, pipes) and what only computes with
  names (`OF_NAMES`, of `os.path`), under whatever name it is imported;
- `shutil` but `which` and `copyfileobj`, and `tempfile`, `fcntl`, `glob`, `mmap`, `fsspec` and the like (`MODULES`);
- `open`, called or handed on, and what opens a file by its name in `io`, `codecs`, `gzip`, `logging` and so on
  (`OPENERS`); what can read an open file, too, must be given one (`LIBRARIES`);
- methods of a path that look at the disk (`METHODS`), called or handed on, of whatever has them, also by `getattr`.

Allowed by decision: a `Path` as a value; `resolve`, `absolute`, `cwd` and `home`, which decide what a name means;
stores, known by their name, annotation or making; SQLite and DuckDB, which open a database themselves, with journal and
locks, at a path; programs that are run; a field named `open` that is not called. What a library opens itself gets an
open file, or `store.location(name)`: the argument must be called as such a thing is (`FILES`, `FILE_MAKERS`), for a
syntax tree knows no types. So it is those who read a change that see a disk behind a name that lies.
"""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
PACKAGES = ("cupel", "assets", "expectations", "orchestration")
STORE = "cupel/store/"

MODULES = {
    "tempfile", "fcntl", "glob", "mmap", "fileinput", "linecache", "filecmp", "shelve", "dbm", "fsspec", "upath",
    "pyarrow.fs", "pyarrow.dataset", "aiofiles", "posix", "nt",
}  # fmt: skip
OF_PROCESSES = {
    "environ", "getenv", "putenv", "unsetenv", "getpid", "getppid", "getpgid", "setsid", "kill", "killpg", "cpu_count",
    "process_cpu_count", "sched_getaffinity", "sched_setaffinity", "sched_yield", "nice", "getloadavg", "sysconf",
    "urandom", "strerror", "times", "wait", "waitpid", "waitid", "waitstatus_to_exitcode", "WNOHANG", "WIFEXITED",
    "WEXITSTATUS", "P_PID", "WEXITED", "SEEK_END", "SEEK_SET", "SEEK_CUR", "WNOWAIT",
    "execv", "execve", "execvp", "fork", "register_at_fork", "_exit", "get_terminal_size", "getuid", "name",
    "pipe", "read", "write", "close", "set_blocking", "set_inheritable", "fspath", "fsencode", "fsdecode", "sep",
    "linesep", "PathLike", "getpriority", "setpriority", "PRIO_PROCESS", "SCHED_BATCH", "SCHED_IDLE", "sched_param",
    "sched_setscheduler",
}  # fmt: skip
OF_NAMES = {
    "join", "relpath", "basename", "dirname", "split", "splitext", "commonpath", "commonprefix", "normpath", "isabs",
    "abspath", "realpath", "expanduser", "sep",
}  # fmt: skip
OF_OPEN_FILES = {"which", "copyfileobj"}
OPENERS = {
    "io.open", "io.open_code", "io.FileIO", "codecs.open", "logging.FileHandler",
    "logging.handlers.RotatingFileHandler", "logging.handlers.TimedRotatingFileHandler",
    "logging.handlers.WatchedFileHandler", "numpy.fromfile",
    "numpy.memmap", "numpy.lib.format.open_memmap", "numpy.loadtxt", "numpy.genfromtxt", "numpy.savetxt",
    "pyarrow.OSFile", "pyarrow.memory_map", "pyarrow.create_memory_map", "os.path", "builtins.open", "pathlib.os",
}  # fmt: skip
LIBRARIES = {
    "gzip.open", "bz2.open", "lzma.open", "PIL.Image.open", "tarfile.open", "zipfile.ZipFile", "pyarrow.input_stream",
    "pyarrow.output_stream", "pyarrow.parquet.read_table", "pyarrow.parquet.read_schema",
    "pyarrow.parquet.read_metadata", "pyarrow.parquet.ParquetFile", "pyarrow.parquet.ParquetWriter",
    "pyarrow.csv.read_csv", "pyarrow.csv.open_csv", "pyarrow.csv.write_csv",
    "pyarrow.json.read_json", "pyarrow.feather.read_table", "pyarrow.ipc.open_file", "pyarrow.ipc.open_stream",
    "pyarrow.ipc.new_file", "pyarrow.ipc.new_stream", "numpy.load", "numpy.save", "numpy.savez",
    "numpy.savez_compressed", "pandas.read_csv", "pandas.read_parquet", "pandas.read_json", "polars.read_csv",
    "polars.read_parquet", "polars.scan_parquet", "scipy.sparse.load_npz", "scipy.sparse.save_npz",
}  # fmt: skip
FILES = {"file", "sink", "stream", "source", "buffer", "raw", "packed", "part", "out", "location"}
FILE_MAKERS = {
    "open",
    "open_file",
    "open_below",
    "location",
    "BytesIO",
    "BufferReader",
    "BufferOutputStream",
    "PythonFile",
}
METHODS = {
    "exists", "is_file", "is_dir", "is_symlink", "is_mount", "is_fifo", "is_socket", "is_block_device",
    "is_char_device", "read_text", "read_bytes", "write_text", "write_bytes", "mkdir", "unlink", "rename", "iterdir",
    "glob", "rglob", "stat", "lstat", "open", "rmdir", "touch", "symlink_to", "hardlink_to", "link_to", "chmod",
    "lchmod", "readlink", "samefile", "walk", "replace", "tofile", "scandir", "listdir", "removedirs", "makedirs",
    "open_dataset", "to_csv", "to_parquet", "write_parquet", "write_csv",
}  # fmt: skip
WRITERS = {"pyarrow.parquet.write_table", "pyarrow.csv.write_csv", "pyarrow.feather.write_feather"}  # of a table, to
STORES = {"Store", "LocalStore", "MemoryStore"}
OPENS_NO_FILE = {"build_opener"}
# Methods of the same name that look at no disk, by the dotted name of the module that has them.
NO_PATHS = {"ast.walk", "dataclasses.replace", "webbrowser.open", "tokenize.open", "copy.replace", "io.BytesIO"}

# Modules that still do, while they are being changed; one that no longer does leaves this list.
STILL_OFFENDING: set[str] = set()


def find_offences(source: str) -> list[tuple[int, str]]:
    """Return line and words of each use of a file system."""
    tree = ast.parse(source)
    found = _Finder(_imports(tree))
    found.visit(tree)
    return sorted({*found.offences, *_forbidden_imports(tree)})


class _Finder(ast.NodeVisitor):
    """Collects offences; knows which names are stores in the function that it is in."""

    def __init__(self, imports: Mapping[str, str]) -> None:
        self.imports = imports
        self.offences: list[tuple[int, str]] = []
        self.stores: list[set[str]] = [set()]
        self.called: ast.expr | None = None

    def visit(self, node: ast.AST) -> None:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            super().visit(node)
            return
        arguments = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
        self.stores.append({one.arg for one in arguments if _is_store_type(one.annotation)})
        self.generic_visit(node)
        self.stores.pop()

    def visit_Assign(self, node: ast.Assign) -> None:
        targets = [one for target in node.targets for one in _pairs(target, node.value)]
        self.stores[-1] |= {
            target.id for target, value in targets if isinstance(target, ast.Name) and self._makes_store(value)
        }
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if isinstance(node.target, ast.Name) and _is_store_type(node.annotation):
            self.stores[-1].add(node.target.id)
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        if node.id == "open" and isinstance(node.ctx, ast.Load) and "open" not in self.imports:
            self._add(node, "open")

    def visit_Call(self, node: ast.Call) -> None:
        name = self._dotted(node.func)
        if name in LIBRARIES | WRITERS and not self._gets_file(node, place=int(name in WRITERS)):
            self._add(node, f"{name} of a path")
        if name in ("getattr", "hasattr", "operator.attrgetter", "operator.methodcaller"):
            for argument in node.args:
                if isinstance(argument, ast.Constant) and argument.value in METHODS:
                    self._add(node, f"{name} of {argument.value!r}")
        if name in ("__import__", "importlib.import_module"):
            for argument in node.args:
                if isinstance(argument, ast.Constant) and argument.value in {*MODULES, "os", "shutil", "io"}:
                    self._add(node, f"{name} of {argument.value!r}")
        self.called = node.func
        if not self._is_of_no_path(node):
            self.visit(node.func)
        elif isinstance(node.func, ast.Attribute):
            self.visit(node.func.value)
        for argument in (*node.args, *(one.value for one in node.keywords)):
            self.visit(argument)

    def _is_of_no_path(self, node: ast.Call) -> bool:
        """Tell whether `replace` or `walk` is called as that of no path is: a text's, a moment's, a visitor's."""
        if not isinstance(node.func, ast.Attribute) or (self._dotted(node.func) or "").startswith("os."):
            return False
        if node.func.attr == "replace":
            return bool(node.keywords) or len(node.args) != 1
        return node.func.attr == "walk" and bool(node.args)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        name = self._dotted(node)
        if (reason := _is_forbidden(name)) or (
            node.attr in METHODS and not isinstance(node.ctx, ast.Store) and not self._is_allowed(node, name)
        ):
            self._add(node, reason or name or f"….{node.attr}")
            if name is not None:
                return
        self.generic_visit(node)

    def _is_allowed(self, node: ast.Attribute, name: str | None) -> bool:
        if name is not None and (name in NO_PATHS | LIBRARIES | WRITERS or name.startswith(("os.", "shutil."))):
            return True
        if node.attr == "open" and node is not self.called and name != "pathlib.Path.open":
            return True  # a field of that name
        return self._makes_store(node.value)

    def _makes_store(self, value: ast.expr) -> bool:
        match value:
            case ast.Name(id=name):
                return name.lstrip("_") == "store" or any(name in names for names in self.stores)
            case ast.Attribute(attr=name):
                return name.lstrip("_") == "store"
            case ast.Call(func=function):
                return _last(function) in STORES | OPENS_NO_FILE
        return False

    def _gets_file(self, node: ast.Call, place: int) -> bool:
        if any(one.arg == "fileobj" for one in node.keywords):
            return True
        first = node.args[place] if len(node.args) > place else None
        match first:
            case ast.Name(id=name) | ast.Attribute(attr=name):
                return name.lstrip("_") in FILES
            case ast.Call(func=function):
                return _last(function) in FILE_MAKERS
        return False

    def _dotted(self, node: ast.expr) -> str | None:
        """Return the name of what is meant, with its module where that is imported; None of what has no name."""
        if isinstance(node, ast.Name):
            return self.imports.get(node.id, node.id)
        if isinstance(node, ast.Attribute) and (base := self._dotted(node.value)) is not None:
            return f"{base}.{node.attr}"
        return None

    def _add(self, node: ast.expr, words: str) -> None:
        self.offences.append((node.lineno, words))


def _is_forbidden(name: str | None) -> str | None:
    """Return the name, where it is a file's of a module."""
    if name is None:
        return None
    first, _, rest = name.partition(".")
    if name in OPENERS - {"os.path"} or any(name == one or name.startswith(f"{one}.") for one in MODULES):
        return name
    if name.startswith("os.path."):
        return None if name.split(".")[2] in OF_NAMES else name
    if first == "os" and rest and rest != "path":
        return None if rest.split(".")[0] in OF_PROCESSES else name
    if first == "shutil" and rest:
        return None if rest in OF_OPEN_FILES else name
    return None


def _imports(tree: ast.Module) -> dict[str, str]:
    """Return what each imported name stands for."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                names[one.asname or one.name.partition(".")[0]] = one.name if one.asname else one.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
    return names


def _forbidden_imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported = [one.name for one in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            imported = [f"{node.module}.{one.name}" for one in node.names]
        else:
            continue
        for name in imported:
            if name in (*OPENERS, "os.*", "shutil.*") or _is_forbidden(name):
                yield node.lineno, f"import of {name}"


def _is_store_type(annotation: ast.expr | None) -> bool:
    if annotation is None:
        return False
    return any(isinstance(one, ast.Name) and one.id in STORES for one in ast.walk(annotation))


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield each target of an assignment with what is assigned to it."""
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        for one, its_value in zip(target.elts, value.elts, strict=True):
            yield from _pairs(one, its_value)
    else:
        yield target, value


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _modules() -> Iterator[tuple[str, str]]:
    for package in PACKAGES:
        for path in sorted((REPOSITORY / package).rglob("*.py")):
            name = path.relative_to(REPOSITORY).as_posix()
            if not name.startswith(STORE):
                yield name, path.read_text(encoding="utf-8")


def test_no_module_but_the_stores_touches_a_file_system() -> None:
    found = {name: offences for name, source in _modules() if (offences := find_offences(source))}
    lines = [
        f"{name}:{line}: {words}" for name in sorted(found.keys() - STILL_OFFENDING) for line, words in found[name]
    ]
    assert not lines, "go through cupel.store:\n" + "\n".join(lines)
    mended = sorted(STILL_OFFENDING - found.keys())
    assert not mended, f"no longer offend; take them off the list: {mended}"


@pytest.mark.parametrize(
    "source",
    [
        "import os\nos.replace(a, b)",
        "import os as o\no.unlink(a)",
        "from os import replace",
        "from os import replace as swap",
        "from os.path import exists",
        "from os import *",
        "import os.path\nos.path.getsize(a)",
        "import os\nlook = os.path.exists",
        "import os\nmap(os.stat, names)",
        "from shutil import copytree",
        "import shutil\nshutil.rmtree(a)",
        "import tempfile\ntempfile.mkdtemp()",
        "import glob",
        "def work():\n    import fcntl",
        "open('a')",
        "files = map(open, names)",
        "reader = open",
        "import io\nio.open('a')",
        "from io import open",
        "import gzip\ngzip.open(path)",
        "Path('a').open()",
        "(folder / 'a').read_text()",
        "folder.joinpath('a').stat().st_size",
        "list(map(Path.exists, paths))",
        "look = path.stat",
        "path.replace(target)",
        "getattr(path, 'write_text')('x')",
        "from operator import methodcaller\nmethodcaller('unlink')",
        "__import__('shutil')",
        "import importlib\nimportlib.import_module('os')",
        "import pyarrow.parquet as pq\npq.read_table(path)",
        "import pyarrow.parquet as pq\npq.read_table(folder / name)",
        "from pyarrow.parquet import ParquetFile\nParquetFile(str(path))",
        "import pyarrow as pa\npa.OSFile(path)",
        "import numpy as np\nnp.load(path)",
        "def work(audit: Path) -> None:\n    audit.stat()",
        "def one(audit: Store) -> None: ...\ndef other(audit: Path) -> None:\n    audit.stat()",
        "from importlib.resources import files\n(files('cupel') / 'a').read_text()",
    ],
)
def test_a_use_of_the_disk_is_found_under_any_name(source: str) -> None:
    assert find_offences(source)


@pytest.mark.parametrize(
    "source",
    [
        "store.open('a')\nself._store.stat('a')\nlake.store.open('a')",
        "def work(audit: Store | None) -> None:\n    audit.stat('plan.json')",
        "audit, name = LocalStore(folder), 'a'\naudit.open(name)",
        "LocalStore(folder).stat('a')",
        "import os\nos.environ['A']; os.getpid(); os.path.join('a', 'b'); os.kill(1, 2)",
        "from shutil import which",
        "import shutil\nshutil.copyfileobj(source, target)",
        "text.replace('a', 'b')\nmoment.replace(tzinfo=UTC)",
        "path = Path('a').resolve() / 'b'\npath.with_suffix('.c').name",
        "import ast\nast.walk(tree)",
        "import pyarrow.parquet as pq\npq.read_table(store.open('a'))\npq.read_table(io.BytesIO(content))",
        "import pyarrow.parquet as pq\npq.ParquetFile(file)",
        "import tarfile\ntarfile.open(fileobj=file)",
        "import sqlite3\nsqlite3.connect(path)",
        "from cupel.store.files import open_file\nopen_file(path)",
        "import subprocess\nsubprocess.run(['cp'])",
    ],
)  # fmt: skip
def test_what_touches_no_disk_is_allowed(source: str) -> None:
    assert find_offences(source) == []
