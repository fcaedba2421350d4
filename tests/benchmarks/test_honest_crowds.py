"""The benchmark of honest crowds: who is asked again, what shapes there are, and what the figures count."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pytest

from benchmarks import honest_crowds
from benchmarks.simulated_crowd import Shape, simulate_crowd
from cupel.config.labeling import Overlap

SHAPE = Shape("small", people=8, items=400, classes=3, overlap=Overlap(first=2, most=3), checker=0.9)


def test_every_item_is_asked_at_first_and_only_doubtful_ones_again() -> None:
    crowd = simulate_crowd(SHAPE, seed=1)
    rows = crowd.annotations.to_pylist()
    votes = Counter(row["item_id"] for row in rows)
    assert set(votes) == set(crowd.item_ids)
    assert set(votes.values()) == {2, 3}
    assert len({(row["item_id"], row["annotator"]) for row in rows}) == len(rows)
    first: dict[str, set[str]] = {}
    for row in rows[: 2 * SHAPE.items]:
        first.setdefault(row["item_id"], set()).add(row["label"])
    assert all(votes[item] == 3 for item, said in first.items() if len(said) == 2)


def test_prices_and_experts_decide_what_is_asked_again() -> None:
    plain, priced, decided = (
        Counter(simulate_crowd(shape, seed=1).annotations["item_id"].to_pylist())
        for shape in (SHAPE, SHAPE._replace(route_by_price=True), SHAPE._replace(expert_rounds=True))
    )
    assert priced.total() < plain.total()
    assert set(decided) == set(plain)
    assert decided != plain


def test_the_same_seed_gives_the_same_crowd_and_spammers_do_what_they_do() -> None:
    one, same = (simulate_crowd(SHAPE, 5, ["constant"] * 2) for _ in range(2))
    assert one.annotations.equals(same.annotations)
    for name in ("p0000000", "p0000001"):
        own = one.annotations.filter(pc.equal(one.annotations["annotator"], name))
        assert len(pc.unique(own["label"])) == 1
    assert Counter(one.kinds.values()) == {"constant": 2, "honest": 6}


def test_in_a_ring_the_next_answer_is_a_neighbours() -> None:
    crowd = simulate_crowd(SHAPE._replace(is_ring=True), seed=1)
    asked: dict[str, list[int]] = {}
    for row in crowd.annotations.to_pylist():
        asked.setdefault(row["item_id"], []).append(int(row["annotator"][1:]))
    steps = {tuple(np.diff(people) % SHAPE.people) for people in asked.values()}
    assert all(len(set(step)) == 1 for step in steps)


def test_shapes_vary_and_every_overlap_comes_up() -> None:
    shapes = [honest_crowds.draw_shape(number) for number in range(80)]
    assert {(one.overlap.first, one.overlap.most) for one in shapes} == {(2, 3), (3, 3), (3, 5), (1, 3), (2, 2)}
    assert {one.classes for one in shapes} == {2, 3, 4, 8, 20}
    assert {one.route_by_price for one in shapes} == {one.expert_rounds for one in shapes} == {True, False}


def test_the_figures_are_written_and_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "honest.json"
    shape = SHAPE._replace(gold_share=0.05, hard_share=0.0, skills=(0.85, 0.95))
    monkeypatch.setattr(honest_crowds, "draw_shape", lambda number, most: shape._replace(name=str(number)))
    monkeypatch.setattr("sys.argv", ["honest_crowds", "--json", str(path), "--crowds", "3", "--spammed", "1"])
    assert honest_crowds.main() == 0
    honest, (spammed,) = (rows := json.loads(path.read_text()))[:3], rows[3:]
    assert all(row["honest"] == 8 and row["accused"] == 0 for row in honest)
    assert spammed["spammers"] == {"random": [3, 3]}
    printed = capsys.readouterr().out
    assert "2 to 3" in printed
    assert "random: 1 crowds" in printed
