from cupel.accept.one_label import one_label_rows
from cupel.exchange.imports.label_studio.annotations import read_task_rows
from cupel.exchange.imports.tool import ReadOptions
from cupel.people.tool_annotation import Annotation
from cupel.sources.reasons import BadRow, Row


def note(*choices: str, who: object = 1, question: str = "sentiment", **more: object) -> dict[str, object]:
    result = [{"from_name": question, "type": "choices", "value": {"choices": list(choices)}}]
    return {"completed_by": who, "result": result, **more}


def answers(tasks: list[dict[str, object]]) -> list[Annotation | BadRow]:
    found = read_task_rows("export.json", [Row(line, task) for line, task in enumerate(tasks, 1)], ReadOptions())
    return [one for one in found if isinstance(one, Annotation | BadRow)]


def only_row(*notes: dict[str, object]) -> Row | BadRow:
    tasks = [{"id": 7, "data": {"text": "fine"}, "annotations": list(notes)}]
    (row,) = one_label_rows(answers(tasks))
    return row


def test_the_only_annotation_is_the_label_and_names_its_annotator() -> None:
    row = only_row(note("good", who={"id": 3, "email": "a@b.c"}))
    assert row == Row(1, {"text": "fine", "id": "7", "label": "good", "annotator": "a@b.c"})


def test_of_several_annotators_the_plurality_is_the_label_of_nobody_in_particular() -> None:
    row = only_row(note("good", who=1), note("bad", who=2), note("good", who=3))
    assert isinstance(row, Row)
    assert (row.values["label"], row.values["annotator"]) == ("good", None)


def test_ground_truth_goes_before_the_plurality() -> None:
    row = only_row(note("good"), note("good"), note("bad", ground_truth=True))
    assert isinstance(row, Row)
    assert row.values["label"] == "bad"


def test_a_tie_is_rejected_with_its_votes() -> None:
    assert only_row(note("good"), note("bad")) == BadRow(1, "tie", "bad: 1, good: 1")


def test_skipped_annotations_do_not_count() -> None:
    row = only_row(note("good"), note("bad", was_cancelled=True))
    assert isinstance(row, Row)
    assert row.values["label"] == "good"


def test_several_choices_at_once_are_no_label() -> None:
    assert only_row(note("good", "bad")) == BadRow(1, "several_choices", "7: good, bad")


def test_a_task_without_annotation_has_no_label() -> None:
    assert only_row() == BadRow(1, "no_answer", "7")


def test_a_record_without_any_label_stands_once_with_its_first_reason() -> None:
    assert only_row(note("good", was_cancelled=True), note("good", "bad")) == BadRow(1, "skipped", "7, 1: good")


def test_objects_in_an_item_are_rows_of_their_own() -> None:
    box = {"from_name": "box", "type": "rectanglelabels", "value": {"rectanglelabels": ["car"], "x": 1}}
    regions = [box | {"id": "a"}, box | {"id": "b"}]
    tasks = [{"id": 7, "data": {"image": "x.jpg"}, "annotations": [{"completed_by": 2, "result": regions}]}]
    rows = one_label_rows(answers(tasks))
    assert [row.values["id"] for row in rows if isinstance(row, Row)] == ["7#a", "7#b"]
