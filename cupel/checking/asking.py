"""Asking: what a language model is asked about an item, and what its answer means."""

import hashlib
import json
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from cupel.checking.calibration import MIN_PROBABILITY
from cupel.checking.chat import Reply
from cupel.checking.opinions import Opinions
from cupel.checking.predictions import UNSTATED_CONFIDENCE
from cupel.config.checking import LlmChecker
from cupel.config.labeling import Labeling
from cupel.tables import TEXT

# What models put around a word, and what is taken off.
WRAPPING = " \t\r\n\"'`*."
# An answer is always a bit likelier than any other class, however unlikely its very wording was.
LEAD = 1e-3
# Tokens that a chat's frame may add to a question; a token is one byte or more.
FRAME_TOKENS = 64

NO_ANSWER = "the answer is empty"
OUTSIDE_ONTOLOGY = "the answer is none of the project's classes"


class Question(NamedTuple):
    """A request, the hash that names it, and the tokens that it can take at most: of the question and the answer."""

    body: dict[str, Any]
    key: str
    most_tokens: tuple[int, int]


def question(text: str, settings: LlmChecker, labeling: Labeling) -> Question:
    """Return what is asked about a text.

    Args:
        text: The text.
        settings: Model, prompt and parameters.
        labeling: The question and the ontology.
    """
    prompt = settings.prompt
    # The text comes last, so that nothing in it is taken for a place to be filled in.
    for place, content in (("{question}", labeling.question), ("{classes}", "\n".join(labeling.classes))):
        prompt = prompt.replace(place, content)
    prompt = prompt.replace("{text}", text)
    body: dict[str, Any] = {"max_tokens": settings.max_answer_tokens, "temperature": 0}
    if settings.asks_logprobs:
        body["logprobs"] = True
    body = {name: value for name, value in (body | settings.parameters).items() if value is not None}
    body |= {"model": settings.model, "messages": [{"role": "user", "content": prompt}]}
    written = json.dumps([settings.revision, body], sort_keys=True)
    limits = [value for name, value in body.items() if name in ("max_tokens", "max_completion_tokens")]
    most = max([settings.max_answer_tokens, *(int(limit) for limit in limits if isinstance(limit, int | float))])
    return Question(body, hashlib.sha256(written.encode()).hexdigest(), (len(prompt.encode()) + FRAME_TOKENS, most))


def version(settings: LlmChecker, labeling: Labeling, folds: int, seed: int) -> str:
    """Return 12 hexadecimal digits that change with prompt, question, classes, model or its parameters."""
    parts = (question("", settings, labeling).key, list(labeling.classes), folds, seed)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


def named(answer: str, classes: Sequence[str]) -> str | None:
    """Return the class that an answer names, whatever its case and what is wrapped around it; None if none.

    >>> named(' "Positive". ', ["negative", "positive"])
    'positive'
    >>> named("It is positive", ["negative", "positive"]) is None
    True
    """
    bare = answer.strip(WRAPPING)
    for read in (str, str.casefold):
        found = [name for name in classes if read(name.strip(WRAPPING)) == read(bare)]
        if len(found) == 1:
            return found[0]
    return None


def understood(replies: Sequence[Reply | str], classes: Sequence[str]) -> Opinions:
    """Return what replies mean.

    Args:
        replies: For each item, a reply or the reason why there is none.
        classes: The ontology.

    Returns:
        The class that is named is as likely as the model's tokens were, or 80% where it does not tell; the
        rest is spread evenly. Silent where an answer names no class.
    """
    scores = np.full((len(replies), len(classes)), np.nan)
    why: list[str | None] = []
    for place, reply in enumerate(replies):
        if isinstance(reply, str):
            why.append(reply)
            continue
        label = named(reply.answer, classes)
        if label is None:
            why.append(OUTSIDE_ONTOLOGY if reply.answer.strip(WRAPPING) else NO_ANSWER)
            continue
        why.append(None)
        sure = UNSTATED_CONFIDENCE if reply.log_probability is None else math.exp(reply.log_probability)
        sure = min(max(sure, 1 / len(classes) + LEAD), 1 - MIN_PROBABILITY)
        scores[place] = math.log((1 - sure) / (len(classes) - 1))
        scores[place, classes.index(label)] = math.log(sure)
    return Opinions(scores, pa.array(why, TEXT))
