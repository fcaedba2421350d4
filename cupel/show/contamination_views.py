"""What the report shows of unwanted items: a delivery at a time, its sources, and where the cut lies."""

from typing import Any, NamedTuple

from cupel.figures import UNKNOWN, bound, count, percent, plural, setting
from cupel.release.contamination import Contaminated
from cupel.release.facts import BatchFacts, ReleaseFacts, Row
from cupel.show.contamination_plot import scores_plot

SOURCES_SHOWN = 20


class SourceRow(NamedTuple):
    """A source of a delivery, in words."""

    name: str
    kept: str
    before: str
    found: str
    bound: str


def contamination_views(facts: ReleaseFacts) -> list[dict[str, Any]]:
    """Return a view for each delivery of a project that says what it does not want."""
    return [_view(batch, batch.contamination) for batch in facts.batches if batch.contamination is not None]


def bounds_in_words(facts: ReleaseFacts) -> str | None:
    """Return the bounds of the whole release in a sentence, or why there are none."""
    found = [batch.contamination for batch in facts.batches if batch.contamination is not None]
    if not found:
        return None
    if any(not one.is_as_frozen for one in found):
        return (
            "Answers or settings have gone on since this release was frozen, so that what is known of unwanted items "
            "now is of other items than it holds; it makes no claim about them."
        )
    both = facts.together
    if both is None:
        return "There is no bound for the release: it is not certified, or a delivery has none."
    return (
        f"Of the {count(facts.released)} released items at most {bound(both.unwanted)} are unwanted, with "
        f"{setting(both.unwanted_confidence)} confidence. At most {bound(both.unwanted_or_wrong)} are unwanted or "
        f"have a wrong label (contested ones aside), with {setting(both.confidence)} confidence: the chances that "
        f"one of the bounds is wrong add up."
    )


def batches_in_words(facts: ReleaseFacts) -> list[str]:
    """Return of each delivery what was unwanted, how much was kept and what the audit vouches for, in a sentence."""
    return [_in_words(batch, batch.contamination) for batch in facts.batches if batch.contamination is not None]


def _in_words(batch: BatchFacts, found: Contaminated) -> str:
    plan, result = found.plan, found.result
    told = f" ({plan['description'].strip().rstrip('.')})" if plan["description"].strip() else ""
    said = f"{batch.batch}: unwanted is {plan['what']}{told}. {result['reason'][:1].upper()}{result['reason'][1:]}."
    if result["kept"] is None or result["bound"] is None:
        return said
    return (
        f"{said} Of {count(result['candidates'])} items {count(result['kept'])} were kept, at most "
        f"{bound(result['bound'])} of them {plan['what']} with {setting(plan['confidence'])} confidence; people were "
        f"asked about {count(plan['trained'] + result['audited'])} (attempt {result['attempt']})."
    )


def _view(batch: BatchFacts, found: Contaminated) -> dict[str, Any]:
    plan, result = found.plan, found.result
    asked = plan["trained"] + result["audited"]
    rows = [
        ("Items that rules and duplicates left", count(result["candidates"])),
        (f"Of them {plan['what']}, estimated by {plural(plan['pilot'], 'item')} drawn at random",
         percent(result["share_before"])),
        ("Items that people were asked about", count(asked)),
        ("Kept", _kept(result)),
        (f"What is {plan['good']}, kept (estimate)", percent(result["good_kept"])),
        (f"{plan['what']} among what is kept (estimate)", percent(result["estimate"])),
        (f"{plan['what']} among what is kept, at most", bound(result["bound"])),
    ]  # fmt: skip
    return {
        "name": batch.batch,
        "what": plan["what"],
        "reason": result["reason"],
        "description": plan["description"],
        "rows": rows,
        "allowed": setting(plan["at_most"]),
        "confidence": setting(plan["confidence"]),
        "attempt": result["attempt"],
        "plot": scores_plot(found, batch.batch) if found.counts else None,
        "sources": [_source(row) for row in found.sources[:SOURCES_SHOWN]],
        "sources_total": len(found.sources),
    }


def _kept(result: Row) -> str:
    if result["kept"] is None:
        return UNKNOWN
    share = result["kept"] / result["candidates"] if result["candidates"] else None
    return f"{count(result['kept'])} ({percent(share)})"


def _source(row: Row) -> SourceRow:
    before = f"{row['pilot_unwanted']:,} of {row['pilot']:,}" if row["pilot"] else "none drawn"
    found = f"{row['audit_unwanted']:,} of {row['audited']:,}" if row["audited"] else "none audited"
    said = bound(row["bound"])
    if row["bound"] is not None and not row["is_enough"]:
        said += " (too few audited to show more)"
    return SourceRow(row["source_file"], f"{row['kept']:,} of {row['candidates']:,}", before, found, said)
