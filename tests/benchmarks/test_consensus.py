"""The benchmark of consensus methods: what is scored, what is not looked at, and intervals that can say worse."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.consensus import accuracy, speed
from benchmarks.consensus.__main__ import main
from benchmarks.consensus.accuracy import mean_difference, measure, paired
from benchmarks.consensus.peers import fit, run
from benchmarks.consensus.speed import Crowd, compare


def folder(path: Path, truth: list[str], gold: dict[str, str] | None = None) -> Path:
    """Write a crowd of five, one of whom is always wrong, labels being words."""
    path.mkdir()
    other = {"cat": "dog", "dog": "cat"}
    rows = [f"{n},{who},{label if who != 'e' else other[label]}" for n, label in enumerate(truth) for who in "abcde"]
    (path / "labels.csv").write_text("task,worker,label\n" + "\n".join(rows) + "\n", encoding="utf-8")
    known = gold if gold is not None else {str(n): label for n, label in enumerate(truth)}
    lines = [f"{item},{label}" for item, label in known.items()]
    (path / "gold.csv").write_text("task,label\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_items_without_a_known_label_or_an_answer_leave_numerator_and_denominator(tmp_path: Path) -> None:
    crowd = folder(tmp_path / "pets", ["cat", "dog"] * 10, {"0": "cat", "1": "dog", "2": "dog", "99": "cat"})
    entry, right = measure(crowd, 60, are_peers_run=False)
    assert (entry["items"], entry["scored_items"]) == (21, 3)
    assert entry["accuracy"]["majority"] == pytest.approx(2 / 3)
    assert right["chosen"].tolist() == right[entry["chosen_method"]].tolist()


def test_the_choice_does_not_depend_on_known_labels(tmp_path: Path) -> None:
    truth = ["cat", "dog"] * 10
    one = measure(folder(tmp_path / "a", truth), 60, are_peers_run=False)[0]
    turned = {str(n): {"cat": "dog", "dog": "cat"}[label] for n, label in enumerate(truth)}
    other = measure(folder(tmp_path / "b", truth, turned), 60, are_peers_run=False)[0]
    assert (one["chosen_method"], one["held_out"]) == (other["chosen_method"], other["held_out"])
    assert one["accuracy"]["majority"] == 1 - other["accuracy"]["majority"] == 1


def test_a_tie_is_half_right() -> None:
    posterior = np.array([[0.5, 0.5], [1.0, 0.0], [0.2, 0.8]])
    assert accuracy.share_right(posterior, np.array([0, 1, 1])).tolist() == [0.5, 0, 1]


def test_a_worse_method_is_called_worse_and_an_equal_one_is_not() -> None:
    theirs = np.repeat([1.0, 0.0], [900, 100])
    ours = theirs.copy()
    ours[:60] = 0
    assert paired(ours, theirs)["is_worse"]
    ours[900:955] = 1
    assert not paired(ours, theirs)["is_worse"]
    assert paired(theirs, theirs)["exact_p"] == 1


def test_sets_count_alike_in_the_mean() -> None:
    large = {"chosen": np.ones(1_000), "other": np.ones(1_000)}
    small = {"chosen": np.ones(10), "other": np.zeros(10)}
    assert mean_difference([large, small], "other") == {"difference": 0.5, "low": 0.5, "high": 0.5}


def test_peers_run_apart_and_failures_are_told(tmp_path: Path) -> None:
    crowd = folder(tmp_path / "pets", ["cat", "dog"] * 10)
    assert run("Wawa", crowd, 120)["labels"]["0"] == "cat"
    for name in ("MajorityVote", "ZeroBasedSkill"):
        assert fit(name, crowd / "labels.csv")["labels"]["0"] == "cat"
    assert "ended after" in run("DawidSkene", crowd, 0.01)["failed"]
    assert run("MajorityVote", tmp_path / "nowhere", 120)["failed"]


def test_the_command_writes_what_it_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder(tmp_path / "pets", ["cat", "dog"] * 10)
    out = tmp_path / "out.json"
    monkeypatch.setattr("sys.argv", ["x", "--data", str(tmp_path), "--json", str(out), "--no-peers"])
    assert main() == 0
    content = json.loads(out.read_text(encoding="utf-8"))
    assert content["sets"][0]["dataset"] == "pets"
    assert set(content["chosen_less_always_dawid_skene"]) == {"difference", "low", "high"}


def test_speed_compares_equal_answers_of_two_processes() -> None:
    entry = compare(Crowd(30_000, 3, 40, 7, is_shuffled=True))
    assert entry["is_equal"]
    assert entry["cupel"]["seconds"] > 0 < entry["crowd-kit"]["peak_bytes"]


def test_speed_is_compared_pair_by_pair_also_of_answers_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    def measure_here(library: str, crowd: Crowd, out: Path) -> dict[str, float]:
        fitted = speed._ours if library == "cupel" else speed._peer
        posterior, used = fitted(speed.table(crowd), crowd.classes)
        np.save(out, posterior)
        return used

    monkeypatch.setattr("benchmarks.consensus.speed._child", measure_here)
    entry = compare(Crowd(100_000), pairs=2)
    assert entry["is_equal"]
    assert len(entry["times_faster_of_pairs"]) == len(entry["cupel"]["seconds_of_runs"]) == 2
