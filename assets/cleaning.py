"""Cleaning: measure every item, find what it resembles, and decide by rules, duplicates and people which are kept."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc

from assets.bench import Bench
from assets.spec import materialized
from cupel.cleaning.contamination.concluding import Concluded, concluded
from cupel.cleaning.contamination.sifting import rejected_items, sifted_items, wanted
from cupel.cleaning.cuts import cuts, cuts_table
from cupel.cleaning.decide import RULES, Decision, clean_items, decide
from cupel.cleaning.duplicates.kept_items import CleanedBatch, earlier_items
from cupel.cleaning.duplicates.similar_items import BatchSignatures, signatures, similar_items
from cupel.cleaning.images import rules
from cupel.cleaning.images.measured import measure_batch
from cupel.cleaning.images.rules import NEEDED_FILES, NEEDED_SIGNALS, MeasuredImages, clean_images
from cupel.cleaning.images.similar import HashedBatch, similar_images
from cupel.cleaning.mask_key import mask_key
from cupel.cleaning.measured import languages_table, repairs_table
from cupel.cleaning.overlap.index import Index
from cupel.cleaning.overlap.references import read_references
from cupel.cleaning.repeated_lines import repeated_lines
from cupel.cleaning.signals import item_signals
from cupel.cleaning.web_rules import needed
from cupel.config.contamination import Contamination
from cupel.contract.tables.cleaning import CLEAN_ITEMS, ITEM_SIGNALS, SIGNATURES
from cupel.errors import ProjectError
from cupel.lake.gates import open_gate
from cupel.lake.step import Step
from cupel.sources.register import delivery_folder

# A signature takes some kilobytes.
ROWS_SIGNED_AT_ONCE = 8_192
# All but the texts and other fields, which are large.
RAW = ("batch", "item_id", "source_file", "line", "licence")
SIGNALS = ("item_id", "text_sha256", "overlap_share", "overlap_with", *dict.fromkeys(rule.measure for rule in RULES))


def measure(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Normalise every text, mask private data, and measure what the quality rules ask for."""
    with bench.step(context) as step:
        pieces, repeated = step.read_batches("raw_items"), _repeated_lines(step)
        key = mask_key(step.project.cleaning, step.lake.folder)
        index, counted = _references(step, bench.data)
        measured = (item_signals(piece, step.project.cleaning, repeated, key, index) for piece in pieces)
        commit = step.write("item_signals", _stream(measured, ITEM_SIGNALS.schema), is_sorted=True)
        found = step.lake.relation("item_signals", step.partition)
        told = {"what normalising changed": repairs_table(found), "languages": languages_table(found)}
        told["signals"] = cuts_table(list(cuts(step.project.cleaning, lambda names: _columns(step, names))))
        shown = {name: dg.MetadataValue.md(table) for name, table in told.items()}
        return materialized(step, commit, **shown, **counted)


def sign(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Make of every text what finding its duplicates needs: hashes of its shingles, and bands of their MinHash."""
    with bench.step(context) as step:
        pieces = step.read_batches("item_signals", columns=["item_id", "text", "text_sha256"], rows=ROWS_SIGNED_AT_ONCE)
        signed = (signatures(piece, step.partition, step.project.cleaning) for piece in pieces)
        return materialized(step, step.write("signatures", _stream(signed, SIGNATURES.schema), is_sorted=True))


def compare(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Find which items resemble earlier ones, in this batch or in those before it in the register."""
    with bench.step(context) as step:
        raw = step.read("raw_items", columns=["item_id", "source_file", "line"])
        own, *earlier = (_signed(step, batch) for batch in (step.partition, *earlier_batches(step)))
        found = similar_items(own, earlier, raw, step.project.cleaning)
        told = {"pairs compared": found.compared, "pairs left out at most": found.not_compared}
        return materialized(step, step.write("similar_items", found.pairs), **told)


def decide_items(context: dg.AssetExecutionContext, bench: Bench) -> Iterator[dg.MaterializeResult[None]]:
    """Decide by the measures which items are kept; of alike ones the earliest in the register."""
    with bench.step(context) as step:
        decision = _decide(step)
        kept = _stream(_kept_pieces(step, decision.decided), CLEAN_ITEMS.schema)
        yield materialized(step, step.write("clean_items", kept, is_sorted=True), **_count_links(decision))
        yield materialized(step, step.write("rejected_items", decision.rejected_items))


def measure_images(context: dg.AssetExecutionContext, bench: Bench) -> Iterator[dg.MaterializeResult[None]]:
    """Read and decode every image once: its file, its signals, its perceptual hash, its features."""
    with bench.step(context) as step:
        folder = delivery_folder(step.lake, step.partition, bench.data)
        pieces = step.read_batches("raw_items", columns=["item_id", "text"])
        measured = measure_batch(step.partition, pieces, folder, step.project.images)
        for name, table in measured._asdict().items():
            yield materialized(step, step.write(name, table))


def compare_images(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Find which images resemble earlier ones, in this batch or in those before it in the register."""
    with bench.step(context) as step:
        raw = step.read("raw_items", columns=["item_id", "source_file", "line"])
        own, *earlier = (
            HashedBatch(batch, step.read("image_signals", batch, ["item_id", "perceptual_hash"]))
            for batch in (step.partition, *earlier_batches(step))
        )
        found = similar_images(own, earlier, raw, step.project.images.group_bits)
        told = {"images compared with the first of their hash alone": found.beyond}
        return materialized(step, step.write("similar_items", found.pairs), **told)


def decide_images(context: dg.AssetExecutionContext, bench: Bench) -> Iterator[dg.MaterializeResult[None]]:
    """Decide by files and signals which images are kept; of alike ones the earliest in the register."""
    with bench.step(context) as step:
        project = step.project
        raw = step.read("raw_items", columns=[*RAW, "text", "group_id"])
        measured = MeasuredImages(
            step.read("image_files", columns=NEEDED_FILES), step.read("image_signals", columns=NEEDED_SIGNALS),
            step.read("signatures", columns=["item_id", "text_sha256"]),
        )  # fmt: skip
        similar = step.read("similar_items")
        before = [_cleaned(step, batch) for batch in earlier_batches(step)]
        earlier = earlier_items(measured.signatures["text_sha256"], similar, before)
        decision = rules.decide_images(
            step.partition, raw, measured, similar, project.images, earlier, project.cleaning.allowed_licences,
            project.licence_names,
        )  # fmt: skip
        kept = clean_images(raw, decision.decided)
        yield materialized(step, step.write("clean_items", kept), **_count_links(decision))
        yield materialized(step, step.write("rejected_items", decision.rejected_items))


def sift_items(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Decide by rules and duplicates; whether what is left is wanted, people say."""
    with bench.step(context) as step:
        decision = _decide(step)
        raw = step.read("raw_items", columns=["batch", "item_id", "source_file", "line", "licence"])
        return materialized(step, step.write("sifted_items", sifted_items(raw, decision)), **_count_links(decision))


def decide_wanted_items(context: dg.AssetExecutionContext, bench: Bench) -> Iterator[dg.MaterializeResult[None]]:
    """Keep what rules, duplicates and people left; open, and yielding nothing, while answers are awaited."""
    with bench.step(context) as step:
        step.uses("contamination_result")
        found, row = conclude_contamination(step)
        if row["status"] == "open":
            context.log.info(open_gate(step, "cleaning", "clean_items", row["reason"]))
            return
        sifted, items = step.read("sifted_items"), step.read("contamination_items")
        kept = _stream(_kept_pieces(step, wanted(sifted, items, found.is_kept)), CLEAN_ITEMS.schema)
        yield materialized(step, step.write("clean_items", kept, is_sorted=True))
        answers, good = step.read("contamination_answers"), contamination_settings(step).good
        rejected = rejected_items(sifted, items, answers, found.is_kept, row, good)
        yield materialized(step, step.write("rejected_items", rejected))


def _decide(step: Step) -> Decision:
    """Decide by rules and duplicates on the items of the step's batch."""
    raw = step.read("raw_items", columns=["batch", "item_id", "source_file", "line", "group_id", "licence"])
    columns = (*SIGNALS, *needed(step.project.cleaning.web_rules))
    signals, similar = step.read_batches("item_signals", columns=columns), step.read("similar_items")
    before = [_cleaned(step, batch) for batch in earlier_batches(step)]
    texts = step.read("item_signals", columns=["text_sha256"])["text_sha256"]
    earlier = earlier_items(texts, similar, before)
    licences = step.project.licence_names
    return decide(step.partition, raw, signals, similar, step.project.cleaning, earlier, licences)


def _count_links(decision: Decision) -> dict[str, int]:
    """Return what the page is told beside a decision."""
    return {"groups of earlier batches that this one links": decision.group_links.num_rows}


def _kept_pieces(step: Step, decisions: pa.Table) -> Iterator[pa.Table]:
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


def conclude_contamination(step: Step) -> tuple[Concluded, dict[str, Any]]:
    """Return what the audit of contamination comes to, and the row of its result."""
    plan = step.read("contamination_plan").to_pylist()[0]
    found = concluded(plan, step.read("contamination_items"), step.read("contamination_answers"))
    return found, dict(found.result.to_pylist()[0])


def contamination_settings(step: Step) -> Contamination:
    """Return what the project says of contamination."""
    settings = step.project.cleaning.contamination
    if settings is None:
        raise ProjectError(f"project {step.project.project}: cleaning.contamination is missing; add it")
    return settings


def _stream(pieces: Iterator[pa.Table], schema: pa.Schema) -> pa.RecordBatchReader:
    """Return the pieces as a stream, so that only one of them is held at a time."""
    return pa.RecordBatchReader.from_batches(schema, (batch for piece in pieces for batch in piece.to_batches()))


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


def _signed(step: Step, batch: str) -> BatchSignatures:
    return BatchSignatures(batch, lambda columns: step.read_batches("signatures", batch, columns, ROWS_SIGNED_AT_ONCE))


def _decisions(step: Step) -> str:
    """Return the table that says which items rules and duplicates left: people may not have had their say yet."""
    return "clean_items" if step.project.cleaning.contamination is None else "sifted_items"


def _cleaned(step: Step, batch: str) -> CleanedBatch:
    table = _decisions(step)
    for name in ("signatures", table):
        step.uses(name, batch)

    def kept() -> pa.Table:
        items = step.read(table, batch, ["item_id", "group_id", "source_file", "line", "licence"])
        return items.filter(pc.is_valid(items["group_id"]))

    return CleanedBatch(batch, lambda: step.read("signatures", batch, ["item_id", "text_sha256"]), kept)
