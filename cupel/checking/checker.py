"""The checker: the second opinion of a batch by whichever model the project names."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import pyarrow as pa

from cupel.checking import asking, embedding, predictions
from cupel.checking.chat import Endpoint
from cupel.checking.llm import ask
from cupel.checking.opinions import Batch, Opinions, abstain, batches_of, predictions_of_parts
from cupel.checking.predictions import read_predictions
from cupel.checking.replies import RepliesLog
from cupel.config.project import Project
from cupel.contract.variants import Variants
from cupel.errors import CheckerError
from cupel.store.files import hash_file, is_file
from cupel.store.local import LocalStore

Described = TypeVar("Described")
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
    return CHECKERS.of(project)(CheckerRequest(project, name, items, consensus, data, kept))


class CheckerRequest(NamedTuple):
    """What a checker is asked about a batch; the arguments of `second_opinion`."""

    project: Project
    name: str
    items: pa.Table
    consensus: pa.Table
    data: Path
    kept: Path

    @property
    def batches(self) -> list[Batch]:
        """The batch, its items in order, with what the annotators agree on, once for each part of a label."""
        project = self.project
        parts = project.kind.parts(project.labeling.ontology)
        if not parts:
            return []
        return batches_of(self.items, self.consensus, [part.classes for part in parts], project.checking)

    def predictions(self, batches: Sequence[Batch], said: Sequence[Opinions], model: str, version: str) -> pa.Table:
        """Return opinions of each part as PREDICTIONS."""
        kind, ontology = self.project.kind, self.project.labeling.ontology
        return predictions_of_parts(batches, said, lambda places: kind.join(places, ontology), model, version)


def _learned(request: CheckerRequest) -> SecondOpinion:
    batches = request.batches
    if not batches:
        kind = request.project.kind.name
        reason = f"labels of kind {kind} have no classes that it could learn"
        return SecondOpinion(abstain(request.items, reason, "none", "none"), {}, {})
    found = request.project.modality.learn(batches, request.project.checking)
    return SecondOpinion(request.predictions(batches, found.opinions, found.model, found.version), {}, {})


def _embedded(request: CheckerRequest) -> SecondOpinion:
    batches = request.batches
    found = embedding.learn(batches, request.project.checking, request.kept / "embeddings", request.name)
    return SecondOpinion(request.predictions(batches, found.opinions, found.model, found.version), {}, {})


# The next two know labels with one part only; a project file that names them with others is refused.
def _own_model(request: CheckerRequest) -> SecondOpinion:
    settings, name, (batch,) = request.project.checking, request.name, request.batches
    own = _described(settings.predictions)
    path = request.data / own.file
    if not is_file(path):
        raise CheckerError(f"{path}: no such file; bring the model's predictions, or mend checking.predictions.file")
    sha256 = hash_file(path)
    given = read_predictions(path, name, batch)
    version = predictions.version(sha256, batch.classes, settings)
    table = request.predictions([batch], [given.opinions], own.model, version)
    return SecondOpinion(table, {own.file: sha256}, {"rows of unknown items": given.unknown_rows})


def _language_model(request: CheckerRequest) -> SecondOpinion:
    settings, labeling, (batch,) = request.project.checking, request.project.labeling, request.batches
    llm, replies = _described(settings.llm), RepliesLog(LocalStore(request.kept, is_private=True), request.name)
    with Endpoint(llm) as endpoint:
        found = ask(batch.items["text"].to_pylist(), llm, labeling, replies, endpoint)
    version = asking.version(llm, labeling, settings.folds, settings.seed)
    table = request.predictions([batch], [found.opinions], llm.model, version)
    return SecondOpinion(table, {}, {"questions put": found.asked, "cost of the delivery so far": found.cost})


def _described(settings: Described | None) -> Described:
    if settings is None:  # pragma: no cover: a project file without it is refused
        raise CheckerError("checking: the checker that is named is not described; add its section")
    return settings


CHECKERS = Variants(
    "checking.checker",
    {"linear": _learned, "embedding": _embedded, "predictions": _own_model, "llm": _language_model},
)
