import numpy as np
import pyarrow as pa

from cupel.checking.opinions import batch_of, predictions_of
from cupel.config.checking import Checking
from cupel.kinds.preference.differences import differences, learn
from cupel.modalities.comparison import Comparison, as_text

CLASSES = ("first", "second", "tie")


def test_exchanging_the_responses_changes_the_sign() -> None:
    pairs = [("red fox ran", "blue fox"), ("red fox", "red fox"), ("blue", "ran blue ran")]
    one = differences([as_text(Comparison("p", *pair)) for pair in pairs]).toarray()
    other = differences([as_text(Comparison("p", *pair[::-1])) for pair in pairs]).toarray()
    assert np.allclose(one[:, :-1], -other[:, :-1])
    assert np.allclose(one[:, -1], other[:, -1])


def test_responses_without_a_common_word_are_no_error() -> None:
    assert differences([as_text(Comparison("", "a", "b"))]).shape[0] == 1


def batch(items: int) -> tuple[pa.Table, pa.Table, list[str]]:
    rng = np.random.default_rng(3)
    truth = rng.choice(["first", "second"], items)
    texts = [
        as_text(Comparison("p", *(("good word", "bad word") if label == "first" else ("bad word", "good word"))))
        for label in truth
    ]
    names = [f"i{number:03}" for number in range(items)]
    belief = [[0.8, 0.2, 0.0] if label == "first" else [0.2, 0.8, 0.0] for label in truth]
    table = pa.table({"item_id": names, "text": texts, "group_id": names})
    return table, pa.table({"item_id": names, "posterior": belief}), list(truth)


def predictions(items: pa.Table, consensus: pa.Table) -> pa.Table:
    batch = batch_of(items, consensus, CLASSES, Checking())
    found = learn([batch], Checking())
    return predictions_of(batch, found.opinions[0], found.model, found.version)


def test_what_makes_a_response_better_is_learned_wherever_it_stands() -> None:
    items, consensus, truth = batch(200)
    found = predictions(items, consensus)
    assert found["predicted_label"].to_pylist() == truth


def test_too_little_to_learn_from_is_an_abstention_with_its_reason() -> None:
    items, consensus, _ = batch(20)
    found = predictions(items, consensus)
    assert found["predicted_label"].null_count == 20
    assert found["abstention"].null_count == 0
