"""The label buyer's later calls: a filled sheet is judged, and what follows is drawn and written."""

import hashlib
import json
from pathlib import Path

from rich.console import Console

from cupel.accept.delivery import Delivery, read_delivery
from cupel.accept.folder import (
    PLAN,
    add_look,
    check_delivery,
    file_name,
    load_plan,
    read_answers,
    read_plan,
    take_look,
    write_answers,
)
from cupel.accept.freezing import freeze_look
from cupel.accept.item_keys import DeliveredItems, take_items
from cupel.accept.judging import Verdict, judge_delivery
from cupel.accept.label_rules import LabelRules
from cupel.accept.looks import Drawn, continue_draw
from cupel.accept.part_index import find_insides
from cupel.accept.part_outcome import NextLook
from cupel.accept.plan import Plan
from cupel.accept.record import AuditRecord, Audits, Judged
from cupel.accept.returned import describe_returned, find_returned, pack_sent_back
from cupel.accept.scores import ScoreLog, score_of, standings
from cupel.accept.sheet import read_sheet, row_code
from cupel.accept.signed_sheet import SignedSheet, check_signature, read_signed_sheet, write_signed_sheet
from cupel.accept.suspicious import suspicious_labels
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
from cupel.printable import printable
from cupel.show import delivery_terminal as terminal
from cupel.show.delivery_verdict import send_back_csv, suspicious_csv, vendors_page, verdict_json, verdict_page
from cupel.store.local import LocalStore
from cupel.store.outputs import write_output
from cupel.store.store import Store


def judge_delivered(request: Request, folder: Path, console: Console, kinds: Kinds) -> ExitCode:
    """Judge the answers that are there, draw what they make necessary, and say what came of it."""
    audit, record = LocalStore(folder), AuditRecord(request.record)
    plan = read_plan(audit)
    check_request(request, plan, str(folder / PLAN), kinds)
    settings = plan.settings
    rules = rules_of(request, settings.kind, settings.classes, settings.least_overlap, kinds)
    delivery = read_delivery(
        request.delivery, settings.label_column, settings.id_column, settings.text_column, settings.annotator_column,
        settings.classes, rules, request.limits, settings.annotator_columns,
    )  # fmt: skip
    items = take_items(delivery, folder_of_items(request))
    check_delivery(folder, plan, str(request.delivery), delivery.sha256 if plan.version == 1 else items.digest)
    audits = record.read()
    plan, looks = load_plan(audit, delivery, audits, rules)
    if request.vendor is not None:
        ScoreLog(request.scores).refuse_second_audit(delivery.sha256, plan.key)
    known = [answers for drawn in looks if (answers := read_answers(audit, drawn.look)) is not None]
    fresh, signed_now = _fresh_answers(request, folder, plan, looks, known, rules)
    terminal.show_delivery(console, delivery, None)
    if fresh is not None:
        known.append(fresh)
    if not known:
        return await_sheet(request, folder, plan, delivery, looks[0], console)
    judged = looks[: len(known)]
    _check_earlier_answers(audits, plan, judged[:-1], known)
    signed = _signed_sheets(request, audit, judged, signed_now)
    verdict = _verdict(request, plan, delivery, judged, known, rules, signed)
    verdict = verdict.model_copy(update={"returned": tuple(find_returned(audits, delivery, items, plan.key))})
    back = [one.item_id for one in (*verdict.send_back, *verdict.undecided)]
    _record_verdict(record, audits, plan, verdict, known[-1], pack_sent_back(delivery, items, back))
    if fresh is not None:
        if signed_now is not None:
            write_signed_sheet(audit, file_name("signed", signed_now.look, "json"), signed_now)
        write_answers(audit, judged[-1].look, fresh)
    # Not only with fresh answers: a call that was killed after writing them is made good by the next.
    if verdict.next_look is not None and len(looks) == len(judged):
        looks.append(_draw_more(request, folder, plan, delivery, items, judged, verdict.next_look, rules))
    _write_verdict(request, audit, verdict)
    terminal.show_verdict(console, verdict)
    _finish(request, folder, delivery, judged, verdict, console)
    if verdict.verdict == "OPEN":
        return await_sheet(request, folder, plan, delivery, looks[-1], console, verdict)
    return ExitCode[verdict.verdict]


def _check_earlier_answers(
    audits: Audits, plan: Plan, earlier: list[Drawn], known: list[dict[str, str | None]]
) -> None:
    """Refuse answers of earlier looks that are not those which the record says they were judged by.

    A later look takes what they found off the budget, so whoever could change them could buy its acceptance.
    """
    if plan.version == 1:
        return
    for look, answers in zip(earlier, known, strict=False):
        before = audits.judged.get((plan.key, look.look))
        if before is None or before.answers_sha256 != _hash_answers(answers):
            raise AuditError(
                f"{audits.folder}: look {look.look} at {plan.delivery} was not judged by the answers that are kept of "
                "it now; answers are never changed. Restore the folder from a copy"
            )


def _hash_answers(answers: dict[str, str | None]) -> str:
    return hashlib.sha256(json.dumps(answers, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _record_verdict(
    record: AuditRecord, audits: Audits, plan: Plan, verdict: Verdict, answers: dict[str, str | None], sent_back: bytes
) -> None:
    """Record what a look came to; refuse other answers than those that it was judged by before."""
    if plan.version == 1:
        return
    event = Judged(
        plan=plan.key, look=verdict.look, answers_sha256=_hash_answers(answers), verdict=verdict.verdict,
        wrong=verdict.wrong, contested=verdict.contested, sent_back=record.put_sent_back(sent_back),
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
    following: NextLook,
    rules: LabelRules,
) -> Drawn:
    """Draw a later look, and write its sheet."""
    ids, insides = [one.item_id for one in delivery.labels], find_insides(delivery, rules, plan.parts)
    if plan.version == 1:
        later = continue_draw(plan, ids, following.look, judged[-1].size)
    else:
        later = freeze_look(
            AuditRecord(request.record), items, folder, plan, following.look, judged, ids, insides, following.look_sizes
        )  # fmt: skip
    drawn = take_look(plan, later, ids, judged, insides)
    add_look(LocalStore(folder), plan, delivery, later, drawn, folder_of_items(request), rules)
    return drawn


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
    if awaited is not None and not awaited.ids:
        # All that it drew was checked for another sample.
        return {}, None
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
    for line in describe_returned(verdict.returned):
        console.print(printable(line), markup=False, soft_wrap=True)
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
        try:
            with console.status("Looking for more suspicious labels (a model learns from the delivery) ..."):
                found = suspicious_labels(delivery, frozenset(item for drawn in judged for item in drawn.ids))
        except ModuleNotFoundError as error:  # the verdict stands without
            terminal.show_no_model(console, error.name or "a library")
            return
        if not found:
            return
        audit.put(name, suspicious_csv(found))
    console.print(
        printable(f"Suspicious labels, a suggestion without proof: {folder / name}"), markup=False, soft_wrap=True
    )
