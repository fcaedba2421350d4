"""The audit's folder: made whole or not at all, and every file in it written once it is complete."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import NamedTuple, NoReturn

from cupel.accept.delivery import Delivery
from cupel.accept.item_files import AUDIT_ENDING, FileProblem, ItemFile, ItemFolder, copy_item
from cupel.accept.label_rules import ONE_CLASS, LabelRules
from cupel.accept.looks import (
    Drawn,
    continue_draw,
    draw_later_look,
    draw_look,
    freeze_later_look,
    sample_first_look,
    sample_later_look,
)
from cupel.accept.part_index import find_insides
from cupel.accept.part_samples import LookSizes
from cupel.accept.plan import LaterLook, Plan, hash_terms, make_seed, parse_record
from cupel.accept.record import Audits
from cupel.accept.sheet import ITEMS, SheetRow, sheet_csv, sheet_page, sheet_rows
from cupel.certificate.acceptance import look_sizes
from cupel.certificate.attempts import attempt_alpha
from cupel.certificate.sequence import Flags
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
        plan: The plan with its seed, not drawn yet.
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
            insides = find_insides(delivery, rules, plan.parts)
            drawn = draw_look(plan, [one.item_id for one in delivery.labels], insides)
            plan = plan.model_copy(update={"drawn": drawn})
            audit.put(PLAN, _json(plan))
            _write_sheet(audit, plan, delivery, first_look(plan), files, rules)
    except OSError as error:
        raise AuditError(
            f"{folder}: cannot be written: {error.strerror}; nothing was left behind; copy the delivery elsewhere"
        ) from None
    return plan


def first_look(plan: Plan) -> Drawn:
    """Return the first look of a plan that was drawn."""
    return Drawn(1, 0, plan.drawn, plan.attempt)


def add_look(
    audit: Store, plan: Plan, delivery: Delivery, later: LaterLook, drawn: Drawn, files: ItemFolder,
    rules: LabelRules = ONE_CLASS,
) -> None:  # fmt: skip
    """Write the sheet of a later look, then its plan; what is there already is left as it is.

    Args:
        audit: The audit's folder.
        plan: The plan of the first look.
        delivery: The delivery.
        later: The look's plan, drawn.
        drawn: The look.
        files: The delivery's folder, of which media files are copied.
        rules: How labels are asked for.
    """
    name = file_name("plan", later.look, "json")
    # The plan comes last: a look without it does not exist, and is drawn again the same.
    if audit.stat(name) is None:
        _write_sheet(audit, plan, delivery, drawn, files, rules)
        audit.put(name, _json(later))


def load_plan(
    audit: Store, delivery: Delivery, audits: Audits | None = None, rules: LabelRules = ONE_CLASS
) -> tuple[Plan, list[Drawn]]:
    """Read the plan and the looks drawn so far, and hold them against the delivery and the record of audits.

    Args:
        audit: The audit's folder.
        delivery: The delivery.
        audits: The record; None asks no record. Plans of version 1 stand in none.
        rules: How labels are read.

    Raises:
        AuditError: The delivery is another one or was altered, or a plan was, or the record says otherwise.
    """
    plan = read_plan(audit)
    path = describe_place(audit, PLAN)
    if plan.labels != len(delivery.labels):
        _altered(path)
    ids, insides = [one.item_id for one in delivery.labels], _find_insides(path, delivery, rules, plan)
    if plan.size != plan.sizes[0] or plan.sizes != look_sizes(plan.labels, plan.size, plan.sizes[-1]):
        _altered(path)
    if plan.alpha != attempt_alpha(plan.attempt) or plan.drawn != draw_look(plan, ids, insides):
        _altered(path)
    if plan.version >= 2:
        frozen = hash_terms(plan)
        if plan.freeze_sha256 != frozen or plan.seed != make_seed(frozen, plan.nonce):
            _altered(path)
        _check_record(path, plan, plan.key, audits)
    looks = [first_look(plan)]
    if plan.settings.budgets:
        looks = [looks[0]._replace(samples=sample_first_look(plan, ids, insides))]
    for number in range(2, len(plan.sizes) + 1):
        name = file_name("plan", number, "json")
        if audit.stat(name) is not None:
            path = describe_place(audit, name)
            later = parse_record(path, audit.read(name).decode(), LaterLook)
            if later != _draw_again(plan, later, number, ids, looks, insides):
                _altered(path)
            if plan.version >= 2:
                _check_record(path, later, plan.key, audits)
            looks.append(take_look(plan, later, ids, looks, insides))
    return plan, looks


def take_look(
    plan: Plan, later: LaterLook, ids: Sequence[str], looks: Sequence[Drawn], insides: Sequence[Flags]
) -> Drawn:
    """Return a later look that was drawn.

    Args:
        plan: The plan of the first.
        later: The look.
        ids: Ids of all labels that may be judged.
        looks: The looks before, with their samples.
        insides: For each part of the plan, which labels are of it.
    """
    samples = None
    if later.parts is not None:
        samples = sample_later_look(later, ids, insides, [one.samples for one in looks if one.samples is not None])
    return Drawn(later.look, looks[-1].size, later.drawn, later.attempt or later.look, samples)


def _find_insides(path: str, delivery: Delivery, rules: LabelRules, plan: Plan) -> list[Flags]:
    try:
        return find_insides(delivery, rules, plan.parts)
    except AuditError:
        _altered(path)


def _draw_again(
    plan: Plan, later: LaterLook, number: int, ids: Sequence[str], looks: Sequence[Drawn], insides: Sequence[Flags]
) -> LaterLook:
    """Return a later look as it follows from its sizes, its attempt and its nonce."""
    before = looks[-1].size
    if plan.version == 1 or later.attempt is None or later.attempt < 1:
        return continue_draw(plan, ids, number, before)
    earlier = [one.samples for one in looks if one.samples is not None]
    whole_before, wanted = sum(len(one.whole) for one in earlier), None
    if plan.settings.budgets:
        # Of the whole it draws what the plan says, or nothing.
        whole = plan.sizes[number - 1] - whole_before if later.size > whole_before else 0
        parts = later.parts if later.parts and len(later.parts) == len(plan.parts) else ((0, 0),) * len(plan.parts)
        wanted = LookSizes(whole, parts)
    frozen = freeze_later_look(plan, number, before, later.attempt, whole_before, wanted)
    drawn = [item for look in looks for item in look.ids]
    return draw_later_look(frozen, later.nonce, later.nonce_source, ids, drawn, insides, earlier)


def _check_record(path: str, frozen: Plan | LaterLook, key: str, audits: Audits | None) -> None:
    """Refuse a look that the record of audits does not hold, or holds with another attempt or nonce."""
    if audits is None:
        return
    event, draw = audits.find_frozen(frozen.freeze_sha256), audits.draws.get(frozen.freeze_sha256)
    if event is None or draw is None:
        raise AuditError(
            f"{path}: the record of audits {audits.folder} does not hold this look; name the record that was used "
            "when it was drawn with --record, or restore it from a copy"
        )
    found = (event.attempt, event.look, draw.nonce, draw.nonce_source, draw.plan)
    if found != (frozen.attempt, frozen.look, frozen.nonce, frozen.nonce_source, key):
        raise AuditError(f"{path}: is not as {audits.folder} recorded it when it was drawn; restore the folder")


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
    # A plan that was frozen is none of the version that froze nothing.
    return plan if plan.sizes and (plan.version >= 2 or not plan.freeze_sha256) else _altered(path)


def check_delivery(folder: Path, plan: Plan, name: str, sha256: str) -> None:
    """Refuse a delivery that is not the one that the plan was made for.

    Args:
        folder: The audit's folder.
        plan: The plan.
        name: The delivery, for the error.
        sha256: Hash of what was parsed; for a plan of version 1, of the file's bytes.
    """
    if sha256 != plan.delivery_sha256:
        raise AuditError(
            f"{name}: not the delivery that {folder} was planned for (SHA-256 {sha256[:12]}, planned "
            f"{plan.delivery_sha256[:12]}). An altered delivery is another one: restore the file, or rename it and "
            "start its own audit, in which items that were audited before count as such"
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
