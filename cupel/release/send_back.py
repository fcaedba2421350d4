"""Sending back: items of a batch are put to annotators again, with the reason; what was said of them is kept apart."""

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from cupel.config.project import Project
from cupel.errors import AnswerError
from cupel.lake.cached_rows import rows_of
from cupel.lake.lake import Lake
from cupel.lake.log_references import check_references
from cupel.lake.send_back_log import SendBack
from cupel.people.answers.outbox import open_tasks
from cupel.people.answers.recorded import read_gold
from cupel.release.items_to_send_back import NamedItems, without_guard
from cupel.release.plan import is_finished

REASON_CHARACTERS = 200
# Why an item that was named is not sent back.
WAITING = "await an answer already"
UNANSWERED = "have no answer that could be sent back"
GOLD = "are hidden gold: sent back, annotators would know them"
_VERDICTS = ("audit", "adjudications", "planted_verdicts")


class SendBackRequest(NamedTuple):
    """What somebody wants sent back: which items, why, whose answers (none: everybody's), to whom (none: anybody)."""

    items: NamedItems
    reason: str
    sent_by: str
    annotators: tuple[str, ...] = ()
    to: tuple[str, ...] = ()


class SendBackResult(NamedTuple):
    """What became of it.

    Attributes:
        send_back: The event that was appended; None where no item was left to send back.
        left_out: Of the items that were named those that were not sent back, by the reason.
        answers: How many answers do not count any more.
        asked: How many answers the overlap asks for now.
        notes: What holds of the batch's releases, in words.
    """

    send_back: SendBack | None
    left_out: dict[str, tuple[str, ...]]
    answers: int
    asked: int
    notes: tuple[str, ...]


def send_back(lake: Lake, project: Project, data: Path, batch: str, request: SendBackRequest) -> SendBackResult:
    """Send items of a batch back to annotators: an event in the lake, which the next round asks by.

    Of items that await an answer already, that nobody answered, and that are hidden gold nothing is appended, so the
    same request a second time changes nothing.

    Args:
        lake: The project's lake.
        project: The project, its registered deliveries among them.
        data: The folder that the file of hidden gold is named relative to.
        batch: The batch.
        request: What is wanted.

    Raises:
        AnswerError: The batch, an item or an annotator is unknown, the reason is none or tells an expert's label, or a
            log is damaged.
    """
    if batch not in project.raw.deliveries:
        raise AnswerError(f"batch {batch!r}: project {project.project} has none of this name")
    if lake.commit("annotations", batch) is None:
        raise AnswerError(f"batch {batch}: nobody has labelled it yet; run the chain first (`make run`)")
    check_references(lake, [batch])
    items = _check_items(lake, batch, request.items)
    reason = _check_reason(request.reason)
    whose = _expand_names(lake, project, batch, request.annotators, "--of", must_have_answered=True)
    to = _expand_names(lake, project, batch, request.to, "--to", must_have_answered=False)
    _refuse_telling(reason, _expert_labels(lake, batch, items), project)
    gold = _find_gold(project, data, batch)
    open_items = {item for tasks in open_tasks(lake, [batch], []) for item in _label_items(tasks.to_pylist())}
    counted = lake.read("annotations", batch, ["item_id", "annotator"]).to_pylist()
    by_item: dict[str, list[str | None]] = {}
    for row in counted:
        by_item.setdefault(row["item_id"], []).append(row["annotator"])
    releases = _frozen_releases(lake, batch)
    left_out: dict[str, tuple[str, ...]] = {}

    def decide(there: list[SendBack]) -> list[SendBack]:
        answers = lake.answers.read(batch, ["label"], ["item_id", "sequence"]).to_pylist()
        last = {row["item_id"]: row["sequence"] for row in answers}
        until = {item: one.answers_until for one in there if one.batch == batch for item in one.item_ids}
        left_out.clear()
        wanted = []
        for item in items:
            why = None
            if item in gold:
                why = GOLD
            elif item in open_items or last.get(item, 0) <= until.get(item, -1):
                why = WAITING
            elif not [name for name in by_item.get(item, ()) if not whose or name in whose]:
                why = UNANSWERED
            if why is None:
                wanted.append(item)
            else:
                left_out[why] = (*left_out.get(why, ()), item)
        if not wanted:
            return []
        at = datetime.now(UTC).isoformat(timespec="seconds")
        head = lake.answers.head().sequence
        return [
            SendBack(batch, tuple(wanted), reason, request.sent_by, request.items.source, whose, to, head, releases, at)
        ]

    appended = lake.send_backs.append(decide)
    sent = appended[0] if appended else None
    gone = {item: _count(by_item[item], whose) for item in (sent.item_ids if sent else ())}
    first = project.labeling.overlap.first
    asked = sum(max(first - (len(by_item[item]) - lost), 0) for item, lost in gone.items())
    notes = _tell_releases(lake, releases) if sent else ()
    return SendBackResult(sent, dict(left_out), sum(gone.values()), asked, notes)


def _count(names: Iterable[str | None], whose: Collection[str]) -> int:
    return sum(not whose or name in whose for name in names)


def _label_items(tasks: Iterable[dict[str, str]]) -> Iterable[str]:
    return (task["item_id"] for task in tasks if task["purpose"] == "label")


def _check_items(lake: Lake, batch: str, named: NamedItems) -> tuple[str, ...]:
    """Return the named items by their ids in the lake, all of them clean items of the batch."""
    clean = set(lake.read("clean_items", batch, ["item_id"])["item_id"].to_pylist())
    items = tuple(dict.fromkeys(without_guard(item, clean) for item in named.item_ids))
    unknown = [item for item in items if item not in clean]
    if unknown:
        dropped = {}
        if lake.commit("rejected_items", batch) is not None:
            dropped = {row["item_id"]: row["reason"] for row in rows_of(lake, "rejected_items", batch)}
        why = f"cleaning dropped it ({dropped[unknown[0]]})" if unknown[0] in dropped else "no such item"
        raise AnswerError(
            f"{named.source}: item_id {unknown[0]!r}: {why} in batch {batch}; {len(unknown):,} of {len(items):,} "
            "cannot be sent back: remove them"
        )
    return items


def _check_reason(reason: str) -> str:
    """Return a reason as it is shown: one line, not too long to be read beside a task."""
    found = " ".join(reason.split())
    if not found:
        raise AnswerError("--reason: empty; write what is to be done otherwise, for annotators read it")
    if len(found) > REASON_CHARACTERS:
        raise AnswerError(f"--reason: {len(found)} characters; at most {REASON_CHARACTERS} stand beside a task")
    if not found.isprintable():
        raise AnswerError(f"--reason {found!r}: holds a character that cannot be shown; remove it")
    return found


def _expand_names(
    lake: Lake, project: Project, batch: str, names: Sequence[str], option: str, *, must_have_answered: bool
) -> tuple[str, ...]:
    """Return annotators by name, those of a vendor in its place; refuse whom nobody knows."""
    labeling, live = project.labeling, project.label_studio
    answered = set(lake.answers.read(batch, ["label"], ["annotator"])["annotator"].to_pylist()) if names else set()
    known = set(answered)
    if not must_have_answered:
        known |= {name for theirs in labeling.vendors.values() for name in theirs}
        known |= set(live.annotators if live else ())
        known -= {name for name, action in lake.actions.in_force(batch).items() if not action.weight}
    found: list[str] = []
    for name in names:
        meant = [one for one in labeling.vendors.get(name, ()) if one in known] or [name]
        if not known.issuperset(meant):
            why = "gave no answer there" + ("" if must_have_answered else " and is not declared, or was removed")
            raise AnswerError(f"{option} {name!r}: no annotator or vendor of batch {batch}: {why}")
        found += meant
    return tuple(dict.fromkeys(found))


def _find_gold(project: Project, data: Path, batch: str) -> set[str]:
    """Return the items whose labels the project knows and annotators may not recognise."""
    name = project.labeling.gold
    return set() if name is None else set(read_gold(data / name, batch)["item_id"].to_pylist())


def _expert_labels(lake: Lake, batch: str, items: Collection[str]) -> set[str]:
    """Return the labels that experts gave any of some items, in whatever release or round."""
    wanted, found = set(items), set[str]()
    places = [(table, release) for table in _VERDICTS for release in lake.partitions(table)] + [("round_items", batch)]
    for table, partition in places:
        if lake.commit(table, partition) is None:
            continue
        columns = ["item_id", "expert_label"] + ([] if table == "round_items" else ["batch"])
        for row in lake.read(table, partition, columns).to_pylist():
            if row.get("batch", batch) == batch and row["item_id"] in wanted and row["expert_label"] is not None:
                found.add(row["expert_label"])
    return found


def _refuse_telling(reason: str, labels: Collection[str], project: Project) -> None:
    """Refuse a reason that names what experts said: who answers anew must not know it, or the check is none.

    It catches slips, not intent: a class may be told in other words.
    """
    ontology, kind = project.labeling.ontology, project.kind
    told = {name for label in labels for name in kind.classes_of(label, ontology)}
    for name in sorted(told):
        if _names(reason, name):
            raise AnswerError(
                f"--reason: names {name!r}, which experts said of an item among these; who answers anew would know it. "
                "Say which rule of the guideline was broken instead"
            )


def _names(reason: str, name: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name.casefold())}(?!\w)", reason.casefold()) is not None


def _frozen_releases(lake: Lake, batch: str) -> tuple[str, ...]:
    plans = ((release, rows_of(lake, "release_plan", release)[0]) for release in lake.partitions("release_plan"))
    return tuple(sorted(release for release, plan in plans if batch in plan["batches"]))


def _tell_releases(lake: Lake, releases: Sequence[str]) -> tuple[str, ...]:
    """Return what holds of the releases that the batch is in: none of them changes."""
    told = []
    for release in releases:
        if not is_finished(lake, release):
            told.append(f"{release} is frozen, and its audit goes on about the labels as they were then")
            continue
        certificate = rows_of(lake, "certificate", release) if lake.commit("certificate", release) else []
        what = certificate[0]["status"] if certificate else "refused"
        told.append(f"{release} is {what} and stays as it is")
    if told:
        told.append("a later release of the batch is audited anew, which counts as a further attempt")
    return tuple(told)
