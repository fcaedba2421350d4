"""Raw: the files of a delivery, read row by row; what cannot become an item is kept with its reason."""

from collections.abc import Iterator

import dagster as dg
import pyarrow as pa

from assets.bench import Bench
from assets.spec import materialized
from cupel.contract.table import empty
from cupel.contract.tables.raw import RAW_ITEMS, REJECTED_ROWS
from cupel.sources.delivery import read_delivery
from cupel.sources.register import delivery_folder


def read_files(context: dg.AssetExecutionContext, bench: Bench) -> Iterator[dg.MaterializeResult[None]]:
    """Read the files of a delivery, never holding more than a piece of them."""
    with bench.step(context) as step:
        folder = delivery_folder(step.lake, step.partition, bench.data)
        delivery = step.project.raw.deliveries[step.partition]
        modality = step.project.modality
        reader = read_delivery(
            step.partition, delivery, folder, text_of=modality.read_row, endings=modality.endings
        )  # fmt: skip
        for name, sha256 in reader.hashes().items():
            step.file(name, sha256)
        rejected: list[pa.Table] = []

        def items() -> Iterator[pa.RecordBatch]:
            rejected[:] = [empty(REJECTED_ROWS)]
            for chunk in reader.chunks():
                rejected.append(chunk.rejected)
                yield from chunk.items.to_batches()

        commit = step.write("raw_items", pa.RecordBatchReader.from_batches(RAW_ITEMS.schema, items()))
        if reader.has_torn_ids:
            context.log.warning("some ids have several texts; the files are read again, without these items")
            commit = step.write("raw_items", pa.RecordBatchReader.from_batches(RAW_ITEMS.schema, items()))
        yield materialized(step, commit)
        yield materialized(step, step.write("rejected_rows", pa.concat_tables(rejected)))
        yield materialized(step, step.write("deliveries", reader.deliveries()))
