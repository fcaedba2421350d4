"""Calibration: annotators answer items of known label first; who is right often enough may label in earnest."""

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from cupel.config.label_studio import Calibration
from cupel.config.project import Project
from cupel.contract.columns import TEXT
from cupel.contract.kind import Kind
from cupel.contract.ontology import Ontology
from cupel.lake.guideline_log import GuidelineVersion
from cupel.lake.lake import Lake
from cupel.people.answers.guidelines import translate_answers, translate_known, versions_of
from cupel.people.answers.known_labels import parse_known
from cupel.people.answers.recorded import read_gold
from cupel.sources.register import Register

PURPOSE = "calibration"
COLUMNS = ("batch", "item_id", "annotator", "label", "answered_at")
Item = tuple[str, str]


class Standing(NamedTuple):
    """How far an annotator is: known items answered and right of all, and when the last was answered, if all were.

    `passed_at` is null while items are left, and for good where too few were right.
    """

    answered: int
    right: int
    of: int
    passed_at: datetime | None

    @property
    def words(self) -> str:
        """What to tell a person of it."""
        if self.answered < self.of:
            return f"{self.answered} of {self.of} answered"
        return f"{self.right} of {self.of} right: {'passed' if self.passed_at else 'failed'}"


def known_items(project: Project, lake: Lake, data: Path) -> dict[Item, str]:
    """Return the items that everybody answers first, with their known labels; empty where none are wanted.

    They are drawn by a hash from the project's gold, of the first batches in the register that hold enough.

    Args:
        project: The project.
        lake: Its lake.
        data: Folder that the file of known labels is named relative to.

    Raises:
        AnswerError: The file cannot be read.
    """
    wanted = project.label_studio.calibration if project.label_studio else None
    found: dict[Item, str] = {}
    if wanted is None or project.labeling.gold is None:
        return found
    versions, kind = versions_of(lake, project), project.kind
    register = (entry.batch for entry in Register(lake).entries())
    for batch in dict.fromkeys([*project.raw.deliveries, *register]):
        if lake.commit("clean_items", batch) is None or len(found) >= wanted.items:
            break
        gold = read_gold(data / project.labeling.gold, batch, lambda rows: translate_known(rows, versions, kind))
        clean = lake.read("clean_items", batch, ["item_id"])
        gold = parse_known(gold, project.kind, project.labeling.ontology)
        gold = gold.filter(pc.is_in(gold["item_id"].cast(pa.string()), value_set=clean["item_id"].combine_chunks()))
        rows = [(row["item_id"], row["label"]) for row in gold.to_pylist() if row["label"] is not None]
        drawn = sorted(set(rows), key=lambda row: hashlib.sha256(f"{PURPOSE}/{batch}/{row[0]}".encode()).digest())
        found.update({(batch, item): label for item, label in drawn[: wanted.items - len(found)]})
    return found


def standings_now(project: Project, lake: Lake, data: Path) -> dict[str, Standing]:
    """Return how far everybody is, by the log alone; nobody where no calibration is asked for.

    Args:
        project: The project.
        lake: Its lake.
        data: Folder that the file of known labels is named relative to.
    """
    named = project.label_studio
    if named is None or named.calibration is None:
        return {}
    said = calibration_answers(lake, versions_of(lake, project), project.kind)
    known = known_items(project, lake, data)
    return standings(named.annotators, known, named.calibration, said, project.kind, project.labeling.ontology)


def calibration_answers(lake: Lake, versions: Sequence[GuidelineVersion], kind: Kind) -> list[dict[str, Any]]:
    """Return the answers for the calibration that are in the log, in sequence, the columns that `standings` reads.

    Args:
        lake: The project's lake.
        versions: Of the project's guideline: an answer reads under the last, and is left out where it is asked again.
        kind: The kind of the labels.
    """
    columns = None if versions else list(COLUMNS)
    said = translate_answers(lake.answers.read(purposes=[PURPOSE], columns=columns), versions, kind).answers
    found: list[dict[str, Any]] = said.select(COLUMNS).to_pylist()
    return found


def standings(
    people: Iterable[str],
    known: Mapping[Item, str],
    settings: Calibration,
    answers: Sequence[Mapping[str, Any]],
    kind: Kind,
    ontology: Ontology,
) -> dict[str, Standing]:
    """Return how far everybody is.

    Of several answers to an item the first counts; a skip is a wrong one.

    Args:
        people: Annotators.
        known: Items with their known labels.
        settings: How many must be right.
        answers: Answers for the calibration, batch, item_id, annotator, label, answered_at, in sequence.
        kind: The label kind.
        ontology: What a label may say.
    """
    said: dict[str, dict[Item, Mapping[str, Any]]] = {name: {} for name in people}
    for answer in answers:
        item = (answer["batch"], answer["item_id"])
        if item in known and answer["annotator"] in said:
            said[answer["annotator"]].setdefault(item, answer)
    least = math.ceil(settings.least_right * settings.items - 1e-9)
    found = {}
    for name, theirs in said.items():
        labels = pa.array([answer["label"] for answer in theirs.values()], TEXT)
        is_right = kind.is_same(labels, pa.array([known[item] for item in theirs], TEXT), ontology)
        right = sum(is_right.to_pylist())
        is_through = len(theirs) >= settings.items and right >= least
        times = [at for answer in theirs.values() if (at := answer["answered_at"]) is not None]
        found[name] = Standing(len(theirs), right, settings.items, max(times, default=None) if is_through else None)
    return found
