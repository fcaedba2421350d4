import json
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.segments import __main__ as segments
from benchmarks.segments import methods
from benchmarks.segments.clips import TrueActions, read_actions, simulate
from benchmarks.segments.methods import keep_majority
from benchmarks.segments.scoring import FoundSegments, score_segments
from benchmarks.segments.speed import make_marks
from cupel.marks.fusion.arrays import AskedPairs, MarkArrays

CLIPS = {
    f"clip{place}": {"duration": 60.0, "actions": [[n, 10.0 * n, 10.0 * n + 6.0] for n in range(5)] + [[7, 9.0, 9.0]]}
    for place in range(12)
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "charades.json").write_text(json.dumps(CLIPS))
    return tmp_path


def test_actions_without_an_extent_are_left_out_and_a_clip_holds_its_last_action(folder: Path) -> None:
    truth = read_actions(folder / "charades.json", 2)
    assert len(truth.video) == 10
    (folder / "charades.json").write_text(json.dumps({"a": {"duration": 5, "actions": [[1, 2, 8]]}}))
    assert read_actions(folder / "charades.json").duration.tolist() == [8.0]


@pytest.mark.parametrize("shape", ["own", "foreign"])
def test_simulated_marks_lie_in_their_clips_and_are_the_same_again(folder: Path, shape: str) -> None:
    truth = read_actions(folder / "charades.json")
    answers, again = simulate(truth, 3, shape, 1), simulate(truth, 3, shape, 1)
    assert all((one == other).all() for one, other in zip(answers.marks, again.marks, strict=True))
    assert (answers.marks.low >= 0).all()
    assert (answers.marks.high[:, 0] <= truth.duration[answers.marks.item]).all()
    assert np.bincount(answers.asked.item).tolist() == [3] * 12
    held = set(zip(answers.asked.item.tolist(), answers.asked.annotator.tolist(), strict=True))
    assert set(zip(answers.marks.item.tolist(), answers.marks.annotator.tolist(), strict=True)) <= held


def test_scores_of_a_small_case_by_hand() -> None:
    """Two true actions of class 0 and one of class 1; found: one off by a second, one invented before it in rank."""
    truth = TrueActions(
        np.array([0, 0, 0]), np.array([0, 0, 1]), np.array([0.0, 20, 0]), np.array([10.0, 30, 10]), np.array([60.0])
    )
    found = FoundSegments(
        np.array([0, 0, 0]), np.array([0, 0, 1]), np.array([1.0, 40, 0]), np.array([10.0, 50, 10]),
        np.array([0.8, 0.9, 0.7]),
    )  # fmt: skip
    scores = score_segments(found, truth)
    assert scores["f1_50"] == pytest.approx(2 * 2 / 6)
    assert scores["f1_95"] == pytest.approx(2 * 1 / 6)
    # Class 0: the one right is second of two (precision 1/2), and half of what is there; class 1: all right.
    assert scores["map_50"] == pytest.approx((1 / 2 * 1 / 2 + 1) / 2)
    assert scores["error_seconds"] == pytest.approx((1 + 0 + 0 + 0) / 4)


def test_middles_of_a_cluster_by_hand() -> None:
    low = np.array([[0.0], [1.0], [5.0]])
    marks = MarkArrays(np.zeros(3, np.int64), np.arange(3), np.zeros(3, np.int64), low, low + 20)
    answers = methods.SimulatedAnswers(marks, AskedPairs(np.zeros(3, np.int64), np.arange(3)))
    found = {middle: keep_majority(answers, middle).low.tolist() for middle in ("mean", "median", "medoid")}
    assert found == {"mean": [2.0], "median": [1.0], "medoid": [1.0]}


def test_the_benchmark_goes_on_without_weighted_fusion(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = {name: run for name, run in methods.list_methods(False).items()}
    monkeypatch.setattr(segments, "list_methods", lambda is_installed: without)
    out = tmp_path / "out.json"
    monkeypatch.setattr(sys, "argv", ["segments", "--data", str(folder), "--json", str(out), "--seeds", "1"])
    assert segments.main() == 0
    content = json.loads(out.read_text())
    assert [(crowd["simulator"], crowd["annotators"]) for crowd in content["crowds"]] == [
        ("own", 3), ("own", 5), ("foreign", 3), ("foreign", 5),
    ]  # fmt: skip
    assert set(content["crowds"][0]["methods"]) == set(without)


def test_made_up_marks_are_about_as_many_as_asked() -> None:
    assert len(make_marks(20_000).marks.item) == pytest.approx(20_000, rel=0.1)
