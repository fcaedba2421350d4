"""The label buyer's command: the first call plans and draws, the next ones judge. Reads, decides, writes, prints."""

import hashlib
import json
from collections.abc import Sequence
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from rich.console import Console

from cupel.accept.blind import shown_columns
from cupel.accept.delivery import Delivery, read_delivery
from cupel.accept.folder import (
    PLAN,
    add_look,
    check_delivery,
    file_name,
    first_look,
    folder_of,
    list_copies,
    load_plan,
    read_answers,
    read_plan,
    start_audit,
    write_answers,
)
from cupel.accept.freezing import freeze_look, freeze_plan
from cupel.accept.item_files import ItemFolder
from cupel.accept.item_keys import DeliveredItems, take_items
from cupel.accept.judging import Prices, Verdict, judge_delivery
from cupel.accept.label_rules import ONE_CLASS, LabelRules
from cupel.accept.plan import (
    Choice,
    Drawn,
    Plan,
    Settings,
    choose_size,
    continue_draw,
    make_plan,
    terms_of,
)
from cupel.accept.record import AuditRecord, Audits, Judged, Links
from cupel.accept.scores import ScoreLog, score_of, standings
from cupel.accept.sheet import ALSO_CANNOT, CANNOT, guarded, read_sheet, row_code
from cupel.accept.signed_sheet import SignedSheet, check_signature, read_signed_sheet, write_signed_sheet
from cupel.accept.suspicious import suspicious_labels
from cupel.errors import AuditError, SourceError
from cupel.exchange.imports.columns import Columns
from cupel.printable import printable
from cupel.show import delivery_terminal as terminal
from cupel.show.audit_plan_page import plan_page
from cupel.show.delivery_verdict import send_back_csv, suspicious_csv, vendors_page, verdict_json, verdict_page
from cupel.store.files import is_file, is_folder
from cupel.store.local import LocalStore
from cupel.store.outputs import Output, check_outputs, is_json_object, is_marked, is_never_ours, write_output
from cupel.store.store import Store

if TYPE_CHECKING:
    from cupel.contract.kind import Kind

PLAN_PAGE = "plan.html"
# Experts who cannot decide one item in twenty: above that a budget for the others says little about the whole.
MAX_UNDECIDED = 0.05
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
    if is_folder(folder):
        return _judge(request, folder, console, kinds)
    if request.budget is None:
        raise AuditError(f"{request.delivery}: no audit was planned yet; say what is allowed, such as --budget 1%")
    if request.sheet is not None:
        raise AuditError(f"{request.sheet}: no audit of {request.delivery} was planned here, {folder} is missing")
    return _plan(request, folder, console, kinds)


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


def _plan(request: Request, folder: Path, console: Console, kinds: Kinds) -> ExitCode:
    given = Columns(request.label or "", request.id, request.text, request.annotator)
    rules = _rules(request, request.kind, request.classes, kinds)
    delivery = read_delivery(
        request.delivery, request.label, request.id, request.text, request.annotator, request.classes, rules
    )
    _check_classes(delivery)
    if request.vendor is not None:
        ScoreLog(request.scores).refuse_second_audit(delivery.sha256, None)
    terminal.show_delivery(console, delivery, given)
    files = _files(request)
    shown = shown_columns(delivery, files, rules)
    terminal.show_shown(console, shown)
    settings = _settings(request, delivery, request.budget or 0.0, rules)
    items = take_items(delivery, files)

    def make(links: Links) -> Plan:
        terms = terms_of(len(delivery.labels), settings, links.attempt)
        size, earlier = choose_size(terms, request.audit).size, links.earlier
        if earlier is not None:
            sizes = [choose_size(terms_of(terms.population, settings, attempt)).size for attempt in (1, links.attempt)]
            earlier = earlier.model_copy(update={"size_alone": sizes[0], "size_needed": sizes[1]})
        return make_plan(
            delivery, items.digest, settings, size, request.at_most, shown.others, links.attempt, earlier
        )  # fmt: skip

    found = freeze_plan(AuditRecord(request.record), items, folder, make, request.seed)
    if found.is_repeated:
        _check_request(request, found.plan, str(request.record), kinds)
    plan = start_audit(folder, found.plan, delivery, files, rules)
    choice = _choice_of(plan, request)
    LocalStore(folder).put(PLAN_PAGE, plan_page(plan, choice, request.prices))
    terminal.show_plan(console, plan, choice, request.prices)
    console.print(printable(f"As a page with a plot: {folder / PLAN_PAGE}"), markup=False, soft_wrap=True)
    return _await(request, folder, plan, delivery, first_look(plan), console)


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


def _rules(request: Request, name: str | None, classes: tuple[str, ...], kinds: Kinds) -> LabelRules:
    """Return how labels are read and compared; a single class is by rules that need no label kind."""
    if name is None:
        return ONE_CLASS
    # Kinds bring Arrow, which takes seconds to load; a delivery of single classes is judged without.
    from cupel.accept.kind_rules import make_rules
    from cupel.kinds import KINDS

    known = {kind.name: kind for kind in kinds or KINDS}
    if name not in known:
        raise AuditError(f"{request.delivery}: no label kind {name!r}; known here: {', '.join(known)}")
    try:
        return make_rules(known[name], classes)
    except SourceError as error:
        raise AuditError(f"{request.delivery}: {error}") from None


def _settings(request: Request, delivery: Delivery, budget: float, rules: LabelRules) -> Settings:
    is_export = delivery.format == "label-studio"
    return Settings(
        error_budget=budget,
        contested="wrong" if request.contested == "wrong" else "aside",
        max_undecided=None if request.contested == "wrong" else request.max_undecided or MAX_UNDECIDED,
        label_column=request.label if is_export else delivery.columns.label,
        id_column=delivery.columns.id,
        text_column=delivery.columns.text,
        annotator_column=delivery.columns.annotator,
        classes=delivery.classes,
        kind=rules.kind,
    )


def _judge(request: Request, folder: Path, console: Console, kinds: Kinds) -> ExitCode:
    audit, record = LocalStore(folder), AuditRecord(request.record)
    plan = read_plan(audit)
    _check_request(request, plan, str(folder / PLAN), kinds)
    settings = plan.settings
    rules = _rules(request, settings.kind, settings.classes, kinds)
    delivery = read_delivery(
        request.delivery, settings.label_column, settings.id_column, settings.text_column, settings.annotator_column,
        settings.classes, rules,
    )  # fmt: skip
    items = take_items(delivery, _files(request))
    check_delivery(folder, plan, str(request.delivery), delivery.sha256 if plan.version == 1 else items.digest)
    audits = record.read()
    plan, looks = load_plan(audit, delivery, audits)
    if request.vendor is not None:
        ScoreLog(request.scores).refuse_second_audit(delivery.sha256, plan.key)
    known = [answers for drawn in looks if (answers := read_answers(audit, drawn.look)) is not None]
    fresh, signed_now = _fresh_answers(request, folder, plan, looks, known, rules)
    terminal.show_delivery(console, delivery, None)
    if fresh is not None:
        known.append(fresh)
    if not known:
        return _await(request, folder, plan, delivery, looks[0], console)
    judged = looks[: len(known)]
    signed = _signed_sheets(request, audit, judged, signed_now)
    verdict = _verdict(request, plan, delivery, judged, known, rules, signed)
    _record_verdict(record, audits, plan, verdict, known[-1])
    if fresh is not None:
        if signed_now is not None:
            write_signed_sheet(audit, file_name("signed", signed_now.look, "json"), signed_now)
        write_answers(audit, judged[-1].look, fresh)
    # Not only with fresh answers: a call that was killed after writing them is made good by the next.
    if verdict.next_look is not None and len(looks) == len(judged):
        looks.append(_draw_more(request, folder, plan, delivery, items, judged, verdict.next_look.look, rules))
    _write_verdict(request, audit, verdict)
    terminal.show_verdict(console, verdict)
    _finish(request, folder, delivery, judged, verdict, console)
    if verdict.verdict == "OPEN":
        return _await(request, folder, plan, delivery, looks[-1], console, verdict)
    return ExitCode[verdict.verdict]


def _record_verdict(
    record: AuditRecord, audits: Audits, plan: Plan, verdict: Verdict, answers: dict[str, str | None]
) -> None:
    """Record what a look came to; refuse other answers than those that it was judged by before."""
    if plan.version == 1:
        return
    content = json.dumps(answers, sort_keys=True, separators=(",", ":"))
    event = Judged(
        plan=plan.key, look=verdict.look, answers_sha256=hashlib.sha256(content.encode()).hexdigest(),
        verdict=verdict.verdict, wrong=verdict.wrong, contested=verdict.contested,
    )  # fmt: skip
    while True:
        before = audits.judged.get((plan.key, verdict.look))
        if before is not None and before.answers_sha256 != event.answers_sha256:
            raise AuditError(
                f"{record.folder}: look {verdict.look} at {plan.delivery} was judged before with other answers, "
                f"{before.wrong} wrong and {before.contested} undecided: {before.verdict}. Answers are never changed; "
                "give the sheet that it was judged by"
            )
        if before is not None or record.append(event, audits.size):
            return
        audits = record.read()


def _draw_more(
    request: Request,
    folder: Path,
    plan: Plan,
    delivery: Delivery,
    items: DeliveredItems,
    judged: list[Drawn],
    look: int,
    rules: LabelRules,
) -> Drawn:
    """Draw a later look, and write its sheet."""
    ids, before = [one.item_id for one in delivery.labels], judged[-1].size
    if plan.version == 1:
        later = continue_draw(plan, ids, look, before)
    else:
        drawn = [item for one in judged for item in one.ids]
        later = freeze_look(AuditRecord(request.record), items, folder, plan, look, drawn, ids)
    return add_look(LocalStore(folder), plan, delivery, later, before, _files(request), rules)


def _check_request(request: Request, plan: Plan, place: str, kinds: Kinds) -> None:
    """Refuse options that say otherwise than the plan: what was fixed before the draw stays."""
    settings = plan.settings
    # Kinds whose labels are single classes are one to a plan.
    is_same = _rules(request, request.kind, settings.classes, kinds).kind == settings.kind
    kind = None if is_same else request.kind
    most = plan.sizes[-1] if plan.sizes[-1] < plan.labels else None
    for option, given, planned in (
        ("budget", request.budget, settings.error_budget),
        ("contested", request.contested, settings.contested),
        ("max-undecided", request.max_undecided, settings.max_undecided),
        ("label", request.label, settings.label_column),
        ("id", request.id, settings.id_column),
        ("text", request.text, settings.text_column),
        ("annotator", request.annotator, settings.annotator_column),
        ("classes", tuple(sorted(set(request.classes))) or None, settings.classes),
        ("audit", request.audit, plan.size),
        ("at-most", request.at_most, most if most is not None else plan.labels),
        ("seed", request.seed, plan.nonce_beforehand),
        ("kind", kind, settings.kind),
    ):
        if given is not None and given != planned:
            raise AuditError(
                f"--{option} {given}: {place} says {planned}, and a plan is not changed once the sheet "
                f"is drawn. Leave the option out; a new audit of the same labels would be a second throw of the dice"
            )


def _fresh_answers(
    request: Request,
    folder: Path,
    plan: Plan,
    looks: list[Drawn],
    known: list[dict[str, str | None]],
    rules: LabelRules,
) -> tuple[dict[str, str | None] | None, SignedSheet | None]:
    """Return the answers of the look that awaits them, None if its sheet is untouched, and who signed it if asked."""
    awaited = looks[len(known)] if len(known) < len(looks) else None
    if request.sheet is None and awaited is None:
        return None, None
    path = request.sheet or folder / file_name("sheet", awaited.look if awaited else 1, "csv")
    filled = read_sheet(path, plan, looks, rules)
    if awaited is not None and filled.look == awaited.look:
        if request.key is None or filled.answers is None:
            return filled.answers, None
        return filled.answers, check_signature(path, filled.sha256, filled.look, request.key)
    earlier = dict(zip((drawn.look for drawn in looks), known, strict=False)).get(filled.look)
    if filled.answers != earlier:
        raise AuditError(
            f"{path}: answers of look {filled.look}, which was judged already with other answers; answers are never "
            "changed. Leave --sheet out, or give the sheet that is awaited"
        )
    return None, None


def _signed_sheets(
    request: Request, audit: LocalStore, judged: list[Drawn], signed_now: SignedSheet | None
) -> list[SignedSheet]:
    """Return whose the sheets of the looks are; with --key all of them must be signed."""
    names = {one.look: file_name("signed", one.look, "json") for one in judged}
    found = {look: signed for look, name in names.items() if (signed := read_signed_sheet(audit, name)) is not None}
    if signed_now is not None:
        found[signed_now.look] = signed_now
    for look in names:
        if request.key is not None and look not in found:
            raise AuditError(
                f"{audit.location(names[look])}: missing: look {look} was judged by a sheet whose signature nobody "
                "asked for; leave --key out, or judge it again from a copy of the folder without its answers"
            )
    return [found[look] for look in sorted(found)]


def _verdict(
    request: Request,
    plan: Plan,
    delivery: Delivery,
    judged: list[Drawn],
    known: list[dict[str, str | None]],
    rules: LabelRules,
    signed: list[SignedSheet],
) -> Verdict:
    by_code = {code: answer for answers in known for code, answer in answers.items()}
    try:
        by_item = {
            item: by_code[row_code(plan, place)]
            for drawn in judged
            for place, item in enumerate(drawn.ids, drawn.before + 1)
        }
    except KeyError as error:
        raise AuditError(f"answers of {plan.delivery}: row {error} is missing; restore the folder") from None
    return judge_delivery(plan, delivery, judged, by_item, request.prices, request.vendor, rules, signed)


def _write_verdict(request: Request, audit: Store, verdict: Verdict) -> None:
    audit.put(file_name("verdict", verdict.look, "json"), verdict_json(verdict))
    audit.put(file_name("verdict", verdict.look, "html"), verdict_page(verdict))
    audit.put(file_name("send_back", verdict.look, "csv"), send_back_csv(verdict))
    if request.json_file is not None:
        write_output("--json", request.json_file, verdict_json(verdict))


def _finish(
    request: Request, folder: Path, delivery: Delivery, judged: list[Drawn], verdict: Verdict, console: Console
) -> None:
    """Print where things are, keep the vendor's score, and look for more suspicious labels."""
    page, back = (file_name(stem, verdict.look, ending) for stem, ending in (("verdict", "html"), ("send_back", "csv")))
    console.print(printable(f"Verdict to keep: {folder / page}"), style="bold", markup=False, soft_wrap=True)
    count = len(verdict.send_back) + len(verdict.undecided)
    if count:
        console.print(printable(f"To send back, {count:,} items: {folder / back}"), markup=False, soft_wrap=True)
    if request.vendor is not None:
        scores = ScoreLog(request.scores)
        scores.append(score_of(verdict, request.vendor))
        vendors = standings(scores.read())
        terminal.show_vendors(console, vendors)
        write_output("beside --scores,", scores.page, vendors_page(vendors))
        console.print(printable(f"Vendors side by side: {scores.page}"), markup=False, soft_wrap=True)
    audit, name = LocalStore(folder), file_name("suspicious", verdict.look, "csv")
    if not request.is_suspicious_wanted or delivery.columns.text is None:
        return
    if audit.stat(name) is None:
        with console.status("Looking for more suspicious labels (a model learns from the delivery) ..."):
            found = suspicious_labels(delivery, frozenset(item for drawn in judged for item in drawn.ids))
        if not found:
            return
        audit.put(name, suspicious_csv(found))
    console.print(
        printable(f"Suspicious labels, a suggestion without proof: {folder / name}"), markup=False, soft_wrap=True
    )


def _files(request: Request) -> ItemFolder:
    kept_back = (request.sheet, ScoreLog(request.scores).earlier_file, request.json_file)
    return ItemFolder(request.delivery, [path for path in kept_back if path is not None])


def _await(
    request: Request,
    folder: Path,
    plan: Plan,
    delivery: Delivery,
    drawn: Drawn,
    console: Console,
    verdict: Verdict | None = None,
) -> ExitCode:
    """Say what was copied for the auditor, and which sheet is awaited."""
    terminal.show_copies(console, list_copies(LocalStore(folder), plan, delivery, drawn, _files(request)))
    sheets = [Path(file_name("sheet", drawn.look, ending)) for ending in ("html", "csv")]
    terminal.show_awaited(console, folder, sheets, len(drawn.ids), plan.labels, request.prices)
    if request.json_file is not None and verdict is None:
        awaited = {"verdict": None, "delivery": plan.delivery, "delivery_sha256": plan.delivery_sha256,
                   "plan": plan.key, "look": drawn.look, "to_check": len(drawn.ids),
                   "sheet": str(folder / sheets[1])}  # fmt: skip
        write_output("--json", request.json_file, f"{json.dumps(awaited, ensure_ascii=False, indent=1)}\n".encode())
    return ExitCode.OPEN
