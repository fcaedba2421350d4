import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.regions import __main__ as regions
from benchmarks.regions import peers
from benchmarks.regions.crowds import GoldMarks, draw_annotators, find_folder, read_crowd
from benchmarks.regions.left_out import leave_each_out, take_most_frequent
from benchmarks.regions.plain import keep_clusters, pick_most_agreeing
from benchmarks.regions.scoring import Counts, FoundMarks, compare_paired, compute_f1, count_matches

SPANS = """item,annotator,span,start,end
1,p,0,0,10
1,p,1,20,30
1,q,0,0,10
1,r,,,
2,p,0,5,9
2,q,,,
2,r,0,5,9
"""
GOLD = "item,expert,span,start,end\n1,e,0,0,10\n2,e,0,5,9\n2,e,1,50,60\n"
MOMENTS = "item,video,clips,annotator_slot,start_s,end_s\n" + "".join(
    f"{item},v,6,{slot},{5 * (slot == 3)},{5 + 5 * (slot == 3)}\n" for item in range(3) for slot in range(4)
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in (("spans", SPANS), ("moments", MOMENTS)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "annotations.csv").write_text(content)
    (tmp_path / "spans" / "gold.csv").write_text(GOLD)
    return tmp_path


def found(*rows: tuple[int, float, float]) -> FoundMarks:
    table = np.array(rows, float).reshape(-1, 3)
    return FoundMarks(table[:, 0].astype(np.int64), table[:, 1:2], table[:, 2:3])


def test_an_answer_without_marks_is_an_answer_and_a_kinds_own_folder_will_do(folder: Path) -> None:
    crowd = read_crowd(find_folder(folder, "spans"), "spans")
    assert len(crowd.asked.item) == 6
    assert len(crowd.marks.item) == 5
    assert find_folder(folder / "spans", "spans") == folder / "spans"
    with pytest.raises(SystemExit, match=r"no boxes/annotations\.csv"):
        find_folder(folder, "boxes")


def test_marks_match_one_to_one_from_the_best_pair_down(folder: Path) -> None:
    crowd = read_crowd(folder / "spans", "spans")
    assert crowd.gold is not None
    counts = count_matches(found((0, 0, 9), (0, 0, 10), (1, 5, 9)), crowd.gold, 0.5, 2)
    assert [column.tolist() for column in counts] == [[1, 1], [2, 1], [1, 2], [1, 1]]
    assert compute_f1(counts) == pytest.approx(2 * 2 / (3 + 3))


def test_several_experts_count_by_their_mean() -> None:
    answers = np.array([[0, 0], [0, 1]])
    gold = GoldMarks(np.array([0]), np.array([1]), np.array([[0.0]]), np.array([[10.0]]), answers)
    counts = count_matches(found((0, 0, 10)), gold, 0.5, 1)
    assert [column.tolist() for column in counts] == [[0.5], [1.0], [0.5], [0.5]]


def test_plain_methods_do_what_their_names_say(folder: Path) -> None:
    crowd = read_crowd(folder / "spans", "spans")
    assert keep_clusters(crowd, "half", np.mean).low[:, 0].tolist() == [0.0, 5.0]
    assert keep_clusters(crowd, "a third", np.median).low[:, 0].tolist() == [0.0, 20.0, 5.0]
    assert keep_clusters(crowd, "more than a third", np.median).item.tolist() == [0, 1]
    # p and q agree with the others equally (2 / 3 and 0): of equals the first.
    assert pick_most_agreeing(crowd).item.tolist() == [0, 0, 1]


def test_drawn_annotators_keep_all_items_and_all_their_marks(folder: Path) -> None:
    crowd = read_crowd(folder / "spans", "spans")
    few = draw_annotators(crowd, 2, 0)
    assert few.asked.item.tolist() == [0, 0, 1, 1]
    held = set(zip(few.asked.item.tolist(), few.asked.annotator.tolist(), strict=True))
    assert set(zip(few.marks.item.tolist(), few.marks.annotator.tolist(), strict=True)) <= held


def test_each_person_is_left_out_once(folder: Path) -> None:
    turns = list(leave_each_out(read_crowd(folder / "moments", "moments")))
    assert [set(turn.answers.expert.tolist()) for turn in turns] == [{0}, {1}, {2}, {3}]
    assert take_most_frequent(turns[0].others).low[:, 0].tolist() == [0.0] * 3
    assert all(len(turn.others.asked.item) == 9 for turn in turns)


def test_a_paired_difference_has_no_width_where_the_methods_are_equal() -> None:
    ones = np.ones(5)
    counts = Counts(ones, ones, ones, ones)
    assert compare_paired(counts, counts) == {"difference": 0, "low": 0, "high": 0, "share_better": 0}


@pytest.mark.parametrize("kind", ["spans", "moments"])
def test_the_benchmark_writes_all_methods_and_goes_on_without_peers(
    kind: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(peers, "is_installed", lambda package: False)
    out = tmp_path / "out.json"
    monkeypatch.setattr(
        sys, "argv", ["regions", "--data", str(folder), "--kind", kind, "--json", str(out), "--seeds", "1"]
    )
    assert regions.main() == 0
    content = json.loads(out.read_text())
    assert set(content["methods"][content["ours"]]) >= {"f1_50", "f1_75", "wrong_items"}
    assert content["left_out"]
    assert "left out" in capsys.readouterr().out
    assert ("few" in content) == (kind == "spans")


@pytest.mark.skipif(importlib.util.find_spec("crowdkit") is None, reason="crowd-kit is not installed")
def test_masks_are_fused_to_runs(folder: Path) -> None:
    fused = peers.fuse_masks(read_crowd(folder / "spans", "spans"), "SegmentationMajorityVote")
    assert list(zip(fused.item.tolist(), fused.low[:, 0], fused.high[:, 0], strict=True)) == [(0, 0, 10), (1, 5, 9)]


@pytest.mark.skipif(importlib.util.find_spec("ensemble_boxes") is None, reason="ensemble-boxes is not installed")
def test_weighted_fusion_keeps_what_enough_annotators_marked(folder: Path) -> None:
    fused = peers.fuse_weighted(read_crowd(folder / "spans", "spans"), 0.5)
    assert fused.item.tolist() == [0, 1]
    assert np.allclose(fused.low[:, 0], [0, 5])
    assert np.allclose(fused.high[:, 0], [10, 9])
