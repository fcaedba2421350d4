"""Cleaning: measure every item, find what it resembles, then decide; nothing is dropped without its reason."""

from collections.abc import Iterator

import dagster as dg
import pyarrow as pa

from assets.bench import Bench
from assets.spec import materialized, spec
from cupel.cleaning.alike import EARLIER_ITEMS, earlier_items
from cupel.cleaning.decide import decide
from cupel.cleaning.duplicates import similar_items
from cupel.cleaning.signals import item_signals
from cupel.cleaning.signatures import signatures
from cupel.step import Step
from cupel.tables import ITEM_SIGNALS, SIGNATURES, empty


@dg.multi_asset(specs=[spec("item_signals", deps=["raw_items"], kinds=["python"])])
def measure(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Normalise every text, mask private data, and measure what the quality rules ask for."""
    with bench.step(context) as step:
        pieces = step.read_batches("raw_items")
        measured = (item_signals(piece, step.project.cleaning) for piece in pieces)
        return materialized(step, step.write("item_signals", _stream(measured, ITEM_SIGNALS.schema)))


@dg.multi_asset(specs=[spec("signatures", deps=["item_signals"], kinds=["python"])])
def sign(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Make of every text what finding its duplicates needs: hashes of its shingles, and bands of their MinHash."""
    with bench.step(context) as step:
        pieces = step.read_batches("item_signals")
        signed = (signatures(piece, step.partition, step.project.cleaning) for piece in pieces)
        return materialized(step, step.write("signatures", _stream(signed, SIGNATURES.schema)))


@dg.multi_asset(specs=[spec("similar_items", deps=["raw_items", "signatures"], kinds=["duckdb"])])
def compare(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Find which items resemble earlier ones, in this batch or in those before it in the register."""
    with bench.step(context) as step:
        own, raw = step.read("signatures"), step.read("raw_items")
        earlier = [step.read("signatures", batch) for batch in _earlier_batches(step)]
        before = pa.concat_tables([empty(SIGNATURES), *earlier])
        found = similar_items(own, before, raw, step.project.cleaning, step.lake.connection)
        told = {"pairs compared": found.compared, "pairs left out at most": found.not_compared}
        return materialized(step, step.write("similar_items", found.pairs), **told)


_MEASURED = ["raw_items", "item_signals", "signatures", "similar_items"]


@dg.multi_asset(specs=[spec("clean_items", deps=_MEASURED), spec("rejected_items", deps=_MEASURED)])
def decide_items(context: dg.AssetExecutionContext, bench: Bench) -> Iterator[dg.MaterializeResult[None]]:
    """Decide by the measures which items are kept; of alike ones the earliest in the register."""
    with bench.step(context) as step:
        earlier = [
            earlier_items(step.read("signatures", batch), step.read("clean_items", batch))
            for batch in _earlier_batches(step)
        ]
        before = pa.concat_tables([EARLIER_ITEMS.empty_table(), *earlier])
        raw, signals, similar = (step.read(name) for name in ("raw_items", "item_signals", "similar_items"))
        decision = decide(step.partition, raw, signals, similar, step.project.cleaning, before)
        linked = {"groups of earlier batches that this one links": decision.group_links.num_rows}
        yield materialized(step, step.write("clean_items", decision.clean_items), **linked)
        yield materialized(step, step.write("rejected_items", decision.rejected_items))


def _earlier_batches(step: Step) -> list[str]:
    """Return the batches before this one in the register that have been cleaned."""
    register = list(step.project.raw.deliveries)
    before = register[: register.index(step.partition)]
    return [batch for batch in before if step.is_there("clean_items", batch)]


def _stream(pieces: Iterator[pa.Table], schema: pa.Schema) -> pa.RecordBatchReader:
    """Return the pieces as a stream, so that only one of them is held at a time."""
    return pa.RecordBatchReader.from_batches(schema, (batch for piece in pieces for batch in piece.to_batches()))
