"""The checker: the second opinion of a batch by whichever model the project names."""

from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from cupel.checking import asking, embedding, linear, predictions
from cupel.checking.chat import Endpoint
from cupel.checking.llm import ask
from cupel.checking.opinions import Batch, batch_of, predictions_of
from cupel.checking.predictions import read_predictions
from cupel.config.checking import Checking, LlmChecker, PredictionsChecker
from cupel.config.labeling import Labeling
from cupel.config.project import Project
from cupel.errors import CheckerError
from cupel.preference import checker as preference
from cupel.sources.files import file_sha256

# Checkers that are trained here, and so can be taught what experts decided.
LEARNING = ("linear", "embedding")


class SecondOpinion(NamedTuple):
    """PREDICTIONS of a batch, the files that they were made from with their hashes, and what else to tell."""

    predictions: pa.Table
    files: dict[str, str]
    told: dict[str, int | float]


def second_opinion(
    project: Project, name: str, items: pa.Table, consensus: pa.Table, data: Path, kept: Path
) -> SecondOpinion:
    """Return what the project's checker says of a batch.

    Args:
        project: The project.
        name: The batch's name.
        items: CLEAN_ITEMS of the batch: item_id, text and group_id.
        consensus: CONSENSUS of the same items.
        data: Folder that the project's files are named relative to.
        kept: Folder of what is not asked or computed twice: replies of language models, embeddings.

    Returns:
        One row per item, with an opinion or the reason why there is none.

    Raises:
        CheckerError: The checker's file, endpoint or package cannot be used.
        TableError: The consensus speaks of other items.
    """
    settings, labeling = project.checking, project.labeling
    if settings.checker == "predictions" and settings.predictions is not None:
        return _own_model(
            settings.predictions, settings, name, batch_of(items, consensus, labeling.classes, settings), data
        )
    if settings.checker == "llm" and settings.llm is not None:
        batch = batch_of(items, consensus, labeling.classes, settings)
        return _language_model(settings.llm, settings, labeling, batch, kept / "replies" / f"{name}.jsonl")
    if settings.checker == "embedding":
        batch = batch_of(items, consensus, labeling.classes, settings)
        return SecondOpinion(embedding.predictions(batch, settings, kept / "embeddings", name), {}, {})
    learned = preference.predictions if labeling.kind == "preference" else linear.predictions
    return SecondOpinion(learned(items, consensus, labeling.classes, settings), {}, {})


def _own_model(own: PredictionsChecker, settings: Checking, name: str, batch: Batch, data: Path) -> SecondOpinion:
    path = data / own.file
    if not path.is_file():
        raise CheckerError(f"{path}: no such file; bring the model's predictions, or mend checking.predictions.file")
    sha256 = file_sha256(path)
    given = read_predictions(path, name, batch)
    table = predictions_of(batch, given.opinions, own.model, predictions.version(sha256, batch.classes, settings))
    return SecondOpinion(table, {own.file: sha256}, {"rows of unknown items": given.unknown_rows})


def _language_model(
    llm: LlmChecker, settings: Checking, labeling: Labeling, batch: Batch, record: Path
) -> SecondOpinion:
    with Endpoint(llm) as endpoint:
        found = ask(batch.items["text"].to_pylist(), llm, labeling, record, endpoint)
    version = asking.version(llm, labeling, settings.folds, settings.seed)
    table = predictions_of(batch, found.opinions, llm.model, version)
    return SecondOpinion(table, {}, {"questions put": found.asked, "cost of the delivery so far": found.cost})
