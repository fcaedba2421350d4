"""Attacks on `cupel accept`: a delivery that was refused is to be accepted after all, by another throw of the dice."""

import csv
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.attacks.attack import Attack, AttackError, Finding, Outcome
from benchmarks.attacks.buyer import BUDGET, HEADER, LABELS, WRONG_SHARE, Answer, Buyer, fill_sheet, make_buyer
from benchmarks.attacks.target import OTHER, Target, make_items
from cupel.accept.folder import PLAN, folder_of
from cupel.commands.accept_request import ExitCode
from cupel.errors import CupelError
from cupel.store.local import LocalStore

DOOR = "cupel accept"
# Latin letters, and Cyrillic ones that look the same.
LOOK_ALIKE = str.maketrans("aceopsxy", "\u0430\u0441\u0435\u043e\u0440\u0455\u0445\u0443")


def refuse_first(buyer: Buyer) -> Path:
    """Put the bad delivery to its audit; return its file.

    Raises:
        AttackError: It was not refused: then there is nothing to attack.
    """
    delivery = buyer.write("delivery.csv", buyer.rows)
    if (attempt := buyer.plan(delivery)["attempt"]) != 1:
        raise AttackError(f"the first audit is attempt {attempt}")
    if (reply := buyer.judge(delivery, buyer.be_honest)).code != ExitCode.REFUSE:
        raise AttackError(f"a delivery with {WRONG_SHARE:.0%} wrong labels came to {reply.code.name}")
    return delivery


def deliver_again(make: Callable[[Buyer], Path], **options: Any) -> Callable[[Target], Finding]:
    """Return an attack: after a refusal, what `make` writes is put to an audit, too."""

    def attempt(target: Target) -> Finding:
        buyer = make_buyer(target)
        refuse_first(buyer)
        return plan_again(buyer, make(buyer), **options)

    return attempt


def plan_again(buyer: Buyer, delivery: Path, **options: Any) -> Finding:
    """Return what comes of putting a delivery to an audit."""
    try:
        attempt = buyer.plan(delivery, **options)["attempt"]
    except CupelError as error:
        return Finding(Outcome.REFUSED, str(error))
    alpha = f"attempt {attempt}"
    return Finding(Outcome.COUNTED if attempt > 1 else Outcome.NOT_CAUGHT, alpha)


def add_newlines(buyer: Buyer) -> Path:
    """Copy the refused file under another name, with three newlines more at its end."""
    again = buyer.folder / "again.csv"
    again.write_bytes((buyer.folder / "delivery.csv").read_bytes() + b"\n\n\n")
    return again


def rename(buyer: Buyer) -> Path:
    """Copy the refused file under another name, into another folder."""
    return buyer.write("other/october.csv", buyer.rows)


def reverse(buyer: Buyer) -> Path:
    """Deliver the refused rows in reverse order, with other ids."""
    rows = [[f"new-{place}", *row[1:]] for place, row in enumerate(reversed(buyer.rows))]
    return buyer.write("reversed.csv", rows)


def encode(buyer: Buyer) -> Path:
    """Deliver the refused rows in UTF-8 with a byte order mark, capital letters and two spaces for one."""
    rows = [[row[0], row[1].upper().replace(" ", "  "), row[2]] for row in buyer.rows]
    path = buyer.write("encoded.csv", rows)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    return path


def relabel(buyer: Buyer) -> Path:
    """Deliver the refused items with ten labels put right."""
    rows = buyer.rows
    for row, item in zip(rows[:100], buyer.items, strict=False):
        row[2] = item.truth
    return buyer.write("relabelled.csv", rows)


def split(buyer: Buyer) -> Path:
    """Deliver half of the refused items together with as many new ones."""
    fresh = [[f"n{item.item_id}", item.text, item.truth] for item in make_items(LABELS // 2, seed=11)]
    return buyer.write("mixed.csv", [*buyer.rows[::2], *fresh])


def add_word(buyer: Buyer) -> Path:
    """Deliver the refused items with a word added to each text."""
    return buyer.write("near.csv", [[row[0], f"{row[1]} indeed", row[2]] for row in buyer.rows])


def pad(buyer: Buyer) -> Path:
    """Deliver the refused items with a made-up sentence added to each text, as long as itself."""
    rng = random.Random(8)
    rows = []
    for item_id, text, label in buyer.rows:
        words = " ".join("".join(rng.choices("abcdefghijklmnop", k=6)) for _ in range(len(text) // 5))
        rows.append([item_id, f"{text} {words}", label])
    return buyer.write("padded.csv", rows)


def name_other_text(buyer: Buyer) -> Path:
    """Deliver the refused rows with a column of random numbers more, and call that one the text."""
    rng = random.Random(9)
    rows = [[*row, f"{rng.random():.16f} {rng.random():.16f}"] for row in buyer.rows]
    return buyer.write("columns.csv", rows, [*HEADER, "note"])


def replace_letters(buyer: Buyer) -> Path:
    """Deliver the refused items with Cyrillic letters in the place of Latin ones that look the same."""
    return buyer.write("letters.csv", [[row[0], row[1].translate(LOOK_ALIKE), row[2]] for row in buyer.rows])


def deliver_fresh(buyer: Buyer) -> Path:
    """Deliver items that nobody has delivered before."""
    return buyer.write("fresh.csv", [[item.item_id, item.text, item.truth] for item in make_items(LABELS, seed=12)])


def judge_fresh(target: Target) -> Finding:
    """Nothing: a delivery without wrong labels, answered honestly, is the control."""
    buyer = make_buyer(target)
    delivery = buyer.write("good.csv", [[item.item_id, item.text, item.truth] for item in buyer.items])
    buyer.plan(delivery)
    reply = buyer.judge(delivery, buyer.be_honest)
    return Finding(Outcome.PASSED if reply.code == ExitCode.ACCEPT else Outcome.REFUSED, reply.code.name)


def delete_folder(target: Target) -> Finding:
    """Delete the audit's folder of a delivery that was refused, and plan anew until another sample is drawn."""
    buyer = make_buyer(target)
    delivery = refuse_first(buyer)
    plans = [json.loads(LocalStore(folder_of(delivery)).read(PLAN))]
    for _ in range(5):
        shutil.rmtree(folder_of(delivery))
        try:
            plans.append(buyer.plan(delivery))
        except CupelError as error:
            return Finding(Outcome.REFUSED, str(error))
    if len({tuple(plan["drawn"]) for plan in plans}) == 1:
        try:
            reply = buyer.judge(delivery, lambda text: "warm" if "warm" else text)
        except CupelError as error:
            return Finding(Outcome.REFUSED, f"the same sample is drawn each time, and: {error}")
        return Finding(Outcome.NOT_CAUGHT, f"the same sample, other answers: {reply.code.name}")
    attempts = [plan["attempt"] for plan in plans]
    return Finding(Outcome.COUNTED if len(set(attempts)) == len(plans) else Outcome.NOT_CAUGHT, f"attempts {attempts}")


def promise_other_budget(target: Target) -> Finding:
    """Delete the audit's folder, and plan anew with a budget that is a hundredth of a percent higher."""
    buyer = make_buyer(target)
    delivery = refuse_first(buyer)
    shutil.rmtree(folder_of(delivery))
    return plan_again(buyer, delivery, budget=BUDGET + 0.0001)


def repair_drawn(target: Target) -> Finding:
    """Read the sheet, put the labels that were drawn right in the delivery, and hand the sheet in."""
    buyer = make_buyer(target)
    delivery = buyer.write("delivery.csv", buyer.rows)
    drawn = set(buyer.plan(delivery)["drawn"])
    truth = {item.item_id: item.truth for item in buyer.items}
    buyer.write("delivery.csv", [[*row[:2], truth[row[0]] if row[0] in drawn else row[2]] for row in buyer.rows])
    return judge_again(buyer, delivery, buyer.be_honest)


def answer_again(target: Target) -> Finding:
    """Fill the sheet of a refused delivery in once more, with other answers."""
    buyer = make_buyer(target)
    delivery = refuse_first(buyer)
    said = {row[1]: row[2] for row in buyer.rows}
    return judge_again(buyer, delivery, lambda text: said[text])


def delete_answers(target: Target) -> Finding:
    """Delete what `cupel accept` kept of the answers, and fill the sheet in once more."""
    buyer = make_buyer(target)
    delivery = refuse_first(buyer)
    for kept in folder_of(delivery).glob("answers*"):
        kept.unlink()
    said = {row[1]: row[2] for row in buyer.rows}
    return judge_again(buyer, delivery, lambda text: said[text])


def edit_earlier_answers(target: Target) -> Finding:
    """Take back what an open look found, in the answers that are kept of it, before the next look is judged."""
    buyer = make_buyer(target)
    delivery = buyer.write("delivery.csv", [[item.item_id, item.text, item.truth] for item in buyer.items])
    drawn = buyer.plan(delivery, audit=60)["drawn"]
    wrong = {item.text for item in buyer.items if item.item_id in drawn[:2]}
    folder = folder_of(delivery)
    fill_sheet(
        folder / "sheet.csv", lambda text: OTHER[buyer.be_honest(text)] if text in wrong else buyer.be_honest(text)
    )
    if (reply := buyer.accept(delivery)).code != ExitCode.OPEN:
        raise AttackError(f"two wrong in 60 should leave the delivery open, but it came to {reply.code.name}")
    rows = list(csv.reader((folder / "sheet.csv").read_text(encoding="utf-8-sig").splitlines()))
    text = rows[0].index("text")
    taken_back = {row[0]: buyer.be_honest(row[text]) for row in rows[1:]}
    (folder / "answers.json").write_text(json.dumps(taken_back))
    (sheet,) = folder.glob("sheet-*.csv")
    fill_sheet(sheet, buyer.be_honest)
    try:
        reply = buyer.accept(delivery)
    except CupelError as error:
        return Finding(Outcome.REFUSED, str(error))
    return Finding(Outcome.NOT_CAUGHT, reply.code.name)


def edit_plan(target: Target) -> Finding:
    """Write a higher budget into the plan of an audit."""
    buyer = make_buyer(target)
    delivery = buyer.write("delivery.csv", buyer.rows)
    buyer.plan(delivery)
    path = folder_of(delivery) / PLAN
    content = json.loads(path.read_bytes())
    content["settings"]["error_budget"] = 0.3
    path.write_text(json.dumps(content))
    return judge_again(buyer, delivery, buyer.be_honest)


def judge_again(buyer: Buyer, delivery: Path, answer: Answer) -> Finding:
    """Return what comes of handing a sheet in."""
    try:
        reply = buyer.judge(delivery, answer)
    except CupelError as error:
        return Finding(Outcome.REFUSED, str(error))
    return Finding(Outcome.NOT_CAUGHT if reply.code == ExitCode.ACCEPT else Outcome.REFUSED, reply.code.name)


def deliver_in_parts(target: Target) -> Finding:
    """Deliver the refused items in three parts, and take those that are accepted by chance."""
    buyer = make_buyer(target)
    refuse_first(buyer)
    parts = [buyer.write(f"part-{number}.csv", buyer.rows[number::3]) for number in range(3)]
    attempts = [buyer.plan(part)["attempt"] for part in parts]
    is_counted = sorted(set(attempts)) == sorted(attempts) and min(attempts) > 1
    return Finding(Outcome.COUNTED if is_counted else Outcome.NOT_CAUGHT, f"attempts {attempts}")


def delete_record(target: Target) -> Finding:
    """Delete the record of audits after a refusal, and deliver the same file under another name."""
    buyer = make_buyer(target)
    refuse_first(buyer)
    shutil.rmtree(buyer.folder / "audit_record")
    return plan_again(buyer, rename(buyer), vendor=None)


def name_other_record(target: Target) -> Finding:
    """Name another record of audits after a refusal, and deliver the same file under another name."""
    buyer = make_buyer(target)
    refuse_first(buyer)
    return plan_again(buyer, rename(buyer), vendor=None, record=buyer.folder / "second_record")


def cut_record(target: Target) -> Finding:
    """Delete the last events of the record of audits after a refusal, and deliver the same file once more."""
    buyer = make_buyer(target)
    refuse_first(buyer)
    segments = sorted((buyer.folder / "audit_record").glob("0*"))
    if len(segments) < 2:
        raise AttackError("the record of audits holds no events to delete")
    for segment in segments[1:]:
        segment.unlink()
    return plan_again(buyer, rename(buyer))


def choose_seed(target: Target) -> Finding:
    """Choose the number that draws the sheet by hand, with `--seed`."""
    buyer = make_buyer(target)
    delivery = buyer.write("chosen.csv", buyer.rows)
    plan = buyer.plan(delivery, seed=1)
    page = (folder_of(delivery) / "plan.html").read_text()
    reply = buyer.judge(delivery, buyer.be_honest)
    told = [text for text in (page, reply.words) if "--seed" in text or "chosen" in text]
    words = f"nonce_source of the plan is {plan.get('nonce_source')!r}"
    return Finding(Outcome.TOLD if told or plan.get("nonce_source") == "option" else Outcome.NOT_CAUGHT, words)


def leave_undecided(target: Target) -> Finding:
    """Answer every wrong label with "cannot be decided"."""
    buyer = make_buyer(target)
    delivery = buyer.write("undecided.csv", buyer.rows)
    buyer.plan(delivery)
    said = {row[1]: row[2] for row in buyer.rows}
    honest = buyer.be_honest
    told = buyer.folder / "verdict.json"
    try:
        reply = buyer.judge(
            delivery, lambda text: honest(text) if said[text] == honest(text) else "cannot be decided", json_file=told
        )
    except CupelError as error:
        return Finding(Outcome.REFUSED, str(error))
    words = f"{reply.code.name}: {json.loads(told.read_bytes())['reason']}"
    return Finding(Outcome.NOT_CAUGHT if reply.code == ExitCode.ACCEPT else Outcome.REFUSED, words)


def confirm_all(target: Target) -> Finding:
    """Let a dishonest auditor look up the delivered labels, and confirm each."""
    buyer = make_buyer(target)
    delivery = buyer.write("confirmed.csv", buyer.rows)
    buyer.plan(delivery)
    said = {row[1]: row[2] for row in buyer.rows}
    reply = buyer.judge(delivery, lambda text: said[text])
    is_accepted = reply.code == ExitCode.ACCEPT
    return Finding(Outcome.NOT_CAUGHT if is_accepted else Outcome.REFUSED, reply.code.name)


def _again(name: str, make: Callable[[Buyer], Path], expected: Outcome, **options: Any) -> Attack:
    return Attack(f"accept-{name}", DOOR, str(make.__doc__), expected, deliver_again(make, **options))


def _own(name: str, attempt: Callable[[Target], Finding], expected: Outcome) -> Attack:
    return Attack(f"accept-{name}", DOOR, str(attempt.__doc__), expected, attempt)


_R, _C, _N = Outcome.REFUSED, Outcome.COUNTED, Outcome.NOT_CAUGHT
ATTACKS = (
    _own("good-delivery", judge_fresh, Outcome.PASSED),
    _again("other-items", deliver_fresh, Outcome.PASSED),
    _again("newlines-at-the-end", add_newlines, _R),
    _again("other-file-name", rename, _R),
    _again("other-vendor", rename, _R, vendor="Other"),
    _again("reordered-with-other-ids", reverse, _C),
    _again("encoded-otherwise", encode, _R),
    _again("labels-put-right", relabel, _C),
    _again("half-of-it-with-new-items", split, _C),
    _again("a-word-added", add_word, _C),
    _again("a-sentence-added", pad, _N),
    _again("letters-replaced", replace_letters, _N),
    _again("other-text-column", name_other_text, _C, text="note"),
    _own("in-three-parts", deliver_in_parts, _C),
    _own("folder-deleted", delete_folder, _R),
    _own("other-budget", promise_other_budget, _C),
    _own("drawn-labels-put-right", repair_drawn, _R),
    _own("sheet-answered-again", answer_again, _R),
    _own("answers-deleted", delete_answers, _R),
    _own("earlier-answers-edited", edit_earlier_answers, _R),
    _own("plan-edited", edit_plan, _R),
    _own("record-cut", cut_record, _R),
    _own("record-deleted", delete_record, _N),
    _own("other-record", name_other_record, _N),
    _own("seed-chosen", choose_seed, Outcome.TOLD),
    _own("wrong-left-undecided", leave_undecided, _R),
    _own("all-confirmed", confirm_all, _N),
)
