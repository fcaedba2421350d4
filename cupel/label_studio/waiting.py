"""Waiting: how many items lie open before each group, and how many answers they still await, as far as was read."""

from collections.abc import Sequence
from typing import NamedTuple

from cupel.label_studio.groups import groups
from cupel.label_studio.record import Records
from cupel.lake import Lake
from cupel.project import Project


class Waiting(NamedTuple):
    """What a batch awaits of a group: items that lie open on the server, and answers to them."""

    batch: str
    group: str
    items: int
    answers: int


def waiting(project: Project, lake: Lake) -> list[Waiting]:
    """Return what lies open, by batch and group, in the order of their names; none where nothing is.

    Raises:
        WorkforceError: A record is damaged.
    """
    found: dict[tuple[str, str], list[int]] = {}
    for group in groups(project):
        for put in Records(lake).read(group.name).puts.values():
            if put.is_open:
                found.setdefault((put.batch, group.name), []).append(put.overlap - put.people)
    return [Waiting(*key, len(answers), sum(answers)) for key, answers in sorted(found.items())]


def waiting_table(rows: Sequence[Waiting]) -> str:
    """Return it as a table in Markdown.

    >>> print(waiting_table([Waiting("movies", "annotators", 2, 3)]))
    | batch | asked of | items | answers |
    |---|---|---|---|
    | movies | annotators | 2 | 3 |
    """
    lines = [f"| {row.batch} | {row.group} | {row.items:,} | {row.answers:,} |" for row in rows]
    return "\n".join(["| batch | asked of | items | answers |", "|---|---|---|---|", *lines])
