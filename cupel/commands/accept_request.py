"""What the label buyer asks on the command line, and what both of its calls need."""

import json
from collections.abc import Sequence
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from rich.console import Console

from cupel.accept.delivery import Delivery
from cupel.accept.folder import (
    file_name,
    list_copies,
)
from cupel.accept.item_files import ItemFolder
from cupel.accept.judging import Prices, Verdict
from cupel.accept.label_rules import ONE_CLASS, LabelRules
from cupel.accept.looks import Drawn
from cupel.accept.part_plan import AskedParts, parse_parts
from cupel.accept.plan import Plan
from cupel.accept.scores import ScoreLog
from cupel.errors import AuditError, SourceError
from cupel.show import delivery_terminal as terminal
from cupel.sources.input_limits import DEFAULT_LIMITS, InputLimits
from cupel.store.local import LocalStore
from cupel.store.outputs import write_output

if TYPE_CHECKING:
    from cupel.contract.kind import Kind

Kinds: TypeAlias = "Sequence[Kind] | None"


class ExitCode(IntEnum):
    """What the command tells a script: only an accepted delivery is success."""

    ACCEPT = 0
    ERROR = 1
    USAGE = 2
    OPEN = 3
    REFUSE = 4


class Request(NamedTuple):
    """The command line; None where the buyer said nothing."""

    delivery: Path
    budget: float | None = None
    sheet: Path | None = None
    key: Path | None = None
    vendor: str | None = None
    label: str | None = None
    id: str | None = None
    text: str | None = None
    annotator: str | None = None
    classes: tuple[str, ...] = ()
    contested: str | None = None
    max_undecided: float | None = None
    audit: int | None = None
    at_most: int | None = None
    seed: int | None = None
    prices: Prices = Prices()
    scores: Path = Path("vendor_scores")
    record: Path = Path("audit_record")
    json_file: Path | None = None
    is_suspicious_wanted: bool = True
    kind: str | None = None
    least_overlap: float | None = None
    by: tuple[str, ...] = ()
    is_only_planned: bool = False
    is_as_written: bool = False
    is_checked_anyway: bool = False
    limits: InputLimits = DEFAULT_LIMITS
    annotators: tuple[str, ...] = ()


def rules_of(
    request: Request, name: str | None, classes: tuple[str, ...], least_overlap: float | None, kinds: Kinds
) -> LabelRules:
    """Return how labels are read and compared; a single class is by rules that need no label kind."""
    if name is None:
        if least_overlap is not None:
            raise AuditError(
                f"{request.delivery}: --least-overlap goes with --kind; labels of one class do not overlap"
            )
        return ONE_CLASS
    # Kinds bring Arrow, which takes seconds to load; a delivery of single classes is judged without.
    from cupel.accept.kind_rules import make_rules
    from cupel.kinds import KINDS

    known = {kind.name: kind for kind in kinds or KINDS}
    if name not in known:
        raise AuditError(f"{request.delivery}: no label kind {name!r}; known here: {', '.join(known)}")
    try:
        return make_rules(known[name], classes, least_overlap)
    except SourceError as error:
        raise AuditError(f"{request.delivery}: {error}") from None


def check_request(request: Request, plan: Plan, place: str, kinds: Kinds) -> None:
    """Refuse options that say otherwise than the plan: what was fixed before the draw stays."""
    settings = plan.settings
    # Kinds whose labels are single classes are one to a plan.
    least_overlap = None if request.kind is None else settings.least_overlap
    rules = rules_of(request, request.kind, settings.classes, least_overlap, kinds)
    kind = None if rules.kind == settings.kind else request.kind
    by = _name_parts(parse_parts(request.by)) if request.by else None
    most = plan.sizes[-1] if plan.sizes[-1] < plan.labels else None
    for option, given, planned in (
        ("budget", request.budget, settings.error_budget),
        ("contested", request.contested, settings.contested),
        ("max-undecided", request.max_undecided, settings.max_undecided),
        ("label", request.label, settings.label_column),
        ("id", request.id, settings.id_column),
        ("text", request.text, settings.text_column),
        ("annotator", request.annotator, settings.annotator_column),
        ("annotators", request.annotators or None, settings.annotator_columns),
        ("classes", tuple(sorted(set(request.classes))) or None, settings.classes),
        ("audit", request.audit, plan.size),
        ("at-most", request.at_most, most if most is not None else plan.labels),
        ("seed", request.seed, plan.nonce_beforehand),
        ("kind", kind, settings.kind),
        ("least-overlap", request.least_overlap, settings.least_overlap),
        ("by", by, _name_parts(AskedParts(settings.slices, settings.budgets))),
    ):
        if given is not None and given != planned:
            raise AuditError(
                f"--{option} {given}: {place} says {planned}, and a plan is not changed once the sheet "
                f"is drawn. Leave the option out; a new audit of the same labels would be a second throw of the dice"
            )


def _name_parts(asked: AskedParts) -> str:
    return ", ".join([*asked.slices, *(budget.option for budget in asked.budgets)]) or "class"


def folder_of_items(request: Request) -> ItemFolder:
    """Return the delivery's folder, of which no file that the command reads or writes is given away."""
    kept_back = (request.sheet, ScoreLog(request.scores).earlier_file, request.json_file)
    return ItemFolder(request.delivery, [path for path in kept_back if path is not None])


def await_sheet(
    request: Request,
    folder: Path,
    plan: Plan,
    delivery: Delivery,
    drawn: Drawn,
    console: Console,
    verdict: Verdict | None = None,
) -> ExitCode:
    """Say what was copied for the auditor, and which sheet is awaited."""
    terminal.show_copies(console, list_copies(LocalStore(folder), plan, delivery, drawn, folder_of_items(request)))
    sheets = [Path(file_name("sheet", drawn.look, ending)) for ending in ("html", "csv")]
    terminal.show_awaited(console, folder, sheets, len(drawn.ids), plan.labels, request.prices)
    if request.json_file is not None and verdict is None:
        awaited = {"verdict": None, "delivery": plan.delivery, "delivery_sha256": plan.delivery_sha256,
                   "plan": plan.key, "look": drawn.look, "to_check": len(drawn.ids),
                   "sheet": str(folder / sheets[1])}  # fmt: skip
        write_output("--json", request.json_file, f"{json.dumps(awaited, ensure_ascii=False, indent=1)}\n".encode())
    return ExitCode.OPEN
