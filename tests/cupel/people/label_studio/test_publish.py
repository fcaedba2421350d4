from collections import Counter

import pytest

from cupel.errors import WorkforceError
from cupel.lake.lake import Lake
from cupel.people.label_studio.events import Events
from label_studio_server import LabelStudioServer, Wrong, times
from live_lake import ask, gather, live_lake, log

IMPORT = r"/api/projects/\d+/import"


def texts(server: LabelStudioServer) -> Counter[str]:
    return Counter(task["data"]["text"] for task in server.shown("annotators"))


ONCE = {f"text {n}": 1 for n in range(3)}


@pytest.mark.parametrize("path", ["/api/projects/", IMPORT])
@pytest.mark.parametrize("wrong", [
    Wrong(500, is_obeyed=True), Wrong(201, None, is_obeyed=True), Wrong(200, b"", is_obeyed=True, wait_seconds=2),
    Wrong(500), Wrong(200, b"", wait_seconds=2),
])  # fmt: skip
def test_nothing_doubles_where_the_reply_to_its_making_is_lost(
    lake: Lake, server: LabelStudioServer, path: str, wrong: Wrong
) -> None:
    server.misbehaviour = times(1, "POST", path, wrong)
    gather(lake, server, timeout_seconds=1)
    assert len(server.projects) == 1
    assert texts(server) == ONCE
    gather(lake, server)
    assert texts(server) == ONCE


def test_what_died_behind_an_import_is_found_on_the_server(lake: Lake, server: LabelStudioServer) -> None:
    server.misbehaviour = times(99, "POST", IMPORT, Wrong(500, is_obeyed=True))
    lists = times(99, "GET", "/api/tasks/", Wrong(500))
    importing = server.misbehaviour
    server.misbehaviour = lambda heard: importing(heard) or lists(heard)
    with pytest.raises(WorkforceError, match="failed with status 500, 6 times"):
        gather(lake, server)
    server.misbehaviour = lambda heard: None
    gather(lake, server)
    assert texts(server) == ONCE


def test_an_import_that_arrives_late_is_closed_and_told_and_its_answers_count(
    lake: Lake, server: LabelStudioServer
) -> None:
    server.misbehaviour = times(1, "POST", IMPORT, Wrong(500))
    gather(lake, server)
    project = server.project("annotators")["id"]
    for there in list(server.tasks.values()):
        server.obey(server.heard[0]._replace(method="POST", path=f"/api/projects/{project}/import", body=[there]))
    assert set(texts(server).values()) == {2}
    late = max(server.tasks.values(), key=lambda one: int(one["id"]))
    server.annotate(late, "ann@x.org", "warm")
    assert gather(lake, server) == 1
    assert texts(server) == ONCE
    assert [event.kind for event in Events(lake).read()] == ["second_task"] * 3


def test_no_more_lie_open_than_are_allowed(lake: Lake, server: LabelStudioServer) -> None:
    gather(lake, server, most_open=2)
    assert len(server.shown("annotators")) == 2
    first = server.shown("annotators")[0]
    server.annotate(first, "ann@x.org", "warm")
    server.annotate(first, "bob@x.org", "warm")
    gather(lake, server, most_open=2)
    assert len(server.shown("annotators")) == 2
    assert len(server.tasks) == 3


def test_an_item_that_is_asked_about_no_more_is_put_to_nobody(lake: Lake, server: LabelStudioServer) -> None:
    gather(lake, server)
    ask(lake, items=1)
    gather(lake, server)
    assert texts(server) == {"text 0": 1}
    ask(lake)
    gather(lake, server)
    assert texts(server) == ONCE
    assert len(server.tasks) == 3


def test_a_task_deleted_on_the_server_is_put_there_again_while_it_is_open(
    lake: Lake, server: LabelStudioServer
) -> None:
    gather(lake, server)
    server.tasks.pop(server.shown("annotators")[0]["id"])
    ask(lake, slots=3)
    gather(lake, server)
    assert texts(server) == ONCE


def test_a_changed_configuration_is_an_error_and_what_was_answered_is_in_the_log(
    lake: Lake, server: LabelStudioServer
) -> None:
    gather(lake, server)
    server.annotate(server.shown("annotators")[0], "ann@x.org", "warm")
    there = server.project("annotators")
    there["label_config"] = there["label_config"].replace('"warm"', '"hot"')
    with pytest.raises(WorkforceError, match=r"labeling configuration was changed and does not ask for warm"):
        gather(lake, server)
    assert len(log(lake)) == 1


def test_a_project_that_is_gone_is_an_error(lake: Lake, server: LabelStudioServer) -> None:
    gather(lake, server)
    server.projects.clear()
    with pytest.raises(WorkforceError, match=r"project \d+ \(annotators\) is gone there"):
        gather(lake, server)


def test_a_project_that_is_another_lakes_is_left_alone(
    lake: Lake, server: LabelStudioServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    gather(lake, server)
    gather(live_lake(tmp_path_factory.mktemp("other")), server)
    assert len(server.projects) == 2
    next(iter(server.projects.values()))["description"] = "mine"
    with pytest.raises(WorkforceError, match="is not the one of annotators"):
        gather(lake, server)
