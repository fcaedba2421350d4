"""Weights: an annotator who is weighed down counts less, and has no part in judging others."""

import pyarrow as pa

from crowds import CLASSES, Crowd
from cupel.consensus.consensus import consensus
from cupel.people.annotators.weights import weighed, without


def both(crowd: Crowd, light: dict[str, float]) -> pa.Table:
    given = crowd.annotations()
    return weighed(consensus(without(given, light), crowd.item_ids(), CLASSES), given, light, CLASSES)


def test_nobody_weighed_down_changes_nothing() -> None:
    crowd = Crowd()
    assert both(crowd, {}).equals(consensus(crowd.annotations(), crowd.item_ids(), CLASSES))


def test_every_annotation_is_still_counted() -> None:
    table = both(Crowd(), {"honest0": 0.25})
    assert table["votes"].to_pylist() == [6] * 150


def test_weight_zero_leaves_the_others_posterior() -> None:
    crowd = Crowd()
    given = crowd.annotations()
    alone = consensus(without(given, {"honest0": 0.0}), crowd.item_ids(), CLASSES)
    assert both(crowd, {"honest0": 0.0})["consensus_label"].equals(alone["consensus_label"])


def test_an_item_that_only_the_weighed_down_answered_has_an_answer() -> None:
    crowd = Crowd()
    crowd.truth = crowd.truth[:1].repeat(1)
    given = crowd.annotations().filter(pa.array([row[0] != 149 or row[1] == "honest0" for row in sorted(
        crowd.rows, key=lambda row: row[3])]))  # fmt: skip
    items = [f"{item:04d}" for item in range(150)]
    light = {"honest0": 0.5}
    table = weighed(consensus(without(given, light), items, CLASSES), given, light, CLASSES)
    assert table["consensus_label"][149].as_py() is not None
    assert table["votes"][149].as_py() == 1
