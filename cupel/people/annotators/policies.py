"""Policies: what a project does about which finding; each finding leads to one action, appended to the log."""

from collections.abc import Iterable

from cupel.config.labeling import Policies
from cupel.config.project import Project
from cupel.errors import AnswerError
from cupel.lake.annotator_actions import Action, Deed, version_of
from cupel.lake.lake import Lake
from cupel.lake.log_references import check_references

ASKED_BY = "policy"
# What an action leaves of an annotator's answers; the policy's own weight stands for weigh_down.
WEIGHTS: dict[Deed, float] = {"warn": 1.0, "remove": 0.0, "restore": 1.0}
_STRENGTH = {"warn": 0, "weigh_down": 1, "remove": 2}


def act(lake: Lake, project: Project, batches: Iterable[str]) -> list[Action]:
    """Append to the log what is due, and return it; see `due`."""
    new = due(lake, project, batches)
    lake.actions.append(new)
    return new


def due(lake: Lake, project: Project, batches: Iterable[str]) -> list[Action]:
    """Return what the policies say about findings that nothing was done about yet.

    A finding is acted on once in a batch: an annotator whom a person restored is not removed again for it.
    Findings are acted on in the order of annotators, so the same tables lead to the same actions.

    Args:
        lake: The project's lake.
        project: The project.
        batches: Its batches; those without `annotator_findings` are left out.

    Returns:
        The actions, not yet in the log.
    """
    policies = project.labeling.policies
    until = lake.answers.head().sequence
    new: list[Action] = []
    for batch in batches:
        if lake.commit("annotator_findings", batch) is None:
            continue
        known = lake.actions.read(batch)
        done = {(action.annotator, action.finding) for action in known}
        held = {name: action.deed for name, action in lake.actions.in_force(batch).items()}
        for row in lake.read("annotator_findings", batch).to_pylist():
            deed = deed_of(policies, row["finding"])
            name = row["annotator"]
            if (name, row["finding"]) in done or _STRENGTH[deed] < _STRENGTH[held.get(name, "warn")]:
                continue
            if deed != "warn":
                held[name] = deed
            new.append(
                Action(
                    batch=batch, annotator=name, deed=deed, weight=WEIGHTS.get(deed, policies.weight),
                    finding=row["finding"], evidence=row["evidence"], value=row["value"], p_value=row["p_value"],
                    items=row["items"], asked_by=ASKED_BY, answers_until=until, log10_ratio=row["log10_ratio"],
                )
            )  # fmt: skip
    return new


def is_settled(lake: Lake, project: Project, batch: str) -> bool:
    """Tell whether all that policies say of a batch's annotators was done, and its annotations are made so."""
    commit = lake.commit("annotations", batch)
    if commit is None:
        return True
    is_known = commit.inputs.get(f"actions@{batch}", version_of([])) == lake.actions.version(batch)
    return is_known and all(action.deed == "warn" for action in due(lake, project, [batch]))


def deed_of(policies: Policies, finding: str) -> Deed:
    """Return what a project does about a finding."""
    deed: Deed = getattr(policies, finding)
    return deed


def act_by_hand(lake: Lake, project: Project, batch: str, annotator: str, deed: str, why: str, by: str) -> Action:
    """Append what a person decided about an annotator of a batch.

    Args:
        lake: The project's lake.
        project: The project, its registered deliveries among them.
        batch: The batch.
        annotator: The annotator; must have answered there.
        deed: remove or restore.
        why: The reason.
        by: Who decides.

    Raises:
        AnswerError: There is no such batch or annotator, or the annotator is already as wished; or a log is damaged.
    """
    if batch not in project.raw.deliveries:
        raise AnswerError(f"batch {batch!r}: project {project.project} has none of this name")
    check_references(lake, [batch])
    if annotator not in set(lake.answers.read(batch, ["label"], ["annotator"])["annotator"].to_pylist()):
        raise AnswerError(f"annotator {annotator!r}: gave no answer in batch {batch}; see the table annotators")
    if (annotator in lake.actions.in_force(batch)) != (deed == "restore"):
        raise AnswerError(f"annotator {annotator!r}: nothing to {deed} in batch {batch}; it is so already")
    before = [action for action in lake.actions.read(batch) if action.annotator == annotator]
    action = Action(
        batch=batch, annotator=annotator, deed="remove" if deed == "remove" else "restore",
        weight=WEIGHTS["remove" if deed == "remove" else "restore"],
        finding=before[-1].finding if before and deed == "restore" else "by hand", evidence=why, value=None,
        p_value=None, items=0, asked_by=by, answers_until=lake.answers.head().sequence,
    )  # fmt: skip
    lake.actions.append([action])
    return action
