"""The certificate in words: what is certified, against whose judgement, and what it cannot see."""

import math

from cupel.certificate.attempts import attempt_alpha
from cupel.certificate.auditors import ALPHA_SENSITIVITY_SHARE, PlantedKinds
from cupel.certificate.design import Design
from cupel.certificate.result import AuditResult, at_least, percent
from cupel.errors import AuditError


def wording(
    result: AuditResult,
    experts_description: str,
    are_auditors_independent: bool,
    design: Design | None = None,
    adjudicators_audited: int = 0,
    max_undecided_share: float | None = None,
    planted_kinds: PlantedKinds | None = None,
    is_older: bool = False,
) -> str:
    """Return the certificate's text: what is certified, against whose judgement, and what it cannot see.

    Args:
        result: Certified or refused.
        experts_description: Who the experts are and what makes an item contested, from the project file; a
            noun phrase without a full stop.
        are_auditors_independent: Auditors and adjudicators are different people.
        design: How the audit was held; None for the fixed sequence.
        adjudicators_audited: See `Limits`.
        max_undecided_share: See `Limits`.
        planted_kinds: Why items were planted; None where none were, or that was not recorded.
        is_older: The release was frozen by a version that did not say of every design that what is certified is the set
            left after repair; its text stays as it was.

    Raises:
        AuditError: The result is open, so there is nothing to certify yet.
    """
    if result.error_bound is None or result.error_bound_with_contested is None:
        raise AuditError(f"status: found {result.status}; a certificate needs an audit that has come to its end")
    budget, chance = percent(result.error_budget), f"{100 * (1 - result.confidence):.0f} times in 100"
    bounds = (
        f"upper bound of the label error {percent(result.error_bound)} without contested items, "
        f"{percent(result.error_bound_with_contested)} with contested items counted as wrong"
    )
    frozen = ""
    if result.undecided_bound is not None:
        frozen = f"; of all items as frozen, experts leave at most {percent(result.undecided_bound)} undecided"
    if result.status == "certified":
        # What is behind the cut may be as wrong as it likes before experts repair it: such a set is certified often.
        is_left = not is_older or adjudicators_audited > 0 or (design is not None and design.counts_what_is_left)
        what = f"a set {'left ' if is_left else ''}with more than {budget} wrong labels, contested items aside,"
        if max_undecided_share is not None:
            what += f" or with more than {percent(max_undecided_share)} of its items contested,"
        said = (
            f"Certified at {budget}: {what} would be "
            f"certified at most {chance}, however often it is put to an audit. In the released set: {bounds}{frozen}"
        )
    else:
        said = f"Not certified at {budget}: {result.reason}. Of the labels as they were frozen: {bounds}{frozen}"
    panel = (
        "Auditors and adjudicators are different people."
        if are_auditors_independent
        else "Auditors and adjudicators are one panel, so nobody has checked the adjudicators."
    )
    if adjudicators_audited:
        panel = _adjudicators_panel(result, adjudicators_audited)
    are_tried = are_auditors_independent or adjudicators_audited > 0
    whose = "what would be said, without a slip, by" if result.planted else "the judgement of"
    return (
        f"{said}; each bound is below the truth at most {chance}. Wrong means: differs from {whose} "
        f"{experts_description.strip().rstrip('.')}. {_auditors(result, are_tried, planted_kinds)}{panel} "
        "No audit can see mistakes that these experts share, and this one says nothing about any other set of "
        "items than the one whose hash it names."
    )


def _adjudicators_panel(result: AuditResult, adjudicators_audited: int) -> str:
    """Return what the certificate says of the adjudicators where another expert audits them."""
    if result.status == "refused":
        return (
            f"Another expert would have judged up to {adjudicators_audited:,} adjudicated items again before a "
            "certificate; the bounds are of labels that nobody had adjudicated."
        )
    if not result.to_adjudicate:
        return "Nothing was adjudicated."
    number = min(adjudicators_audited, result.to_adjudicate)
    return (
        f"Adjudicators were audited: of the {result.to_adjudicate:,} items that they decided, {number:,} were drawn at "
        "random once all were decided, and judged again by an expert who had not adjudicated them; both bounds count "
        "the verdicts that may be wrong among the others."
    )


def _auditors(result: AuditResult, are_adjudicators_tried: bool, kinds: PlantedKinds | None) -> str:
    """Return what the certificate says of auditors who may err; nothing where none were tried.

    Args:
        result: Certified or refused.
        are_adjudicators_tried: They are other people than the auditors, or audited: what is known of the auditors
            says nothing of what was adjudicated.
        kinds: Why items were planted; None where that was not recorded.
    """
    if not result.planted or result.sensitivity_bound is None:
        return ""
    confidence = 1 - attempt_alpha(result.attempt) * ALPHA_SENSITIVITY_SHARE
    said = (
        f"Auditors may overlook wrong labels: {result.planted:,} items whose label the project knows were planted "
        f"among theirs, and they gave the known label of {result.planted_caught:,}. {_kinds(result, kinds)}So their "
        f"sensitivity is at least {at_least(result.sensitivity_bound)} at confidence {at_least(confidence)}, if wrong "
        f"labels are no harder to see than those{_erring(kinds)}; the tests allow for it. "
    )
    if result.status == "refused":
        return said
    said += "That a label which they changed is right now is taken as given. "
    astray = math.ceil(result.to_adjudicate * (1 - result.sensitivity_bound))
    if are_adjudicators_tried or not astray:
        return said
    return said + (
        f"So is what the same panel adjudicated: if it errs there as it may have here, {astray:,} of those "
        f"{result.to_adjudicate:,} labels are wrong, and no bound counts them. "
    )


def _kinds(result: AuditResult, kinds: PlantedKinds | None) -> str:
    """Return how many of the planted items were really got wrong, and which of them the sensitivity is bounded by."""
    if kinds is None:
        return ""
    said = (
        f"Of these, the crew or the label to be audited was really wrong on {kinds.erred:,}, only the checker on "
        f"{kinds.confused:,}; the other {kinds.by_log_odds:,} were drawn by their log-odds. "
    )
    if kinds.counted == result.planted:
        return said
    return (
        said + f"Only the hardest {kinds.counted:,} count, of which they gave the label of {kinds.counted_caught:,}. "
    )


def _erring(kinds: PlantedKinds | None) -> str:
    """Return what the assumption rests on, to go on with in a sentence."""
    if kinds is None:
        return ""
    erring = min(kinds.erred + kinds.confused, kinds.counted)
    if not erring:
        return (
            ", none of which is known to have been got wrong by anybody: where real errors are harder, this bound is "
            "too high and the certificate does not hold"
        )
    return f", of which {erring:,} are labels that crew or checker really got wrong"
