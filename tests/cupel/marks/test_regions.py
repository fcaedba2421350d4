import pyarrow as pa
import pytest

from cupel.contract.tables.regions import REGIONS
from cupel.errors import TableError
from cupel.marks.canonical_text import BOXES, SPANS, MarkError, write_marks
from cupel.marks.regions import join_regions, make_regions

SPAN = write_marks([{"class": "drug", "start": 3, "end": 9}, {"class": "dose", "start": 4, "end": 6,
                     "attributes": {"sure": True}}], SPANS)  # fmt: skip
BOX = write_marks([{"class": "car", "x": 1.5, "y": 2, "width": 3.25, "height": 4}], BOXES)


def labels(*texts: str | None) -> pa.Table:
    count = len(texts)
    return pa.table({
        "batch": ["one"] * count, "item_id": [f"i{place}" for place in range(count)], "answer": ["7"] * count,
        "annotator": pa.array(["ann", None] * count, pa.string())[:count], "label": pa.array(texts, pa.string()),
    })  # fmt: skip


def test_each_mark_is_a_row_in_the_order_of_the_text() -> None:
    rows = make_regions(labels("[]", SPAN, None, SPAN), SPANS).to_pylist()
    assert [(row["item_id"], row["region"], row["class"], row["start"], row["end"]) for row in rows] == [
        ("i1", 1, "drug", 3, 9), ("i1", 2, "dose", 4, 6), ("i3", 1, "drug", 3, 9), ("i3", 2, "dose", 4, 6)
    ]  # fmt: skip
    assert [row["attributes"] for row in rows[:2]] == [None, '{"sure":true}']
    assert {row["x"] for row in rows} == {None}


@pytest.mark.parametrize(("texts", "form"), [(("[]", SPAN, "[]"), SPANS), ((BOX, "[]"), BOXES), ((), SPANS)])
def test_regions_joined_again_are_the_same_texts(texts: tuple[str, ...], form: object) -> None:
    table = labels(*texts)
    regions = make_regions(table, form)  # type: ignore[arg-type]
    assert regions.schema == REGIONS.schema
    assert join_regions(regions, table, form).to_pylist() == list(texts)  # type: ignore[arg-type]


def test_a_region_of_nobodys_answer_is_an_error_and_so_is_a_text_of_another_form() -> None:
    with pytest.raises(TableError, match="item 'i1' has a region of an answer that is not there"):
        join_regions(make_regions(labels("[]", SPAN), SPANS), labels("[]"), SPANS)
    with pytest.raises(MarkError, match="'end' is no key of boxes"):
        make_regions(labels(SPAN), BOXES)
