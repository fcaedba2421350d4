"""The release by language, as card and report show it: rows of text."""

from collections.abc import Sequence

from cupel.certificate.slice_budgets import LEAST_SLICE_ITEMS
from cupel.figures import UNKNOWN, bound, count, percent, setting
from cupel.release.facts import ReleaseFacts, Row

# An interval that reaches beyond this says nothing that one could act on.
WIDEST = 0.25
# Languages of fewer items stand in one row together, unless something is promised of them. So few are often what a
# model mistakes for another language, and of fewer nothing is proven of a slice either.
LEAST_SHOWN_ITEMS = LEAST_SLICE_ITEMS


def language_rows(facts: ReleaseFacts) -> list[dict[str, str]]:
    """Return a row a language, promised ones first, then the largest, the smallest together in the last.

    None where there is one language only: a release of one, of which nothing is promised, has nothing to tell here.
    """
    rows = _sort(facts)
    if len({row["language"] for row in rows if row["items"]} - {"und"}) < 2 and not facts.project.release.languages:
        return []
    return [
        {
            "language": row["language"],
            "items_in": count(row["items_in"]),
            "items": count(row["items"]),
            "kept": percent(row["items"] / row["items_in"]) if row["items_in"] else UNKNOWN,
            "audited": count(row["audited"]),
            "wrong": count(row["wrong"]),
            "error": error(row),
            "promise": promise(row),
        }
        for row in _fold(rows)
    ]


def small_languages(facts: ReleaseFacts) -> str:
    """Return the languages that stand in one row together, each with its items; nothing where none do.

    Args:
        facts: Of a release.
    """
    return ", ".join(f"{row['language']} {count(row['items'])}" for row in _small(_sort(facts)))


def _sort(facts: ReleaseFacts) -> list[Row]:
    return sorted(facts.languages, key=lambda row: (row["is_kept"] is None, -row["items"], row["language"]))


def _small(rows: Sequence[Row]) -> list[Row]:
    """Return the rows that are folded into one; none where that would be one row alone."""
    small = [row for row in rows if row["is_kept"] is None and row["items_in"] < LEAST_SHOWN_ITEMS]
    return small if len(small) > 1 else []


def _fold(rows: Sequence[Row]) -> list[Row]:
    small = _small(rows)
    if not small:
        return list(rows)
    summed = {name: sum(row[name] for row in small) for name in ("items_in", "items", "audited", "wrong")}
    name = f"{len(small):,} other languages of fewer than {LEAST_SHOWN_ITEMS} items each"
    together = {**summed, "language": name, "is_kept": None, "error_low": None, "error_high": 1.0}
    return [*(row for row in rows if row not in small), together]


def language_lead(facts: ReleaseFacts) -> str:
    """Return what the rows are of, and what their intervals hold for, in a paragraph."""
    overlooked = "hold for what auditors overlook, too, if that is no more in one language than in all"
    is_planted = bool((facts.result or {}).get("planted"))
    return (
        "Languages are told by a model, which mistakes some for their neighbours. Intervals are of the labels as they "
        "were frozen, before experts repaired what they found wrong; all of them hold together at 95%. They are no "
        f"part of the certificate, and {overlooked if is_planted else 'take the auditors at their word'}."
    )


def error(row: Row) -> str:
    """Return what the audit shows of a language's labels, or that it shows too little.

    >>> error({"audited": 200, "error_low": 0.0, "error_high": 0.0412}), error({"audited": 3, "error_high": 0.9})
    ('0.0% to 4.12%', 'too few audited')
    """
    if not row["audited"]:
        return "none audited"
    if row["error_high"] is None:
        return "no interval: the audit is not at its end, or ended at will"
    if row["error_high"] > WIDEST:
        return "too few audited"
    return f"{percent(row['error_low']) if row['error_low'] else '0.0%'} to {bound(row['error_high'])}"


def promise(row: Row) -> str:
    """Return what was promised of a language, and whether it was kept.

    >>> promise({"is_kept": True, "promised_items": 1000, "promised_error": None}), promise({"is_kept": None})
    ('kept: 1,000 items', 'none')
    """
    if row["is_kept"] is None:
        return "none"
    most = "" if row["promised_error"] is None else f", at most {setting(row['promised_error'])} wrong"
    return f"{'kept' if row['is_kept'] else 'broken'}: {count(row['promised_items'])} items{most}"


def promised_languages(facts: ReleaseFacts) -> Sequence[str]:
    """Return the languages that the release promises, or the project's own, as dataset hubs name them."""
    promised = sorted({language.partition("_")[0] for language in facts.project.release.languages} - {"und"})
    return promised or [facts.project.language]
