"""Parquet files in a store: read in place where the store lets others open its contents, hashed while written."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import pyarrow.parquet as pq

from cupel.store.store import MissingError, NoLocationError, Store, describe_place


@contextmanager
def open_parquet(store: Store, name: str) -> Iterator[pq.ParquetFile]:
    """Open a Parquet file of a store for as long as the block lasts.

    Raises:
        MissingError: There is none of that name.
        OSError: It cannot be read; likewise ArrowException.
    """
    try:
        found = pq.ParquetFile(store.location(name))
    except NoLocationError:
        with store.open(name) as content, pq.ParquetFile(content) as found:
            yield found
        return
    except FileNotFoundError:
        raise MissingError(f"{describe_place(store, name)}: not there") from None
    with found:
        yield found


class HashedFile:
    """A file that hashes and counts the bytes that are written to it."""

    def __init__(self, file: BinaryIO) -> None:
        self.digest = hashlib.sha256()
        self.size = 0
        self.closed = False
        self._file = file

    def write(self, content: bytes) -> int:
        """Write bytes; return how many."""
        self.digest.update(content)
        self.size += len(content)
        return self._file.write(content)

    def flush(self) -> None:
        """Hand what is buffered to the file below."""
        self._file.flush()
