"""The consensus of a batch of comparisons, the strength of every response, and the habits of every annotator."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from cupel.config.labeling import Labeling
from cupel.consensus.coding import Reals, lists_of
from cupel.consensus.majority import majority
from cupel.contract.columns import TEXT
from cupel.contract.kind import ConsensusResult, Light
from cupel.contract.table import conform
from cupel.contract.tables.labeling import CONSENSUS, HABITS, RESPONSES
from cupel.kinds.preference.bradley_terry import FIRST, BradleyTerry, BradleyTerrySettings, Compared, bradley_terry
from cupel.kinds.preference.coding import CodedComparisons, code_comparisons
from cupel.kinds.preference.cycles import in_cycle
from cupel.modalities.comparison import CLASSES

# Half the width of a 95% interval of a normal distribution.
_Z = 1.96
_DECIMALS = 9


def preference_consensus(
    annotations: pa.Table, items: pa.Table, labeling: Labeling, light: Light, method: str | None = None
) -> ConsensusResult:
    """Return what annotators say together of every comparison; see `compare_responses`.

    Args:
        annotations: ANNOTATIONS of one batch.
        items: CLEAN_ITEMS, or any table with item_id and text.
        labeling: Says the classes.
        light: Nobody is weighed down here: a project file that would is refused.
        method: There is one method.
    """
    return ConsensusResult(compare_responses(annotations, items, labeling.classes), "Bradley-Terry")


def compare_responses(
    annotations: pa.Table, items: pa.Table, classes: Sequence[str], settings: BradleyTerrySettings | None = None
) -> dict[str, pa.Table]:
    """Return what annotators say together of every comparison, response by response, position bias taken off.

    Args:
        annotations: ANNOTATIONS of one batch, any order.
        items: CLEAN_ITEMS of the batch, or any table with item_id and text; comparisons without answers get a row
            too: their responses may be known from others.
        classes: The ontology: first and second, with or without tie.
        settings: How the model is fitted.

    Returns:
        By name RESPONSES by id, HABITS by annotator, and CONSENSUS by item id.

    Raises:
        TableError: A text lays out no comparison, or an annotation's item or label is not known.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    found = code_comparisons(annotations, items, classes)
    # Sums that several threads share differ in the last digits from run to run.
    with threadpool_limits(limits=1):
        fit = bradley_terry(found.compared, settings)
    return {
        "responses": _responses(found, fit), "habits": _habits(found, fit), "consensus": _consensus(found, fit, classes)
    }  # fmt: skip


def _consensus(found: CodedComparisons, fit: BradleyTerry, classes: Sequence[str]) -> pa.Table:
    coded = found.coded
    crowd = majority(coded)
    is_answered, names = crowd.votes > 0, pa.array(coded.classes, TEXT)
    posterior = np.round(fit.posterior[:, [CLASSES.index(name) for name in classes]], _DECIMALS)
    posterior /= posterior.sum(axis=1, keepdims=True)
    columns = {
        "item_id": coded.item_ids,
        "votes": pa.array(crowd.votes),
        "majority_label": names.take(pa.array(crowd.label, mask=crowd.label < 0)),
        "is_tie": pa.array(crowd.is_tie),
        "agreement": pa.array(crowd.agreement, mask=~is_answered),
        "consensus_label": names.take(pa.array(posterior.argmax(axis=1), mask=~is_answered)),
        "posterior": lists_of(posterior, is_answered),
    }
    return conform(pa.table(columns), CONSENSUS)


def _responses(found: CodedComparisons, fit: BradleyTerry) -> pa.Table:
    compared, half = found.compared, _Z * np.sqrt(fit.variance)
    columns = {
        "response_id": found.response_ids,
        "prompt_id": found.prompt_ids,
        "comparisons": _per_response(compared, np.ones(len(compared.first)), compared.first, compared.second),
        "answers": _per_response(
            compared, np.ones(len(compared.answer)), compared.first[compared.comparison],
            compared.second[compared.comparison],
        ),
        "strength": np.round(fit.strength, _DECIMALS),
        "strength_low": np.round(fit.strength - half, _DECIMALS),
        "strength_high": np.round(fit.strength + half, _DECIMALS),
        "is_in_cycle": in_cycle(compared),
    }  # fmt: skip
    return conform(pa.table(columns), RESPONSES).sort_by("response_id")


def _per_response(compared: Compared, ones: Reals, *sides: np.ndarray[tuple[int], np.dtype[np.int64]]) -> pa.Array:
    counts = np.sum([np.bincount(side, ones, compared.responses) for side in sides], axis=0)
    return pa.array(counts.astype(np.int64))


def _habits(found: CodedComparisons, fit: BradleyTerry) -> pa.Table:
    from scipy.special import expit

    compared, count = found.compared, found.compared.annotators
    answers = np.bincount(compared.annotator, minlength=count)
    first = np.bincount(compared.annotator, compared.answer == FIRST, count)
    is_named = np.asarray(found.coded.annotators.is_valid().to_numpy(zero_copy_only=False))
    columns = {
        "annotator": found.coded.annotators,
        "answers": answers.astype(np.int64),
        "first_share": first / np.maximum(answers, 1),
        "skill": pa.array(np.round(fit.skill, _DECIMALS), mask=~is_named),
        "first_of_equals": np.round(expit(fit.bias), _DECIMALS),
    }
    return conform(pa.table(columns), HABITS)
