import numpy as np
import pytest

from benchmarks.sample_budget import replay
from benchmarks.sample_truth import errors

VERDICTS = {("one", "i"): "a", ("one", "j"): "b", ("one", "k"): None, ("one", "l"): "a"}


def rows(**labels: str | None) -> list[dict[str, object]]:
    return [{"batch": "one", "item_id": item, "label": label} for item, label in labels.items()]


def test_errors_are_counted_without_and_with_the_contested() -> None:
    found = errors(rows(i="a", j="a", k="a", l="a"), VERDICTS, "label")
    assert found["error"] == 1 / 3
    assert found["error_with_contested"] == 2 / 4


def test_no_label_is_a_wrong_label() -> None:
    assert errors(rows(i=None), VERDICTS, "label")["error"] == 1 / 1


def test_labels_without_an_error_are_certified_and_labels_full_of_them_are_not() -> None:
    right, contested = np.zeros(2_000, dtype=np.bool_), np.zeros(2_000, dtype=np.bool_)
    good = replay(right, contested, 0.02, 400, 20)
    assert good["cut_share"] == 1
    assert good["experts_seen_share_mean"] == pytest.approx(400 / 2_000)
    bad = replay(~right, contested, 0.02, 400, 20)
    assert bad["cut_share"] == 0
