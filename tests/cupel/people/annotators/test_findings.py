"""What is found against whom, and that the honest are let be."""

from typing import Any

import numpy as np
import pyarrow as pa

from crowds import CLASSES, Crowd
from cupel.people.annotators.annotators import annotators
from cupel.people.annotators.findings import FINDINGS, findings
from cupel.people.annotators.study import study


def found(crowd: Crowd, **options: Any) -> dict[tuple[str, str], dict[str, Any]]:
    return {(row["annotator"], row["finding"]): row for row in findings(crowd.study(**options)).to_pylist()}


def test_nothing_is_found_against_honest_annotators() -> None:
    rows = [found(Crowd(accuracy=(0.9, 0.8, 0.7, 0.6, 0.8, 0.75), seed=seed)) for seed in range(20)]
    assert sum(map(len, rows)) <= 2


def test_who_guesses_is_found_with_evidence() -> None:
    crowd = Crowd()
    crowd.add("guesser", crowd.guesses())
    row = found(crowd)["guesser", "guessing"]
    assert row["p_value"] is None
    assert row["log10_ratio"] > 1
    assert row["items"] == 150
    assert len(row["item_ids"]) == 20
    assert "gold items" in row["evidence"]


def test_who_guesses_is_found_where_most_items_are_too_hard_for_anybody() -> None:
    shares = []
    for seed in range(8):
        crowd = Crowd(items=300, accuracy=(), seed=seed)
        is_hard = crowd.rng.random(300) < 0.7
        for number in range(12):
            crowd.add(f"honest{number}", np.where(is_hard, crowd.guesses(), crowd.honest(0.85)))
        for number in range(4):
            crowd.add(f"guesser{number}", crowd.guesses())
        crowd.rows = [row for row in crowd.rows if crowd.rng.random() < 0.3]
        guilty = [name for name, finding in found(crowd, gold=60) if finding == "guessing"]
        shares.append([sum(name.startswith(kind) for name in guilty) for kind in ("guesser", "honest")])
    guessers, honest = np.sum(shares, axis=0)
    assert guessers >= 0.8 * 8 * 4
    assert honest <= 0.05 * 8 * 12


def test_who_always_says_the_same_is_found_as_constant() -> None:
    crowd = Crowd()
    crowd.add("same", np.full(150, 2))
    assert [key for key in found(crowd) if key[0] == "same"] == [("same", "constant")]


def test_the_same_answer_is_no_fault_where_all_items_are_of_one_class() -> None:
    crowd = Crowd(accuracy=())
    crowd.truth[:] = 2
    for number in range(6):
        crowd.add(f"honest{number}", np.where(crowd.rng.random(150) < 0.95, 2, crowd.guesses()))
    crowd.add("same", np.full(150, 2))
    assert found(crowd) == {}


def test_the_copier_is_found_and_the_source_is_not() -> None:
    crowd = Crowd()
    copied = crowd.said("honest2").copy()
    copied[::20] = (copied[::20] + 1) % 3
    crowd.add("copier", copied, after="honest2")
    rows = found(crowd)
    assert list(rows) == [("copier", "copying")]
    assert rows["copier", "copying"]["others"] == ["honest2"]
    assert "the other one was first" in rows["copier", "copying"]["evidence"]


def test_a_group_with_one_key_is_found_whole_although_it_is_a_third_of_the_crowd() -> None:
    crowd = Crowd()
    key = crowd.guesses()
    for number in range(3):
        crowd.add(f"colluder{number}", key)
    rows = found(crowd)
    for number in range(3):
        assert ("colluder", "colluding") in {(name[:-1], finding) for name, finding in rows}
        assert any(name == f"colluder{number}" for name, _ in rows)
    assert not any(name.startswith("honest") for name, _ in rows)


def test_shared_right_answers_of_good_annotators_are_no_copying() -> None:
    assert found(Crowd(accuracy=(0.98,) * 8)) == {}


def test_who_tires_is_found_and_where() -> None:
    crowd = Crowd(items=300)
    labels, when = crowd.honest(0.85), np.arange(300.0)
    labels[150:] = crowd.guesses()[150:]
    for item, (label, at) in enumerate(zip(labels, when, strict=True)):
        crowd.rows.append((item, "tired", int(label), float(at) / 300))
    row = found(crowd)["tired", "worsening"]
    assert 130 <= int(row["evidence"].split("answer ")[1].split()[0]) <= 170


def test_who_takes_a_fifth_of_the_time_is_hurried() -> None:
    names = {f"honest{number}": 10.0 for number in range(6)}
    assert list(found(Crowd(), seconds=names | {"honest3": 2.0})) == [("honest3", "hurried")]
    assert found(Crowd(), seconds=names | {"honest3": 5.0}) == {}


def test_five_answers_are_too_few_to_tell() -> None:
    crowd = Crowd()
    crowd.add("new", crowd.guesses()[:5])
    measured = crowd.study()
    assert not any(row["annotator"] == "new" for row in findings(measured).to_pylist())


def test_where_everybody_says_the_same_only_gold_can_tell() -> None:
    crowd = Crowd(accuracy=())
    for name in "abcd":
        crowd.add(name, np.zeros(150, np.int64))
    blind = crowd.study(gold=0)
    assert findings(blind).to_pylist() == []
    assert annotators(blind)["is_told"].to_pylist() == [False] * 4
    assert sorted(found(crowd, gold=10)) == [(name, "constant") for name in "abcd"]


def test_one_annotator_alone_is_judged_by_gold_only() -> None:
    crowd = Crowd(accuracy=())
    crowd.add("alone", crowd.honest(0.9))
    (row,) = annotators(crowd.study(40)).to_pylist()
    assert row["gold_answers"] == 40
    assert row["comparable"] == 0
    assert row["gold_low"] <= row["gold_right"] / 40 <= row["gold_high"]
    (row,) = annotators(crowd.study(0)).to_pylist()
    assert row["is_told"] is False
    assert row["gold_low"] is None


def test_annotators_who_never_meet_are_not_compared() -> None:
    rows = [(f"{item:03d}", f"p{item % 3}", CLASSES[item % 2]) for item in range(90)]
    items, names, labels = (list(column) for column in zip(*rows, strict=False))
    table = pa.table({"item_id": items, "annotator": names, "label": labels, "sequence": list(range(90)),
                      "seconds_spent": pa.nulls(90, pa.float64())})  # fmt: skip
    measured = study(table, items, CLASSES)
    assert annotators(measured)["comparable"].to_pylist() == [0, 0, 0]
    assert findings(measured).to_pylist() == []


def test_the_order_of_rows_does_not_matter() -> None:
    crowd = Crowd()
    crowd.add("guesser", crowd.guesses())
    table = crowd.annotations()
    shuffled = table.take(pa.array(np.random.default_rng(3).permutation(table.num_rows)))
    one, other = (findings(study(rows, crowd.item_ids(), CLASSES, crowd.gold())) for rows in (table, shuffled))
    assert one.equals(other)


def test_every_finding_is_explained() -> None:
    assert set(FINDINGS) == {"guessing", "constant", "copying", "colluding", "worsening", "below_bar", "hurried"}


def test_who_is_below_the_bar_on_hidden_gold_is_found_and_who_may_be_above_it_is_not() -> None:
    crowd = Crowd(accuracy=(0.95, 0.95, 0.95))
    crowd.add("weak", crowd.honest(0.6))
    crowd.add("just", crowd.honest(0.82))
    table = findings(crowd.study(gold=60), 0.8).to_pylist()
    below = {row["annotator"]: row for row in table if row["finding"] == "below_bar"}
    assert set(below) == {"weak"}
    assert below["weak"]["items"] == 60
    assert below["weak"]["value"] < 0.8
    assert all(row["finding"] != "below_bar" for row in findings(crowd.study(gold=60)).to_pylist())
    assert all(row["finding"] != "below_bar" for row in findings(crowd.study(gold=0), 0.8).to_pylist())


def test_few_who_are_just_at_the_bar_are_found_below_it() -> None:
    caught = 0
    for seed in range(40):
        crowd = Crowd(accuracy=(0.8, 0.8, 0.8, 0.8, 0.8), seed=seed)
        rows = findings(crowd.study(gold=50), 0.8).to_pylist()
        caught += sum(row["finding"] == "below_bar" for row in rows)
    assert caught <= 0.02 * 40 * 5
