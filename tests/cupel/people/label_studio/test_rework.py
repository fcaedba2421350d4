from cupel.lake.lake import Lake
from cupel.lake.send_back_log import SendBack
from cupel.people.label_studio.waiting import waiting
from label_studio_server import LabelStudioServer
from live_lake import ask, gather, log, project

REASON = "read rule 4, $1 is <b>no</b> price"


def answer_all(server: LabelStudioServer, group: str) -> None:
    for there in server.shown(group):
        for person in ("ann@x.org", "bob@x.org"):
            server.annotate(there, person, "warm")


def send_back(lake: Lake, *items: str, reason: str = REASON) -> None:
    """Send items back, and put two further questions about the first of them into the outbox."""
    head = lake.answers.head().sequence
    event = SendBack("one", items, reason, "lea", "items.csv", (), (), head, (), "2020-01-01T00:00:00+00:00")
    lake.send_backs.append(lambda _: [event])


def test_what_is_sent_back_lies_in_a_project_of_its_own_with_the_reason_and_the_same_people_answer(
    lake: Lake, server: LabelStudioServer
) -> None:
    gather(lake, server)
    answer_all(server, "annotators")
    assert gather(lake, server) == 6
    assert [one["title"] for one in server.projects.values()] == ["Warm or cold: annotators"]
    send_back(lake, "i0")
    ask(lake, slots=4, items=1)
    gather(lake, server)
    (again,) = server.shown("rework")
    assert (again["data"]["text"], again["data"]["sent_back"]) == ("text 0", f"sent back: {REASON}")
    assert again["annotations"] == []
    assert '<Text name="sent_back" value="$sent_back"' in server.project("rework")["label_config"]
    assert "sent_back" not in str(server.project("annotators")["label_config"])
    assert server.shown("annotators") == []
    assert [(row.group, row.answers, row.stuck) for row in waiting(project(server.url), lake)] == [("rework", 2, 0)]
    answer_all(server, "rework")
    assert gather(lake, server) == 2
    new = log(lake)[-2:]
    assert [(row["task_id"], row["annotator"]) for row in new] == [("label-0-3", "ann"), ("label-0-4", "bob")]
    assert gather(lake, server) == 0
    assert server.shown("rework") == []


def test_sent_back_once_more_it_is_put_anew_with_the_new_reason(lake: Lake, server: LabelStudioServer) -> None:
    gather(lake, server)
    answer_all(server, "annotators")
    gather(lake, server)
    for slots, reason in ((4, "first"), (6, "second")):
        send_back(lake, "i0", reason=reason)
        ask(lake, slots=slots, items=1)
        gather(lake, server)
        (again,) = server.shown("rework")
        assert (again["data"]["sent_back"], again["annotations"]) == (f"sent back: {reason}", [])
        answer_all(server, "rework")
        assert gather(lake, server) == 2


def test_an_annotation_edited_in_the_old_project_answers_no_question_of_the_rework(
    lake: Lake, server: LabelStudioServer
) -> None:
    gather(lake, server)
    first = server.shown("annotators")[0]
    answer_all(server, "annotators")
    gather(lake, server)
    send_back(lake, "i0")
    ask(lake, slots=4, items=1)
    gather(lake, server)
    server.annotate(first, "cy@x.org", "warm")
    assert gather(lake, server) == 1
    assert log(lake)[-1]["task_id"] is None
    assert len(server.shown("rework")) == 1
