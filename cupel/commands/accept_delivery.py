"""The label buyer's command: the first call plans and draws, the next ones judge. Reads, decides, writes, prints."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from cupel.accept.blind import shown_columns
from cupel.accept.delivery import Delivery, read_delivery
from cupel.accept.flawless_looks import check_looks
from cupel.accept.folder import (
    first_look,
    folder_of,
    start_audit,
)
from cupel.accept.freezing import freeze_plan, link_items
from cupel.accept.item_keys import take_items
from cupel.accept.label_rules import LabelRules
from cupel.accept.part_plan import AskedParts, expect_more, parse_parts, plan_parts
from cupel.accept.plan import (
    Choice,
    Plan,
    PlannedPart,
    Settings,
    choose_size,
    make_plan,
    terms_of,
)
from cupel.accept.record import AuditRecord, Links
from cupel.accept.returned import describe_returned, find_returned
from cupel.accept.scores import ScoreLog
from cupel.accept.sheet import ALSO_CANNOT, CANNOT, guarded
from cupel.commands.accept_judging import judge_delivered
from cupel.commands.accept_request import (
    ExitCode,
    Kinds,
    Request,
    await_sheet,
    check_request,
    folder_of_items,
    rules_of,
)
from cupel.errors import AuditError
from cupel.exchange.imports.columns import Columns
from cupel.printable import printable
from cupel.show import delivery_terminal as terminal
from cupel.show.audit_plan_page import plan_page
from cupel.store.files import is_file, is_folder
from cupel.store.local import LocalStore
from cupel.store.outputs import Output, check_outputs, is_json_object, is_marked, is_never_ours

__all__ = ["ExitCode", "Request", "accept_delivery"]

PLAN_PAGE = "plan.html"
# Experts who cannot decide one item in twenty: above that a budget for the others says little about the whole.
MAX_UNDECIDED = 0.05


def accept_delivery(request: Request, console: Console, kinds: Kinds = None) -> ExitCode:
    """Plan the audit of a delivery, or judge it.

    Args:
        request: The command line.
        console: Where to print.
        kinds: The label kinds that there are; None: those of Cupel.

    Returns:
        ACCEPT or REFUSE; OPEN while answers are awaited.

    Raises:
        CupelError: Delivery, plan, sheet or scores cannot be used; nothing was written.
    """
    try:
        return _plan_or_judge(request, folder_of(request.delivery), console, kinds)
    except OSError as error:
        if error.filename is None:
            raise
        raise AuditError(f"{error.filename}: cannot be written: {error.strerror}; name another place") from None


def _plan_or_judge(request: Request, folder: Path, console: Console, kinds: Kinds) -> ExitCode:
    _check_outputs(request, folder)
    asked = parse_parts(request.by)
    if is_folder(folder):
        return judge_delivered(request, folder, console, kinds)
    if request.budget is None:
        raise AuditError(f"{request.delivery}: no audit was planned yet; say what is allowed, such as --budget 1%")
    if request.sheet is not None:
        raise AuditError(f"{request.sheet}: no audit of {request.delivery} was planned here, {folder} is missing")
    return _plan(request, asked, folder, console, kinds)


def _check_outputs(request: Request, folder: Path) -> None:
    """Refuse to write verdict, scores or the vendors' page over what is read, or over what somebody else wrote."""
    outputs = []
    if request.json_file is not None:
        keys = ("verdict", "delivery", "delivery_sha256", "plan", "look")
        outputs.append(Output("--json", request.json_file, is_json_object(*keys)))
    inputs = [request.delivery, *([request.sheet] if request.sheet is not None else [])]
    folders = [folder]
    if request.vendor is not None:
        scores = ScoreLog(request.scores)
        outputs.append(Output("beside --scores,", scores.page, is_marked("<title>Vendors</title>")))
        # Scores that are there are read, and only added to.
        if is_file(scores.earlier_file):
            inputs.append(scores.earlier_file)
        else:
            outputs.append(Output("--scores", scores.earlier_file, is_never_ours))
        if is_folder(scores.folder):
            folders.append(scores.folder)
        else:
            outputs.append(Output("--scores", scores.folder, is_never_ours))
    if is_folder(request.record):
        folders.append(request.record)
    else:
        outputs.append(Output("--record", request.record, is_never_ours))
    check_outputs(outputs, inputs, folders)


def _plan(request: Request, asked: AskedParts, folder: Path, console: Console, kinds: Kinds) -> ExitCode:
    given = Columns(request.label or "", request.id, request.text, request.annotator)
    rules = rules_of(request, request.kind, request.classes, request.least_overlap, kinds)
    delivery = read_delivery(
        request.delivery, request.label, request.id, request.text, request.annotator, request.classes, rules,
        request.limits, request.annotators, is_as_written=request.is_as_written,
    )  # fmt: skip
    _check_classes(delivery)
    if request.vendor is not None:
        ScoreLog(request.scores).refuse_second_audit(delivery.sha256, None)
    terminal.show_delivery(console, delivery, given)
    files = folder_of_items(request)
    shown = shown_columns(delivery, files, rules)
    terminal.show_shown(console, shown)
    settings = _settings(request, asked, delivery, rules)
    items = take_items(delivery, files)
    record = AuditRecord(request.record)
    returned = describe_returned(find_returned(record.read(), delivery, items, None))

    def make(links: Links) -> Plan:
        terms = terms_of(len(delivery.labels), settings, links.attempt)
        size, earlier = choose_size(terms, request.audit).size, links.earlier
        if earlier is not None:
            sizes = [choose_size(terms_of(terms.population, settings, attempt)).size for attempt in (1, links.attempt)]
            earlier = earlier.model_copy(update={"size_alone": sizes[0], "size_needed": sizes[1]})
        parts = plan_parts(delivery, rules, settings, links.attempt, size)
        _check_at_most(request, terms.population, size, parts)
        plan = make_plan(
            delivery, items.digest, settings, size, request.at_most, shown.others, links.attempt, earlier, parts
        )  # fmt: skip
        if not request.is_checked_anyway and not request.is_only_planned:  # who plans looks at the table of sizes
            check_looks(plan, request.prices)
        return plan

    if request.is_only_planned:
        plan = make(link_items(record, items))
        terminal.show_plan(console, plan, _choice_of(plan, request), request.prices)
        for line in returned:
            console.print(printable(line), markup=False, soft_wrap=True)
        console.print("Only planned: nothing is frozen, drawn or written. Leave --plan-only out to go on.")
        return ExitCode.OPEN
    found = freeze_plan(record, items, folder, make, request.seed)
    if found.is_repeated:
        check_request(request, found.plan, str(request.record), kinds)
    plan = start_audit(folder, found.plan, delivery, files, rules)
    choice = _choice_of(plan, request)
    LocalStore(folder).put(PLAN_PAGE, plan_page(plan, choice, request.prices))
    terminal.show_plan(console, plan, choice, request.prices)
    for line in returned:
        console.print(printable(line), markup=False, soft_wrap=True)
    console.print(printable(f"As a page with a plot: {folder / PLAN_PAGE}"), markup=False, soft_wrap=True)
    return await_sheet(request, folder, plan, delivery, first_look(plan), console)


def _check_at_most(request: Request, labels: int, size: int, parts: Sequence[PlannedPart]) -> None:
    """Refuse a limit that the first look is likely to break for the budgets of parts."""
    more = sum(expect_more(part, labels, size) for part in parts)
    if request.at_most is not None and more and size + more > request.at_most:
        raise AuditError(
            f"--at-most {request.at_most}: the first look checks {size:,} labels, and about {more:,} more for the "
            "budgets of --by; allow as many, or leave a budget out"
        )


def _check_classes(delivery: Delivery) -> None:
    """Refuse classes that a filled sheet could not tell from each other, or from the auditor's way out."""
    if any(name.casefold() in ALSO_CANNOT - {"?"} for name in delivery.classes):
        raise AuditError(f"{delivery.path}: a class is named like {CANNOT!r}, the auditor's way out; rename it")
    if len(set(map(guarded, delivery.classes))) < len(delivery.classes):
        raise AuditError(f"{delivery.path}: two classes differ only by an apostrophe that spreadsheets add; rename one")


def _choice_of(plan: Plan, request: Request) -> Choice:
    """Return the plan's size with the others that were considered."""
    terms = terms_of(plan.labels, plan.settings, plan.attempt)
    choice = choose_size(terms, request.audit)
    return choice if choice.size == plan.size else choose_size(terms, plan.size)


def _settings(request: Request, asked: AskedParts, delivery: Delivery, rules: LabelRules) -> Settings:
    is_export = delivery.is_of_tool
    return Settings(
        error_budget=request.budget or 0.0,
        contested="wrong" if request.contested == "wrong" else "aside",
        max_undecided=None if request.contested == "wrong" else request.max_undecided or MAX_UNDECIDED,
        label_column=request.label if is_export else delivery.columns.label,
        id_column=request.id if is_export else delivery.columns.id,
        text_column=delivery.columns.text,
        annotator_column=request.annotator if is_export else delivery.columns.annotator,
        annotator_columns=request.annotators,
        classes=delivery.classes,
        kind=rules.kind,
        least_overlap=rules.least_overlap,
        budgets=asked.budgets,
        slices=asked.slices,
    )
