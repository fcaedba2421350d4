"""The versions of a project's guideline: an event each, with the change that led to it, appended and never changed."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from cupel.config.guideline import SHOWN_DIGITS, Change, find_contradiction, read_guideline
from cupel.config.labeling import Labeling
from cupel.config.project import Project
from cupel.contract.ontology import Ontology, Question
from cupel.errors import ProjectError
from cupel.store.event_log import Event, EventLog

GUIDELINES = "guidelines"


class GuidelineVersion(NamedTuple):
    """A version of a guideline: the text with question, kind and classes.

    `answers_from` is the sequence number of the first answer in the log that it was in force for. `change` is what led
    to it from the version before, None for the first. Text, question, kind and ontology are None of a version that this
    lake never saw, and knows by the changes in the project file only.
    """

    version: str
    text: str | None
    question: str | None
    kind: str | None
    ontology: Ontology | None
    answers_from: int
    change: Change | None

    @property
    def shown(self) -> str:
        """The version as people read it."""
        return self.version[:SHOWN_DIGITS]

    @property
    def classes(self) -> tuple[str, ...] | None:
        """The names of its classes; None where they are not known."""
        return None if self.ontology is None else self.ontology.class_names

    @property
    def text_sha256(self) -> str | None:
        """The hash of the text; None where it is not known."""
        return None if self.text is None else hash_text(self.text)

    def is_named(self, name: str) -> bool:
        """Tell whether a name, the beginning of a version, means this one."""
        return self.version.startswith(name) or name.startswith(self.version)


def hash_text(text: str) -> str:
    """Return the SHA-256 of a guideline's text."""
    return hashlib.sha256(text.encode()).hexdigest()


def format_ontology(ontology: Ontology) -> dict[str, Any]:
    """Return an ontology as JSON holds it: its classes; where it has them, questions and the least overlap."""
    found: dict[str, Any] = {"classes": list(ontology.classes)}
    if ontology.questions:
        found["questions"] = json.loads(json.dumps([question._asdict() for question in ontology.questions]))
    if ontology.least_overlap is not None:
        found["least_overlap"] = ontology.least_overlap
    return found


def parse_ontology(content: Mapping[str, Any]) -> Ontology:
    """Return the ontology that `format_ontology` wrote.

    Raises:
        LookupError: A part of it is missing.
        TypeError: It is none.
    """
    questions = tuple(
        Question(
            str(one["name"]), str(one["kind"]), tuple(map(str, one["classes"])),
            tuple((str(name), tuple(map(str, classes))) for name, classes in one["asked_if"]),
        )
        for one in content.get("questions", ())
    )  # fmt: skip
    return Ontology(tuple(map(str, content["classes"])), questions, content.get("least_overlap"))


def hash_guideline(text_sha256: str, question: str, kind: str, ontology: Ontology) -> str:
    """Return the version of a guideline: a hash of its text's hash, the question, the kind and the ontology."""
    content = json.dumps([text_sha256, question, kind, format_ontology(ontology)], separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()


def read_versions(log: EventLog) -> list[GuidelineVersion]:
    """Return the versions of a lake, the earliest first; none of a project without a guideline.

    Raises:
        StoreError: The log was altered or cut short.
    """
    return [_parse(event) for event in log.read()]


def name_history(versions: Sequence[GuidelineVersion]) -> str:
    """Return what names some versions and the changes between them: how many, and a hash."""
    digest = hashlib.sha256(json.dumps([_event(one) for one in versions], sort_keys=True).encode())
    return f"{len(versions)}:{digest.hexdigest()}"


def record_guideline(log: EventLog, project: Project, data: Path, answers: int) -> GuidelineVersion | None:
    """Record the version of a project's guideline where it is new; return the one in force.

    Args:
        log: The lake's versions.
        project: The project.
        data: The folder that the guideline's file is named relative to.
        answers: How many answers are in the log.

    Returns:
        None for a project without a guideline.

    Raises:
        ProjectError: The file is gone; the guideline changed and no change is declared; or the change contradicts
            itself, the ontologies, or what was declared before.
        StoreError: The log was altered or cut short.
    """

    def decide(events: list[Event]) -> list[Event]:
        there = [_parse(event) for event in events]
        return [_event(one) for one in find_new_versions(there, project, data, answers)]

    if project.labeling.guideline is None and not log.segment_names():
        return None
    log.append(decide)
    return read_versions(log)[-1]


def find_new_versions(
    there: Sequence[GuidelineVersion], project: Project, data: Path, answers: int
) -> list[GuidelineVersion]:
    """Return the versions that are to be recorded behind those that are there, mostly none; see `record_guideline`."""
    labeling = project.labeling
    if labeling.guideline is None:
        if not there:
            return []
        raise ProjectError(
            f"project {project.project}: key labeling.guideline: missing, but answers were given under version "
            f"{there[-1].shown}; put it back (`cupel guideline {project.project} --text` shows it)"
        )
    text = read_guideline(labeling.guideline, data, project.project)
    return _find_new(there, describe_guideline(text, labeling, answers), labeling.changes, project.project)


def check_in_force(versions: Sequence[GuidelineVersion], project: Project) -> None:
    """Refuse a project whose ontology is not that of the version in force: it is recorded when answers are collected.

    Raises:
        ProjectError: There is no version yet, or question, kind or ontology are others.
    """
    labeling = project.labeling
    now = (format_question(labeling), labeling.kind, labeling.ontology)
    if not versions or (versions[-1].question, versions[-1].kind, versions[-1].ontology) != now:
        raise ProjectError(
            f"project {project.project}: its guideline, as the project file has it, is not in force yet; collect its "
            "answers first, which every run of the chain begins with"
        )


def format_question(labeling: Labeling) -> str:
    """Return what annotators are asked; of several questions, a line each behind what is asked of all."""
    return "\n".join((labeling.question, *(f"{one.name}: {one.question}" for one in labeling.questions)))


def describe_guideline(text: str, labeling: Labeling, answers: int) -> GuidelineVersion:
    """Return a guideline as a version, before anything is known of earlier ones; see `record_guideline`."""
    question = format_question(labeling)
    version = hash_guideline(hash_text(text), question, labeling.kind, labeling.ontology)
    return GuidelineVersion(version, text, question, labeling.kind, labeling.ontology, answers + 1, None)


def bring_versions(log: EventLog, versions: Sequence[GuidelineVersion]) -> None:
    """Bring the versions of another lake into an empty log, as they are."""
    log.append(lambda there: [] if there else [_event(one) for one in versions])


def _find_new(
    there: Sequence[GuidelineVersion], now: GuidelineVersion, changes: Sequence[Change], project: str
) -> list[GuidelineVersion]:
    """Return the versions to append: none where nothing changed, else what the declared changes lead through."""
    where = f"project {project}: key labeling.changes"
    known = list(there) or [_unseen(change.from_version) for change in changes[:1]]
    if not known:
        return [now._replace(answers_from=1)]
    for later in known[1:]:
        _check_as_declared(known, later, changes, where)
    last = known[-1]
    start = next((place for place, one in enumerate(changes) if last.is_named(one.from_version)), None)
    if start is None:
        if last.is_named(now.version):
            return []
        raise ProjectError(_explain_undeclared(last, now, where))
    if last.is_named(now.version):
        raise ProjectError(
            f"{where}.{start}: starts from {last.shown}, the version in force: guideline, question and classes are "
            "what they were; change them first, or remove the entry"
        )
    new = list(known[:1]) if not there else []
    for place in range(start, len(changes)):
        is_newest = place == len(changes) - 1
        after = now if is_newest else _unseen(changes[place + 1].from_version, now.answers_from)
        if any(one.is_named(after.version) for one in (*known, *new)):
            raise ProjectError(
                f"{where}.{place}: leads back to version {after.shown}; a version is in force once: change a word of "
                "the guideline, such as a line with its date"
            )
        before = (new or known)[-1]
        if why := find_contradiction(changes[place], before.classes, after.classes):
            raise ProjectError(f"{where}.{place}.{why}")
        new.append(after._replace(change=changes[place]))
    return new


def _check_as_declared(
    known: Sequence[GuidelineVersion], later: GuidelineVersion, changes: Sequence[Change], where: str
) -> None:
    """Refuse a change that is in force and that the project file tells otherwise now."""
    before = known[known.index(later) - 1]
    for place, change in enumerate(changes):
        if before.is_named(change.from_version) and later.change is not None and change != later.change:
            raise ProjectError(
                f"{where}.{place}: the change from {before.shown} is in force as {_as_json(later.change)}; put it back "
                "so, and declare a further change instead"
            )


def _explain_undeclared(last: GuidelineVersion, now: GuidelineVersion, where: str) -> str:
    """Return what to write where a guideline changed and nothing says what becomes of earlier answers."""
    parts = [
        name
        for name, is_other in (
            ("guideline", last.text_sha256 != now.text_sha256),
            ("question", last.question != now.question),
            ("kind", last.kind != now.kind),
            ("classes", last.ontology != now.ontology),
        )
        if is_other
    ]
    gone = sorted(set(last.classes or ()) - set(now.classes or ()))
    what = f"{' and '.join(parts) or 'guideline'} changed since version {last.shown}, and no change is declared"
    fate = (
        "classes: {" + ", ".join(f"{json.dumps(name, ensure_ascii=False)}: ..." for name in gone) + "}"
        if gone
        else "answers: stay (or ask_again)"
    )
    means = "a new name, a list of names, or null for each; " if gone else ""
    return (
        f"{where}: {what}, so that it is not known which answers stay. Nothing was asked. Write at its end\n"
        f"    - from_version: {last.shown}\n"
        f"      {fate}\n"
        f"({means}see docs/how-to/change-the-guideline.md), or put back what was there"
    )


def _unseen(version: str, answers_from: int = 1) -> GuidelineVersion:
    return GuidelineVersion(version, None, None, None, None, answers_from, None)


def _parse(event: Mapping[str, Any]) -> GuidelineVersion:
    change, ontology = event["change"], event["ontology"]
    return GuidelineVersion(
        **{
            **event,
            "change": None if change is None else Change.model_validate(change),
            "ontology": None if ontology is None else parse_ontology(ontology),
        }
    )


def _event(version: GuidelineVersion) -> Event:
    change, ontology = version.change, version.ontology
    return version._asdict() | {
        "change": None if change is None else change.model_dump(mode="json", exclude_defaults=True),
        "ontology": None if ontology is None else format_ontology(ontology),
    }


def _as_json(change: Change) -> str:
    return json.dumps(change.model_dump(mode="json", exclude_defaults=True), ensure_ascii=False)
