import pytest
from pydantic import ValidationError

from cupel.contract.table import from_rows
from cupel.contract.tables.checking import PREDICTIONS
from cupel.contract.tables.labeling import ANNOTATIONS
from cupel.contract.tables.release import RELEASE_TASKS
from cupel.lake.lake import Lake
from cupel.people.label_studio.configuration import shows_others
from cupel.people.label_studio.disagreement import disagreement
from label_studio_server import LabelStudioServer
from live_lake import CLASSES, gather, project, task
from made_kinds import made_project

AUDITORS = {"auditors": {"una": "una@x.org"}}


@pytest.fixture
def judged(lake: Lake) -> Lake:
    said = [("i0", "ann", CLASSES[1]), ("i0", "bob", "warm"), ("i1", "ann", CLASSES[1]), ("i1", "bob", CLASSES[1]),
            ("i1", "cy", "warm")]  # fmt: skip
    rows = [
        {"sequence": n, "item_id": item, "annotator": who, "label": label, "seconds_spent": None, "answered_at": None}
        for n, (item, who, label) in enumerate(said, 1)
    ]
    lake.write("annotations", "one", from_rows(rows, ANNOTATIONS))
    opinion = {"item_id": "i1", "predicted_label": "warm", "posterior": [0.9, 0.1], "fold": 0, "abstention": None,
               "model": "m", "model_version": "1"}  # fmt: skip
    lake.write("predictions", "one", from_rows([opinion], PREDICTIONS))
    rows = [{"release": "one-r1", **task(n, 1, purpose)} for n, purpose in ((0, "audit"), (0, "expert"), (1, "expert"))]
    lake.write("release_tasks", "one-r1", from_rows(rows, RELEASE_TASKS))
    return lake


def test_it_says_how_many_said_what_and_nobodys_name_in_an_order_that_tells_nothing(judged: Lake) -> None:
    found = disagreement(project("http://x.org"), judged, "one", ["i0", "i1", "i2"])
    assert found == {
        "i0": f"1 x warm, 1 x {CLASSES[1]}",
        "i1": f"2 x {CLASSES[1]}, 1 x warm; checker: warm",
        "i2": "nobody could decide",
    }


def test_adjudicators_see_it_and_auditors_never_do(judged: Lake, server: LabelStudioServer) -> None:
    experts = {"answers": 1, "description": "one", "are_auditors_independent": True}
    gather(judged, server, ("one-r1",), shows_disagreement=True, experts_are=experts, **AUDITORS)
    assert [there["data"]["others"] for there in server.shown("experts")] == [
        f"1 x warm, 1 x {CLASSES[1]}", f"2 x {CLASSES[1]}, 1 x warm; checker: warm"
    ]  # fmt: skip
    assert [set(there["data"]) for there in server.shown("auditors")] == [{"text", "task_id"}]
    shows = {one["title"].rpartition(" ")[2]: shows_others(one["label_config"]) for one in server.projects.values()}
    assert shows == {"annotators": False, "experts": True, "auditors": False}
    assert not any(name in str(there["data"]) for there in server.shown("experts") for name in ("ann", "bob", "cy@"))


def test_nobody_sees_it_unless_the_project_wants_it(judged: Lake, server: LabelStudioServer) -> None:
    gather(judged, server, ("one-r1",))
    assert all(set(there["data"]) == {"text", "task_id"} for there in server.shown("experts"))


def test_where_experts_audit_too_it_is_refused_for_they_could_tell_audits_by_its_absence() -> None:
    with pytest.raises(ValidationError, match="would tell audits by its absence"):
        project("http://127.0.0.1:9", shows_disagreement=True)


def test_sets_of_classes_are_told_in_the_words_of_the_choices(lake: Lake) -> None:
    said = [("i0", "ann", '["law"]'), ("i0", "bob", "[]"), ("i0", "cy", '["war","law"]')]
    rows = [
        {"sequence": n, "item_id": item, "annotator": who, "label": label, "seconds_spent": None, "answered_at": None}
        for n, (item, who, label) in enumerate(said, 1)
    ]
    lake.write("annotations", "one", from_rows(rows, ANNOTATIONS))
    found = disagreement(made_project("topics", ["war", "law"]), lake, "one", ["i0"])
    assert found == {"i0": "1 x none of them, 1 x law, 1 x war + law"}
