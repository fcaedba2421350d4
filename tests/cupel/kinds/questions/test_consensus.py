"""Several questions together: each is decided among those who were asked it, and the label holds what was asked."""

import numpy as np
import pyarrow as pa
import pytest

from cupel.checking.label_fusion import log_odds_of_all
from cupel.config.labeling import Labeling
from cupel.consensus.coding import code
from cupel.consensus.majority import majority
from cupel.kinds.questions import QUESTIONS
from cupel.kinds.questions.consensus import count_whole_labels

LABELING = Labeling.model_validate(
    {
        "kind": "questions",
        "question": "What is it?",
        "questions": [
            {"name": "topic", "question": "About?", "classes": ["sport", "spam"]},
            {"name": "tone", "question": "How?", "classes": ["warm", "cold"], "asked_if": {"topic": ["sport"]}},
        ],
        "consensus": "majority",
        "experts": {"description": "one"},
    }
)
WARM, COLD, SPAM = '{"topic":"sport","tone":"warm"}', '{"topic":"sport","tone":"cold"}', '{"topic":"spam"}'


def consensus(*said: tuple[str, str]) -> list[dict[str, object]]:
    rows = {"item_id": [item for item, _ in said], "annotator": [f"p{n}" for n in range(len(said))],
            "label": [label for _, label in said]}  # fmt: skip
    items = pa.table({"item_id": ["a", "b"]})
    found = QUESTIONS.consensus(pa.table(rows), items, LABELING, {}, None)
    return list(found.tables["consensus"].to_pylist())


def test_a_question_is_decided_among_those_who_were_asked_it() -> None:
    first, _ = consensus(("a", SPAM), ("a", WARM), ("a", WARM))
    assert (first["consensus_label"], first["majority_label"], first["votes"]) == (WARM, WARM, 3)
    # Pairs of votes agree on topic in one of three cases, on tone always: nobody is taken to guess, nor to be certain.
    topic, tone = 0.55 / (0.55 + 0.45), 0.99**2 / (0.99**2 + 0.01**2)
    assert first["posterior"] == pytest.approx([topic, 1 - topic, tone, 1 - tone])


def test_whole_labels_may_all_differ_where_every_question_is_agreed_on() -> None:
    first, _ = consensus(("a", WARM), ("a", WARM), ("a", COLD), ("a", COLD), ("a", SPAM))
    assert first["majority_label"] is None
    assert first["is_tie"]
    assert str(first["consensus_label"]).startswith('{"topic":"sport"')


def test_where_nobody_was_asked_a_question_nothing_is_known_of_it() -> None:
    first, second = consensus(("a", SPAM), ("a", SPAM))
    assert first["consensus_label"] == SPAM
    assert np.isnan(first["posterior"][2:]).all()  # type: ignore[index]
    assert (second["votes"], second["posterior"], second["consensus_label"]) == (0, None, None)


def test_a_question_that_the_label_does_not_ask_makes_it_no_less_certain() -> None:
    rows = {"item_id": ["a"] * 2 + ["b"] * 3, "annotator": list("pqpqr"), "label": [SPAM, SPAM, WARM, WARM, COLD]}
    items = pa.table({"item_id": ["a", "b"]})
    table = QUESTIONS.consensus(pa.table(rows), items, LABELING, {}, None).tables["consensus"]
    silent = pa.table({"item_id": ["a", "b"], "posterior": pa.nulls(2, pa.list_(pa.float64()))})
    found = QUESTIONS.fuse(table, silent, LABELING.ontology, None)
    topic, tone = found.parts
    assert found.label.to_pylist() == [SPAM, WARM]
    assert found.log_odds[0] == topic.log_odds[0]
    assert found.log_odds[1] == log_odds_of_all([topic.log_odds[1:], tone.log_odds[1:]])[0]


def test_whole_labels_are_counted_as_any_consensus_counts_classes() -> None:
    rng = np.random.default_rng(1)
    rows = {"item_id": [f"i{n}" for n in rng.integers(0, 20, 60)], "annotator": [None] * 60,
            "label": [f"l{n}" for n in rng.integers(0, 4, 60)]}  # fmt: skip
    coded = code(pa.table(rows), [f"i{n}" for n in range(25)], [f"l{n}" for n in range(4)])
    one, other = count_whole_labels(coded), majority(coded)
    for name in one._fields:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
