"""How an audit was held, in sentences that card and report share: each method draws and judges in its own way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cupel.certificate.design import Design, method_name
from cupel.certificate.result import at_least
from cupel.figures import count, plural

if TYPE_CHECKING:
    from cupel.release.facts import ReleaseFacts

_DRAWN = {
    "fixed_sequence": "drawn at random",
    "stratified": "drawn at random in each part of the risk order",
    "e_process": "drawn at random, more and more until enough was known",
    "rising": "drawn at random along the risk order, each error found raising the share drawn of all that follow",
}
_TESTED = {
    "fixed_sequence": "From the safest labels on, the audit tests how many may stand without an expert's eyes",
    "stratified": (
        "From the safest labels on, the audit tests how many may stand without an expert's eyes, wherever in each part "
        "the errors are"
    ),
    "e_process": "After each step the audit tests how many of the safest labels may stand without an expert's eyes",
    "rising": "Where too many errors turn up, the audit ends, and the labels before that place stand",
}
_CAPTIONS = {
    "fixed_sequence": (
        "A cut passes while so few wrong labels would be unlikely if the accepted part were over its budget: the "
        "chance must be at most {alpha}. The first cut that fails ends the test."
    ),
    "stratified": (
        "A cut passes while so few wrong labels would be unlikely if the accepted part were over its budget, at the "
        "worst spread over the parts: the chance must be at most {alpha}. The first cut that fails ends the test."
    ),
    "e_process": (
        "A cut has passed when the evidence that the accepted part keeps its budget was strong enough at any look: "
        "strong enough would come by luck at most with chance {alpha}. The first cut that never passed ends the test."
    ),
    "rising": (
        "Each mark is an error that raised the share audited of all that follows, or the end of the set. "
        "The shares were declared beforehand, such that more wrong labels than allowed stay unseen with chance "
        "{alpha} at most, wherever they are. After the last error nothing is left to chance: experts judge all that "
        "follows."
    ),
}
_MARKS = {"rising": ("share raised, or the end", "")}
_ENDS = {
    "fixed_sequence": "the cut", "stratified": "the cut", "e_process": "the cut", "rising": "the audit's end",
}  # fmt: skip


def accepted_until(design: Design) -> str:
    """Return what the accepted labels end at, to stand after "before" or "behind": no cut ends a rising audit."""
    return _ENDS[method_name(design)]


def audit_lead(facts: ReleaseFacts) -> str:
    """Return how the audit was held, for the head of its section."""
    method, audited = method_name(facts.terms.design), (facts.result or {}).get("audited", 0)
    return (
        f"After the labels were frozen, experts judged {plural(audited, 'item')} {_DRAWN[method]}, without seeing the "
        f"labels. {_TESTED[method]}; experts judge the rest one by one."
    )


def cuts_caption(facts: ReleaseFacts) -> str:
    """Return what the plot of the cuts shows and when one passes."""
    result, alpha = facts.result or {}, facts.cuts[0]["alpha"] if facts.cuts else facts.terms.alpha
    if result.get("accepted"):
        part = f"The shaded part, {plural(result['accepted'], 'item')}, was accepted."
    else:
        part = "No part could be accepted."
    return f"{part} {_CAPTIONS[method_name(facts.terms.design)].format(alpha=f'{alpha:.3g}')}"


def cut_names(design: Design) -> tuple[str, str]:
    """Return what the plot's legend calls cuts that passed and failed."""
    return _MARKS.get(method_name(design), ("cut passed", "cut failed"))


def audit_step(facts: ReleaseFacts) -> str:
    """Return what the audit found, for the list of how the labels were made."""
    result = facts.result or {}
    drawn = _DRAWN[method_name(facts.terms.design)]
    return (
        f"{plural(result['audited'], 'item')}, {drawn}, "
        f"{'was' if result['audited'] == 1 else 'were'} judged by experts: {result['audit_wrong']} wrong, "
        f"{result['audit_contested']} contested."
    )


def planted_rows(facts: ReleaseFacts) -> list[tuple[str, str]]:
    """Return what planted items show of the auditors, a name and a figure each; none where nothing was planted."""
    result = facts.result or {}
    if not result.get("planted"):
        return []
    rows = [
        ("Items of known label, planted among the auditors' questions", count(result["planted"])),
        ("Of these, given the known label", count(result["planted_caught"])),
    ]
    if facts.planted_kinds is not None:
        kinds = facts.planted_kinds
        rows.insert(1, ("Of these, really got wrong by the crew, or only by the checker",
                        f"{count(kinds.erred)}, {count(kinds.confused)}"))  # fmt: skip
        rows.append(("The hardest of them, which the next figure is of", count(kinds.counted)))
    if result["sensitivity_bound"] is not None:
        confidence = at_least(1 - facts.terms.sensitivity_alpha)
        bound = at_least(result["sensitivity_bound"])
        rows.append((f"Wrong labels that auditors notice, at confidence {confidence}", f"at least {bound}"))
    return rows
