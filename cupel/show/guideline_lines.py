"""The versions of a project's guideline in lines for the terminal: what is in force, what led to it, what lapsed."""

from collections import Counter
from pathlib import Path

from cupel.config.guideline import Change
from cupel.config.project import Project
from cupel.figures import count, plural
from cupel.lake.guideline_log import GUIDELINES, GuidelineVersion, find_new_versions, read_versions
from cupel.lake.lake import Lake
from cupel.people.answers.guidelines import places_of
from cupel.release.guidelines import lapsed_certificates

_COLUMNS = ["sequence", "source", "task_id", "purpose"]
# They are about whether an item is wanted, whatever its label is.
_OF_OTHER_QUESTIONS = ("contamination", "contamination_audit")


def guideline_lines(lake: Lake, project: Project, data: Path) -> list[str]:
    """Return what there is to say of a project's guideline.

    Args:
        lake: The project's lake.
        project: The project.
        data: Folder that the guideline's file is named relative to.

    Raises:
        ProjectError: The guideline is gone, or changed and no change is declared.
    """
    versions = read_versions(lake.log(GUIDELINES))
    if project.labeling.guideline is None and not versions:
        return [f"{project.project} has no guideline with versions; name its text in labeling.guideline"]
    new = find_new_versions(versions, project, data, lake.answers.head().sequence)
    given = _count_answers(lake, versions)
    lines = []
    for place, version in enumerate(versions):
        state = "in force" if version is versions[-1] and not new else "replaced"
        lines.append(f"{version.shown}  {state}, from answer {count(version.answers_from)} on: {_words(given[place])}")
        lines += _describe(version)
    for version in new:
        lines.append(f"{version.shown}  comes into force with the next run")
        lines += _describe(version)
    for release, shown in lapsed_certificates(lake):
        lines.append(f"release {release} is certified under {shown}, which was replaced; `cupel release` plans another")
    return lines


def _describe(version: GuidelineVersion) -> list[str]:
    lines = [] if version.change is None else [f"  {line}" for line in change_lines(version.change)]
    if version.classes is not None:
        lines.append(f"  classes: {', '.join(version.classes)}")
    return lines if version.text is not None else [*lines, "  its text is not known here"]


def change_lines(change: Change) -> list[str]:
    """Return a change in words, a line a class.

    >>> change_lines(Change(from_version="0" * 12, classes={"glad": "happy", "odd": None}, answers="stay"))
    ["'glad' is now 'happy'; its answers stay", "'odd' was dropped; its items are asked again", 'other answers stay']
    """
    lines = []
    for old, new in change.classes.items():
        if new is None:
            lines.append(f"{old!r} was dropped; its items are asked again")
        elif isinstance(new, str):
            lines.append(f"{old!r} is now {new!r}; its answers stay")
        else:
            lines.append(f"{old!r} was split into {', '.join(new)}; its items are asked again")
    if change.answers == "ask_again":
        return [*lines, "all other answers are asked again"]
    if change.classes_asked_again:
        lines.append(f"answers {', '.join(map(repr, change.classes_asked_again))} are asked again")
    return [*lines, "other answers stay"]


def _count_answers(lake: Lake, versions: list[GuidelineVersion]) -> Counter[int]:
    """Return how many answers were given under each version, by its place."""
    found = Counter[int]()
    if versions:
        answers = lake.answers.read(columns=_COLUMNS)
        meant = [purpose not in _OF_OTHER_QUESTIONS for purpose in answers["purpose"].to_pylist()]
        found.update(places_of(answers.filter(meant), versions).tolist())
    return found


def _words(answers: int) -> str:
    return plural(answers, "answer")
