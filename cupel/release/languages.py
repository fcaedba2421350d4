"""What a release holds in each language: items in and kept, errors that the audit found, promises kept."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

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
from cupel.contract.item_numbers import Places
from cupel.contract.table import from_rows
from cupel.contract.tables.release import RELEASE_LANGUAGES
from cupel.release.release_audit import ReleaseAudit, Verdicts

# Chance that one interval or more does not hold the truth, over all languages of the release.
ALPHA = 0.05
NEEDED_ITEMS = ("language",)


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
    audit: ReleaseAudit, delivered: Mapping[str, int], promises: Mapping[str, LanguagePromise]
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
        audit: With its items, audit, adjudications and planted verdicts; of the items with the columns `NEEDED_ITEMS`.
        delivered: Items of the release's batches as they came in, by language.
        promises: What the project promises, by language.

    Returns:
        RELEASE_LANGUAGES: a row for each language frozen, delivered or promised. An audit that has not come to its
        end, planted items included, or that ends at will, gives no interval.
    """
    frozen = Counter(audit.items["language"].to_pylist())
    names = sorted({*frozen, *delivered, *promises})
    is_settled, is_wrong, _ = Verdicts.of(audit.audit)
    judged = audit.is_random & is_settled
    audited = _by_language(audit.items, audit.rows.audit[judged])
    wrong = _by_language(audit.items, audit.rows.audit[judged & is_wrong])
    is_split = pc.is_null(audit.verdicts["expert_label"].take(audit.verdict_of))
    is_split = pc.and_(pc.is_valid(audit.verdict_of), is_split)
    withheld = Counter(audit.items["language"].filter(is_split).to_pylist())
    is_at_end = int(judged.sum()) == int(audit.is_random.sum()) and audit.are_plants_settled
    has_interval = is_at_end and not isinstance(audit.terms.design, EProcess)
    allowed = Allowed.of(len({*frozen, *promises}), audit.caught if has_interval else None)
    rows = []
    for name in names:
        counts = frozen[name], audited[name], wrong[name]
        bounds = _interval(*counts, allowed) if has_interval and audited[name] else (None, None)
        released = frozen[name] - withheld[name]
        rows.append(
            {
                "release": audit.terms.release,
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


def _by_language(items: pa.Table, rows: Places) -> Counter[str]:
    """Count some of the items by language."""
    return Counter(items["language"].take(pa.array(rows)).to_pylist())
