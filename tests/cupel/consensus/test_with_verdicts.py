"""With verdicts: annotators are believed as far as experts bear them out, and verdicts judge others' beliefs only."""

import numpy as np
import pyarrow as pa
import pytest

from cupel.consensus.consensus import consensus
from cupel.consensus.methods import CANDIDATES
from cupel.consensus.with_verdicts import consensus_with_verdicts

CLASSES = ("x", "y")
SIZE = 60
IDS = [f"{number:02}" for number in range(SIZE)]
TRUTH = np.random.default_rng(2).integers(0, 2, SIZE)


def answers(*places: np.ndarray) -> pa.Table:
    """Return annotations: one annotator for each array of classes' places."""
    rows = [
        (item, f"a{who}", CLASSES[one]) for who, own in enumerate(places) for item, one in zip(IDS, own, strict=True)
    ]
    return pa.table(dict(zip(("item_id", "annotator", "label"), map(list, zip(*rows, strict=True)), strict=True)))


# Two annotators who are right, and three who say the opposite together.
MISLED = answers(TRUTH, TRUTH, 1 - TRUTH, 1 - TRUTH, 1 - TRUTH)


def read(method: str, annotations: pa.Table) -> pa.Table:
    return consensus(annotations, IDS, CLASSES, method)


def learn(annotations: pa.Table, said: dict[str, str]) -> pa.Table:
    return consensus_with_verdicts(annotations, read("ibcc", annotations), said, lambda table: read("ibcc", table))


def verdicts(count: int, truth: np.ndarray = TRUTH) -> dict[str, str]:
    return {name: CLASSES[place] for name, place in zip(IDS[:count], truth[:count], strict=True)}


def right_share(table: pa.Table, first: int) -> float:
    return float(np.mean([table["consensus_label"][row].as_py() == CLASSES[TRUTH[row]] for row in range(first, SIZE)]))


@pytest.mark.parametrize("method", [name for name in CANDIDATES if name not in ("glad", "majority")])
def test_a_few_verdicts_turn_a_crowd_that_is_mostly_wrong(method: str) -> None:
    assert right_share(read(method, MISLED), 12) < 0.1
    found = consensus_with_verdicts(MISLED, read(method, MISLED), verdicts(12), lambda table: read(method, table))
    assert right_share(found, 12) > 0.9


def test_without_verdicts_it_is_the_consensus() -> None:
    assert learn(MISLED, {}).equals(read("ibcc", MISLED))


def test_votes_are_those_of_annotators_alone() -> None:
    found, plain = learn(MISLED, verdicts(8)), read("ibcc", MISLED)
    for name in ("item_id", "votes", "majority_label", "is_tie", "agreement"):
        assert found[name].equals(plain[name])


def test_an_items_own_verdict_says_nothing_of_what_is_believed_of_it() -> None:
    said = verdicts(10)
    turned = {**said, "03": CLASSES[1 - TRUTH[3]]}
    one, other = (learn(MISLED, each) for each in (said, turned))
    assert one["posterior"][3].as_py() == other["posterior"][3].as_py()
    assert one["posterior"][2].as_py() != other["posterior"][2].as_py()


def test_an_item_without_answers_stays_unknown_though_experts_decided_it() -> None:
    few = MISLED.filter(pa.array([item != "05" for item in MISLED["item_id"].to_pylist()]))
    found = learn(few, verdicts(10))
    assert [found[name][5].as_py() for name in ("posterior", "consensus_label")] == [None, None]
