"""Files that are put in place whole: readers see the old bytes or the new ones, never a part."""

import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

# What a killed writer left behind is removed when nobody can be writing it any more.
SECONDS_UNTOUCHED = 3_600
_BEGUN = re.compile(r"\.cupel-[0-9a-f]{32}(\.duckdb(\.wal)?)?")


def begun(folder: Path, ending: str = "") -> Path:
    """Return a name for what is being written: hidden, of its own, and known to `remove_left_behind`."""
    return folder / f".cupel-{uuid.uuid4().hex}{ending}"


@contextmanager
def new_file(path: Path, *, is_only: bool = False) -> Iterator[BinaryIO]:
    """Write a file under another name, and give it its own when it is whole and on the disk.

    Args:
        path: Where it shall lie; what lies there is replaced.
        is_only: Put it there only where nothing is, so that of two writers one wins.

    Raises:
        FileExistsError: With `is_only`, there is a file already.
        OSError: The disk is full or failed; names the file. What was begun is removed.
    """
    temporary = begun(path.parent)
    try:
        with naming(path):
            with temporary.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            if is_only:
                os.link(temporary, path)  # fails where the name is taken; a rename would overwrite
            else:
                os.replace(temporary, path)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Say of trouble with the disk which file it was; a write to an open file does not say it."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno is not None:
            error.filename = str(path)
        raise


def put_file(path: Path, content: bytes) -> None:
    """Put a file in place whole; what lies there is replaced.

    Raises:
        OSError: The disk is full or failed; names the file.
    """
    with new_file(path) as file:
        file.write(content)


def remove_left_behind(folder: Path) -> None:
    """Remove what a killed writer had begun, in a folder and those in it; never what was touched within the hour."""
    for path in (*folder.glob(".*"), *folder.glob("*/.*")):
        if _BEGUN.fullmatch(path.name) and time.time() - _touched_at(path) > SECONDS_UNTOUCHED:
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


def _touched_at(path: Path) -> float:
    """Return when a file, or anything in a folder, was changed last; now, if it is gone meanwhile."""
    try:
        return max(inside.stat().st_mtime for inside in (path, *path.rglob("*")))
    except FileNotFoundError:
        return time.time()
