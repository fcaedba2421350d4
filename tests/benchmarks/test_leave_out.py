"""Leave out: the crowd that is judged fixes nothing, and what counts as worse is counted."""

import json
from pathlib import Path

import pytest

from benchmarks.consensus import leave_out
from benchmarks.consensus.leave_out import (
    BUDGETS,
    RANKING_RIVALS,
    RIVALS,
    SMOOTHINGS,
    VARIANTS,
    count_by_holm,
    fix_smoothing,
    fix_variant,
    leave_each_out,
    main,
    summarise,
)

REPLAYS = 6


def crowd(name: str, best_smoothing: float, best_variant: str, ours: float = 0.3) -> leave_out.Row:
    """Return a crowd on which one smoothing alone chooses the right method, and one variant asks least."""
    accuracy = dict.fromkeys(RIVALS, 0.8) | {"ibcc": 0.9}
    scores = {str(one): {"glad": -1.0, "ibcc": -0.9 if one == best_smoothing else -1.1} for one in SMOOTHINGS}

    def seen(share: float) -> dict[str, list[float]]:
        return {str(budget): [share + 0.001 * replay for replay in range(REPLAYS)] for budget in BUDGETS}

    experts = {one: seen(ours if one == best_variant else ours + 0.1) for one in VARIANTS}
    experts |= {one: seen(0.35) for one in RANKING_RIVALS}
    return {"dataset": name, "accuracy": accuracy, "scores": scores, "experts": experts}


def test_the_crowd_left_out_fixes_nothing() -> None:
    crowds = [crowd("a", 4.0, "own_order"), crowd("b", 4.0, "own_order"), crowd("c", 8.0, "weight_1")]
    rest = {one["dataset"]: [other for other in crowds if other is not one] for one in crowds}
    rows = {row["dataset"]: row for row in leave_each_out(crowds, rest)}
    assert (rows["c"]["smoothing"], rows["c"]["variant"]) == (4.0, "own_order")
    assert rows["c"]["chosen_method"] == "glad"
    assert rows["c"]["gap"] == pytest.approx(0.1)
    changed = [crowds[0], crowds[1], crowd("c", 64.0, "another_8", 0.1)]
    again = {row["dataset"]: row for row in leave_each_out(changed, rest)}
    assert (again["c"]["smoothing"], again["c"]["variant"]) == (4.0, "own_order")


def test_equal_constants_leave_the_librarys() -> None:
    flat = crowd("a", -1.0, "none")
    assert fix_smoothing([flat]) == leave_out.SMOOTHING
    assert fix_variant([flat]) == "as_measured"


def test_a_gap_of_more_than_a_point_and_experts_beyond_two_points_are_counted() -> None:
    good, bad = crowd("a", 16.0, "as_measured"), crowd("b", 64.0, "as_measured", 0.4)
    rows = list(leave_each_out([good, bad], {"a": [good], "b": [good]}))
    found = summarise(rows)
    assert (found["crowds"], found["gap_at_most_1_point"]) == (2, 1)
    assert found["at_most_2_points_more_in_the_mean"] == found["not_beyond_2_points_by_holm"] == 1
    assert found["budgets_better_by_holm"] == found["budgets_better_in_the_mean"] == len(BUDGETS)


def test_holm_rejects_from_the_smallest_on_until_one_is_too_large() -> None:
    # Levels of four hypotheses: .05 / 4 = .0125, .05 / 3, .05 / 2, .05.
    assert count_by_holm([0.02, 0.001, 0.3, 0.012]) == [True, True, False, True]
    assert count_by_holm([0.012, 0.0001, 0.04, 0.026]) == [True, True, False, False]
    assert count_by_holm([0.013, 0.013, 0.013, 0.013]) == [False] * 4
    assert count_by_holm([0.05]) == [True]


def test_a_small_crowd_is_measured_written_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = {"cat": "dog", "dog": "cat"}
    for name in ("one", "two"):
        (tmp_path / "data" / name).mkdir(parents=True)
        truth = ["cat" if number % 3 else "dog" for number in range(40)]
        rows = [f"{n},{who},{label if who != 'd' else other[label]}" for n, label in enumerate(truth) for who in "abcd"]
        (tmp_path / "data" / name / "labels.csv").write_text("task,worker,label\n" + "\n".join(rows) + "\n")
        gold = [f"{n},{label}" for n, label in enumerate(truth)]
        (tmp_path / "data" / name / "gold.csv").write_text("task,label\n" + "\n".join(gold) + "\n")
    (tmp_path / "kept").mkdir()
    monkeypatch.setattr(leave_out, "VARIANTS", {"as_measured": leave_out.AS_MEASURED})
    given = ["x", "--data", str(tmp_path / "data"), "--json", str(tmp_path / "out.json"), "--replays", "3"]
    monkeypatch.setattr("sys.argv", [*given, "--kept", str(tmp_path / "kept")])
    assert main() == 0
    found = json.loads((tmp_path / "out.json").read_text())
    assert [row["gap"] for row in found["sets"]] == [0.0, 0.0]
    assert found["summary"]["gap_at_most_1_point"] == 2
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == ["one_3.json", "two_3.json"]
    monkeypatch.setattr(leave_out, "measure_crowd", lambda *_: pytest.fail("measured again"))
    monkeypatch.setattr(
        "sys.argv", [*given[:4], str(tmp_path / "again.json"), *given[5:], "--kept", str(tmp_path / "kept")]
    )
    assert main() == 0
    assert json.loads((tmp_path / "again.json").read_text()) == found
    assert "0.0 below" in capsys.readouterr().out
