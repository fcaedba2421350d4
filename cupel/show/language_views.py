"""The release by language, as card and report show it: rows of text."""

from collections.abc import Sequence

from cupel.figures import UNKNOWN, bound, count, percent, setting
from cupel.release.facts import ReleaseFacts, Row

# An interval that reaches beyond this says nothing that one could act on.
WIDEST = 0.25


def language_rows(facts: ReleaseFacts) -> list[dict[str, str]]:
    """Return a row a language, promised ones first, then the largest; none where there is one language only.

    A release of one language, of which nothing is promised, has nothing to tell here.
    """
    rows = sorted(facts.languages, key=lambda row: (row["is_kept"] is None, -row["items"], row["language"]))
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
        for row in rows
    ]


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
