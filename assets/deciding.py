"""Deciding: by the measures, which items of a delivery are kept; nothing is dropped without its reason."""

from collections.abc import Iterator

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc

from assets.bench import Bench
from assets.spec import materialized, spec
from cupel.cleaning.alike import Cleaned, earlier_items
from cupel.cleaning.decide import RULES, Decision, clean_items, decide
from cupel.cleaning.web_rules import needed
from cupel.contract.tables import CLEAN_ITEMS
from cupel.step import Step

MEASURED = ["raw_items", "item_signals", "signatures", "similar_items"]
# All but the texts and other fields, which are large.
RAW = ("batch", "item_id", "source_file", "line", "licence")
SIGNALS = ("item_id", "text_sha256", "overlap_share", "overlap_with", *dict.fromkeys(rule.measure for rule in RULES))


@dg.multi_asset(specs=[spec("clean_items", deps=MEASURED), spec("rejected_items", deps=MEASURED)])
def decide_items(context: dg.AssetExecutionContext, bench: Bench) -> Iterator[dg.MaterializeResult[None]]:
    """Decide by the measures which items are kept; of alike ones the earliest in the register."""
    with bench.step(context) as step:
        decision = decided(step)
        kept = stream(kept_pieces(step, decision.decided), CLEAN_ITEMS.schema)
        yield materialized(step, step.write("clean_items", kept, is_sorted=True), **linked(decision))
        yield materialized(step, step.write("rejected_items", decision.rejected_items))


def decided(step: Step) -> Decision:
    """Decide by rules and duplicates on the items of the step's batch."""
    raw = step.read("raw_items", columns=["batch", "item_id", "source_file", "line", "group_id", "licence"])
    columns = (*SIGNALS, *needed(step.project.cleaning.web_rules))
    signals, similar = step.read_batches("item_signals", columns=columns), step.read("similar_items")
    before = [_cleaned(step, batch) for batch in earlier_batches(step)]
    texts = step.read("item_signals", columns=["text_sha256"])["text_sha256"]
    earlier = earlier_items(texts, similar, before)
    licences = step.project.licence_names
    return decide(step.partition, raw, signals, similar, step.project.cleaning, earlier, licences)


def linked(decision: Decision) -> dict[str, int]:
    """Return what the page is told beside a decision."""
    return {"groups of earlier batches that this one links": decision.group_links.num_rows}


def kept_pieces(step: Step, decisions: pa.Table) -> Iterator[pa.Table]:
    """Yield the kept items with their texts, of which only a piece is held; `decisions` as in `Decision.decided`."""
    texts = step.read_batches("item_signals", columns=["item_id", "text", "language"])
    first = 0
    for raw, signals in zip(step.read_batches("raw_items", columns=RAW), texts, strict=True):
        yield clean_items(raw, signals, decisions.slice(first, raw.num_rows))
        first += raw.num_rows


def earlier_batches(step: Step) -> list[str]:
    """Return the batches before this one in the register whose duplicates have been decided on."""
    register = list(step.project.raw.deliveries)
    before = register[: register.index(step.partition)]
    return [batch for batch in before if step.is_there(_decisions(step), batch)]


def stream(pieces: Iterator[pa.Table], schema: pa.Schema) -> pa.RecordBatchReader:
    """Return the pieces as a stream, so that only one of them is held at a time."""
    return pa.RecordBatchReader.from_batches(schema, (batch for piece in pieces for batch in piece.to_batches()))


def _decisions(step: Step) -> str:
    """Return the table that says which items rules and duplicates left: people may not have had their say yet."""
    return "clean_items" if step.project.cleaning.contamination is None else "sifted_items"


def _cleaned(step: Step, batch: str) -> Cleaned:
    table = _decisions(step)
    for name in ("signatures", table):
        step.uses(name, batch)

    def kept() -> pa.Table:
        items = step.read(table, batch, ["item_id", "group_id", "source_file", "line", "licence"])
        return items.filter(pc.is_valid(items["group_id"]))

    return Cleaned(batch, lambda: step.read("signatures", batch, ["item_id", "text_sha256"]), kept)
