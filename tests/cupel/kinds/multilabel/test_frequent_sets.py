import numpy as np
import pyarrow as pa
import pytest

from cupel.consensus.coding import Flags
from cupel.kinds.multilabel.frequent_sets import FEWEST_SETS, MOST_SETS, frequent_sets, nearest_sets
from cupel.kinds.multilabel.label_sets import has_class, join_sets
from cupel.people.annotators.findings import findings
from cupel.people.annotators.study import study
from tests.cupel.kinds.multilabel.made_answers import CLASSES, MadeAnswers, make_answers


def found_against(made: MadeAnswers) -> dict[str, set[str]]:
    """Return what is found against whom, counted in the frequent sets."""
    table = made.annotations
    frequent = frequent_sets(table["label"], CLASSES)
    near = table.set_column(2, "label", nearest_sets(table["label"], frequent, CLASSES))
    items = [f"{n:04d}" for n in range(len(made.truth))]
    named: dict[str, set[str]] = {}
    for row in findings(study(near, items, frequent)).to_pylist():
        named.setdefault(row["annotator"], set()).add(row["finding"])
    return named


def add(made: MadeAnswers, name: str, said: Flags) -> MadeAnswers:
    """Return the answers with those of one more annotator, who answers every item after all others."""
    items = len(made.truth)
    first = made.annotations.num_rows + 1
    rows = pa.table({
        "item_id": [f"{n:04d}" for n in range(items)], "annotator": [name] * items,
        "label": join_sets(said.astype(np.int64), CLASSES), "sequence": list(range(first, first + items)),
    })  # fmt: skip
    return made._replace(annotations=pa.concat_tables([made.annotations, rows]))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("shares", [(0.4,) * 6, (0.05,) * 6])
def test_honest_crowds_are_not_accused_of_guessing(seed: int, shares: tuple[float, ...]) -> None:
    made = make_answers(items=250, people=12, skills=0.6, good=1.0, shares=shares, seed=seed)
    assert not [who for who, what in found_against(made).items() if what & {"guessing", "constant"}]


def test_who_guesses_is_found() -> None:
    made = make_answers(items=250, skills=0.5, good=1.5)
    guesses = np.random.default_rng(8).random(made.truth.shape) < 0.3
    assert found_against(add(made, "spammer", guesses)) == {"spammer": {"guessing"}}


def test_who_always_gives_the_same_set_is_found() -> None:
    made = make_answers(items=250, skills=0.5)
    same = np.tile(np.array([True, False, False, False, False, True]), (250, 1))
    assert set(found_against(add(made, "spammer", same))) == {"spammer"}


def test_who_copies_is_found() -> None:
    made = make_answers(items=250, skills=0.5, people=5)
    own = {row["item_id"]: row["label"] for row in made.annotations.to_pylist() if row["annotator"] == "p00"}
    copied = has_class([own.get(f"{n:04d}", "[]") for n in range(250)], CLASSES)
    found = found_against(add(made, "copycat", copied))
    assert found["copycat"] & {"copying", "colluding"}


def test_few_distinct_sets_all_stand_for_themselves() -> None:
    labels = pa.array(['["a"]', "[]", "[]", '["b"]'])
    frequent = frequent_sets(labels, CLASSES)
    assert frequent == ["[]", '["a"]', '["b"]']
    assert nearest_sets(labels, frequent, CLASSES).equals(labels)


def test_of_many_distinct_sets_the_frequent_ones_stand_for_the_others() -> None:
    labels = make_answers().annotations["label"]
    frequent = frequent_sets(labels, CLASSES)
    assert len(frequent) == FEWEST_SETS
    near = nearest_sets(labels, frequent, CLASSES)
    assert set(near.to_pylist()) == set(frequent)
    assert nearest_sets(near, frequent, CLASSES).equals(near)


def test_the_same_label_always_has_the_same_stand_in() -> None:
    labels = pa.array(['["a","b","c"]', '["a"]', '["a","b","c"]', None])
    near = nearest_sets(labels, ['["a"]', '["b","c"]'], CLASSES).to_pylist()
    assert near == ['["b","c"]', '["a"]', '["b","c"]', None]


def test_no_labels_have_no_frequent_sets() -> None:
    none = pa.array([], pa.string())
    assert frequent_sets(none, CLASSES) == []
    assert nearest_sets(none, [], CLASSES).to_pylist() == []


def test_where_most_answers_are_one_set_there_are_more_frequent_sets() -> None:
    labels = make_answers(items=400, shares=(0.02,) * 6, good=1.5).annotations["label"]
    assert FEWEST_SETS < len(frequent_sets(labels, CLASSES)) <= MOST_SETS
