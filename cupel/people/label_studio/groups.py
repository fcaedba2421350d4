"""The groups: who is asked what, each in a Label Studio project of its own, so that nobody sees the others' tasks."""

import hashlib
from json.encoder import encode_basestring_ascii as encoded
from typing import NamedTuple

from cupel.config.project import Project
from cupel.people.label_studio.calibration import PURPOSE

# The group that answers anew what was sent back: the annotators.
REWORK = "rework"


class Group(NamedTuple):
    """People who are asked the same kind of question.

    `people` are names by e-mail address in lower case; `answers` is how many answers an item gets at first;
    `unasked_purpose` is what an answer is for that no task asks for. `sees_disagreement`: beside an item stands what
    others said, which nobody who audits may ever see. `sees_reason`: beside it stands why it was sent back.
    """

    name: str
    purposes: tuple[str, ...]
    unasked_purpose: str
    people: dict[str, str]
    answers: int
    sees_disagreement: bool = False
    sees_reason: bool = False

    @property
    def may_be_undecided(self) -> bool:
        """An expert's finding that an item cannot be decided is an answer; an annotator's is none."""
        return not {"label", PURPOSE} & set(self.purposes)


def groups(project: Project, *, has_rework: bool = False) -> list[Group]:
    """Return the groups of a project whose workforce is Label Studio.

    Args:
        project: The project.
        has_rework: Items were sent back: the annotators answer them in a project of its own, which shows the reason.
    """
    named = project.label_studio
    if named is None:
        return []
    labeling = project.labeling
    people = [
        {address.lower(): name for name, address in those.items()}
        for those in (named.annotators, named.experts, named.auditors)
    ]
    asked = labeling.experts.answers
    annotators = [Group("annotators", ("label",), "label", people[0], labeling.overlap.first)]
    if has_rework:
        annotators.append(Group(REWORK, ("label",), "label", people[0], labeling.overlap.first, sees_reason=True))
    if named.calibration is not None:  # pulled before the others: who has passed is known when answers are matched
        annotators.insert(0, Group(PURPOSE, (PURPOSE,), PURPOSE, people[0], len(people[0])))
    if not labeling.experts.are_auditors_independent:
        # Audit and adjudication in one project: nobody can tell which of them an item is there for.
        return [*annotators, Group("experts", ("round", "audit", "expert"), "expert", people[1], asked)]
    experts = Group("experts", ("round", "expert"), "expert", people[1], asked, named.shows_disagreement)
    return [*annotators, experts, Group("auditors", ("audit",), "audit", people[2], asked)]


def task_key(lake_id: str, group: str, batch: str, item_id: str, guideline: str = "", rework: int = 0) -> str:
    """Return our own id of an item in a group: 32 hexadecimal digits that tell nothing of it.

    It is the same for an audit and an adjudication, and nobody without the lake can make or guess it.

    Args:
        lake_id: The lake's own random id.
        group: The group's name.
        batch: The batch.
        item_id: The item.
        guideline: The version that people are asked under, as it is shown: under another one the item is put anew.
        rework: How often the item was sent back: each time it is put anew.
    """
    under = f", {encoded(guideline)}" if guideline else ""
    under += f", {rework}" if rework else ""
    name = f"[{encoded(lake_id)}, {encoded(group)}, {encoded(batch)}, {encoded(item_id)}{under}]"
    return hashlib.sha256(name.encode()).hexdigest()[:32]
