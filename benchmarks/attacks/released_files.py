"""Attacks on the data and files of a release's folder: what `cupel verify` finds of them."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.attacks.attack import Attack, Finding, Outcome
from benchmarks.attacks.forged_files import (
    ITEMS_FILE,
    Row,
    change_json,
    change_rows,
    mend_freeze,
    mend_manifest,
    verify,
)
from benchmarks.attacks.target import OTHER, Target
from cupel.release import layout

DOOR = "a release's folder"
TRAIN = "data/train.parquet"
AUDIT_FILE, ADJUDICATIONS_FILE = "evidence/audit.parquet", "evidence/adjudications.parquet"


def leave_alone(folder: Path) -> None:
    """Change nothing."""


def exchange_texts(folder: Path) -> None:
    """Exchange two texts, and mend the manifest."""
    change_rows(folder, TRAIN, exchange_rows)
    mend_manifest(folder)


def reverse_texts(folder: Path) -> None:
    """Reverse all texts, and mend the manifest."""
    for name in layout.DATA_FILES:
        change_rows(folder, name, lambda rows: [{**row, "text": row["text"][::-1]} for row in rows])
    mend_manifest(folder)


def exchange_texts_with_evidence(folder: Path) -> None:
    """Exchange two texts, and mend contents' hashes, the freeze, the seed and the manifest."""
    change_rows(folder, TRAIN, exchange_rows)
    mend_freeze(folder)
    mend_manifest(folder)


def edit_unjudged_label(folder: Path) -> None:
    """Change a label that no expert judged, and mend the manifest."""
    change_rows(folder, TRAIN, lambda rows: _relabel_first(rows))
    mend_manifest(folder)


def edit_unjudged_label_with_evidence(folder: Path) -> None:
    """Change a label that no expert judged, in the data and in the frozen items, and mend all hashes."""
    changed: list[str] = []

    def change(rows: list[Row]) -> list[Row]:
        changed.append(next(row["item_id"] for row in rows if row["decided_by"] not in ("audit", "expert")))
        return [_relabel(row) if row["item_id"] in changed else row for row in rows]

    change_rows(folder, TRAIN, change)
    change_rows(folder, ITEMS_FILE, lambda rows: [_relabel(row) if row["item_id"] in changed else row for row in rows])
    mend_freeze(folder)
    mend_manifest(folder)


def drop_audit_rows(folder: Path) -> None:
    """Drop ten verdicts of the audit, and mend the manifest."""
    change_rows(folder, AUDIT_FILE, lambda rows: rows[10:])
    mend_manifest(folder)


def flip_verdict(folder: Path) -> None:
    """Make a wrong label of the audit a right one, and mend the manifest."""

    def flip(rows: list[Row]) -> list[Row]:
        wrong = next((row for row in rows if row["is_wrong"]), rows[0])
        wrong.update(is_wrong=not wrong["is_wrong"], expert_label=wrong["label"])
        return rows

    change_rows(folder, AUDIT_FILE, flip)
    mend_manifest(folder)


def release_fewer(folder: Path) -> None:
    """Leave ten items out of the data, and mend the manifest."""
    change_rows(folder, TRAIN, lambda rows: rows[10:])
    mend_manifest(folder)


def withhold_items(folder: Path) -> None:
    """Withhold ten items as if experts stayed split on them, and mend the manifest."""
    taken: list[Row] = []

    def take(rows: list[Row]) -> list[Row]:
        taken.extend(rows[:10])
        return rows[10:]

    change_rows(folder, TRAIN, take)
    names = pq.read_schema(folder / layout.WITHHELD_FILE).names
    reasons = [{**row, "reason": "contested"} for row in taken]
    added = [{name: row.get(name) for name in names} for row in reasons]
    change_rows(folder, layout.WITHHELD_FILE, lambda rows: [*rows, *added])
    mend_manifest(folder)


def repeat_row(folder: Path) -> None:
    """Put a row into the data twice, and mend the manifest."""
    change_rows(folder, TRAIN, lambda rows: [rows[0], *rows])
    mend_manifest(folder)


def repeat_column(folder: Path) -> None:
    """Put a second column of labels into the data, all of one class, and mend the manifest."""
    table = pq.read_table(folder / TRAIN)
    labels = pa.array(["warm"] * table.num_rows)
    fields = [*table.schema, pa.field("label", pa.string(), nullable=False)]
    doubled = pa.Table.from_arrays([*table.columns, labels], schema=pa.schema(fields))
    pq.write_table(doubled, folder / TRAIN)
    mend_manifest(folder)


def move_split(folder: Path) -> None:
    """Move a training item into the test set, and mend the manifest."""
    moved: list[Row] = []

    def take(rows: list[Row]) -> list[Row]:
        moved.append({**rows[0], "split": "test"})
        return rows[1:]

    change_rows(folder, TRAIN, take)
    change_rows(folder, "data/test.parquet", lambda rows: sorted([*rows, *moved], key=lambda row: row["item_id"]))
    mend_manifest(folder)


def move_split_with_evidence(folder: Path) -> None:
    """Move a training item with its group into the test set, in the frozen items too, and mend all hashes."""
    moved: list[Row] = []

    def take(rows: list[Row]) -> list[Row]:
        moved.append({**rows[0], "split": "test", "group_id": "moved"})
        return rows[1:]

    def follow(rows: list[Row]) -> list[Row]:
        return [
            {**row, "split": "test", "group_id": "moved"} if row["item_id"] == moved[0]["item_id"] else row
            for row in rows
        ]

    change_rows(folder, TRAIN, take)
    change_rows(folder, "data/test.parquet", lambda rows: sorted([*rows, *moved], key=lambda row: row["item_id"]))
    change_rows(folder, ITEMS_FILE, follow)
    mend_freeze(folder)
    mend_manifest(folder)


def edit_licence_with_evidence(folder: Path) -> None:
    """Give every item another licence, in the frozen items too, and mend all hashes."""
    for name in (*layout.DATA_FILES, ITEMS_FILE):
        change_rows(folder, name, lambda rows: [{**row, "licence": "MIT"} for row in rows])
    mend_freeze(folder)
    mend_manifest(folder)


def add_file(folder: Path) -> None:
    """Add a file to the data."""
    (folder / "data" / "extra.parquet").write_bytes((folder / TRAIN).read_bytes())


def rename_file(folder: Path) -> None:
    """Rename a file of the data."""
    (folder / TRAIN).rename(folder / "data" / "training.parquet")


def change_case(folder: Path) -> None:
    """Write a file's name with a capital letter."""
    (folder / TRAIN).rename(folder / "data" / "Train.parquet")


def link_file(folder: Path) -> None:
    """Put a link to the same bytes in the place of a file."""
    target = folder.parent / "elsewhere.parquet"
    (folder / TRAIN).rename(target)
    (folder / TRAIN).symlink_to(target)


def name_file_outside(folder: Path) -> None:
    """Let the manifest name a file outside of the folder, and mend it."""
    change_json(
        folder,
        layout.MANIFEST_FILE,
        lambda manifest: manifest["files"].append({**manifest["files"][0], "path": "../../summary.json"}),
    )
    change_json(
        folder,
        layout.MANIFEST_FILE,
        lambda manifest: manifest.update(release_sha256=layout.release_sha256(manifest)),
    )


def exchange_rows(rows: list[Row]) -> list[Row]:
    """Exchange the texts of the first two rows."""
    rows[0]["text"], rows[1]["text"] = rows[1]["text"], rows[0]["text"]
    return rows


def _relabel(row: Row) -> Row:
    return {**row, "label": OTHER[row["label"]]}


def _relabel_first(rows: list[Row]) -> list[Row]:
    place = next(place for place, row in enumerate(rows) if row["decided_by"] not in ("audit", "expert"))
    rows[place] = _relabel(rows[place])
    return rows


def on_folder(change: Callable[[Path], None]) -> Callable[[Target], Finding]:
    """Return an attack that changes the release's folder, and then verifies it."""

    def attempt(target: Target) -> Finding:
        change(target.release)
        return verify(target.release)

    return attempt


_R = Outcome.REFUSED
_TRIED: tuple[tuple[str, Callable[[Path], None], Outcome], ...] = (
    ("texts-exchanged", exchange_texts, _R),
    ("texts-reversed", reverse_texts, _R),
    ("texts-exchanged-all-hashes-mended", exchange_texts_with_evidence, _R),
    ("unjudged-label-edited", edit_unjudged_label, _R),
    ("unjudged-label-edited-all-hashes-mended", edit_unjudged_label_with_evidence, _R),
    ("audit-rows-dropped", drop_audit_rows, _R),
    ("verdict-flipped", flip_verdict, _R),
    ("items-left-out", release_fewer, _R),
    ("items-withheld", withhold_items, _R),
    ("row-repeated", repeat_row, _R),
    ("column-repeated", repeat_column, _R),
    ("split-moved", move_split, _R),
    ("split-moved-all-hashes-mended", move_split_with_evidence, _R),
    ("licence-edited-all-hashes-mended", edit_licence_with_evidence, _R),
    ("file-added", add_file, _R),
    ("file-renamed", rename_file, _R),
    ("file-name-case-changed", change_case, _R),
    ("file-linked", link_file, _R),
    ("file-outside-named", name_file_outside, _R),
)
ATTACKS = (
    Attack("release-untouched", DOOR, "Nothing: the control.", Outcome.PASSED, on_folder(leave_alone)),
    *(Attack(name, DOOR, str(change.__doc__), expected, on_folder(change)) for name, change, expected in _TRIED),
)
