import numpy as np
import pyarrow as pa
import pytest

from cupel.config.crew import CrewModel
from cupel.consensus.coding import vectors
from cupel.consensus.consensus import consensus
from cupel.consensus.model_voices import add_voices
from cupel.contract.table import conform, empty
from cupel.contract.tables.crew import MODEL_ANSWERS, REJECTED_MODEL_ANSWERS
from cupel.people.annotators.model_ratings import rate_models

CLASSES = ("a", "b")
MODELS = [CrewModel(name="ann", version="1", price=0.5), CrewModel(name="silent", version="2")]


def crew(skill: float, items: int = 300) -> tuple[pa.Table, pa.Table, list[str], np.ndarray]:  # type: ignore[type-arg]
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, items)
    ids = [f"i{number:03}" for number in range(items)]
    rows = [
        {"item_id": item, "annotator": who, "label": CLASSES[one ^ int(rng.random() < 0.15)]}
        for item, one in zip(ids, truth.tolist(), strict=True) for who in ("ann", "bob", "cy")
    ]  # fmt: skip
    said = [
        {"item_id": item, "model": "ann", "model_version": "1", "label": CLASSES[one ^ int(rng.random() >= skill)]}
        for item, one in zip(ids, truth.tolist(), strict=True)
    ]
    answers = conform(pa.Table.from_pylist(said, schema=MODEL_ANSWERS.schema), MODEL_ANSWERS)
    return pa.Table.from_pylist(rows), answers, ids, truth


@pytest.mark.parametrize("skill", [0.6, 0.9])
def test_a_model_is_rated_by_people_even_under_a_persons_name(skill: float) -> None:
    people, answers, ids, truth = crew(skill)
    belief = vectors(consensus(people, ids, CLASSES)["posterior"], 2)
    places = np.array([CLASSES.index(label) for label in answers["label"].to_pylist()])
    voices = add_voices(belief, [places, np.full(len(ids), -1)])
    gold = pa.table({"item_id": ids[:50], "label": [CLASSES[one] for one in truth[:50]]})
    found = rate_models(people, answers, empty(REJECTED_MODEL_ANSWERS), ids, CLASSES, MODELS, voices, gold)
    one, silent = sorted(found.to_pylist(), key=lambda row: str(row["model"]))
    right = float((places == truth).mean())
    assert one["quality_low"] < right < one["quality_high"]
    assert one["quality"] == pytest.approx(right, abs=0.06)
    assert (one["gold_answers"], one["gold_right"]) == (50, int((places == truth)[:50].sum()))
    assert (one["answers"], one["cost"]) == (300, 150.0)
    assert (silent["answers"], silent["quality"], silent["agreement_share"]) == (0, None, None)


def test_what_models_say_changes_nobodys_quality_and_no_models() -> None:
    people, answers, ids, _ = crew(0.9)
    belief = vectors(consensus(people, ids, CLASSES)["posterior"], 2)
    places = np.array([CLASSES.index(label) for label in answers["label"].to_pylist()])
    again = conform(answers.set_column(1, "model", pa.array(["silent"] * 300)), MODEL_ANSWERS)
    copies = pa.concat_tables([answers, again])
    voices = add_voices(belief, [places, places])
    none = empty(REJECTED_MODEL_ANSWERS)
    one = rate_models(people, answers, none, ids, CLASSES, MODELS, voices)
    both = rate_models(people, copies, none, ids, CLASSES, MODELS, voices)
    assert both["quality"][0].as_py() == pytest.approx(one["quality"][0].as_py(), abs=0.005)
