import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cupel.kinds.multilabel.label_sets import has_class, join_sets, parse_sets, split_sets, write_set

CLASSES = ("b", "a", "c d", 'quoted "é"')
SETS = st.lists(st.sampled_from(CLASSES), unique=True)


def parse(*answers: Any) -> list[str | None]:
    found: list[str | None] = parse_sets(pa.array(answers, pa.string()), CLASSES).to_pylist()
    return found


@given(SETS, st.randoms())
def test_one_set_has_one_text_in_whichever_order_and_layout_it_came(names: list[str], random: Any) -> None:
    canonical = write_set(names, CLASSES)
    random.shuffle(names)
    assert parse(json.dumps(names), json.dumps(names, indent=1), canonical) == [canonical] * 3
    assert json.loads(canonical) == [name for name in CLASSES if name in names]


@given(st.lists(SETS.map(lambda names: write_set(names, CLASSES)) | st.none()))
def test_joining_what_was_split_returns_the_same_bytes(texts: list[str | None]) -> None:
    labels = pa.array(texts, pa.string())
    places = split_sets(labels, CLASSES)
    assert places.shape == (len(texts), len(CLASSES))
    assert join_sets(places, CLASSES).equals(labels)


@given(st.text())
def test_any_text_is_a_set_or_none_and_a_set_parses_to_itself(text: str) -> None:
    (found,) = parse(text)
    assert found is None or parse(found) == [found]


def test_the_empty_set_is_an_answer_and_nothing_is_none() -> None:
    assert parse("[]", " [ ] ", "", None, "null", "none") == ["[]", "[]", None, None, None, None]
    assert split_sets(pa.array(["[]", None], pa.string()), CLASSES).tolist() == [[0] * 4, [-1] * 4]


def test_a_class_standing_alone_is_the_set_of_it() -> None:
    assert parse("a", "c d", 'quoted "é"') == ['["a"]', '["c d"]', '["quoted \\"é\\""]']


@pytest.mark.parametrize(
    "answer",
    ['["a","a"]', '["z"]', '["a","z"]', '["a",1]', '["a",null]', '[["a"]]', '{"a": true}', '"a"', "a,b", "A", " a",
     "1", "[" * 100_000, '["a"', "[NaN]", '["\\ud800"]'],
)  # fmt: skip
def test_what_is_no_set_of_the_classes_is_no_answer(answer: str) -> None:
    assert parse(answer) == [None]


def test_a_list_is_read_as_one_even_where_a_class_is_named_like_it() -> None:
    assert parse_sets(pa.array(["[]"]), ("[]", "a")).to_pylist() == ["[]"]


def test_sets_are_read_from_columns_in_chunks_and_without_rows() -> None:
    chunked = pa.chunked_array([["a"], ["[]", "a"]])
    assert parse_sets(chunked, CLASSES).to_pylist() == ['["a"]', "[]", '["a"]']
    assert split_sets(chunked.slice(0, 0), CLASSES).shape == (0, 4)
    assert join_sets(np.zeros((0, 4), np.int64), CLASSES).type == pa.string()
    assert has_class([], CLASSES).shape == (0, 4)
