import itertools
from fractions import Fraction

import krippendorff
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupel.consensus.coding import Reals
from cupel.kinds.multilabel.coded_sets import CodedSets, code_sets
from cupel.kinds.multilabel.label_sets import write_set
from cupel.kinds.multilabel.masi_alpha import class_alphas, masi_alpha, masi_distance

CLASSES = ("a", "b", "c")
TEXTS = [write_set(names, CLASSES) for size in range(4) for names in itertools.combinations(CLASSES, size)]


def coded(rows: list[tuple[str, str]]) -> CodedSets:
    columns = {"item_id": [item for item, _ in rows], "annotator": [str(n) for n in range(len(rows))]}
    table = pa.table(columns | {"label": [text for _, text in rows]}, pa.schema([(n, pa.string()) for n in
                     ("item_id", "annotator", "label")]))  # fmt: skip
    return code_sets(table, None, CLASSES)


def distance(one: set[str], other: set[str]) -> Fraction:
    """MASI as Passonneau (2006) writes it, with exact numbers."""
    if one == other:
        return Fraction(0)
    weight = Fraction(2, 3) if one <= other or other <= one else Fraction(1, 3) if one & other else Fraction(0)
    return 1 - Fraction(len(one & other), len(one | other)) * weight


def exact_alpha(items: list[list[set[str]]]) -> Fraction | None:
    """Alpha pair by pair, from Krippendorff's definition."""
    pairable = [sets for sets in items if len(sets) > 1]
    every = [one for sets in pairable for one in sets]
    expected = sum(distance(one, other) for one, other in itertools.permutations(every, 2))
    if not expected:
        return None
    observed = sum(Fraction(sum(distance(*pair) for pair in itertools.permutations(sets, 2)), len(sets) - 1)
                   for sets in pairable)  # fmt: skip
    return 1 - (len(every) - 1) * observed / expected


def test_distances_are_those_of_the_paper() -> None:
    sets = np.array([[1, 1, 0], [1, 1, 0], [1, 0, 0], [0, 1, 1], [0, 0, 1], [0, 0, 0]], np.bool_)
    found = masi_distance(sets[:1], sets)[0]
    assert found == pytest.approx([0, 0, 1 - 1 / 2 * 2 / 3, 1 - 1 / 3 * 1 / 3, 1, 1])


def test_distances_are_those_of_nltk_where_it_has_any() -> None:
    nltk_distance = pytest.importorskip("nltk.metrics.distance").masi_distance
    sets = [frozenset(names) for size in range(1, 4) for names in itertools.combinations(CLASSES, size)]
    flags = np.array([[name in one for name in CLASSES] for one in sets])
    theirs = [[nltk_distance(one, other) for other in sets] for one in sets]
    # It rounds the weights to .67 and .33.
    assert masi_distance(flags, flags) == pytest.approx(np.array(theirs), abs=0.004)


def test_alpha_of_one_class_each_is_nearly_nominal_alpha() -> None:
    """Sets of one class each have distance 0 or 1, so that MASI alpha is Krippendorff's nominal alpha."""
    given_ = [[0, 0, 1], [1, 1, 1], [2, 2, 0], [0, 1, 2], [0, 0, 0]]
    answers = coded([(str(n), f'["{CLASSES[place]}"]') for n, row in enumerate(given_) for place in row])
    theirs = krippendorff.alpha(reliability_data=np.array(given_).T, level_of_measurement="nominal")
    assert masi_alpha(answers).value == pytest.approx(theirs)


def test_alpha_is_that_of_krippendorff_with_masi_as_its_metric() -> None:
    rng = np.random.default_rng(3)
    data = rng.integers(0, len(TEXTS), (12, 3))
    flags = np.array([[name in text for name in CLASSES] for text in TEXTS])
    table = masi_distance(flags, flags)

    def metric(v1: Reals, v2: Reals, **_: object) -> Reals:
        return np.asarray(table[v1.astype(int), v2.astype(int)])

    theirs = krippendorff.alpha(
        reliability_data=data.T.astype(float), value_domain=list(range(len(TEXTS))), level_of_measurement=metric
    )
    answers = coded([(f"{n:02d}", TEXTS[place]) for n, row in enumerate(data) for place in row])
    assert masi_alpha(answers).value == pytest.approx(theirs)


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=4), min_size=1, max_size=6))
def test_alpha_is_that_of_its_definition_and_its_interval_the_jackknifes(items: list[list[str]]) -> None:
    answers = coded([(str(n), text) for n, texts in enumerate(items) for text in texts])
    sets = [[{name for name in CLASSES if f'"{name}"' in text} for text in texts] for texts in items]
    found, exact = masi_alpha(answers), exact_alpha(sets)
    assert (found.value is None) == (exact is None)
    pairable = [some for some in sets if len(some) > 1]
    assert found.items == len(pairable)
    if exact is None:
        return
    assert found.value == pytest.approx(float(exact))
    without = [exact_alpha(pairable[:n] + pairable[n + 1 :]) for n in range(len(pairable))]
    if None in without or len(without) < 2:
        assert found.lower is None
        return
    values = np.array([float(one) for one in without if one is not None])
    error = np.sqrt((len(values) - 1) / len(values) * ((values - values.mean()) ** 2).sum())
    assert found.lower == pytest.approx(max(-1.0, float(exact) - 1.959964 * error), abs=1e-5)


def test_sets_that_share_classes_agree_more_than_sets_that_do_not() -> None:
    near = coded([("1", '["a","b"]'), ("1", '["a"]'), ("2", '["c"]'), ("2", '["c"]')])
    far = coded([("1", '["a","b"]'), ("1", '["c"]'), ("2", '["c"]'), ("2", '["c"]')])
    one, other = masi_alpha(near).value, masi_alpha(far).value
    assert one is not None
    assert other is not None
    assert one > other


def test_empty_sets_that_all_give_say_nothing_and_among_others_agree() -> None:
    assert masi_alpha(coded([("1", "[]"), ("1", "[]")])).value is None
    assert masi_alpha(coded([("1", "[]"), ("1", "[]"), ("2", '["a"]'), ("2", '["a"]')])).value == pytest.approx(1.0)


def test_each_class_has_its_alpha() -> None:
    rows = [("1", '["a"]'), ("1", '["a","b"]'), ("2", "[]"), ("2", '["b"]')]
    alone, split, never = class_alphas(coded(rows))
    assert alone.value == pytest.approx(1.0)
    assert split.value is not None
    assert split.value < 0.5
    assert never.value is None
