from collections import Counter

from cupel.contract.table import from_rows
from cupel.contract.tables.release import RELEASE_TASKS
from cupel.lake.lake import Lake
from label_studio_server import LabelStudioServer
from live_lake import ask, gather, log, task


def test_open_questions_lie_on_the_server_once_however_often_they_are_published(
    lake: Lake, server: LabelStudioServer
) -> None:
    for _ in range(3):
        assert gather(lake, server) == 0
    assert len(server.projects) == 1
    assert Counter(task["data"]["text"] for task in server.tasks.values()) == {f"text {n}": 1 for n in range(3)}


def test_a_task_shows_its_text_and_a_key_that_tells_nothing(lake: Lake, server: LabelStudioServer) -> None:
    gather(lake, server)
    for there in server.tasks.values():
        assert set(there["data"]) == {"text", "task_id"}
        assert len(there["data"]["task_id"]) == 32
        assert set(there["data"]["task_id"]) <= set("0123456789abcdef")


def test_an_answer_comes_to_the_task_that_it_answers_with_time_and_person(
    lake: Lake, server: LabelStudioServer
) -> None:
    gather(lake, server)
    first = server.shown("annotators")[0]
    server.annotate(first, "ann@x.org", "warm", 7.5)
    server.annotate(first, "bob@x.org", 'c"old & <wet>')
    assert gather(lake, server) == 2
    one, other = log(lake)
    assert (one["task_id"], one["annotator"], one["label"], one["seconds_spent"]) == ("label-0-1", "ann", "warm", 7.5)
    assert (other["task_id"], other["annotator"], other["label"]) == ("label-0-2", "bob", 'c"old & <wet>')
    assert one["answered_at"] is not None


def test_nothing_is_collected_twice(lake: Lake, server: LabelStudioServer) -> None:
    gather(lake, server)
    for there in server.shown("annotators"):
        server.annotate(there, "ann@x.org", "warm")
    assert [gather(lake, server) for _ in range(3)] == [3, 0, 0]


def test_a_question_asked_once_more_is_put_to_one_person_more(lake: Lake, server: LabelStudioServer) -> None:
    gather(lake, server)
    for there in server.shown("annotators"):
        server.annotate(there, "ann@x.org", "warm")
        server.annotate(there, "bob@x.org", "warm")
    gather(lake, server)
    assert server.shown("annotators") == []
    ask(lake, slots=3, items=1)
    gather(lake, server)
    (again,) = server.shown("annotators")
    assert (again["data"]["text"], again["overlap"]) == ("text 0", 3)
    server.annotate(again, "cy@x.org", "warm")
    assert gather(lake, server) == 1
    assert log(lake)[-1]["task_id"] == "label-0-3"


def test_experts_have_a_project_of_their_own_that_hides_whether_an_item_is_audited(
    lake: Lake, server: LabelStudioServer
) -> None:
    rows = [{"release": "one-r1", **task(0, 1, "audit")}, {"release": "one-r1", **task(1, 1, "expert")}]
    lake.write("release_tasks", "one-r1", from_rows(rows, RELEASE_TASKS))
    gather(lake, server, ("one-r1",))
    there = server.shown("experts")
    assert [one["data"]["text"] for one in there] == ["text 0", "text 1"]
    assert all(set(one["data"]) == {"text", "task_id"} for one in there)
    assert server.project("experts")["id"] != server.project("annotators")["id"]
    assert "audit" not in str(server.project("experts"))
    for one in there:
        server.annotate(one, "eve@x.org", "warm")
    assert gather(lake, server, ("one-r1",)) == 2
    assert [(row["task_id"], row["purpose"]) for row in log(lake)] == [("audit-0-1", "audit"), ("expert-1-1", "expert")]
