"""The audit's folder: made whole or not at all, and every file in it written once it is complete."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import NamedTuple, NoReturn

from cupel.accept.delivery import Delivery
from cupel.accept.item_files import AUDIT_ENDING, FileProblem, ItemFile, ItemFolder, copy_item
from cupel.accept.label_rules import ONE_CLASS, LabelRules
from cupel.accept.plan import Drawn, LaterLook, Plan, draw_look, later_look, parse_record
from cupel.accept.sheet import ITEMS, SheetRow, sheet_csv, sheet_page, sheet_rows
from cupel.certificate.acceptance import look_sizes
from cupel.certificate.attempts import attempt_alpha
from cupel.errors import AuditError
from cupel.store.files import new_folder
from cupel.store.local import LocalStore
from cupel.store.store import MissingError, Store, describe_place

PLAN = "plan.json"


def folder_of(delivery: Path) -> Path:
    """Return where the audit of a delivery lies: beside it.

    >>> folder_of(Path("in/movies.csv.gz")).name
    'movies.audit'
    """
    return delivery.parent / f"{delivery.name.split('.')[0] or delivery.stem}{AUDIT_ENDING}"


def file_name(stem: str, look: int, ending: str) -> str:
    """Return the name of a look's file; the first look's carries no number.

    >>> file_name("sheet", 1, "csv"), file_name("sheet", 3, "csv")
    ('sheet.csv', 'sheet-3.csv')
    """
    return f"{stem}.{ending}" if look == 1 else f"{stem}-{look}.{ending}"


def start_audit(folder: Path, plan: Plan, delivery: Delivery, files: ItemFolder, rules: LabelRules = ONE_CLASS) -> Plan:
    """Record a plan, draw its first look, and write the sheet; the folder appears when all of it is there.

    Args:
        folder: Where it is to lie; must not exist.
        plan: The plan, not drawn yet.
        delivery: The delivery.
        files: The delivery's folder, of which media files are copied.
        rules: How labels are asked for.

    Returns:
        The plan with the ids drawn.

    Raises:
        AuditError: The folder cannot be written.
    """
    try:
        with new_folder(folder) as begun:
            audit = LocalStore(begun)
            # The seed is on disk before anything is drawn by it.
            audit.put(PLAN, _json(plan))
            ids = draw_look(plan, [one.item_id for one in delivery.labels], 1, 0)
            plan = plan.model_copy(update={"drawn": ids})
            audit.put(PLAN, _json(plan))
            _write_sheet(audit, plan, delivery, Drawn(1, 0, ids), files, rules)
    except OSError as error:
        raise AuditError(
            f"{folder}: cannot be written: {error.strerror}; nothing was left behind; copy the delivery elsewhere"
        ) from None
    return plan


def add_look(
    audit: Store, plan: Plan, delivery: Delivery, look: int, before: int, files: ItemFolder,
    rules: LabelRules = ONE_CLASS,
) -> Drawn:  # fmt: skip
    """Record the plan of a later look and write its sheet; what is there already is left as it is."""
    name = file_name("plan", look, "json")
    ids = [one.item_id for one in delivery.labels]
    drawn = Drawn(look, before, later_look(plan, ids, look, before).drawn)
    # The plan comes last: a look without it does not exist, and is drawn again the same.
    if audit.stat(name) is None:
        _write_sheet(audit, plan, delivery, drawn, files, rules)
        audit.put(name, _json(later_look(plan, ids, look, before)))
    return drawn


def load_plan(audit: Store, delivery: Delivery) -> tuple[Plan, list[Drawn]]:
    """Read the plan and the looks drawn so far, and hold them against the delivery.

    Raises:
        AuditError: The delivery is another one or was altered, or a plan was.
    """
    plan = read_plan(audit)
    ids = [one.item_id for one in delivery.labels]
    if (plan.labels, plan.rejected) != (len(ids), len(delivery.rejected)):
        _altered(describe_place(audit, PLAN))
    if plan.size != plan.sizes[0] or plan.sizes != look_sizes(plan.labels, plan.size, plan.sizes[-1]):
        _altered(describe_place(audit, PLAN))
    if plan.alpha != attempt_alpha(1) or plan.drawn != draw_look(plan, ids, 1, 0):
        _altered(describe_place(audit, PLAN))
    looks = [Drawn(1, 0, plan.drawn)]
    for number in range(2, len(plan.sizes) + 1):
        name = file_name("plan", number, "json")
        if audit.stat(name) is not None:
            path = describe_place(audit, name)
            later = parse_record(path, audit.read(name).decode(), LaterLook)
            if later != later_look(plan, ids, number, looks[-1].size):
                _altered(path)
            looks.append(Drawn(number, looks[-1].size, later.drawn))
    return plan, looks


def read_plan(audit: Store) -> Plan:
    """Read the plan alone.

    Raises:
        AuditError: There is none, or it cannot be read.
    """
    path = describe_place(audit, PLAN)
    try:
        content = audit.read(PLAN).decode()
    except (OSError, MissingError, UnicodeDecodeError):
        raise AuditError(f"{path}: missing or unreadable; restore the folder, or remove it for a new audit") from None
    plan = parse_record(path, content, Plan)
    return plan if plan.sizes else _altered(path)


def check_delivery(folder: Path, plan: Plan, name: str, sha256: str) -> None:
    """Refuse a delivery whose bytes are not those that the plan was made for."""
    if sha256 != plan.delivery_sha256:
        raise AuditError(
            f"{name}: not the file that {folder} was planned for (SHA-256 {sha256[:12]}, planned "
            f"{plan.delivery_sha256[:12]}). An altered delivery is a new one: restore the file, or rename it and start "
            "its own audit"
        )


def read_answers(audit: Store, look: int) -> dict[str, str | None] | None:
    """Return the answers that a look was judged by, by row code; None where it was not judged yet."""
    name = file_name("answers", look, "json")
    if audit.stat(name) is None:
        return None
    try:
        found = json.loads(audit.read(name))
    except ValueError:
        _altered(describe_place(audit, name))
    return dict(found)


def write_answers(audit: Store, look: int, answers: Mapping[str, str | None]) -> None:
    """Keep the answers that a look was judged by; from now on they are not changed."""
    content = json.dumps(dict(answers), ensure_ascii=False, indent=1, sort_keys=True)
    audit.put(file_name("answers", look, "json"), f"{content}\n".encode())


class CopiedItem(NamedTuple):
    """An item's file that lies beside the sheet: what the delivery calls it, and its bytes."""

    name: str
    size_bytes: int


class Copies(NamedTuple):
    """What of a sheet's items was copied, and what the others name, with the reason why it was not."""

    copied: list[CopiedItem]
    problems: dict[str, list[str]]


def list_copies(audit: Store, plan: Plan, delivery: Delivery, drawn: Drawn, files: ItemFolder) -> Copies:
    """Return which files of a look's items lie beside its sheet, as they lie there now, and which do not."""
    there = {PurePath(stat.name).stem: stat.size for stat in audit.list(ITEMS)}
    copied: list[CopiedItem] = []
    problems: dict[str, list[str]] = {}
    for row in sheet_rows(plan, delivery, drawn, files):
        if row.code in there:
            copied.append(CopiedItem(row.delivered, there[row.code]))
        elif isinstance(row.file, FileProblem):
            problems.setdefault(row.file.reason, []).append(row.delivered)
    return Copies(copied, problems)


def _write_sheet(
    audit: Store, plan: Plan, delivery: Delivery, drawn: Drawn, files: ItemFolder, rules: LabelRules
) -> None:
    rows = sheet_rows(plan, delivery, drawn, files)
    _copy_items(audit, rows)
    audit.put(file_name("sheet", drawn.look, "csv"), sheet_csv(plan, rows))
    audit.put(file_name("sheet", drawn.look, "html"), sheet_page(plan, rows, drawn.look, rules))


def _copy_items(audit: Store, rows: Sequence[SheetRow]) -> None:
    """Copy the files that items are, under their row codes: their own names may tell the label."""
    for row in rows:
        if isinstance(row.file, ItemFile):
            with audit.new(ITEMS) as copy:
                copy_item(row.file, copy.file)
                copy.put(row.item)


def _json(record: Plan | LaterLook) -> bytes:
    return f"{record.model_dump_json(indent=1)}\n".encode()


def _altered(path: str) -> NoReturn:
    raise AuditError(f"{path}: was altered: it does not follow from seed and delivery; a plan is never edited. "
                     "Restore it, or remove the folder and start a new audit")  # fmt: skip
