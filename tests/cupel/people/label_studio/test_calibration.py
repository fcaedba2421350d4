from functools import partial
from pathlib import Path

import pytest

from cupel.config.label_studio import Calibration
from cupel.contract.ontology import Ontology
from cupel.errors import ProjectError, WorkforceError
from cupel.kinds.category import CATEGORY
from cupel.kinds.projects import load_project
from cupel.lake.lake import Lake
from cupel.people.answers.annotations import annotations, keep_classes
from cupel.people.label_studio.calibration import known_items, standings
from cupel.people.label_studio.workforce import LabelStudioWorkforce
from label_studio_server import LEGACY, LabelStudioServer
from live_lake import CLASSES, gather, log, project
from small_project import write_project

WANTED = {"items": 2, "least_right": 1.0}
KNOWN = {("one", "i0"): "warm", ("one", "i1"): "warm"}

PARSE = partial(keep_classes, classes=CLASSES)


def collected(lake: Lake, server: LabelStudioServer) -> int:
    return gather(lake, server, known=KNOWN, calibration=WANTED)


def calibrate(lake: Lake, server: LabelStudioServer, **said: str | None) -> None:
    """Let people answer both known items, with that label, or right where none is given."""
    for there in server.shown("calibration"):
        for name, label in said.items():
            server.annotate(there, f"{name}@x.org", label)


def test_known_items_come_first_and_nothing_else_before_enough_have_passed(
    lake: Lake, server: LabelStudioServer
) -> None:
    collected(lake, server)
    assert [one["title"].rpartition(" ")[2] for one in server.projects.values()] == ["calibration"]
    assert [(there["data"]["text"], there["overlap"]) for there in server.shown("calibration")] == [
        ("text 0", 3), ("text 1", 3)
    ]  # fmt: skip
    calibrate(lake, server, ann="warm")
    collected(lake, server)
    assert len(server.projects) == 1  # overlap.first is 2, and one has passed
    calibrate(lake, server, bob="warm", cy=CLASSES[1])
    collected(lake, server)
    assert len(server.shown("annotators")) == 3
    assert server.shown("calibration") == []
    assert {row["purpose"] for row in log(lake)} == {"calibration"}


def test_who_failed_or_has_not_answered_all_is_rejected_with_the_reason_and_another_is_asked(
    lake: Lake, server: LabelStudioServer
) -> None:
    collected(lake, server)
    calibrate(lake, server, ann="warm", bob="warm", cy=CLASSES[1])
    collected(lake, server)
    first = server.shown("annotators")[0]
    server.annotate(first, "cy@x.org", "warm")
    server.annotate(first, "ann@x.org", "warm")
    collected(lake, server)
    kept, rejected = annotations(lake.answers.read("one", ["label"]), ["i0", "i1", "i2"], PARSE, True)
    assert [(row["annotator"], row["item_id"]) for row in kept.to_pylist()] == [("ann", "i0")]
    assert [(row["annotator"], row["reason"]) for row in rejected.to_pylist()] == [("cy", "not_calibrated")]
    assert first in server.shown("annotators")
    server.annotate(first, "bob@x.org", "warm")
    collected(lake, server)
    kept, _ = annotations(lake.answers.read("one", ["label"]), ["i0", "i1", "i2"], PARSE, True)
    assert sorted(kept["annotator"].to_pylist()) == ["ann", "bob"]


def test_an_answer_given_before_passing_does_not_count_and_one_given_after_it_does_in_one_collection(
    lake: Lake, server: LabelStudioServer
) -> None:
    collected(lake, server)
    calibrate(lake, server, ann="warm", bob="warm")
    collected(lake, server)
    early, late, _ = server.shown("annotators")
    server.annotate(early, "cy@x.org", "warm")
    calibrate(lake, server, cy="warm")
    server.annotate(late, "cy@x.org", "warm")
    collected(lake, server)
    kept, rejected = annotations(lake.answers.read("one", ["label"]), ["i0", "i1", "i2"], PARSE, True)
    assert [row["item_id"] for row in kept.to_pylist()] == ["i1"]
    assert [(row["item_id"], row["reason"]) for row in rejected.to_pylist()] == [("i0", "not_calibrated")]


COLOURS = (CATEGORY, Ontology(("warm", "cold")))


def test_the_first_answer_counts_and_a_skip_is_a_wrong_one() -> None:
    def said(item: str, label: str | None) -> dict[str, object]:
        return {"batch": "one", "item_id": item, "annotator": "ann", "label": label, "answered_at": None}

    settings = Calibration(items=2, least_right=0.5)
    found = standings(["ann"], KNOWN, settings, [said("i0", "x"), said("i0", "warm"), said("i1", None)], *COLOURS)[
        "ann"
    ]
    assert (found.answered, found.right) == (2, 0)
    assert found.words == "0 of 2 right: failed"
    assert standings(["ann"], KNOWN, settings, [said("i0", "warm")], *COLOURS)["ann"].words == "1 of 2 answered"


@pytest.mark.parametrize(("right", "passes"), [(15, False), (16, True)])
def test_sixteen_of_twenty_pass_and_fifteen_do_not(right: int, passes: bool, server: LabelStudioServer) -> None:
    known = {("one", f"i{n}"): "warm" for n in range(20)}
    now = "2026-01-01T00:00:00Z"
    answers = [
        {"batch": "one", "item_id": f"i{n}", "annotator": "ann", "label": "warm" if n < right else "x",
         "answered_at": now}
        for n in range(20)
    ]  # fmt: skip
    assert (standings(["ann"], known, Calibration(), answers, *COLOURS)["ann"].passed_at is not None) == passes


def test_known_items_are_drawn_from_the_gold_that_is_clean_and_are_the_same_every_time(lake: Lake) -> None:
    about = project("http://127.0.0.1:9", calibration=WANTED)
    data = Path(str(lake.folder))
    rows = ["batch,item_id,label", *(f"one,i{n},warm" for n in (0, 2)), "one,dropped,warm", "two,i1,warm"]
    (data / "gold.csv").write_text("\n".join(rows) + "\n")
    found = known_items(about, lake, data)
    assert found == known_items(about, lake, data) == {("one", "i0"): "warm", ("one", "i2"): "warm"}
    one = project("http://127.0.0.1:9", calibration={"items": 1})
    assert len(known_items(one, lake, data)) == 1


def test_too_few_known_items_are_an_error_that_says_how_many(lake: Lake, server: LabelStudioServer) -> None:
    with pytest.raises(WorkforceError, match=r"20 known items are to be asked first, and labeling\.gold knows 2"):
        gather(lake, server, known=KNOWN, calibration={})


def test_a_calibration_needs_gold(tmp_path: Path) -> None:
    people = {"annotators": {"ann": "a@x.org"}, "experts": {"eve": "e@x.org"}}
    deployment = write_project(
        tmp_path, items=1, labeling={"workforce": "label_studio"},
        label_studio={"url": "http://127.0.0.1:9", "calibration": {}, **people},
    )  # fmt: skip
    with pytest.raises(ProjectError, match=r"name their file in labeling\.gold"):
        load_project(deployment.projects / "small.yaml")


def test_how_far_everybody_is_can_be_told(lake: Lake, server: LabelStudioServer) -> None:
    collected(lake, server)
    calibrate(lake, server, ann="warm", bob=CLASSES[1])
    collected(lake, server)
    about = project(server.url, calibration=WANTED)
    live = LabelStudioWorkforce(about, lake, {"CUPEL_LABEL_STUDIO_TOKEN": LEGACY}, known=lambda: KNOWN)
    live.rest()
    found = live.standings()
    assert {name: standing.words for name, standing in found.items()} == {
        "ann": "2 of 2 right: passed", "bob": "0 of 2 right: failed", "cy": "0 of 2 answered"
    }  # fmt: skip
