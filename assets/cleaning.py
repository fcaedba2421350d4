"""Cleaning: measure every item, and find what it resembles; `assets.deciding` decides."""

from collections.abc import Sequence
from pathlib import Path

import dagster as dg
import pyarrow as pa

from assets.bench import Bench
from assets.deciding import earlier_batches, stream
from assets.spec import materialized, spec
from cupel.cleaning.cuts import cuts, cuts_table
from cupel.cleaning.duplicates import similar_items
from cupel.cleaning.measured import languages_table, repairs_table
from cupel.cleaning.overlap.index import Index
from cupel.cleaning.overlap.references import read_references
from cupel.cleaning.privacy.key import mask_key
from cupel.cleaning.register import Signed
from cupel.cleaning.repeated_lines import repeated_lines
from cupel.cleaning.signals import item_signals
from cupel.cleaning.signatures import signatures
from cupel.contract.tables import ITEM_SIGNALS, SIGNATURES
from cupel.step import Step

# A signature takes some kilobytes.
ROWS_SIGNED_AT_ONCE = 8_192


@dg.multi_asset(specs=[spec("item_signals", deps=["raw_items"], kinds=["python"])])
def measure(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Normalise every text, mask private data, and measure what the quality rules ask for."""
    with bench.step(context) as step:
        pieces, repeated = step.read_batches("raw_items"), _repeated_lines(step)
        key = mask_key(step.project.cleaning, Path(str(step.lake.folder)))
        index, counted = _references(step, bench.data)
        measured = (item_signals(piece, step.project.cleaning, repeated, key, index) for piece in pieces)
        commit = step.write("item_signals", stream(measured, ITEM_SIGNALS.schema), is_sorted=True)
        found = step.lake.relation("item_signals", step.partition)
        told = {"what normalising changed": repairs_table(found), "languages": languages_table(found)}
        told["signals"] = cuts_table(list(cuts(step.project.cleaning, lambda names: _columns(step, names))))
        shown = {name: dg.MetadataValue.md(table) for name, table in told.items()}
        return materialized(step, commit, **shown, **counted)


@dg.multi_asset(specs=[spec("signatures", deps=["item_signals"], kinds=["python"])])
def sign(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Make of every text what finding its duplicates needs: hashes of its shingles, and bands of their MinHash."""
    with bench.step(context) as step:
        pieces = step.read_batches("item_signals", columns=["item_id", "text", "text_sha256"], rows=ROWS_SIGNED_AT_ONCE)
        signed = (signatures(piece, step.partition, step.project.cleaning) for piece in pieces)
        return materialized(step, step.write("signatures", stream(signed, SIGNATURES.schema), is_sorted=True))


@dg.multi_asset(specs=[spec("similar_items", deps=["raw_items", "signatures"], kinds=["python"])])
def compare(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Find which items resemble earlier ones, in this batch or in those before it in the register."""
    with bench.step(context) as step:
        raw = step.read("raw_items", columns=["item_id", "source_file", "line"])
        own, *earlier = (_signed(step, batch) for batch in (step.partition, *earlier_batches(step)))
        found = similar_items(own, earlier, raw, step.project.cleaning)
        told = {"pairs compared": found.compared, "pairs left out at most": found.not_compared}
        return materialized(step, step.write("similar_items", found.pairs), **told)


def _references(step: Step, data: Path) -> tuple[Index | None, dict[str, int]]:
    """Return what models are examined with, and what the page is told of it; None where the project names nothing."""
    sets = step.project.cleaning.overlap
    if not sets:
        return None, {}
    references = read_references(sets, data)
    for name, sha256 in references.files.items():
        step.file(name, sha256)
    index = Index(references.rows)
    counted = {"reference rows": len(references.rows), "reference rows without text": references.empty}
    return index, {**counted, "reference rows too short to look for": index.not_looked_for}


def _columns(step: Step, names: Sequence[str]) -> pa.Table:
    return step.lake.read("item_signals", step.partition, names)


def _repeated_lines(step: Step) -> frozenset[str]:
    """Return the lines that stand in many items of the batch, where the project wants them removed."""
    least = step.project.cleaning.repairs.repeated_lines
    if least is None:
        return frozenset()
    return repeated_lines(step.lake.relation("raw_items", step.partition), least)


def _signed(step: Step, batch: str) -> Signed:
    return Signed(batch, lambda columns: step.read_batches("signatures", batch, columns, ROWS_SIGNED_AT_ONCE))
