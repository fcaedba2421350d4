from pathlib import Path

import pyarrow.parquet as pq
import pytest

from samples.vader import CREW, crew_columns, panel_verdict

DATA = Path(__file__).parents[2] / "data" / "sentiment"


def test_a_panel_that_agrees_has_a_verdict() -> None:
    assert panel_verdict([2, 2, 3, 2, 2]).label == "positive"
    assert panel_verdict([0, 0, 0, 0]).label == "neutral"


def test_a_panel_whose_interval_straddles_a_boundary_contests() -> None:
    verdict = panel_verdict([0, 1, 0, 1, 0, 1])
    assert verdict.majority == "positive"
    assert verdict.label is None


def test_the_movie_crew_is_the_same_for_a_block_of_thirty() -> None:
    assert len({tuple(crew_columns("movies", row, 15)) for row in range(30)}) == 1
    assert len({tuple(crew_columns("movies", 30 * block, 15)) for block in range(20)}) > 10


def test_the_crew_are_three_different_raters() -> None:
    assert all(len(set(crew_columns("newspaper", row, 20))) == CREW for row in range(50))


@pytest.mark.skipif(not DATA.exists(), reason="the sample is not fetched; `make test` fetches it")
def test_crew_and_panel_cover_every_sentence_once() -> None:
    answers = pq.read_table(DATA / "answers.parquet").to_pylist()
    experts = [(row["batch"], row["item_id"]) for row in answers if row["purpose"] == "expert"]
    crew = [(row["batch"], row["item_id"]) for row in answers if row["purpose"] == "label"]
    assert len(experts) == len(set(experts)) == 10_605 + 5_190
    assert len(crew) == CREW * len(experts)
    assert {row["annotator"] for row in answers if row["batch"] == "newspaper" and row["purpose"] == "label"} == {None}
