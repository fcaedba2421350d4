"""A guideline before people in Label Studio: shown, changed, and who answers what under which version."""

from pathlib import Path
from typing import Any

from cupel.config.project import Project
from cupel.contract.table import from_rows
from cupel.contract.tables.tasks import TASKS
from cupel.kinds.category import CATEGORY
from cupel.kinds.projects import make_project
from cupel.lake.guideline_log import GUIDELINES, GuidelineVersion, record_guideline
from cupel.lake.lake import Lake
from cupel.people.answers.collect import collect
from cupel.people.answers.guidelines import task_suffix, translate_answers, versions_of
from cupel.people.label_studio.waiting import waiting
from cupel.people.label_studio.workforce import LabelStudioWorkforce
from label_studio_server import LEGACY, LabelStudioServer
from live_lake import log, project, task

FIRST, SECOND = "Say warm of <sun> & fire.\nNothing else.", "Say warm of fire alone."


def labelled(server: LabelStudioServer, guideline: str, **labeling: Any) -> Project:
    content = project(server.url).model_dump(mode="json", exclude_unset=True)
    content["labeling"] |= {"guideline": guideline, **labeling}
    return make_project(content)


def record(lake: Lake, about: Project) -> GuidelineVersion:
    found = record_guideline(lake.log(GUIDELINES), about, Path(), lake.answers.head().sequence)
    assert found is not None
    return found


def ask(lake: Lake, about: Project, slots: range) -> None:
    """Put questions about one item into the outbox, under the guideline in force."""
    suffix = task_suffix(versions_of(lake, about))
    rows = [{**task(0, slot), "task_id": f"label-0-{slot}{suffix}"} for slot in slots]
    lake.write("tasks", "one", from_rows(rows, TASKS))


def gather(lake: Lake, about: Project) -> int:
    live = LabelStudioWorkforce(about, lake, {"CUPEL_LABEL_STUDIO_TOKEN": LEGACY}, lambda seconds: None)
    return collect(lake, live, ["one"], [])


def test_people_are_shown_the_guideline_as_it_was_written(lake: Lake, server: LabelStudioServer) -> None:
    about = labelled(server, FIRST)
    record(lake, about)
    ask(lake, about, range(1, 3))
    gather(lake, about)
    (there,) = server.projects.values()
    assert there["show_instruction"] is True
    assert there["expert_instruction"] == "Say warm of &lt;sun&gt; &amp; fire.<br>\nNothing else."


def test_without_a_guideline_the_server_is_told_of_none(lake: Lake, server: LabelStudioServer) -> None:
    gather(lake, project(server.url))
    (there,) = server.projects.values()
    assert not {"expert_instruction", "show_instruction"} & set(there)


def test_under_a_new_guideline_the_same_people_are_asked_anew(lake: Lake, server: LabelStudioServer) -> None:
    about = labelled(server, FIRST)
    first = record(lake, about)
    ask(lake, about, range(1, 3))
    gather(lake, about)
    (old,) = server.shown("annotators")
    server.annotate(old, "ann@x.org", "warm")
    assert gather(lake, about) == 1

    # Bob answers what he was shown under the first guideline, after the second came into force.
    server.annotate(old, "bob@x.org", "warm")
    change = {"from_version": first.shown, "answers": {"ask_again": ["warm"]}}
    about = labelled(server, SECOND, changes=[change])
    second = record(lake, about)
    assert gather(lake, about) == 1
    assert server.shown("annotators") == []  # nobody is asked under the first any more
    assert next(iter(server.projects.values()))["expert_instruction"] == SECOND

    ask(lake, about, range(3, 5))
    gather(lake, about)
    (new,) = server.shown("annotators")
    assert new["id"] != old["id"]
    assert {row.answers: row.stuck for row in waiting(about, lake)} == {2: 0}
    server.annotate(new, "ann@x.org", "warm")
    assert gather(lake, about) == 1
    assert [(row["annotator"], row["task_id"]) for row in log(lake)] == [
        ("ann", f"label-0-1@{first.shown}"), ("bob", f"label-0-2@{first.shown}"), ("ann", f"label-0-3@{second.shown}"),
    ]  # fmt: skip
    read = translate_answers(lake.answers.read("one"), versions_of(lake, about), CATEGORY)
    assert read.answers["sequence"].to_pylist() == [3]
    assert read.rejected["sequence"].to_pylist() == [1, 2]
