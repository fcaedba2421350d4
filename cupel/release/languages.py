"""What a release holds in each language: items in and kept, errors that the audit found, promises kept."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from cupel.answers.places import places
from cupel.certificate.auditors import (
    ALPHA_SENSITIVITY_SHARE,
    ALPHA_SHOWN_SHARE,
    Planted,
    hidden_upper,
    sensitivity_lower,
)
from cupel.certificate.design import EProcess
from cupel.certificate.hypergeometric import lower_count, upper_count
from cupel.config.release import LanguagePromise
from cupel.release.audit_design import terms_of
from cupel.release.outcome import settled
from cupel.release.proof import random_audit
from cupel.tables import RELEASE_LANGUAGES, from_rows

# Chance that one interval or more does not hold the truth, over all languages of the release.
ALPHA = 0.05
NEEDED_ITEMS = ("language",)


class Judged(NamedTuple):
    """What experts said: AUDIT, ADJUDICATIONS, and PLANTED_VERDICTS where items of known label were planted."""

    audit: pa.Table
    adjudications: pa.Table
    planted: pa.Table | None = None

    @property
    def are_plants_settled(self) -> bool:
        """Whether every planted item has its verdict; so where none was planted."""
        return self.planted is None or bool(pc.all(self.planted["is_settled"]).as_py() is not False)

    @property
    def caught(self) -> Planted | None:
        """How many items were planted, and how many of them were given the known label; None without any."""
        if self.planted is None or not self.planted.num_rows:
            return None
        right = pc.sum(pc.equal(self.planted["expert_label"], self.planted["label"])).as_py()
        return Planted(self.planted.num_rows, right or 0)


class Allowed(NamedTuple):
    """What an interval is made with: its chance of being wrong on either side, and what auditors see at least."""

    alpha: float
    sensitivity: float = 1.0

    @classmethod
    def of(cls, languages: int, caught: Planted | None) -> "Allowed":
        """Share `ALPHA` among languages, two sides each; where items were planted, the auditors get their part first.

        >>> Allowed.of(5, None).alpha
        0.005
        """
        if caught is None:
            return cls(ALPHA / max(1, languages) / 2)
        own = ALPHA * ALPHA_SENSITIVITY_SHARE
        return cls((ALPHA - own) / max(1, languages) / 2, sensitivity_lower(caught, own))


def release_languages(
    plan: pa.Table,
    items: pa.Table,
    said: Judged,
    delivered: Mapping[str, int],
    promises: Mapping[str, LanguagePromise],
) -> pa.Table:
    """Count a release by language.

    Intervals are exact for the labels as they were frozen, before any repair, contested items counted as not wrong:
    within a language the audited items are a simple random sample. They hold together, for all languages at once:
    each is allowed its part of `ALPHA`, by the number of languages that were frozen or promised, known before the
    audit. They are no part of the certificate.

    Where items of known label were planted, auditors may overlook wrong labels: the upper ends then hold for what they
    would overlook too, if they see as much of it in each language as of what was planted in all. Else auditors are
    taken at their word.

    Args:
        plan: RELEASE_PLAN of the release.
        items: RELEASE_ITEMS; the columns of `proof.NEEDED_ITEMS` and `NEEDED_ITEMS` will do.
        said: What auditors and experts said.
        delivered: Items of the release's batches as they came in, by language.
        promises: What the project promises, by language.

    Returns:
        RELEASE_LANGUAGES: a row for each language frozen, delivered or promised. An audit that has not come to its
        end, planted items included, or that ends at will, gives no interval.
    """
    planned = plan.to_pylist()[0]
    frozen = Counter(items["language"].to_pylist())
    names = sorted({*frozen, *delivered, *promises})
    drawn = random_audit(plan, items, said.audit, said.planted)
    judged = drawn.filter(drawn["is_settled"])
    is_wrong = pc.fill_null(judged["is_wrong"], False)
    audited, wrong = _by_language(items, judged), _by_language(items, judged.filter(is_wrong))
    verdicts = settled(said.audit, said.adjudications)
    withheld = _by_language(items, verdicts.filter(pc.is_null(verdicts["expert_label"])))
    is_at_end = judged.num_rows == drawn.num_rows and said.are_plants_settled
    has_interval = is_at_end and not isinstance(terms_of(planned).design, EProcess)
    allowed = Allowed.of(len({*frozen, *promises}), said.caught if has_interval else None)
    rows = []
    for name in names:
        counts = frozen[name], audited[name], wrong[name]
        bounds = _interval(*counts, allowed) if has_interval and audited[name] else (None, None)
        released = frozen[name] - withheld[name]
        rows.append(
            {
                "release": planned["release"],
                "language": name,
                "items_in": delivered.get(name, 0),
                "items": frozen[name],
                "withheld": withheld[name],
                "audited": audited[name],
                "wrong": wrong[name],
                "error_low": bounds[0],
                "error_high": bounds[1],
                **_promise(promises.get(name), released, bounds[1]),
            }
        )
    return from_rows(rows, RELEASE_LANGUAGES)


def _interval(items: int, audited: int, wrong: int, allowed: Allowed) -> tuple[float, float]:
    low = lower_count(items, audited, wrong, allowed.alpha)
    if allowed.sensitivity == 1:
        return low / items, upper_count(items, audited, wrong, allowed.alpha) / items
    hidden = allowed.alpha * ALPHA_SHOWN_SHARE
    shown = upper_count(items, audited, wrong, allowed.alpha - hidden)
    return low / items, hidden_upper(shown, items, allowed.sensitivity, hidden) / items


def _promise(promise: LanguagePromise | None, released: int, high: float | None) -> dict[str, Any]:
    if promise is None:
        return {"promised_items": None, "promised_error": None, "is_kept": None}
    is_proven = promise.error_budget is None or (high is not None and high <= promise.error_budget)
    return {
        "promised_items": promise.least_items,
        "promised_error": promise.error_budget,
        "is_kept": released >= promise.least_items and is_proven,
    }


def _by_language(items: pa.Table, some: pa.Table) -> Counter[str]:
    """Count some of the items by language."""
    one, other = places(items, some)
    found = items["language"].take(pc.index_in(pa.array(other), value_set=pa.array(one)))
    return Counter(found.to_pylist())
