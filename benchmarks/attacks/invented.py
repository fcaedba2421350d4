"""Releases that an operator invents: labels, verdicts and nonce as they please, all else computed by Cupel itself."""

import secrets
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.attacks.target import BATCH, RELEASE, Target
from cupel.contract.table import from_rows
from cupel.contract.tables import TABLES
from cupel.release.audit_design import draw_first_wave
from cupel.release.audit_tables import (
    adjudicate_items,
    conclude_audit,
    draw_audit,
    find_cuts,
    judge_planted_items,
    write_certificate,
)
from cupel.release.facts import release_facts
from cupel.release.folder import Provenance, ReleaseTables, write_release
from cupel.release.freeze import hash_content, items_sha256
from cupel.release.frozen_terms import FrozenTerms
from cupel.release.names import Names
from cupel.release.nonces import OPERATING_SYSTEM, make_seed
from cupel.release.outcome import released, withheld
from cupel.release.places import release_place
from cupel.release.planted import planted_items
from cupel.release.release_audit import ReleaseAudit
from cupel.release.signed_share import count_share
from cupel.release.slice_bounds import bound_slices
from cupel.show.release_documents import describe_release

# What an expert says of an item, given its frozen label; None: it cannot be decided.
Answer = Callable[[str, str], str | None]


class FrozenItems(NamedTuple):
    """Terms and items as an operator freezes them, nothing drawn yet."""

    terms: FrozenTerms
    items: pa.Table

    def draw(self, nonce: str, source: str = OPERATING_SYSTEM) -> "FrozenItems":
        """Draw the audit by a nonce."""
        sha256 = self.terms.hash_freeze()
        seed = make_seed(sha256, nonce)
        flags = draw_first_wave(self.terms.design, Names(self.items), seed, self.terms)
        terms = replace(
            self.terms, freeze_sha256=sha256, nonce=nonce, nonce_source=source, seed=seed, audit_size=int(flags.sum())
        )
        return FrozenItems(terms, self.items.append_column("is_audited", pa.array(flags)))


def freeze_labels(
    target: Target, labels: Mapping[str, str], change_text: Callable[[str], str] | None = None, **terms: Any
) -> FrozenItems:
    """Freeze the items of the target's release anew, with other labels, texts and terms.

    Args:
        target: The target.
        labels: By item.
        change_text: What becomes of each text; None: nothing.
        terms: What of the terms is otherwise.
    """
    items = target.lake.read("release_items", RELEASE).sort_by("risk_rank").drop_columns(["is_audited"])
    before = FrozenTerms.from_plan(target.lake.read("release_plan", RELEASE).to_pylist()[0])
    own = pa.array([labels.get(name, label) for name, label in _columns(items, "item_id", "label")])
    items = items.set_column(items.column_names.index("label"), "label", own)
    if change_text is not None:
        texts = [change_text(text) for (text,) in _columns(items, "text")]
        items = items.set_column(items.column_names.index("text"), "text", pa.array(texts))
        hashes = pa.array(map(hash_content, texts))
        items = items.set_column(items.column_names.index("content_sha256"), "content_sha256", hashes)
    return FrozenItems(replace(before, **{"items_sha256": items_sha256(items), **terms}), items)


def audit_items(
    frozen: FrozenItems, answer: Answer, gold: Mapping[str, str] | None = None, adjudicate: Answer | None = None
) -> ReleaseAudit:
    """Let one expert answer all that is asked; return the audit.

    Args:
        frozen: What was frozen and drawn.
        answer: What the expert says.
        gold: Known labels by item, where items are planted.
        adjudicate: What another expert says behind the cut, where adjudicators are audited.
    """
    experts = [("audit", "eve", answer)] + ([] if adjudicate is None else [("expert", "ada", adjudicate)])
    rows = [
        {
            "sequence": 10_000 * number + place, "batch": BATCH, "item_id": name, "purpose": purpose, "annotator": who,
            "label": said(name, label),
        }
        for number, (purpose, who, said) in enumerate(experts, 1)
        for place, (name, label) in enumerate(_columns(frozen.items, "item_id", "label"))
    ]  # fmt: skip
    audit = ReleaseAudit.of(frozen.terms, {"release_items": frozen.items})
    audit = replace(audit, expert_answers=from_rows(rows, TABLES["expert_answers"]))
    if frozen.terms.planted_errors and gold is not None:
        known = pa.table({"item_id": list(gold), "label": list(gold.values())})
        planted = planted_items(
            frozen.items, {BATCH: known}, frozen.terms.planted_errors, frozen.terms.seed, audit.is_same
        )
        audit = replace(audit, planted_items=planted)
        audit = replace(audit, planted_verdicts=judge_planted_items(audit))
    nonce = make_nonce()
    audit = replace(audit, second_nonce=nonce, audit=draw_audit(audit, lambda frozen_sha256: nonce))
    return replace(audit, adjudications=adjudicate_items(audit))


def write_folder(target: Target, audit: ReleaseAudit, signed: dict[str, Any] | None = None) -> Path:
    """Write an invented release in the place of the target's; return its folder.

    Args:
        target: The target.
        audit: Of the release.
        signed: What its certificate says of signed answers; None: nothing.
    """
    share = None if signed is None else count_share(signed, audit)
    lake, folder = target.lake, target.release
    gates = pq.read_table(folder / "evidence" / "gate_results.parquet")
    shutil.rmtree(folder)
    result = conclude_audit(audit)
    tables = {
        "release_plan": from_rows([audit.terms.to_plan()], TABLES["release_plan"]),
        "release_items": audit.items,
        "expert_answers": audit.expert_answers,
        "audit": audit.audit,
        "cuts": find_cuts(audit),
        "adjudications": audit.adjudications,
        "audit_result": result,
        "certificate": write_certificate(audit, result, share),
        "training_set": released(audit.items, audit),
        "withheld_items": withheld(audit.items, audit),
    }
    if audit.terms.planted_errors:
        tables |= {"planted_items": audit.planted_items, "planted_verdicts": audit.planted_verdicts}
    if audit.terms.bounds_slices:
        tables["slice_bounds"] = bound_slices(audit)
    for name, rows in tables.items():
        lake.write(name, RELEASE, rows)
    named = ["training_set", "withheld_items", "release_items", "audit", "adjudications", "cuts"]
    named += ["planted_items", "planted_verdicts"] if audit.terms.planted_errors else []
    named += ["slice_bounds"] if audit.terms.bounds_slices else []
    facts = release_facts(lake, target.project, RELEASE)
    held = ReleaseTables(
        **{name: lake.read(name, RELEASE) for name in named}, gate_results=gates, signed_answers=signed
    )
    provenance = Provenance({}, None, "0", None)
    write_release(lake.store, release_place(RELEASE), facts, held, provenance, partial(describe_release))
    return folder


def make_nonce() -> str:
    """Return a nonce as the operating system gives it."""
    return secrets.token_hex(32)


def _columns(table: pa.Table, *names: str) -> list[tuple[Any, ...]]:
    return list(zip(*(table[name].to_pylist() for name in names), strict=True))
