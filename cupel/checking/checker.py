"""The checker: the second opinion of a batch by whichever model the project names."""

from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from cupel.checking import linear
from cupel.checking.opinions import batch_of, predictions_of
from cupel.checking.predictions import read_predictions, version
from cupel.errors import CheckerError
from cupel.preference import checker as preference
from cupel.project import Project
from cupel.sources.files import file_sha256


class SecondOpinion(NamedTuple):
    """PREDICTIONS of a batch, the files that they were made from with their hashes, and what else to tell."""

    predictions: pa.Table
    files: dict[str, str]
    told: dict[str, int | float]


def second_opinion(project: Project, name: str, items: pa.Table, consensus: pa.Table, data: Path) -> SecondOpinion:
    """Return what the project's checker says of a batch.

    Args:
        project: The project.
        name: The batch's name.
        items: CLEAN_ITEMS of the batch: item_id, text and group_id.
        consensus: CONSENSUS of the same items.
        data: Folder that the project's files are named relative to.

    Returns:
        One row per item, with an opinion or the reason why there is none.

    Raises:
        CheckerError: The checker's file cannot be used.
        TableError: The consensus speaks of other items.
    """
    settings, classes = project.checking, project.labeling.classes
    if settings.checker == "predictions" and settings.predictions is not None:
        own = settings.predictions
        path = data / own.file
        if not path.is_file():
            raise CheckerError(
                f"{path}: no such file; bring the model's predictions, or mend checking.predictions.file"
            )
        batch = batch_of(items.select(["item_id", "group_id"]), consensus, classes, settings)
        sha256 = file_sha256(path)
        given = read_predictions(path, name, batch)
        table = predictions_of(batch, given.opinions, own.model, version(sha256, classes, settings))
        return SecondOpinion(table, {own.file: sha256}, {"rows of unknown items": given.unknown_rows})
    learned = preference.predictions if project.labeling.kind == "preference" else linear.predictions
    return SecondOpinion(learned(items, consensus, classes, settings), {}, {})
