"""The benchmark of models in the crew: who sees what, how an error is counted, and people whose following is known."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.double_check.folder import read_folder
from benchmarks.models_in_crew.anchored import Replay, Shape, judge_replays, replay
from benchmarks.models_in_crew.arms import chances, error
from benchmarks.models_in_crew.crews import draw_crew

WORDS = {"cat": "purr meow whiskers claw", "dog": "bark fetch leash bone"}


def folder(path: Path, items: int = 200, answers: int = 5) -> Path:
    """Write a crowd with texts, in which everybody errs on one item in five."""
    path.mkdir()
    rng = np.random.default_rng(0)
    truth = rng.choice(["cat", "dog"], items)
    other = {"cat": "dog", "dog": "cat"}
    labels = [
        f"{n},w{who},{label if rng.random() < 0.8 else other[label]}"
        for n, label in enumerate(truth) for who in range(answers)
    ]  # fmt: skip
    texts = [f'{n},"{" ".join(rng.choice(WORDS[label].split(), 3))} {n % 7}"' for n, label in enumerate(truth)]
    for name, header, rows in (
        ("labels.csv", "task,worker,label", labels),
        ("gold.csv", "task,label", [f"{n},{label}" for n, label in enumerate(truth)]),
        ("items.csv", "task,text", texts),
    ):
        (path / name).write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def test_a_model_learns_nothing_from_the_crew_where_others_answered_too(tmp_path: Path) -> None:
    crowd, _ = read_folder(folder(tmp_path / "pets"))
    crew = draw_crew(crowd, 2, np.random.default_rng(1))
    assert crew.is_independent
    assert crew.annotations.num_rows == 400
    few = crowd._replace(annotations=crew.annotations)
    assert not draw_crew(few, 2, np.random.default_rng(1)).is_independent


def test_each_arm_gives_every_item_a_label_and_a_good_model_helps(tmp_path: Path) -> None:
    crowd, gold = read_folder(folder(tmp_path / "pets"))
    truth = np.array([crowd.classes.index(gold.verdicts[item]) for item in crowd.item_ids])
    found = {
        name: error(chance, truth) for name, chance in chances(crowd, draw_crew(crowd, 2, np.random.default_rng(2)))
    }
    assert {"people", "majority + linear", "union + linear", "voice + linear", "people, model as checker"} <= set(found)
    assert found["voice + linear"] < found["people"]


def test_a_tie_is_half_wrong() -> None:
    assert error(np.array([[0.5, 0.5], [0.1, 0.9]]), np.array([0, 1])) == pytest.approx(1 / 4)


def test_an_item_without_a_known_label_counts_for_nothing() -> None:
    assert error(np.array([[0.9, 0.1], [0.9, 0.1]]), np.array([0, -1])) == 0.0


@pytest.mark.parametrize("follow", [0.0, 1.0])
def test_the_estimate_is_near_what_made_people_do(follow: float) -> None:
    rng = np.random.default_rng(3)
    found = [replay(Shape(300, 2, 0.5, follow), rng)["following"] for _ in range(40)]
    judged = judge_replays(found)
    assert judged is not None
    assert abs(judged.bias) < 0.03
    assert judged.coverage >= 0.85
    assert judged.proven >= 0.99 if follow else judged.proven <= 0.15


def test_what_was_never_estimated_is_not_judged() -> None:
    assert judge_replays([Replay(0.1, None, None, None, "unproven")]) is None
