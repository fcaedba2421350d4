"""Crew answers: what models of the crew say in files of their own, and what people and models say together."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.checking.opinions import Batch
from cupel.checking.predictions import NO_LABEL, NOT_IN_FILE, OUTSIDE_ONTOLOGY, read_predictions
from cupel.config.crew import CrewModel
from cupel.consensus.coding import Integers, ItemIds, by_item, lists_of, sorted_ids, vectors
from cupel.consensus.model_voices import ModelVoices, add_voices
from cupel.contract.columns import TEXT
from cupel.contract.table import conform, from_rows
from cupel.contract.tables.crew import MODEL_ANSWERS, REJECTED_MODEL_ANSWERS
from cupel.contract.tables.labeling import CONSENSUS
from cupel.errors import CheckerError
from cupel.store.files import hash_file, is_file

NO_OPINION = "no_opinion"
_REASONS = {NO_LABEL: "undecided", OUTSIDE_ONTOLOGY: "unknown_label"}


def read_model_file(
    model: CrewModel, data: Path, name: str, item_ids: ItemIds, classes: Sequence[str]
) -> tuple[pa.Table, pa.Table, str]:
    """Return what a model says of a batch in a file of its own, as of predictions; an item without a row is no answer.

    Args:
        model: The model; it has a file.
        data: Folder that files are named relative to.
        name: The batch's name.
        item_ids: The items that may be answered.
        classes: The ontology.

    Returns:
        MODEL_ANSWERS, REJECTED_MODEL_ANSWERS, and the file's hash.

    Raises:
        CheckerError: The file is missing or cannot be read; see `cupel.checking.predictions.read_predictions`.
    """
    path = data / str(model.file)
    if not is_file(path):
        raise CheckerError(f"{path}: no such file; bring the answers of {model.name!r}, or mend labeling.models.file")
    ids = sorted_ids(item_ids)
    nothing = np.full((len(ids), len(classes)), np.nan)
    batch = Batch(pa.table({"item_id": ids}), ids, nothing, np.zeros(len(ids), np.int64), tuple(classes))
    opinions, _ = read_predictions(path, name, batch)
    is_known = ~np.isnan(opinions.scores[:, 0])
    label = np.where(is_known, np.nan_to_num(opinions.scores).argmax(axis=1), 0)
    about = {"model": model.name, "sequence": None}
    columns = {
        "item_id": ids.filter(pa.array(is_known)),
        "model": pa.repeat(pa.scalar(model.name, TEXT), int(is_known.sum())),
        "model_version": pa.repeat(pa.scalar(model.version, TEXT), int(is_known.sum())),
        "label": pa.array(classes, TEXT).take(pa.array(label[is_known])),
        "sequence": pa.nulls(int(is_known.sum()), pa.int64()),
    }
    rejected: list[dict[str, object]] = [
        {**about, "item_id": item, "reason": _REASONS.get(why, NO_OPINION), "evidence": why}
        for item, why in zip(ids.to_pylist(), opinions.abstention.to_pylist(), strict=True)
        if why is not None and why != NOT_IN_FILE
    ]
    return conform(pa.table(columns), MODEL_ANSWERS), from_rows(rejected, REJECTED_MODEL_ANSWERS), hash_file(path)


def voices_of(people: pa.Table, answers: pa.Table, models: Sequence[CrewModel], classes: Sequence[str]) -> ModelVoices:
    """Return what people and models believe together, items by id; see `cupel.consensus.model_voices.add_voices`.

    Args:
        people: PEOPLE_CONSENSUS of a batch.
        answers: MODEL_ANSWERS of it.
        models: The models of the crew, in their order.
        classes: The ontology.
    """
    people = by_item(people)
    return add_voices(
        vectors(people["posterior"], len(classes)),
        [_places(people, answers, model.name, classes) for model in models],
    )


def consensus_with_models(
    people: pa.Table, answers: pa.Table, models: Sequence[CrewModel], classes: Sequence[str]
) -> pa.Table:
    """Return CONSENSUS with the voices of models: posterior and label; votes, majority and ties are people's alone.

    Where no person has answered, there is none: no label rests on models alone.
    """
    people, posterior = by_item(people), voices_of(people, answers, models, classes).posterior
    is_answered = ~np.isnan(posterior[:, 0])
    best = np.where(is_answered, np.nan_to_num(posterior).argmax(axis=1), 0)
    columns = {name: people[name] for name in ("item_id", "votes", "majority_label", "is_tie", "agreement")} | {
        "consensus_label": pa.array(classes, TEXT).take(pa.array(best, mask=~is_answered)),
        "posterior": lists_of(posterior, is_answered),
    }
    return conform(pa.table(columns), CONSENSUS)


def _places(people: pa.Table, answers: pa.Table, model: str, classes: Sequence[str]) -> Integers:
    """Return a model's answer on each item as a place in the classes, -1 where there is none."""
    own = answers.filter(pc.equal(answers["model"], model))
    place = np.full(people.num_rows, -1, np.int64)
    item = pc.index_in(own["item_id"], value_set=people["item_id"].combine_chunks()).to_numpy()
    place[item] = pc.index_in(own["label"], value_set=pa.array(classes, TEXT)).to_numpy()
    return place
