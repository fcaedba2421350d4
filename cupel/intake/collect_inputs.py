"""The world comes in: what lies in the inbox is taken, new releases are proposed, answers are collected."""

import logging
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from cupel.check.aside import clear_for_run
from cupel.check.check import find_damage
from cupel.config.project import Known, Project
from cupel.errors import AnswerError
from cupel.kinds import KNOWN
from cupel.kinds.projects import load_project
from cupel.lake.guideline_log import GUIDELINES, record_guideline
from cupel.lake.lake import Lake
from cupel.people.annotators.policies import act
from cupel.people.answers.collect import Workforce, collect
from cupel.people.answers.one_after_another import OneAfterAnother
from cupel.people.answers.recorded import RecordedWorkforce, read_gold
from cupel.people.answers.recorded_files import batches_in
from cupel.people.answers.shown_labels import ShownLabelsLog
from cupel.people.answers.signed_answers import SIGNED_ANSWERS, SortedFiles, sort_files
from cupel.people.label_studio.calibration import Standing, known_items, standings_now
from cupel.people.label_studio.pictures import file_preview
from cupel.people.label_studio.waiting import Waiting, waiting
from cupel.people.label_studio.workforce import LabelStudioWorkforce
from cupel.release.plan import ALL, is_finished
from cupel.release.proposals import propose_new, proposed
from cupel.signing.trusted_keys import read_trusted_keys
from cupel.sources.inbox import (
    ANSWER_FORMATS,
    Arrival,
    Taken,
    answer_files,
    arrivals,
    refuse_arrival,
    take,
    take_unregistered,
    whole,
)
from cupel.sources.register import with_registered
from cupel.store.event_log import LogHead
from cupel.store.files import is_file
from cupel.store.locks import COLLECTING

_log = logging.getLogger(__name__)
# What looks the same after so long is held to be whole, unless who brings it marks it.
SECONDS_BETWEEN_LOOKS = 2.0


class CollectedInputs(NamedTuple):
    """What came in, what the project holds now, what lies open before people in Label Studio, and who has passed."""

    taken: list[Taken]
    proposed: list[str]
    written: int
    head: LogHead
    batches: list[str]
    releases: list[str]
    waiting: list[Waiting]
    calibration: Mapping[str, Standing]


def current_project(folder: Path, lake: Lake, known: Known = KNOWN) -> Project:
    """Return a project as it is now: its file, and the deliveries that arrived."""
    return with_registered(load_project(folder / f"{lake.project}.yaml", known), lake)


def collect_inputs(projects: Path, lake: Lake, data: Path, inbox: Path | None, known: Known = KNOWN) -> CollectedInputs:
    """Let the world come in to a project.

    Args:
        projects: Folder of the project files.
        lake: The project's lake.
        data: Folder that recorded answers are named relative to.
        inbox: The project's inbox; None: nothing arrives by itself.
        known: The label kinds and modalities that project files may name.

    Raises:
        ProjectError: The project file is wrong; or its guideline is gone, or changed and nothing says what follows.
        AnswerError: The log is broken, lacks what a table was made from, or a file of answers cannot be read.
        FormatError: The lake is of another format.
        LakeError: Something is damaged that no run makes again.
    """
    lake.check_writable()
    with collecting(lake):
        lake.store.remove_left_behind()
        clear_for_run(lake, find_damage(lake, is_light=True), _log.warning)
        taken = [] if inbox is None else take_whole(projects, lake, inbox, known)
        project = current_project(projects, lake, known)
        # Before anything is asked: a guideline that is gone, or changed without a word, ends it here.
        record_guideline(lake.log(GUIDELINES), project, data, lake.answers.head().sequence)
        new = [] if project.operation.release else propose_new(lake, project, "the chain")
        batches = list(project.raw.deliveries)
        act(lake, project, batches)
        releases = releases_of(lake, project)
        unfinished = [name for name in releases if not is_finished(lake, name)]
        files = sort_answer_files(project, lake, data)
        taken += [Taken(name, "refused", None, reason) for name, reason in files.refused.items()]
        written = collect(lake, workforce(project, lake, data, files.files), batches, unfinished)
        find_damage(lake, is_light=True)  # remembers what came to be
    standing = standings_now(project, lake, data)
    return CollectedInputs(
        taken, new, written, lake.answers.head(), batches, releases, waiting(project, lake), standing
    )


def collecting(lake: Lake) -> AbstractContextManager[bool]:
    """Wait for one's turn to let the world in: a second process, such as the daemon's next run, comes after."""
    return lake.store.lock(COLLECTING)


def take_whole(projects: Path, lake: Lake, inbox: Path, known: Known = KNOWN) -> list[Taken]:
    """Take all that lies whole in an inbox; what is not marked as whole is looked at twice."""
    now = datetime.now(UTC)
    taken = take_unregistered(current_project(projects, lake, known), lake, now)
    there = arrivals(inbox)
    if any(not arrival.is_marked for arrival in there):
        time.sleep(SECONDS_BETWEEN_LOOKS)
    looks = {str(arrival.path): arrival.look for arrival in there}
    for arrival in whole(arrivals(inbox), looks):
        if (reason := _explain_answers(arrival)) is not None:
            taken.append(refuse_arrival(arrival, reason))
        else:
            taken.append(take(arrival, current_project(projects, lake, known), lake, now))
    return taken


def _explain_answers(arrival: Arrival) -> str | None:
    """Return why an arrival cannot be read as answers; None where it can, or is none: a bad file would end all runs."""
    is_answers = arrival.kind == "answers" and arrival.problem is None and arrival.path.name.endswith(ANSWER_FORMATS)
    if not is_answers or not is_file(arrival.path):
        return None
    try:
        batches_in(arrival.path)
    except AnswerError as error:
        return str(error)
    return None


def releases_of(lake: Lake, project: Project) -> list[str]:
    """Return the releases that were proposed or frozen; not those of deliveries that the project no longer names."""
    return [name for name in proposed(lake) if name.rpartition("-r")[0] in (ALL, *project.raw.deliveries)]


def sort_answer_files(project: Project, lake: Lake, data: Path) -> SortedFiles:
    """Return the files of answers that are taken in, and why others are not: of each signature it is recorded whose.

    Raises:
        SigningError: The trust file that the project names cannot be read.
    """
    files = [*(data / name for name in project.labeling.answers), *answer_files(lake)]
    keys = project.labeling.experts.keys
    trusted = None if keys is None else read_trusted_keys(data / keys)
    found = sort_files(files, trusted, lake.log(SIGNED_ANSWERS), lake.answers.head().sequence)
    for name, reason in found.refused.items():
        _log.warning("%s: %s", name, reason)
    return found


def workforce(project: Project, lake: Lake, data: Path, files: list[Path] | None = None) -> Workforce:
    """Return who answers: people whose answers lie in files, and behind them those in Label Studio, if it is named.

    Args:
        project: The project.
        lake: Its lake.
        data: Folder that recorded answers are named relative to.
        files: What `sort_answer_files` returned; None: it is asked.

    Raises:
        WorkforceError: The environment lacks Label Studio's token.
    """
    recorded = RecordedWorkforce(
        sort_answer_files(project, lake, data).files if files is None else files,
        [model.name for model in project.labeling.models],
        None if project.labeling.pre_labels is None else ShownLabelsLog(lake),
        has_guideline=project.labeling.guideline is not None,
        classes=project.labeling.classes,
    )
    if project.labeling.workforce == "recorded":
        return recorded
    gold = project.labeling.gold

    def hidden(batch: str) -> set[str]:
        return set() if gold is None else set(read_gold(data / gold, batch)["item_id"].to_pylist())

    live = LabelStudioWorkforce(
        project,
        lake,
        known=lambda: known_items(project, lake, data),
        hidden=hidden,
        preview=file_preview(project, lake, data),
    )
    return OneAfterAnother(recorded, live)
