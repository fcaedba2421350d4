"""Attacks on what a release's folder says of itself: certificate, evidence, report, card and manifest."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from benchmarks.attacks.attack import Attack, Outcome
from benchmarks.attacks.forged_files import ITEMS_FILE, change_json, change_rows, mend_freeze, mend_manifest
from benchmarks.attacks.released_files import DOOR, TRAIN, exchange_rows, on_folder
from cupel.release import layout


def replace_seed(folder: Path) -> None:
    """Write another seed into the plan, and mend the manifest."""
    change_json(folder, layout.CERTIFICATE_FILE, lambda content: content["plan"].update(seed=1))
    mend_manifest(folder)


def replace_nonce(folder: Path) -> None:
    """Write another nonce and its seed into the plan, and mend the manifest."""
    change_json(folder, layout.CERTIFICATE_FILE, lambda content: content["plan"].update(nonce="0" * 64))
    mend_freeze(folder)
    mend_manifest(folder)


def claim_lower_bound(folder: Path) -> None:
    """Halve the bound of the wrong labels in certificate, result and text, and mend the manifest."""

    def halve(content: Any) -> None:
        for part in ("certificate", "audit_result"):
            content[part]["error_bound"] /= 2

    change_json(folder, layout.CERTIFICATE_FILE, halve)
    mend_manifest(folder)


def lower_budget(folder: Path) -> None:
    """Write a fifth of the error budget wherever it stands, and mend all hashes."""

    def lower(content: Any) -> None:
        for part in ("plan", "certificate", "audit_result"):
            content[part]["error_budget"] = content[part]["error_budget"] / 5

    change_json(folder, layout.CERTIFICATE_FILE, lower)
    mend_freeze(folder)
    mend_manifest(folder)


def edit_wording(folder: Path) -> None:
    """Add a sentence to the certificate's text, and mend the manifest."""

    def add(content: Any) -> None:
        content["certificate"]["wording"] += " All labels are right."

    change_json(folder, layout.CERTIFICATE_FILE, add)
    mend_manifest(folder)


def claim_independence(folder: Path) -> None:
    """Call the auditors independent in the certificate, and mend the manifest."""
    change_json(
        folder, layout.CERTIFICATE_FILE, lambda content: content["certificate"].update(are_auditors_independent=True)
    )
    mend_manifest(folder)


def claim_first_attempt(folder: Path) -> None:
    """Give the attempt more alpha than it has, and mend the manifest."""
    change_json(folder, layout.CERTIFICATE_FILE, lambda content: content["plan"].update(alpha=0.05))
    mend_manifest(folder)


def edit_gate_result(folder: Path) -> None:
    """Write into the evidence that another value was observed at a gate, and mend the manifest."""
    change_rows(
        folder, "evidence/gate_results.parquet", lambda rows: [{**row, "observed": 0.123, "bound": 0.1} for row in rows]
    )
    mend_manifest(folder)


def edit_report(folder: Path) -> None:
    """Add a sentence to the report."""
    with (folder / "report.html").open("a") as file:
        file.write("<p>All labels are right.</p>")


def edit_report_and_manifest(folder: Path) -> None:
    """Add a sentence to the report, and mend the manifest."""
    edit_report(folder)
    mend_manifest(folder)


def edit_card_and_manifest(folder: Path) -> None:
    """Add a sentence to the data card, and mend the manifest."""
    with (folder / layout.CARD_FILE).open("a") as file:
        file.write("\nAll labels are right.\n")
    mend_manifest(folder)


def edit_run_record(folder: Path) -> None:
    """Write other seconds into the record of the run."""
    (folder / "run.json").write_text('{"seconds": 1}')


def lower_format(folder: Path) -> None:
    """Exchange two texts, and call the release one of format 3, which knew no hashes of contents."""
    change_rows(folder, TRAIN, exchange_rows)
    change_json(folder, layout.MANIFEST_FILE, lambda manifest: manifest.update(format=3))
    mend_manifest(folder)


def lower_format_and_columns(folder: Path) -> None:
    """Exchange two texts, call the release one of format 3, and take out all that format 3 did not know."""
    change_rows(folder, TRAIN, exchange_rows)
    table = pq.read_table(folder / ITEMS_FILE)
    pq.write_table(table.drop_columns(["content_sha256"]), folder / ITEMS_FILE)
    later = ("freeze_sha256", "nonce", "nonce_source", "max_undecided_share", "audited_before")

    def change(content: Any) -> None:
        for name in later:
            content["plan"].pop(name, None)
        content["project_seed"] = 1

    change_json(folder, layout.CERTIFICATE_FILE, change)
    change_json(folder, layout.MANIFEST_FILE, lambda manifest: manifest.update(format=3))
    mend_manifest(folder)


def repeat_json_key(folder: Path) -> None:
    """Write the certificate's error budget twice, first the lower one, and mend the manifest."""
    path = folder / layout.CERTIFICATE_FILE
    text = path.read_text()
    budget = json.loads(text)["certificate"]["error_budget"]
    path.write_text(text.replace(f'"error_budget": {budget}', f'"error_budget": 0.001, "error_budget": {budget}', 1))
    mend_manifest(folder)


def repeat_manifest_key(folder: Path) -> None:
    """Write the manifest's list of batches twice, first another one."""
    path = folder / layout.MANIFEST_FILE
    path.write_text(path.read_text().replace("{", '{"batches": ["nine", "ten"],', 1))


_R, _N = Outcome.REFUSED, Outcome.NOT_CAUGHT
_TRIED: tuple[tuple[str, Callable[[Path], None], Outcome], ...] = (
    ("seed-replaced", replace_seed, _R),
    ("nonce-replaced", replace_nonce, _R),
    ("lower-bound-claimed", claim_lower_bound, _R),
    ("budget-lowered-all-hashes-mended", lower_budget, _R),
    ("wording-edited", edit_wording, _R),
    ("independence-claimed", claim_independence, _R),
    ("more-alpha-claimed", claim_first_attempt, _R),
    ("gate-result-edited", edit_gate_result, _N),
    ("report-edited", edit_report, _R),
    ("report-edited-manifest-mended", edit_report_and_manifest, _N),
    ("card-edited-manifest-mended", edit_card_and_manifest, _N),
    ("run-record-edited", edit_run_record, _N),
    ("format-lowered", lower_format, _R),
    ("format-lowered-columns-removed", lower_format_and_columns, _R),
    ("json-key-repeated", repeat_json_key, _R),
    ("json-key-of-the-manifest-repeated", repeat_manifest_key, _R),
)
ATTACKS = tuple(
    Attack(name, DOOR, str(change.__doc__), expected, on_folder(change)) for name, change, expected in _TRIED
)
