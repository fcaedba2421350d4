"""Looks are frozen, then drawn, and the record of audits holds both: the attempt first, the nonce after it."""

import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from cupel.accept.item_keys import DeliveredItems
from cupel.accept.looks import Drawn, draw_later_look, freeze_later_look
from cupel.accept.near_texts import SketchedTexts, sketch_texts
from cupel.accept.part_samples import LookSizes
from cupel.accept.plan import LaterLook, NonceSource, Plan, hash_terms, seed_plan
from cupel.accept.record import AuditRecord, Audits, FrozenLook, Links, LookDraw
from cupel.certificate.sequence import Flags
from cupel.errors import AuditError
from cupel.store.files import is_folder

NONCE_BYTES = 16
MOST_TRIES = 100


class FrozenPlan(NamedTuple):
    """A plan with its nonce; `is_repeated` tells that the record held it already, from a call that came to nothing."""

    plan: Plan
    is_repeated: bool


def freeze_plan(
    record: AuditRecord,
    items: DeliveredItems,
    folder: Path,
    make: Callable[[Links], Plan],
    nonce: int | None,
) -> FrozenPlan:
    """Record a plan, then its nonce; a plan of the same delivery that promises the same is taken again.

    Args:
        record: The record of audits.
        items: The delivery's items.
        folder: Where the audit is going to lie.
        make: Makes the plan, given how the items are linked to earlier audits.
        nonce: Number chosen beforehand; None takes a nonce from the operating system, once the plan is recorded.

    Raises:
        AuditError: The delivery was audited before, and its audit lies in another folder.
    """
    texts = sketch_texts(items.keys, items.texts)
    for _ in range(MOST_TRIES):
        audits = record.read()
        links = audits.link(items, texts)
        plan = make(links)
        before = audits.find_audit(items.digest, plan)
        if before is not None and before.terms is not None:
            _refuse_second_audit(record, before, folder, audits)
            return FrozenPlan(seed_plan(before.terms, *_draw(record, before, before.terms.key_of, nonce)), True)
        event = _freeze(record, items.digest, plan.delivery, folder, links, texts, plan, None)
        if record.append(event, audits.size):
            return FrozenPlan(seed_plan(plan, *_draw(record, event, plan.key_of, nonce)), False)
    raise _busy(record)


def link_items(record: AuditRecord, items: DeliveredItems) -> Links:
    """Return how a delivery's items are linked to the audits of a record; nothing is written."""
    return record.read().link(items, sketch_texts(items.keys, items.texts))


def freeze_look(
    record: AuditRecord,
    items: DeliveredItems,
    folder: Path,
    plan: Plan,
    look: int,
    looks: Sequence[Drawn],
    ids: Sequence[str],
    insides: Sequence[Flags] = (),
    wanted: LookSizes | None = None,
) -> LaterLook:
    """Record a later look with the next attempt of its items, then its nonce, and draw it; what is recorded stays.

    Args:
        record: The record of audits.
        items: The delivery's items.
        folder: Where the audit lies.
        plan: The plan of the first look.
        look: Its number.
        looks: The looks before.
        ids: Ids of all labels that may be judged.
        insides: For each part of the plan, which of them are of it; needed where there are budgets of parts.
        wanted: What the look draws, likewise.
    """
    drawn = [item for one in looks for item in one.ids]
    earlier = [one.samples for one in looks if one.samples is not None]
    whole_before = sum(len(one.whole) for one in earlier)
    texts = sketch_texts(items.keys, items.texts)
    for _ in range(MOST_TRIES):
        audits = record.read()
        event = audits.find_look(plan.key, look)
        links = audits.link(items, texts)
        attempt = links.attempt if event is None else event.attempt
        frozen = freeze_later_look(plan, look, len(drawn), attempt, whole_before, wanted)
        is_there = event is not None
        if event is None:
            event = _freeze(record, items.digest, plan.delivery, folder, links, texts, frozen, plan.key)
        if is_there or record.append(event, audits.size):
            nonce = _draw(record, event, lambda *_: plan.key, None)
            return draw_later_look(frozen, *nonce, ids, drawn, insides, earlier)
    raise _busy(record)


def _freeze(
    record: AuditRecord,
    delivery_sha256: str,
    delivery: str,
    folder: Path,
    links: Links,
    texts: SketchedTexts,
    frozen: Plan | LaterLook,
    plan: str | None,
) -> FrozenLook:
    names = record.put_items(links.keys, texts)
    return FrozenLook(
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        delivery=delivery,
        delivery_sha256=delivery_sha256,
        folder=str(folder.resolve()),
        look=frozen.look,
        attempt=links.attempt,
        freeze_sha256=hash_terms(frozen),
        plan=plan,
        terms=frozen if isinstance(frozen, Plan) else None,
        items=names[0],
        texts=names[1],
    )


def _draw(
    record: AuditRecord, frozen: FrozenLook, key_of: Callable[[str, NonceSource], str], nonce: int | None
) -> tuple[str, NonceSource]:
    """Return the nonce of a frozen look: the recorded one, or a fresh one, which is recorded first.

    The first that is recorded stays, whoever else is at work on the same look.
    """
    for _ in range(MOST_TRIES):
        audits = record.read()
        drawn = audits.draws.get(frozen.freeze_sha256)
        if drawn is not None:
            return drawn.nonce, drawn.nonce_source
        source: NonceSource = "system" if nonce is None else "option"
        chosen = secrets.token_hex(NONCE_BYTES) if nonce is None else str(nonce)
        event = LookDraw(
            freeze_sha256=frozen.freeze_sha256, plan=key_of(chosen, source), nonce=chosen, nonce_source=source
        )
        if record.append(event, audits.size):
            return chosen, source
    raise _busy(record)


def _refuse_second_audit(record: AuditRecord, before: FrozenLook, folder: Path, audits: Audits) -> None:
    """Refuse to audit the same delivery in another folder than that of its audit, while that is there."""
    if before.folder == str(folder.resolve()) or not is_folder(Path(before.folder)):
        return
    draw = audits.draws.get(before.freeze_sha256)
    found = [event.verdict for (plan, _), event in audits.judged.items() if draw is not None and plan == draw.plan]
    came = f", and came to {found[-1]}" if found else ""
    raise AuditError(
        f"{record.folder}: these rows were audited before, as {before.delivery} on {before.at[:10]}{came}. Another "
        f"audit of the same labels would be a second throw of the dice; go on in folder {before.folder}"
    )


def _busy(record: AuditRecord) -> AuditError:
    return AuditError(f"{record.folder}: others were faster {MOST_TRIES} times; run again")
