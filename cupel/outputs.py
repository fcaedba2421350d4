"""Files that a command writes where its user says: never over what it reads, nor over what something else wrote."""

import csv
import json
from collections.abc import Callable, Iterable, Sequence
from errno import ENOENT
from io import TextIOWrapper
from itertools import combinations
from os import strerror
from pathlib import Path
from typing import NamedTuple

from cupel.errors import OutputError
from cupel.store.files import is_folder, open_file, put_file, read_file
from cupel.store.untrusted_files import find_identity, stat_entry

IsOurs = Callable[[Path], bool]


class Output(NamedTuple):
    """A file that a command is going to write.

    Attributes:
        option: What the user calls it.
        path: Where it shall lie.
        is_ours: Tells of a file that lies there already whether the same command wrote it, so that it may be replaced.
    """

    option: str
    path: Path
    is_ours: IsOurs


def check_outputs(outputs: Sequence[Output], inputs: Iterable[Path], folders: Iterable[Path] = ()) -> None:
    """Refuse outputs that would destroy something; nothing is written.

    Args:
        outputs: What the command is going to write.
        inputs: What it reads. Links, hard links and names that differ by case do not hide that two are one file.
        folders: Folders in which it must write nothing.

    Raises:
        OutputError: An output is an input or another output, a link or no regular file, lies in one of the folders, or
            is a file that something else wrote.
    """
    read = {found: path for path in inputs if (found := find_identity(path)) is not None}
    closed = [folder.resolve() for folder in folders]
    for one, other in combinations(outputs, 2):
        if _place(one.path) == _place(other.path) or (find_identity(one.path) or 1) == (find_identity(other.path) or 2):
            raise OutputError(f"{one.option} and {other.option}: both are {one.path}; name two files")
    for output in outputs:
        what = f"{output.option} {output.path}"
        if (found := find_identity(output.path)) is not None and found in read:
            raise OutputError(f"{what}: is the file that is read, {read[found]}; name another file")
        if any(output.path.parent.resolve().is_relative_to(folder) for folder in closed):
            raise OutputError(f"{what}: lies in a folder in which nothing is changed; name a file outside")
        _check_place(what, output)


def write_output(option: str, path: Path, content: bytes) -> None:
    """Put a file in place whole.

    Raises:
        OutputError: It cannot be written.
    """
    try:
        if not is_folder(path.parent):
            raise FileNotFoundError(ENOENT, strerror(ENOENT), str(path))  # what a person mistyped is not made
        put_file(path, content)
    except OSError as error:
        raise OutputError(f"{option} {path}: cannot be written: {error.strerror}; name another place") from None


def _check_place(what: str, output: Output) -> None:
    """Refuse an output that is something else already."""
    try:
        found = stat_entry(output.path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise OutputError(f"{what}: cannot be looked at: {error.strerror}; name another place") from None
    if found.kind == "link":
        raise OutputError(f"{what}: is a link, and would be replaced by a file; name the file itself")
    if found.kind != "file":
        raise OutputError(f"{what}: is not a regular file; name a file")
    if found.size and not _is_known(output):
        raise OutputError(f"{what}: is there, and was not written by this command; name another file, or remove it")


def _is_known(output: Output) -> bool:
    # What cannot be read as the command's own is not its own, whatever the reason.
    try:
        return output.is_ours(output.path)
    except Exception:
        return False


def is_never_ours(path: Path) -> bool:
    """Say that a file that is there may not be replaced."""
    return False


def is_json_object(*keys: str) -> IsOurs:
    """Return what tells a JSON object with such keys."""

    def is_ours(path: Path) -> bool:
        content = json.loads(read_file(path))
        return isinstance(content, dict) and content.keys() >= set(keys)

    return is_ours


def is_json_list(*keys: str) -> IsOurs:
    """Return what tells a JSON list of objects with such keys; an empty list is one."""

    def is_ours(path: Path) -> bool:
        content = json.loads(read_file(path))
        return isinstance(content, list) and all(isinstance(row, dict) and row.keys() >= set(keys) for row in content)

    return is_ours


def is_json_lines(*keys: str) -> IsOurs:
    """Return what tells JSON Lines whose first line is an object with just such keys."""

    def is_ours(path: Path) -> bool:
        with open_file(path) as file:
            content = json.loads(file.readline())
        return isinstance(content, dict) and list(content) == list(keys)

    return is_ours


def is_table(*columns: Sequence[str]) -> IsOurs:
    """Return what tells a CSV or Parquet file with just such columns; of several lists of columns one has to fit."""

    def is_ours(path: Path) -> bool:
        if path.suffix == ".csv":
            with open_file(path) as file, TextIOWrapper(file, encoding="utf-8", newline="") as text:
                names = next(csv.reader(text))
        else:
            import pyarrow.parquet as pq

            with open_file(path) as file:
                names = pq.read_schema(file).names
        return names in [list(those) for those in columns]

    return is_ours


def is_marked(mark: str) -> IsOurs:
    """Return what tells a text file by words that stand in its first 1,000 bytes."""

    def is_ours(path: Path) -> bool:
        with open_file(path) as file:
            return mark.encode() in file.read(1_000)

    return is_ours


def _place(path: Path) -> str:
    """Return where a file lies or would; names that differ by case are one, as they are on some disks."""
    return str(path.parent.resolve() / path.name).casefold()
