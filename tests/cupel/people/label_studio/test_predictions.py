import pytest

from cupel.contract.table import from_rows
from cupel.contract.tables.checking import PREDICTIONS
from cupel.contract.tables.cleaning import CLEAN_ITEMS
from cupel.contract.tables.release import RELEASE_TASKS
from cupel.contract.tables.tasks import TASKS
from cupel.lake.lake import Lake
from cupel.people.answers.shown_labels import ShownLabelsLog
from cupel.people.label_studio.predictions import is_drawn
from label_studio_server import LabelStudioServer
from live_lake import gather, task

ITEMS = 200
GOLD = {f"i{number}" for number in range(0, ITEMS, 5)}


@pytest.fixture
def predicted(lake: Lake) -> Lake:
    item = {"batch": "one", "source_file": "f", "line": 1, "group_id": "g", "licence": "CC0-1.0", "language": "und"}
    rows = [{**item, "item_id": f"i{n}", "text": f"text {n}"} for n in range(ITEMS)]
    lake.write("clean_items", "one", from_rows(rows, CLEAN_ITEMS))
    lake.write("tasks", "one", from_rows([task(n, slot) for n in range(ITEMS) for slot in (1, 2)], TASKS))
    said = [
        {"item_id": f"i{n}", "predicted_label": "warm" if n % 2 else None, "posterior": [0.9, 0.1] if n % 2 else None,
         "fold": 0, "abstention": None if n % 2 else "too short", "model": "m", "model_version": "1"}
        for n in range(ITEMS)
    ]  # fmt: skip
    lake.write("predictions", "one", from_rows(said, PREDICTIONS))
    return lake


def item_of(there: dict[str, dict[str, str]]) -> str:
    return there["data"]["text"].replace("text ", "i")


def test_no_opinion_is_shown_unless_the_project_wants_it(predicted: Lake, server: LabelStudioServer) -> None:
    gather(predicted, server)
    assert all(there["predictions"] == [] for there in server.tasks.values())
    assert server.project("annotators")["show_collab_predictions"] is False


def test_hidden_gold_never_shows_an_opinion_and_lacking_one_says_little(
    predicted: Lake, server: LabelStudioServer
) -> None:
    gather(predicted, server, hidden=GOLD, prediction_share=0.5)
    shows = {item_of(there): there["predictions"] for there in server.shown("annotators")}
    assert len(shows) == ITEMS
    assert not any(shows[item] for item in GOLD)
    could = {f"i{n}" for n in range(1, ITEMS, 2)} - GOLD
    some = {item for item, shown in shows.items() if shown}
    assert some < could
    assert 0.3 * len(could) < len(some) < 0.7 * len(could)
    lacking = {item for item, shown in shows.items() if not shown}
    assert len(lacking & GOLD) / len(lacking) < 0.4
    (one,) = shows[min(some)]
    assert one["result"] == [
        {"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": ["warm"]}}
    ]
    assert server.project("annotators")["show_collab_predictions"] is True


def test_experts_auditors_and_the_calibration_never_see_an_opinion(predicted: Lake, server: LabelStudioServer) -> None:
    rows = [{"release": "one-r1", **task(n, 1, "audit" if n % 4 == 1 else "expert")} for n in range(1, ITEMS, 2)]
    predicted.write("release_tasks", "one-r1", from_rows(rows, RELEASE_TASKS))
    known = {("one", f"i{n}"): "warm" for n in range(1, 11, 2)}
    gather(
        predicted, server, ("one-r1",), prediction_share=0.99, known=known,
        calibration={"items": 5},
    )  # fmt: skip
    assert len(server.shown("experts")) == ITEMS // 2
    assert len(server.shown("calibration")) == 5
    assert all(there["predictions"] == [] for there in server.tasks.values())
    assert not any(one["show_collab_predictions"] for one in server.projects.values())


def test_the_draw_keeps_to_its_share() -> None:
    shares = [sum(is_drawn(f"{number:032x}", share) for number in range(4000)) / 4000 for share in (0.1, 0.5, 0.9)]
    assert shares == pytest.approx([0.1, 0.5, 0.9], abs=0.03)


def test_what_is_shown_is_not_kept_unless_the_project_asks(predicted: Lake, server: LabelStudioServer) -> None:
    gather(predicted, server, hidden=GOLD, prediction_share=0.5)
    assert ShownLabelsLog(predicted).read("one") == []


def test_what_is_kept_of_shown_labels_is_what_the_server_shows(predicted: Lake, server: LabelStudioServer) -> None:
    gather(predicted, server, hidden=GOLD, labeling={"pre_labels": "checker"}, prediction_share=0.5)
    shows = {item_of(there) for there in server.shown("annotators") if there["predictions"]}
    kept = ShownLabelsLog(predicted).read("one")
    assert {one.item_id for one in kept if one.is_shown} == shows
    assert {one.item_id for one in kept} == {f"i{n}" for n in range(1, ITEMS, 2)} - GOLD
    assert {one.shown_label for one in kept} == {"warm"}
