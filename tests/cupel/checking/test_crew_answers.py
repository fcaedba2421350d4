from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from cupel.checking.crew_answers import consensus_with_models, read_model_file
from cupel.checking.fuse_models import fuse_beside_models
from cupel.checking.fusion import fuse_beliefs
from cupel.config.crew import CrewModel
from cupel.consensus.coding import lists_of, vectors
from cupel.consensus.consensus import consensus
from cupel.contract.table import conform, empty
from cupel.contract.tables.checking import PREDICTIONS
from cupel.contract.tables.crew import MODEL_ANSWERS
from cupel.contract.tables.labeling import CONSENSUS
from cupel.errors import CheckerError, TableError

CLASSES = ("a", "b")
GPT = CrewModel(name="gpt", version="2", file="gpt.csv")


def people(rows: list[tuple[str, str, str]], items: list[str]) -> pa.Table:
    item, annotator, label = (list(one) for one in zip(*rows, strict=True))
    given = pa.table({"item_id": item, "annotator": annotator, "label": label})
    return consensus(given, items, CLASSES)


def says(labels: dict[str, str]) -> pa.Table:
    rows = [{"item_id": item, "model": "gpt", "model_version": "2", "label": label} for item, label in labels.items()]
    return conform(pa.Table.from_pylist(rows, schema=MODEL_ANSWERS.schema), MODEL_ANSWERS)


def crew(size: int = 400, seed: int = 0) -> tuple[pa.Table, pa.Table, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """Return what two people say of items, each right on 80%, what a model says that is right on 90%, and the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.random(size) < 0.5
    items = [f"i{number:04}" for number in range(size)]
    rows = [
        (item, who, CLASSES[int(is_b ^ (rng.random() < 0.2))])
        for item, is_b in zip(items, truth, strict=True) for who in ("ann", "bob")
    ]  # fmt: skip
    said = {item: CLASSES[int(is_b ^ (rng.random() < 0.1))] for item, is_b in zip(items, truth, strict=True)}
    return people(rows, items), says(said), truth


def test_a_models_voice_moves_the_label_and_never_votes_majority_or_ties() -> None:
    alone, answers, truth = crew()
    both = consensus_with_models(alone, answers, [GPT], CLASSES)
    assert both.schema == CONSENSUS.schema
    for column in ("votes", "majority_label", "is_tie", "agreement"):
        assert both[column].equals(alone[column])
    errors = [
        np.mean([CLASSES.index(label) != int(is_b) for label, is_b in zip(labels, truth, strict=True)])
        for labels in (alone["consensus_label"].to_pylist(), both["consensus_label"].to_pylist())
    ]
    assert errors[1] < errors[0] - 0.03


def test_where_nobody_has_answered_no_label_rests_on_the_model() -> None:
    alone = people([("i", "ann", "a")], ["i", "j"])
    both = consensus_with_models(alone, says({"i": "b", "j": "b"}), [GPT], CLASSES)
    (row,) = [row for row in both.to_pylist() if row["item_id"] == "j"]
    assert (row["votes"], row["consensus_label"], row["posterior"]) == (0, None, None)


def test_a_model_without_answers_changes_nothing() -> None:
    alone, _, _ = crew(60)
    both = consensus_with_models(alone, empty(MODEL_ANSWERS), [GPT], CLASSES)
    np.testing.assert_allclose(vectors(both["posterior"], 2), vectors(alone["posterior"], 2), atol=1e-9)


def predictions(consensus: pa.Table, posterior: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> pa.Table:
    size = consensus.num_rows
    columns = {
        "item_id": consensus["item_id"],
        "predicted_label": pa.array(CLASSES).take(pa.array(posterior.argmax(axis=1))),
        "posterior": lists_of(posterior, np.ones(size, np.bool_)),
        "fold": pa.array(np.zeros(size, np.int64)),
        "abstention": pa.nulls(size, pa.string()),
        "model": pa.repeat(pa.scalar("m"), size),
        "model_version": pa.repeat(pa.scalar("1"), size),
    }
    return conform(pa.table(columns), PREDICTIONS)


def test_a_checker_that_repeats_the_model_adds_nothing() -> None:
    alone, answers, _ = crew(2000)
    both = consensus_with_models(alone, answers, [GPT], CLASSES)
    is_b = np.array([label == "b" for label in answers.sort_by("item_id")["label"].to_pylist()])
    again = predictions(both, np.where(is_b[:, None], [0.1, 0.9], [0.9, 0.1]))
    found = fuse_beside_models(alone, both, again, CLASSES)
    assert found.parts[0].weights.checker <= 0.25
    twice = fuse_beliefs(
        both["item_id"].combine_chunks(), vectors(both["posterior"], 2), vectors(again["posterior"], 2)
    )
    assert twice.weights.checker > found.parts[0].weights.checker


def test_a_checker_of_its_own_mind_is_believed_beside_the_model() -> None:
    alone, answers, truth = crew(2000)
    both = consensus_with_models(alone, answers, [GPT], CLASSES)
    is_b = truth ^ (np.random.default_rng(5).random(2000) < 0.2)
    found = fuse_beside_models(alone, both, predictions(both, np.where(is_b[:, None], [0.2, 0.8], [0.8, 0.2])), CLASSES)
    assert found.parts[0].weights.checker >= 0.75
    assert len(found.label) == 2000


def test_tables_of_other_items_are_refused() -> None:
    alone, answers, _ = crew(60)
    both = consensus_with_models(alone, answers, [GPT], CLASSES)
    given = predictions(both, np.full((60, 2), 0.5))
    with pytest.raises(TableError, match="people_consensus hold different items"):
        fuse_beside_models(alone.slice(1), both, given, CLASSES)


def test_a_file_of_answers_is_read_and_what_makes_no_sense_is_rejected_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "gpt.csv").write_text("item_id,label\ni,a\nj,\nk,mild\nunknown,a\n")
    kept, rejected, sha256 = read_model_file(GPT, tmp_path, "one", ["i", "j", "k", "l"], CLASSES)
    assert kept.to_pylist() == [
        {"item_id": "i", "model": "gpt", "model_version": "2", "label": "a", "sequence": None}
    ]  # fmt: skip
    reasons = dict(zip(rejected["item_id"].to_pylist(), rejected["reason"].to_pylist(), strict=True))
    assert reasons == {"j": "undecided", "k": "unknown_label"}
    assert len(sha256) == 64


def test_a_missing_file_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CheckerError, match=r"gpt.csv: no such file; bring the answers of 'gpt'"):
        read_model_file(GPT, tmp_path, "one", ["i"], CLASSES)
