from datetime import UTC, datetime, timedelta

from cupel.lake.annotator_actions import Action
from cupel.lake.lake import Lake
from cupel.people.annotators.policies import WEIGHTS
from cupel.people.label_studio.waiting import Waiting, waiting, waiting_table
from label_studio_server import LabelStudioServer
from live_lake import ask, gather, project


def test_what_lies_open_is_counted_by_batch_and_group(lake: Lake, server: LabelStudioServer) -> None:
    assert waiting(project(server.url), lake) == []
    gather(lake, server)
    assert waiting(project(server.url), lake) == [
        Waiting("one", "annotators", 3, 6, by=(("ann", 0), ("bob", 0), ("cy", 0)))
    ]
    first, second, _ = server.shown("annotators")
    server.annotate(first, "ann@x.org", "warm")
    server.annotate(first, "bob@x.org", "warm")
    server.annotate(second, "ann@x.org", "warm")
    gather(lake, server)
    assert waiting(project(server.url), lake) == [
        Waiting("one", "annotators", 2, 3, given=3, by=(("ann", 2), ("bob", 1), ("cy", 0)))
    ]


def test_items_are_told_for_which_nobody_is_left_to_ask(lake: Lake, server: LabelStudioServer) -> None:
    gather(lake, server)
    first = server.shown("annotators")[0]
    server.annotate(first, "ann@x.org", "warm")
    for name in ("bob", "cy"):
        lake.actions.append(
            [Action("one", name, "remove", WEIGHTS["remove"], "by hand", "", None, None, 0, "me@x.org", 0)]
        )
    gather(lake, server)
    (row,) = waiting(project(server.url), lake)
    assert row.stuck == 3  # one waits for a second person, two for two, and only ann is left
    assert "3 of them with nobody left to ask" in waiting_table([row])


def test_a_forecast_is_of_the_pace_at_which_answers_came(lake: Lake, server: LabelStudioServer) -> None:
    ask(lake, slots=30)
    gather(lake, server)
    server.skew = timedelta(hours=-5)
    for there in server.shown("annotators"):
        for number in range(10):
            server.users[100 + number] = f"p{number}@x.org"
            server.annotate(there, f"p{number}@x.org", "warm")
            server.skew += timedelta(minutes=10)
    server.skew = timedelta(0)
    people = {f"p{number}": f"p{number}@x.org" for number in range(10)}
    gather(lake, server, annotators=people)
    (row,) = waiting(project(server.url, annotators=people), lake, datetime.now(UTC))
    assert (row.given, row.answers) == (30, 60)
    assert row.forecast is not None
    assert timedelta(hours=9) < row.forecast.expected < timedelta(hours=11)
