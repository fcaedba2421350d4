"""The audit's folder: made whole or not at all, and every file in it written once it is complete."""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

from cupel.accept.delivery import Delivery
from cupel.accept.item_files import AUDIT_ENDING, FileProblem, ItemFile, ItemFolder, copy_item
from cupel.accept.plan import Drawn, LaterLook, Plan, draw_look, later_look, parse_record
from cupel.accept.sheet import ITEMS, SheetRow, sheet_csv, sheet_page, sheet_rows
from cupel.certificate.acceptance import look_sizes
from cupel.certificate.attempts import attempt_alpha
from cupel.errors import AuditError

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


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: under another name first, then renamed.

    Raises:
        AuditError: It cannot be written.
    """
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise AuditError(f"{path}: cannot be written: {error.strerror}; name another place") from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def start_audit(folder: Path, plan: Plan, delivery: Delivery, files: ItemFolder) -> Plan:
    """Record a plan, draw its first look, and write the sheet; the folder appears when all of it is there.

    Args:
        folder: Where it is to lie; must not exist.
        plan: The plan, not drawn yet.
        delivery: The delivery.
        files: The delivery's folder, of which media files are copied.

    Returns:
        The plan with the ids drawn.

    Raises:
        AuditError: The folder cannot be written.
    """
    try:
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise AuditError(f"{folder.parent}: cannot be written: {error.strerror}; copy the delivery elsewhere") from None
    try:
        # The seed is on disk before anything is drawn by it.
        write_whole(temporary / PLAN, _json(plan))
        ids = draw_look(plan, [one.item_id for one in delivery.labels], 1, 0)
        plan = plan.model_copy(update={"drawn": ids})
        write_whole(temporary / PLAN, _json(plan))
        _write_sheet(temporary, plan, delivery, Drawn(1, 0, ids), files)
        os.chmod(temporary, 0o755)
        os.rename(temporary, folder)
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise AuditError(f"{folder}: cannot be written: {error.strerror}; nothing was left behind") from None
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return plan


def add_look(folder: Path, plan: Plan, delivery: Delivery, look: int, before: int, files: ItemFolder) -> Drawn:
    """Record the plan of a later look and write its sheet; what is there already is left as it is."""
    path = folder / file_name("plan", look, "json")
    ids = [one.item_id for one in delivery.labels]
    drawn = Drawn(look, before, later_look(plan, ids, look, before).drawn)
    # The plan comes last: a look without it does not exist, and is drawn again the same.
    if not path.exists():
        _write_sheet(folder, plan, delivery, drawn, files)
        write_whole(path, _json(later_look(plan, ids, look, before)))
    return drawn


def load_plan(folder: Path, delivery: Delivery) -> tuple[Plan, list[Drawn]]:
    """Read the plan and the looks drawn so far, and hold them against the delivery.

    Raises:
        AuditError: The delivery is another one or was altered, or a plan was.
    """
    plan = read_plan(folder)
    ids = [one.item_id for one in delivery.labels]
    if (plan.labels, plan.rejected) != (len(ids), len(delivery.rejected)):
        _altered(folder / PLAN)
    if plan.size != plan.sizes[0] or plan.sizes != look_sizes(plan.labels, plan.size, plan.sizes[-1]):
        _altered(folder / PLAN)
    if plan.alpha != attempt_alpha(1) or plan.drawn != draw_look(plan, ids, 1, 0):
        _altered(folder / PLAN)
    looks = [Drawn(1, 0, plan.drawn)]
    for number in range(2, len(plan.sizes) + 1):
        path = folder / file_name("plan", number, "json")
        if path.exists():
            later = parse_record(str(path), path.read_text(encoding="utf-8"), LaterLook)
            if later != later_look(plan, ids, number, looks[-1].size):
                _altered(path)
            looks.append(Drawn(number, looks[-1].size, later.drawn))
    return plan, looks


def read_plan(folder: Path) -> Plan:
    """Read the plan alone.

    Raises:
        AuditError: There is none, or it cannot be read.
    """
    path = folder / PLAN
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise AuditError(f"{path}: missing or unreadable; restore the folder, or remove it for a new audit") from None
    plan = parse_record(str(path), content, Plan)
    return plan if plan.sizes else _altered(path)


def check_delivery(folder: Path, plan: Plan, name: str, sha256: str) -> None:
    """Refuse a delivery whose bytes are not those that the plan was made for."""
    if sha256 != plan.delivery_sha256:
        raise AuditError(
            f"{name}: not the file that {folder} was planned for (SHA-256 {sha256[:12]}, planned "
            f"{plan.delivery_sha256[:12]}). An altered delivery is a new one: restore the file, or rename it and start "
            "its own audit"
        )


def read_answers(folder: Path, look: int) -> dict[str, str | None] | None:
    """Return the answers that a look was judged by, by row code; None where it was not judged yet."""
    path = folder / file_name("answers", look, "json")
    if not path.exists():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        _altered(path)
    return dict(found)


def write_answers(folder: Path, look: int, answers: Mapping[str, str | None]) -> None:
    """Keep the answers that a look was judged by; from now on they are not changed."""
    content = json.dumps(dict(answers), ensure_ascii=False, indent=1, sort_keys=True)
    write_whole(folder / file_name("answers", look, "json"), f"{content}\n".encode())


class CopiedItem(NamedTuple):
    """An item's file that lies beside the sheet: what the delivery calls it, and its bytes."""

    name: str
    size_bytes: int


class Copies(NamedTuple):
    """What of a sheet's items was copied, and what the others name, with the reason why it was not."""

    copied: list[CopiedItem]
    problems: dict[str, list[str]]


def list_copies(folder: Path, plan: Plan, delivery: Delivery, drawn: Drawn, files: ItemFolder) -> Copies:
    """Return which files of a look's items lie beside its sheet, as they lie there now, and which do not."""
    there = {path.stem: path.stat().st_size for path in (folder / ITEMS).glob("*")}
    copied: list[CopiedItem] = []
    problems: dict[str, list[str]] = {}
    for row in sheet_rows(plan, delivery, drawn, files):
        if row.code in there:
            copied.append(CopiedItem(row.delivered, there[row.code]))
        elif isinstance(row.file, FileProblem):
            problems.setdefault(row.file.reason, []).append(row.delivered)
    return Copies(copied, problems)


def _write_sheet(folder: Path, plan: Plan, delivery: Delivery, drawn: Drawn, files: ItemFolder) -> None:
    rows = sheet_rows(plan, delivery, drawn, files)
    _copy_items(folder, rows)
    write_whole(folder / file_name("sheet", drawn.look, "csv"), sheet_csv(plan, rows))
    write_whole(folder / file_name("sheet", drawn.look, "html"), sheet_page(plan, rows, drawn.look))


def _copy_items(folder: Path, rows: Sequence[SheetRow]) -> None:
    """Copy the files that items are, under their row codes: their own names may tell the label."""
    for row in rows:
        if isinstance(row.file, ItemFile):
            (folder / ITEMS).mkdir(exist_ok=True)
            copy_item(row.file, folder / row.item)


def _json(record: Plan | LaterLook) -> bytes:
    return f"{record.model_dump_json(indent=1)}\n".encode()


def _altered(path: Path) -> NoReturn:
    raise AuditError(f"{path}: was altered: it does not follow from seed and delivery; a plan is never edited. "
                     "Restore it, or remove the folder and start a new audit")  # fmt: skip
