"""Frequent labels: the few that stand for all others where measures of people count answers to several questions."""

import json
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.contract.columns import TEXT
from cupel.contract.kind import Labels
from cupel.contract.ontology import Ontology
from cupel.kinds.questions.answers import encode, join, parts

MOST_LABELS = 16
DECIMALS = 9


def vocabulary(labels: Labels, ontology: Ontology) -> Sequence[str]:
    """Return the labels that are given most often, at most `MOST_LABELS`, the first by text of equally frequent ones.

    Where fewer than two are given, that of the first classes of all questions, and of the second, stand behind them.
    """
    counts = pc.value_counts(labels.drop_null()).to_pylist()
    rows = sorted(counts, key=lambda row: (-row["counts"], row["values"]))
    given = [row["values"] for row in rows[:MOST_LABELS]]
    spare = join(np.repeat([[0], [1]], len(parts(ontology)), axis=1), ontology).to_pylist()
    return given if len(given) > 1 else list(dict.fromkeys([*given, *spare]))


def nearest(labels: Labels, vocabulary: Sequence[str], ontology: Ontology) -> Labels:
    """Return for each label that of the vocabulary which answers the smallest share of questions otherwise.

    Of equally near ones the first counts, which is the more frequent. A question that one of the two does not ask is
    answered otherwise by it.

    Args:
        labels: Canonical texts, or null.
        vocabulary: The labels that stand for others.
        ontology: The questions.
    """
    encoded = encode(labels)
    names = [question.name for question in ontology.questions]
    known = [_answers(text, names) for text in vocabulary]
    places = [_nearest(_answers(text, names), known) for text in encoded.dictionary.to_pylist()]
    return pa.array(vocabulary, TEXT).take(pa.array(places, pa.int64())).take(encoded.indices)


def _answers(text: str, names: Sequence[str]) -> list[str | None]:
    given = json.loads(text)
    return [given.get(name) for name in names]


def _nearest(own: Sequence[str | None], known: Sequence[Sequence[str | None]]) -> int:
    differing = [sum(one != other for one, other in zip(own, others, strict=True)) for others in known]
    asked = [sum(one is not None or other is not None for one, other in zip(own, others, strict=True))
             for others in known]  # fmt: skip
    return int(np.argmin(np.round(np.array(differing) / np.array(asked), DECIMALS)))
