"""A hint where to look for more wrong labels: those that a model trained on the others finds least likely."""

import hashlib
from collections import Counter
from collections.abc import Container, Sequence
from typing import NamedTuple

from cupel.accept.delivery import Delivery, Label

FOLDS = 5
FEWEST_LABELS = 200
FEWEST_OF_A_CLASS = 2 * FOLDS
# Above this many labels the model learns from as many, drawn by the hash of their ids; all are scored.
MOST_TRAINED_ON = 100_000
LISTED_SHARE = 0.05
MOST_LISTED = 1_000
MOST_FEATURES = 200_000
REGULARISATION = 5.0


class Suspicion(NamedTuple):
    """A delivered label, what the model would have said, and how likely it found either."""

    item_id: str
    row: int
    label: str
    suggested_label: str
    label_chance: float
    suggested_chance: float
    text: str


def suspicious_labels(delivery: Delivery, audited: Container[str]) -> list[Suspicion] | None:
    """Rank the delivered labels that a linear model finds unlikely, riskiest first.

    The model learns the delivery's own labels from words and word pairs, and each label is scored by a model that
    has not seen it. What an auditor said never enters, and what was audited is not listed. This is a suggestion
    without proof: a model that learns a vendor's habit does not find it suspicious.

    Args:
        delivery: The delivery.
        audited: Ids of labels that were checked.

    Returns:
        At most 5% of the labels, and 1,000; only those where the model prefers another label. None where there is
        too little to learn from: under 200 texts, or fewer than two classes with 10 labels each.

    Source: ranking labels by their out-of-sample likelihood is the self-confidence of Northcutt, Jiang and Chuang
    (2021), Journal of Artificial Intelligence Research 70.
    """
    rows = sorted(
        (one for one in delivery.labels if one.text and one.text.strip()),
        key=lambda one: hashlib.sha256(one.item_id.encode()).digest(),
    )
    counts = Counter(one.label for one in rows)
    rows = [one for one in rows if counts[one.label] >= FEWEST_OF_A_CLASS]
    if len(rows) < FEWEST_LABELS or len({one.label for one in rows}) < 2:
        return None
    found = [
        suspicion
        for suspicion in _scored(rows)
        if suspicion.suggested_label != suspicion.label and suspicion.item_id not in audited
    ]
    found.sort(key=lambda one: (one.label_chance, one.item_id))
    return found[: min(MOST_LISTED, max(1, round(LISTED_SHARE * len(rows))))]


def _scored(rows: Sequence[Label]) -> list[Suspicion]:
    """Score each label out of fold; folds are consecutive in the order of the hashed ids."""
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, max_features=MOST_FEATURES)
    try:
        features = vectorizer.fit_transform([one.text or "" for one in rows])
    except ValueError:  # no word occurs twice
        return []
    labels = np.array([one.label for one in rows])
    fold = np.arange(len(rows)) % FOLDS
    scored = []
    for held_out in range(FOLDS):
        train = np.flatnonzero(fold != held_out)[:MOST_TRAINED_ON]
        model = LogisticRegression(C=REGULARISATION, tol=1e-3, max_iter=300).fit(features[train], labels[train])
        test = np.flatnonzero(fold == held_out)
        chances = model.predict_proba(features[test])
        places = {name: place for place, name in enumerate(model.classes_)}
        for index, chance in zip(test, chances, strict=True):
            row, best = rows[int(index)], int(chance.argmax())
            own = float(chance[places[row.label]])
            scored.append(
                Suspicion(
                    row.item_id, row.row, row.label, str(model.classes_[best]),
                    round(own, 6), round(float(chance[best]), 6), row.text or "",
                )
            )  # fmt: skip
    return scored
