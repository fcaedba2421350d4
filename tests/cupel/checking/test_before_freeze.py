"""Before the freeze: rounds are gone through from the start, teach, and wait for those that are not complete."""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

from cupel.checking import before_freeze
from cupel.checking.before_freeze import Rounds, hold_rounds, labels_after, round_items, routes_after
from cupel.checking.rounds import NO_ROUND, Standing, round_ends
from cupel.consensus.consensus import consensus
from cupel.contract.ontology import Ontology
from cupel.kinds.category import CATEGORY
from cupel.people.answers.experts import DECIDED, SPLIT, Decision, decisions

CLASSES = ("x", "y")
SIZE = 400
IDS = [f"{number:03}" for number in range(SIZE)]
TRUTH = [CLASSES[number % 2] for number in range(SIZE)]


def beliefs(sure: np.ndarray) -> pa.Table:
    """What people believe of each item's true class."""
    rows = [[s, 1 - s] if label == "x" else [1 - s, s] for s, label in zip(sure.tolist(), TRUTH, strict=True)]
    return pa.table({"item_id": IDS, "posterior": pa.array(rows, pa.list_(pa.float64()))})


# The later, the less sure; the last ones are wrong.
CONSENSUS = beliefs(np.linspace(0.99, 0.35, SIZE))
CHECKER = beliefs(np.full(SIZE, 0.7))


def held(decided: list[Decision], teach: object = None, budget: float = 0.02) -> Rounds:
    return hold_rounds({"own": CONSENSUS}, CHECKER, CATEGORY, Ontology(CLASSES), decided, teach, budget)  # type: ignore[arg-type]


def said(names: tuple[str, ...]) -> list[Decision]:
    return [Decision(name, TRUTH[int(name)]) for name in names]


def test_the_first_round_asks_about_the_riskiest_items() -> None:
    rounds = held([])
    assert len(rounds.wanted) == round_ends(SIZE)[0] == 2
    odds = dict(zip(IDS, rounds.believed.log_odds, strict=True))
    assert sorted(odds, key=odds.__getitem__)[:2] == sorted(rounds.wanted, key=odds.__getitem__)
    assert rounds.counted == ()


def test_a_round_that_is_not_complete_goes_on_with_the_same_questions() -> None:
    second = held(said(held([]).wanted))
    assert len(second.wanted) == 2
    half = held(said((*held([]).wanted, second.wanted[0])))
    assert half.wanted == second.wanted
    assert half.counted == second.counted


def test_each_complete_round_teaches_the_checker_once_with_all_verdicts_so_far() -> None:
    taught: list[pa.Table] = []

    def teach(lessons: pa.Table) -> pa.Table:
        taught.append(lessons)
        return CHECKER

    decided = said(held([]).wanted)
    decided += said(held(decided).wanted)
    held(decided, teach)
    assert len(taught) == 2
    lessons = dict(zip(taught[1]["item_id"].to_pylist(), taught[1]["posterior"].to_pylist(), strict=True))
    for one in decided:
        assert lessons[one.item_id] == [float(name == one.label) for name in CLASSES]


def test_rounds_come_to_an_end_and_ask_nobody_twice() -> None:
    decided: list[Decision] = []
    sizes = [0]
    while wanted := held(decided).wanted:
        assert not {one.item_id for one in decided} & set(wanted)
        decided += said(wanted)
        sizes.append(len(decided))
    assert all(earlier < later for earlier, later in pairwise(sizes))
    assert sizes[-1] <= 0.32 * SIZE


def test_whether_a_round_pays_is_asked_with_what_the_last_one_said(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Standing] = []

    def pays(standing: Standing, error_budget: float) -> bool:
        asked.append(standing)
        return True

    monkeypatch.setattr(before_freeze, "pays", pays)
    first = held([])
    second = held(said(first.wanted))
    odds = dict(zip(IDS, second.believed.log_odds.tolist(), strict=True))
    label = dict(zip(IDS, second.believed.label.to_pylist(), strict=True))
    held(said((*first.wanted, *second.wanted)))
    assert asked[0].last == NO_ROUND
    assert asked[2].last.log_odds.tolist() == [odds[name] for name in second.wanted]
    assert asked[2].last.is_wrong.tolist() == [label[name] != TRUTH[int(name)] for name in second.wanted]


def test_items_on_which_experts_stay_split_say_nothing_of_the_log_odds(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Standing] = []
    monkeypatch.setattr(before_freeze, "pays", lambda standing, _: asked.append(standing) is None)
    assert held([Decision(name, None) for name in held([]).wanted]).wanted
    assert asked[1].last.is_wrong.size == asked[1].last.log_odds.size == 0


def test_without_a_word_of_the_checker_there_is_no_round() -> None:
    silent = pa.table({"item_id": IDS, "posterior": pa.nulls(SIZE, pa.list_(pa.float64()))})
    assert hold_rounds({"own": CONSENSUS}, silent, CATEGORY, Ontology(CLASSES), [], None, 0.02).wanted == ()


def test_the_projects_consensus_is_estimated_with_the_verdicts_of_complete_rounds() -> None:
    asked: list[int] = []

    def learn(verdicts: Mapping[str, str]) -> pa.Table:
        asked.append(len(verdicts))
        return beliefs(np.linspace(0.35, 0.99, SIZE))

    def go(decided: list[Decision]) -> Rounds:
        held_by = ({"own": CONSENSUS}, CHECKER, CATEGORY, Ontology(CLASSES), decided, None, 0.02)
        return hold_rounds(*held_by, learn=learn)

    first = go([]).wanted
    assert asked == []
    second = go(said(first)).wanted
    assert asked == [len(first)]
    assert max(map(int, second)) < min(map(int, first))


def test_without_a_word_of_the_checker_verdicts_judge_annotators() -> None:
    silent = pa.table({"item_id": IDS, "posterior": pa.nulls(SIZE, pa.list_(pa.float64()))})
    rng = np.random.default_rng(1)
    rows = []
    for item, label in zip(IDS, TRUTH, strict=True):
        # The expert-like annotator is right, five others mostly say x.
        rows.append((item, "good", label))
        rows += [(item, f"bad{n}", "x" if rng.random() < 0.8 else label) for n in range(5)]
    answers = pa.table(dict(zip(("item_id", "annotator", "label"), map(list, zip(*rows, strict=True)), strict=True)))

    def hold(decided: list[Decision]) -> Rounds:
        own = {"majority": consensus(answers, IDS, CLASSES, "majority")}
        return hold_rounds(own, silent, CATEGORY, Ontology(CLASSES), decided, None, 0.02, answers)

    rounds, decided = hold([]), []
    before = np.mean([said == label for said, label in zip(rounds.believed.label.to_pylist(), TRUTH, strict=True)])
    assert len(rounds.wanted) == round_ends(SIZE)[0]
    while rounds.wanted:
        decided += said(rounds.wanted)
        rounds = hold(decided)
    after = np.mean([said == label for said, label in zip(rounds.believed.label.to_pylist(), TRUTH, strict=True)])
    assert len(decided) > round_ends(SIZE)[0]
    assert after > before + 0.1


def test_what_experts_settled_is_in_the_order_in_which_they_did() -> None:
    rows = [(1, "a", "x"), (2, "b", "y"), (3, "b", "x"), (4, "a", "x"), (5, "b", "y"), (6, "c", None), (7, "c", None)]
    answers = pa.table(dict(zip(("sequence", "item_id", "label"), map(list, zip(*rows, strict=True)), strict=True)))
    assert decisions(answers, 2) == [Decision("a", "x"), Decision("b", "y"), Decision("c", None)]
    assert decisions(answers, 1)[0] == Decision("a", "x")


def test_labels_and_routes_say_who_decided() -> None:
    decided = [Decision("000", "y"), Decision("001", None)]
    answers = pa.table({"sequence": [1, 2], "item_id": ["000", "001"], "label": ["y", None]})
    items = round_items(held([])._replace(wanted=("399",)), decided, answers)
    assert items["item_id"].to_pylist() == ["000", "001", "399"]
    assert items["is_settled"].to_pylist() == [True, True, False]
    ids = ["000", "001", "002"]
    routes = pa.table({
        "item_id": ids, "route": ["accept"] * 3, "reason": ["agree"] * 3, "votes": [2] * 3,
        "label": ["x"] * 3, "log_odds": [1.0] * 3,
    })  # fmt: skip
    after = routes_after(routes, items).to_pylist()
    assert [row["label"] for row in after] == ["y", "x", "x"]
    assert [row["route"] for row in after] == ["expert", "expert", "accept"]
    labels = pa.table({
        "item_id": ids, "label": ["y", "x", "x"], "log_odds": [1.0] * 3, "decided_by": ["people and checker"] * 3,
        "route": ["expert", "expert", "accept"], "reason": ["r"] * 3, "majority_label": ["x"] * 3,
        "consensus_label": ["x"] * 3, "predicted_label": ["x"] * 3,
    })  # fmt: skip
    assert labels_after(labels, items)["decided_by"].to_pylist() == [DECIDED, SPLIT, "people and checker"]
