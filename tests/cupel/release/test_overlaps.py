"""A release held against evaluation sets: every item, each set, and what holds most of it."""

import json
from pathlib import Path

import pyarrow as pa
import pytest

from cupel.config.cleaning import ReferenceSet
from cupel.errors import SourceError
from cupel.release.overlaps import Held, overlaps_in_words, release_overlaps

QUESTION = "Of seven apples three are eaten, how many are left of them?"


def held(folder: Path, most: float = 0.5, name: str = "sums", question: str = QUESTION) -> Held:
    (folder / f"{name}.jsonl").write_text(json.dumps({"text": question}) + "\n")
    return Held(ReferenceSet(name=name, path=f"{name}.jsonl"), folder, most)


def items(*texts: str) -> pa.Table:
    names = [str(place) for place in range(len(texts))]
    return pa.table({"batch": ["one"] * len(texts), "item_id": names, "text": list(texts)})


def test_an_item_that_holds_a_question_is_counted_and_named(tmp_path: Path) -> None:
    pieces = [items("nothing of it", f"He asked: {QUESTION.upper()} I do not know."), items("nothing either")]
    (row,) = release_overlaps("one-r1", [held(tmp_path)], pieces).to_pylist()
    assert (row["items"], row["items_over"], row["item_ids"]) == (3, 1, ["one/1"])
    assert row["largest_share"] == 1.0
    assert row["evidence"] == "one/1 holds sums, row 1: all its 12 words"


def test_a_release_that_holds_nothing_says_so(tmp_path: Path) -> None:
    (row,) = release_overlaps("one-r1", [held(tmp_path)], [items("a", "b")]).to_pylist()
    assert (row["items"], row["items_over"], row["largest_share"], row["evidence"]) == (2, 0, None, None)
    assert overlaps_in_words([row])[0].endswith("none of them hold more than 50% of a row")


def test_a_share_on_the_limit_is_allowed_and_one_above_is_not(tmp_path: Path) -> None:
    words = [f"w{place}" for place in range(14)]  # two runs of 13 words
    half = items(" ".join([*words[:13], *(f"x{place}" for place in range(13))]))
    for most, over in ((0.5, 0), (0.49, 1)):
        one = held(tmp_path, most, question=" ".join(words))
        (row,) = release_overlaps("one-r1", [one], [half]).to_pylist()
        assert (row["largest_share"], row["items_over"]) == (0.5, over)


def test_each_set_has_its_row(tmp_path: Path) -> None:
    other = "Which of the nine rivers of this land is the longest one?"
    sets = [held(tmp_path), held(tmp_path, name="rivers", question=other)]
    rows = release_overlaps("one-r1", sets, [items(QUESTION, other, other)]).to_pylist()
    assert [(row["reference_set"], row["items_over"]) for row in rows] == [("sums", 1), ("rivers", 2)]


def test_without_sets_nothing_is_read() -> None:
    assert release_overlaps("one-r1", [], iter([])).num_rows == 0


def test_a_set_that_is_gone_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="bring the reference set gone"):
        Held(ReferenceSet(name="gone", path="gone.jsonl"), tmp_path, 0.5)
