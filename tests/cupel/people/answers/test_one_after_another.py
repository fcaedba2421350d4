from pathlib import Path

import label_studio_server
from cupel.people.answers.collect import collect
from cupel.people.answers.one_after_another import OneAfterAnother
from cupel.people.answers.recorded import RecordedWorkforce
from cupel.people.label_studio.workforce import LabelStudioWorkforce
from label_studio_server import LEGACY
from live_lake import live_lake, log, project


def test_people_are_asked_only_what_no_file_answers(tmp_path: Path) -> None:
    lake, answers = live_lake(tmp_path), tmp_path / "answers.csv"
    rows = ["one,i0,label,warm,pat", "one,i0,label,warm,kim", "one,i1,label,warm,pat", "one,i9,label,warm,pat"]
    answers.write_text("\n".join(["batch,item_id,purpose,label,annotator", *rows]) + "\n")
    with label_studio_server.served() as server:

        def gather() -> int:
            live = LabelStudioWorkforce(project(server.url), lake, {"CUPEL_LABEL_STUDIO_TOKEN": LEGACY})
            return collect(lake, OneAfterAnother(RecordedWorkforce([answers]), live), ["one"], [])

        assert gather() == 4
        assert {task["data"]["text"]: task["overlap"] for task in server.tasks.values()} == {"text 1": 1, "text 2": 2}
        server.annotate(next(iter(server.tasks.values())), "ann@x.org", "warm")
        assert gather() == 1
    assert [(row["item_id"], row["annotator"], row["task_id"]) for row in log(lake)] == [
        ("i9", "pat", None), ("i0", "pat", "label-0-1"), ("i0", "kim", "label-0-2"), ("i1", "pat", "label-1-1"),
        ("i1", "ann", "label-1-2"),
    ]  # fmt: skip
