"""The report of a release: one HTML page that stands alone, for people who decide about it."""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

import cupel
from cupel import figures
from cupel.people.annotators.anchoring import summarise_anchoring
from cupel.release.facts import BatchFacts, ReleaseFacts
from cupel.release.overlaps import overlaps_in_words
from cupel.release.terms import house_rules, licence_rows
from cupel.show.audit_words import accepted_until, audit_lead, cut_names, cuts_caption, planted_rows
from cupel.show.contamination_views import bounds_in_words, contamination_views
from cupel.show.language_views import language_lead, language_rows, small_languages
from cupel.show.outlook_views import HEADINGS, outlook_plot, outlook_rows, rising_saves
from cupel.show.people_views import (
    ACTIONS_SHOWN,
    anchoring_rows,
    finding_rows,
    model_rows,
    rework_rows,
    send_back_rows,
    vendor_rows,
)
from cupel.show.phone_tables import fit_phone
from cupel.show.plots import annotators_plot, cuts_plot, stage_errors_plot
from cupel.show.report_facts import ReportFacts
from cupel.show.report_views import (
    FEWEST_ANSWERS,
    agreement_rows,
    annotator_rows,
    check_groups,
    checks_summary,
    cost_rows,
    error_rows,
    funnel,
    headline,
    is_balanced,
    key_figures,
    needed,
)
from cupel.show.slice_views import MOST_SHOWN, slice_lead, slice_rows
from cupel.show.templating import environment
from cupel.show.vendor_plot import vendors_plot
from cupel.show.wording import limits, protocol, told_errors

SIGNS = {"pass": "✔", "fail": "✘", "open": "…"}
RELABEL_SHOWN = 10


def render_report(
    facts: ReleaseFacts,
    more: ReportFacts | None = None,
    pictures: Mapping[str, str] | None = None,
    *,
    answers_known: int | None = None,
) -> str:
    """Return the page; it needs no network, and the same arguments give the same bytes.

    Args:
        facts: The facts of a release: certified, refused or open.
        more: What `report_facts` gathered; without it the risk order's course, agreement and what to
            relabel are left out.
        pictures: What is shown in place of an item's text, as a data URI, by that text; None of all texts.
        answers_known: Of the page in a release's folder, which is never made anew, the last answer that was known
            when the release was written: the page says so. None of any other.

    Returns:
        HTML with inline style and inline SVG; texts of items are in it, escaped.
    """
    more = more or ReportFacts.nothing()
    context = {**_first_screen(facts, more), **_audit(facts, more), **_people(facts, more), **_rest(facts)}
    context["pictures"], context["answers_known"] = pictures or {}, answers_known
    context["rework_template"] = "rework.html.j2"  # named here, so that the code's version follows it
    template = environment().get_template("report.html.j2")
    return fit_phone(template.render(css=Markup(environment().get_template("report.css").render()), **context))


def _first_screen(facts: ReleaseFacts, more: ReportFacts) -> dict[str, Any]:
    title, reason = headline(facts)
    is_refused = facts.verdict == "REFUSED"
    return {
        "verdict": facts.verdict,
        "release": facts.release,
        "project": facts.project,
        "plan": facts.terms,
        "guideline": facts.guideline,
        "batch_names": ", ".join(batch.batch for batch in facts.batches),
        "title": title,
        "reason": reason,
        "wording": facts.certificate["wording"] if facts.certificate else None,
        "figures": key_figures(facts),
        "slices": slice_rows(facts),
        "slice_lead": slice_lead(facts),
        "slices_shown": MOST_SHOWN,
        "needed": needed(facts, more) if is_refused else [],
        "relabel": more.relabel.slice(0, RELABEL_SHOWN).to_pylist() if is_refused else [],
        "relabel_total": figures.plural(more.relabel.num_rows, "item"),
        "batches": facts.batches,
        "funnel": funnel(facts),
        "balanced": all(is_balanced(batch) for batch in facts.batches),
    }


def _audit(facts: ReleaseFacts, more: ReportFacts) -> dict[str, Any]:
    result = facts.result
    bounded = "Released" if result and result["status"] == "certified" else "All labels, as they were frozen"
    errors = error_rows(facts) if any(row["error"] is not None for row in facts.stage_errors) else []
    return {
        "result": result,
        "has_bound": bool(result and result["error_bound"] is not None),
        "bounded": bounded,
        "errors": errors,
        "errors_plot": stage_errors_plot(told_errors(facts), result) if errors else None,
        "cuts_plot": _cuts_plot(facts, more),
        "audit_lead": audit_lead(facts) if result else None,
        "cuts_caption": cuts_caption(facts) if result else None,
        "accepted_until": accepted_until(facts.terms.design),
        "planted": planted_rows(facts),
        **_outlook(facts, more),
        "worst": facts.worst,
        "contamination": contamination_views(facts),
        "contamination_bounds": bounds_in_words(facts),
        "languages": language_rows(facts),
        "language_lead": language_lead(facts),
        "small_languages": small_languages(facts),
        **_licences(facts),
        "overlaps": overlaps_in_words(facts.overlaps),
    }


def _licences(facts: ReleaseFacts) -> dict[str, Any]:
    terms = facts.terms.licence_terms
    return {
        "terms": terms,
        "licences": [] if terms is None else licence_rows(terms, facts.licences),
        "house_rules": house_rules(terms, facts.licences),
        "left_out": figures.plural(facts.left_out, "item") if facts.left_out else None,
    }


def _cuts_plot(facts: ReleaseFacts, more: ReportFacts) -> str | None:
    if not facts.result or not more.curve:
        return None
    return cuts_plot(more.curve, facts.cuts, facts.result, more.allowed_wrong, cut_names(facts.terms.design))


def _outlook(facts: ReleaseFacts, more: ReportFacts) -> dict[str, Any]:
    """Return what was to be expected of the audit beside what came of it."""
    if not more.outlook or not facts.result:
        return {"outlook": [], "outlook_plot": None, "rising_saves": ""}
    is_over = facts.result["status"] != "open"
    seen = facts.result["experts_seen_share"] if is_over else None
    return {
        "outlook": outlook_rows(more.outlook, facts.cost.currency),
        "outlook_headings": HEADINGS,
        "rising_saves": rising_saves(more.outlook, facts.terms.design).replace("`", ""),
        "outlook_plot": outlook_plot(more.outlook, facts.terms.max_experts_seen_share, seen),
    }


def _people(facts: ReleaseFacts, more: ReportFacts) -> dict[str, Any]:
    return {
        "agreement": agreement_rows(more),
        "people": [_annotators(batch) for batch in facts.batches],
        "undecided": facts.undecided,
        "fewest_answers": FEWEST_ANSWERS,
    }


def _annotators(batch: BatchFacts) -> dict[str, Any]:
    known = [row for row in batch.annotators if row["quality"] is not None]
    rejected = [f"{reason} ({figures.count(number)})" for reason, number in batch.rejected_answers.items()]
    return {
        "name": batch.batch,
        "annotations": batch.annotations,
        "known": len(known),
        "plot": annotators_plot(known, batch.batch) if known else None,
        "worst": annotator_rows(batch),
        "findings": finding_rows(batch),
        "findings_total": len(batch.annotator_findings),
        "actions": batch.actions[-ACTIONS_SHOWN:],
        "actions_total": len(batch.actions),
        "vendors": vendor_rows(batch),
        "vendors_plot": vendors_plot(batch.vendors, batch.batch) if batch.vendors else None,
        "rejected_answers": ", ".join(rejected),
        "models": model_rows(batch),
        "anchoring": anchoring_rows(batch),
        "anchored": summarise_anchoring(batch.anchoring),
        "rework": rework_rows(batch),
        "send_backs": send_back_rows(batch),
    }


def _rest(facts: ReleaseFacts) -> dict[str, Any]:
    return {
        "costs": cost_rows(facts),
        "checks": check_groups(facts),
        "checks_summary": checks_summary(facts),
        "signs": SIGNS,
        "protocol": protocol(facts),
        "limits": limits(facts),
        "version": cupel.__version__,
    }
