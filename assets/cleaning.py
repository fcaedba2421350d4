"""Cleaning: measure every item, find what it resembles, then decide; nothing is dropped without its reason."""

from collections.abc import Iterator

import dagster as dg
import pyarrow as pa

from assets.bench import Bench
from assets.spec import materialized, spec
from cupel.cleaning.alike import Cleaned, earlier_items
from cupel.cleaning.decide import RULES, clean_items, decide
from cupel.cleaning.duplicates import similar_items
from cupel.cleaning.register import Signed
from cupel.cleaning.signals import item_signals
from cupel.cleaning.signatures import signatures
from cupel.cleaning.web_rules import needed
from cupel.step import Step
from cupel.tables import CLEAN_ITEMS, ITEM_SIGNALS, SIGNATURES

# A signature takes some kilobytes.
ROWS_SIGNED_AT_ONCE = 8_192
# All but the texts and other fields, which are large.
RAW = ("batch", "item_id", "source_file", "line", "licence")
SIGNALS = ("item_id", "text_sha256", *dict.fromkeys(rule.measure for rule in RULES))


@dg.multi_asset(specs=[spec("item_signals", deps=["raw_items"], kinds=["python"])])
def measure(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Normalise every text, mask private data, and measure what the quality rules ask for."""
    with bench.step(context) as step:
        pieces = step.read_batches("raw_items")
        measured = (item_signals(piece, step.project.cleaning) for piece in pieces)
        return materialized(step, step.write("item_signals", _stream(measured, ITEM_SIGNALS.schema), is_sorted=True))


@dg.multi_asset(specs=[spec("signatures", deps=["item_signals"], kinds=["python"])])
def sign(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Make of every text what finding its duplicates needs: hashes of its shingles, and bands of their MinHash."""
    with bench.step(context) as step:
        pieces = step.read_batches("item_signals", columns=["item_id", "text", "text_sha256"], rows=ROWS_SIGNED_AT_ONCE)
        signed = (signatures(piece, step.partition, step.project.cleaning) for piece in pieces)
        return materialized(step, step.write("signatures", _stream(signed, SIGNATURES.schema), is_sorted=True))


@dg.multi_asset(specs=[spec("similar_items", deps=["raw_items", "signatures"], kinds=["python"])])
def compare(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Find which items resemble earlier ones, in this batch or in those before it in the register."""
    with bench.step(context) as step:
        raw = step.read("raw_items", columns=["item_id", "source_file", "line"])
        own, *earlier = (_signed(step, batch) for batch in (step.partition, *_earlier_batches(step)))
        found = similar_items(own, earlier, raw, step.project.cleaning)
        told = {"pairs compared": found.compared, "pairs left out at most": found.not_compared}
        return materialized(step, step.write("similar_items", found.pairs), **told)


_MEASURED = ["raw_items", "item_signals", "signatures", "similar_items"]


@dg.multi_asset(specs=[spec("clean_items", deps=_MEASURED), spec("rejected_items", deps=_MEASURED)])
def decide_items(context: dg.AssetExecutionContext, bench: Bench) -> Iterator[dg.MaterializeResult[None]]:
    """Decide by the measures which items are kept; of alike ones the earliest in the register."""
    with bench.step(context) as step:
        raw = step.read("raw_items", columns=["batch", "item_id", "source_file", "line", "group_id"])
        columns = (*SIGNALS, *needed(step.project.cleaning.web_rules))
        signals, similar = step.read("item_signals", columns=columns), step.read("similar_items")
        before = [_cleaned(step, batch) for batch in _earlier_batches(step)]
        earlier = earlier_items(signals["text_sha256"], similar, before)
        decision = decide(step.partition, raw, signals, similar, step.project.cleaning, earlier)
        linked = {"groups of earlier batches that this one links": decision.group_links.num_rows}
        kept = _stream(_kept_pieces(step, decision.decided), CLEAN_ITEMS.schema)
        yield materialized(step, step.write("clean_items", kept, is_sorted=True), **linked)
        yield materialized(step, step.write("rejected_items", decision.rejected_items))


def _kept_pieces(step: Step, decided: pa.Table) -> Iterator[pa.Table]:
    """Yield the kept items with their texts, of which only a piece is held."""
    texts = step.read_batches("item_signals", columns=["item_id", "text", "language"])
    first = 0
    for raw, signals in zip(step.read_batches("raw_items", columns=RAW), texts, strict=True):
        yield clean_items(raw, signals, decided.slice(first, raw.num_rows))
        first += raw.num_rows


def _earlier_batches(step: Step) -> list[str]:
    """Return the batches before this one in the register that have been cleaned."""
    register = list(step.project.raw.deliveries)
    before = register[: register.index(step.partition)]
    return [batch for batch in before if step.is_there("clean_items", batch)]


def _signed(step: Step, batch: str) -> Signed:
    return Signed(batch, lambda columns: step.read_batches("signatures", batch, columns, ROWS_SIGNED_AT_ONCE))


def _cleaned(step: Step, batch: str) -> Cleaned:
    for table in ("signatures", "clean_items"):
        step.uses(table, batch)
    return Cleaned(
        batch,
        lambda: step.read("signatures", batch, ["item_id", "text_sha256"]),
        lambda: step.read("clean_items", batch, ["item_id", "group_id", "source_file", "line"]),
    )


def _stream(pieces: Iterator[pa.Table], schema: pa.Schema) -> pa.RecordBatchReader:
    """Return the pieces as a stream, so that only one of them is held at a time."""
    return pa.RecordBatchReader.from_batches(schema, (batch for piece in pieces for batch in piece.to_batches()))
