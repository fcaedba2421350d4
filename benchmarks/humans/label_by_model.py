"""Label by a model: what a sentence model of a package sees in texts, or what a language model at an endpoint says."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cupel.checking import minilm
from cupel.checking.asking import question
from cupel.checking.chat import NO_CONNECTION, TOO_LATE, Endpoint
from cupel.checking.embedding import kept
from cupel.checking.llm import ask
from cupel.checking.replies import RepliesLog
from cupel.config.checking import LlmChecker
from cupel.config.labeling import Labeling
from cupel.consensus.coding import Reals
from cupel.errors import CheckerError
from cupel.store.local import LocalStore


class ModelView(NamedTuple):
    """What a model gives for each text, one of the two: `features` to learn from, or `probabilities` of the classes.

    Shapes texts x dimensions, and texts x classes with NaN rows where the model gave no class.
    """

    name: str
    features: Reals | None
    probabilities: Reals | None


def view_by_sentences(texts: Sequence[str], folder: Path, name: str) -> ModelView:
    """Return the sentence model's embeddings; those of the same texts are read back from the folder.

    Args:
        texts: The texts.
        folder: Where embeddings are kept, under the hash of model and texts.
        name: Of the delivery.

    Raises:
        CheckerError: The model's packages are not installed.
    """
    if lacking := minilm.missing():
        raise CheckerError(f"package {lacking[0]}: not installed; run `make embedding`, or name an endpoint")
    import pyarrow as pa

    found = kept(pa.chunked_array([pa.array(texts)]), folder, name)
    return ModelView(minilm.MODEL, found.astype(np.float64), None)


def view_by_endpoint(
    texts: Sequence[str], settings: LlmChecker, labeling: Labeling, folder: Path, name: str
) -> ModelView:
    """Return the classes' probabilities by a language model; what was answered before is not asked again.

    Args:
        texts: The texts.
        settings: Where it is, and its name.
        labeling: The question and the classes.
        folder: Where replies are kept, under the hash of the whole question.
        name: Of the delivery.

    Raises:
        CheckerError: The endpoint does not answer, or refuses key, address or model.
    """
    with Endpoint(settings) as endpoint:
        first = question(texts[0], settings, labeling)
        replies = RepliesLog(LocalStore(folder), name)
        if first.key not in replies.replies:
            probe_endpoint(texts[0], settings, labeling)
        scores = ask(texts, settings, labeling, replies, endpoint).opinions.scores
    return ModelView(settings.model, None, np.exp(scores))


def probe_endpoint(text: str, settings: LlmChecker, labeling: Labeling) -> None:
    """Put one question, once.

    Raises:
        CheckerError: No answer came.
    """
    with Endpoint(settings.model_copy(update={"retries": 0})) as endpoint:
        last = endpoint.ask(question(text, settings, labeling).body, lambda: True, lambda _: None)
    if last is None or last.reply is None:
        problem = NO_CONNECTION if last is None or last.problem is None else last.problem
        is_silent = problem in (NO_CONNECTION, TOO_LATE)
        advice = "start it, or name another with ENDPOINT=URL" if is_silent else "look at ENDPOINT and MODEL"
        raise CheckerError(f"{settings.url}: {problem}; {advice}")
