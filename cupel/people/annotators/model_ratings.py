"""Model ratings: how often each model of the crew is right, as people and hidden gold say."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.config.crew import CrewModel
from cupel.consensus.coding import Integers, ItemIds, code, vote_counts
from cupel.consensus.model_voices import ModelVoices
from cupel.contract.table import from_rows
from cupel.contract.tables.crew import MODELS
from cupel.people.annotators.beliefs import beliefs
from cupel.people.annotators.guessing import guessing
from cupel.people.annotators.quality import Quality, quality
from cupel.people.annotators.study import gold_places

# A person may bear any name, so models are rated under names that no person has.
_PREFIX = "\0model "


def rate_models(
    annotations: pa.Table,
    answers: pa.Table,
    rejected: pa.Table,
    item_ids: ItemIds,
    classes: Sequence[str],
    models: Sequence[CrewModel],
    voices: ModelVoices,
    gold: pa.Table | None = None,
) -> pa.Table:
    """Return what is known of each model of the crew.

    A model is judged by people and hidden gold alone: nobody's quality rests on a model, and no model's on another.

    Args:
        annotations: ANNOTATIONS of one batch, of people.
        answers: MODEL_ANSWERS.
        rejected: REJECTED_MODEL_ANSWERS.
        item_ids: All items of the batch.
        classes: The ontology.
        models: The models, in their order.
        voices: What they add to the consensus.
        gold: Items whose label is known, columns item_id and label; None: there are none.

    Returns:
        MODELS, one row a model, whether it has answered or not.
    """
    people = annotations.select(["item_id", "annotator", "label"])
    named = pc.binary_join_element_wise(pa.scalar(_PREFIX), answers["model"], "")
    theirs = pa.table({"item_id": answers["item_id"], "annotator": named, "label": answers["label"]})
    coded = code(pa.concat_tables([people, theirs.cast(people.schema)]), item_ids, classes)
    is_heard = np.array([not str(name).startswith(_PREFIX) for name in coded.annotators.to_pylist()], np.bool_)
    known = gold_places(coded, gold)
    found = beliefs(coded, known, is_heard)
    rated = quality(coded, found, guessing(coded, found).usual)
    place = {name: number for number, name in enumerate(coded.annotators.to_pylist())}
    votes = vote_counts(code(people, item_ids, classes))
    rows = []
    for number, model in enumerate(models):
        own = np.flatnonzero(coded.annotator == place.get(_PREFIX + model.name, -1))
        item, label = coded.item[own], coded.label[own]
        refused = int(pc.sum(pc.equal(rejected["model"], model.name)).as_py() or 0)
        rows.append(
            {
                "model": model.name,
                "model_version": model.version,
                "answers": len(own),
                "rejected_answers": refused,
                "answered_share": len(own) / max(1, len(coded.item_ids)),
                "agreement_share": _agreement(votes[item], label),
                "gold_answers": int((known[item] >= 0).sum()),
                "gold_right": int((known[item] == label).sum()),
                "weight": float(voices.weights[number]),
                "confusion": voices.confusion[number].ravel().tolist(),
                "price": model.price,
                "cost": model.price * (len(own) + refused),
                **_quality(rated, place.get(_PREFIX + model.name)),
            }
        )
    return from_rows(rows, MODELS)


def _agreement(votes: Integers, label: Integers) -> float | None:
    """Return the share of a model's answers that are people's plurality, of items where there is one."""
    top = votes.max(axis=1, initial=0)
    is_judged = (top > 0) & ((votes == top[:, None]).sum(axis=1) == 1)
    return float((votes.argmax(axis=1) == label)[is_judged].mean()) if is_judged.any() else None


def _quality(rated: Quality, place: int | None) -> dict[str, float | None]:
    names = ("quality", "quality_low", "quality_high")
    if place is None:
        return dict.fromkeys(names)
    return {name: float(one[place]) for name, one in zip(names, (rated.mean, rated.low, rated.high), strict=True)}
