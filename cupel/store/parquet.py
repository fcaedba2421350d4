"""Parquet files in a store: read in place where the store lets others open its contents."""

from collections.abc import Iterator
from contextlib import contextmanager

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
