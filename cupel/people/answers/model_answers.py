"""Model answers: what models of the crew answered, told from people's; no model is an expert or an auditor."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from cupel.config.crew import CrewModel
from cupel.consensus.coding import ItemIds
from cupel.contract.columns import TEXT
from cupel.contract.table import conform
from cupel.contract.tables.crew import MODEL_ANSWERS, REJECTED_MODEL_ANSWERS
from cupel.errors import AnswerError
from cupel.people.answers.annotations import Parse, annotations, expert_answers
from cupel.people.answers.item_fit import IsMisfit

IS_MODEL = "is_a_model"


class SplitAnswers(NamedTuple):
    """Answers of people, and of models; in the order given."""

    people: pa.Table
    models: pa.Table


def split_answers(answers: pa.Table, models: Collection[CrewModel]) -> SplitAnswers:
    """Return which answers bear a person's name, or none, and which a model's.

    Args:
        answers: ANSWERS.
        models: The models of the project's crew; without any, all answers are people's.
    """
    return _split(answers, [model.name for model in models])


def _split(answers: pa.Table, names: Collection[str]) -> SplitAnswers:
    if not names:
        return SplitAnswers(answers, answers.slice(0, 0))
    is_model = pc.is_in(answers["annotator"], value_set=pa.array(names, TEXT))
    return SplitAnswers(answers.filter(pc.invert(is_model)), answers.filter(is_model))


def sort_model_answers(
    answers: pa.Table, item_ids: ItemIds, parse: Parse, models: Sequence[CrewModel]
) -> tuple[pa.Table, pa.Table]:
    """Sort models' recorded answers into those that count and those that do not.

    Args:
        answers: ANSWERS of one batch with the purpose `label` that bear a model's name.
        item_ids: The items that may be answered.
        parse: Returns the canonical text of answers, null where one is no label.
        models: The models of the crew.

    Returns:
        MODEL_ANSWERS and REJECTED_MODEL_ANSWERS. A model that answers an item again has the first answer counted.

    Raises:
        AnswerError: A model whose answers are in a file of its own has answers recorded under its name, too.
    """
    _check_no_namesakes(answers, models)
    kept, rejected = annotations(answers, item_ids, parse, are_annotators_known=True, may_be_unasked=True)
    kept = kept.select(["item_id", "sequence", "annotator", "label"]).rename_columns(
        ["item_id", "sequence", "model", "label"]
    )
    names = [model.name for model in models]
    version = pa.array([model.version for model in models], TEXT).take(
        pc.index_in(kept["model"], value_set=pa.array(names, TEXT))
    )
    rejected = rejected.rename_columns(["model" if name == "annotator" else name for name in rejected.column_names])
    return conform(kept.append_column("model_version", version), MODEL_ANSWERS), conform(
        rejected, REJECTED_MODEL_ANSWERS
    )


def expert_answers_of_people(
    answers: pa.Table, item_ids: ItemIds, parse: Parse, models: Collection[str], is_misfit: IsMisfit | None = None
) -> tuple[pa.Table, pa.Table]:
    """Sort experts' and auditors' answers; see `expert_answers`. What bears the name of a model is rejected."""
    ours, theirs = _split(answers, models)
    kept, rejected = expert_answers(ours, item_ids, parse, is_misfit)
    if not theirs.num_rows:
        return kept, rejected
    reason = pa.repeat(pa.scalar(IS_MODEL, TEXT), theirs.num_rows)
    refused = theirs.append_column("reason", reason).append_column("evidence", pa.nulls(theirs.num_rows, TEXT))
    both = pa.concat_tables([rejected, refused.select(rejected.column_names).cast(rejected.schema)])
    return kept, both.sort_by("sequence")


def _check_no_namesakes(answers: pa.Table, models: Sequence[CrewModel]) -> None:
    filed = pa.array([model.name for model in models if model.file is not None], TEXT)
    same = answers.filter(pc.is_in(answers["annotator"], value_set=filed))
    if same.num_rows:
        name, item = same["annotator"][0].as_py(), same["item_id"][0].as_py()
        raise AnswerError(
            f"labeling.models: {name!r} has a file of answers, and {same.num_rows} recorded answers bear its name, the "
            f"first on item {item!r}; if that is a person, rename the model; if it is the model, remove its file"
        )
