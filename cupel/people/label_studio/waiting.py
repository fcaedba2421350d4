"""Waiting: what lies open before each group, who answered, and when it will be done, as far as was read."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from cupel.config.project import Project
from cupel.contract.kind import Kind
from cupel.lake.guideline_log import GuidelineVersion
from cupel.lake.lake import Lake
from cupel.lake.send_back_log import SendBack
from cupel.people.answers.annotations import LIVE
from cupel.people.answers.guidelines import translate_answers, versions_of
from cupel.people.answers.sent_back import SENT_BACK, mark_answers, rework_by_item
from cupel.people.label_studio.forecast import Forecast, forecast, words
from cupel.people.label_studio.groups import Group, groups
from cupel.people.label_studio.record import Put, Records


class Waiting(NamedTuple):
    """What a batch awaits of a group: items that lie open on the server, and answers to them.

    `stuck` are those of the items for which nobody of the group is left to ask; `given` the answers that came so
    far, `by` whom; `forecast` when the awaited ones will have come, null where there is no pace yet.
    """

    batch: str
    group: str
    items: int
    answers: int
    stuck: int = 0
    given: int = 0
    by: tuple[tuple[str, int], ...] = ()
    forecast: Forecast | None = None


def waiting(project: Project, lake: Lake, now: datetime | None = None) -> list[Waiting]:
    """Return what lies open, by batch and group, in the order of their names; none where nothing is.

    Args:
        project: The project.
        lake: Its lake.
        now: The time that forecasts begin at; None: now.

    Raises:
        WorkforceError: A record is damaged.
    """
    found, versions = [], versions_of(lake, project)
    for group in groups(project, has_rework=bool(lake.send_backs.read())):
        batches: dict[str, list[Put]] = {}
        for put in Records(lake).read(group.name).puts.values():
            if put.is_open:
                batches.setdefault(put.batch, []).append(put)
        found += [_waiting(lake, group, batch, puts, now, versions, project.kind) for batch, puts in batches.items()]
    return sorted(found, key=lambda row: (row.batch, row.group))


def _waiting(
    lake: Lake, group: Group, batch: str, puts: Sequence[Put], now: datetime | None,
    versions: Sequence[GuidelineVersion], kind: Kind,
) -> Waiting:  # fmt: skip
    columns = None if versions else ["item_id", "annotator", "answered_at", "source", "sequence"]
    # Whose answer is asked again may answer again.
    log = translate_answers(lake.answers.read(batch, group.purposes, columns), versions, kind).answers
    log = _of_group(log, group, lake.send_backs.read(batch))
    log = log.filter(pc.and_(pc.starts_with(log["source"], f"{LIVE}:"), pc.is_valid(log["annotator"])))
    times = [at for at in log["answered_at"].to_pylist() if at is not None]
    # The server's clock may run before ours.
    latest = max([now or datetime.now(UTC), *times])
    awaited = sum(put.overlap - put.people for put in puts)
    by = Counter({name: 0 for name in group.people.values()})
    by.update(log["annotator"].to_pylist())
    return Waiting(
        batch, group.name, len(puts), awaited, _stuck(lake, group, batch, puts, log), log.num_rows,
        tuple(sorted(by.items(), key=lambda one: (-one[1], one[0]))), forecast(times, awaited, latest),
    )  # fmt: skip


def _of_group(log: pa.Table, group: Group, send_backs: Sequence[SendBack]) -> pa.Table:
    """Return the answers of a group; annotators have one for what was sent back, whose old answers are none."""
    if "label" not in group.purposes or not send_backs:
        return log
    items = pa.array(list(rework_by_item(send_backs)), pa.string())
    is_rework = pc.and_(
        pc.is_in(log["item_id"], value_set=items), pa.array(~mark_answers(log, send_backs).flags[SENT_BACK])
    )
    return log.filter(is_rework if group.sees_reason else pc.invert(is_rework))


def _stuck(lake: Lake, group: Group, batch: str, puts: Iterable[Put], log: pa.Table) -> int:
    """Return for how many items more answers are wanted than people are left who have not answered."""
    removed = set()
    if "label" in group.purposes:
        removed = {name for name, action in lake.actions.in_force(batch).items() if not action.weight}
    left = set(group.people.values()) - removed
    answered: dict[str, set[str]] = {}
    for item, who in zip(log["item_id"].to_pylist(), log["annotator"].to_pylist(), strict=True):
        answered.setdefault(item, set()).add(who)
    return sum(len(left - answered.get(put.item_id, set())) < put.overlap - put.people for put in puts)


def waiting_table(rows: Sequence[Waiting]) -> str:
    """Return it as a table in Markdown.

    >>> print(waiting_table([Waiting("movies", "annotators", 2, 3, 1, 5, (("ann", 5), ("bob", 0)))]))
    | batch | asked of | items | answers awaited | came so far | by | done |
    |---|---|---|---|---|---|---|
    | movies | annotators | 2, 1 of them with nobody left to ask | 3 | 5 | ann 5, bob 0 | no pace yet |
    """
    lines = []
    for row in rows:
        stuck = f", {row.stuck:,} of them with nobody left to ask" if row.stuck else ""
        by = ", ".join(f"{name} {number:,}" for name, number in row.by)
        lines.append(
            f"| {row.batch} | {row.group} | {row.items:,}{stuck} | {row.answers:,} | {row.given:,} | {by} | "
            f"{words(row.forecast)} |"
        )
    heads = ("batch", "asked of", "items", "answers awaited", "came so far", "by", "done")
    return "\n".join([f"| {' | '.join(heads)} |", "|---" * len(heads) + "|", *lines])
