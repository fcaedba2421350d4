"""From tables to the statistics of the certificate and back: cuts, adjudications, result, certificate."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.answers.experts import verdicts
from cupel.answers.places import Places, places
from cupel.certificate.design import EProcess, FixedSequence
from cupel.certificate.evidence import Evidence
from cupel.certificate.result import Assay, AuditResult, assay
from cupel.certificate.sample import marks
from cupel.certificate.sequence import Flags
from cupel.certificate.wording import wording
from cupel.contract.table import empty, from_rows
from cupel.contract.tables.release import ADJUDICATIONS, AUDIT, AUDIT_RESULT, CERTIFICATE, CUTS
from cupel.release.audit_design import terms_of
from cupel.release.names import Names
from cupel.release.planted import plants
from cupel.release.second_audit import answers_for, drawn_again, rows_of_items, second_audit

# Of RELEASE_ITEMS, what is needed here: texts are left where they are.
NEEDED_ITEMS = ("release", "batch", "item_id", "label", "risk_rank", "is_audited")
_SAID = ["batch", "item_id", "is_settled", "is_wrong", "is_contested"]


def audit(plan: pa.Table, items: pa.Table, expert_answers: pa.Table, planted: pa.Table | None = None) -> pa.Table:
    """Return the items put to the auditors so far, with what they say of them.

    Where adjudicators are audited, those of their items that are drawn again follow, see `second_audit`. Where
    the design lets the audit grow, errors or looks may make further items due; they are added in
    waves, each once the verdicts before it are known as far as the design asks for.

    Args:
        plan: RELEASE_PLAN of the release.
        items: RELEASE_ITEMS; the columns `NEEDED_ITEMS` will do.
        expert_answers: EXPERT_ANSWERS of the release.
        planted: PLANTED_VERDICTS, here and below where items of known label are planted.

    Returns:
        AUDIT, in the order of the items.
    """
    planned = plan.to_pylist()[0]
    asked, answers = planned["expert_answers"], answers_for(planned, expert_answers, "audit")
    if planned.get("design") is None:
        return verdicts(items.filter(items["is_audited"]), answers, asked, AUDIT)

    def said(drawn: pa.Table) -> pa.Table:
        return verdicts(drawn, answers, asked, AUDIT)

    ranked = items.sort_by("risk_rank")
    first = said(ranked.filter(pa.array(audited_items(planned, ranked, said, planted))))
    if not terms_of(planned).adjudicators_audited:
        return first
    tested = cuts(plan, items, first, planted)
    adjudicated = adjudications(plan, items, first, tested, expert_answers, planted)
    return pa.concat_tables([first, said(drawn_again(planned, adjudicated))])


def audited_items(
    plan: Mapping[str, Any],
    ranked: pa.Table,
    said: Callable[[pa.Table], pa.Table],
    planted: pa.Table | None = None,
) -> Flags:
    """Return which items the audit holds by what is known: its first wave, and what the design adds to it.

    Args:
        plan: Row of RELEASE_PLAN.
        ranked: RELEASE_ITEMS in risk order.
        said: Returns the rows of AUDIT of some of these items.
        planted: PLANTED_VERDICTS.

    Returns:
        Flags of shape items.
    """
    terms = terms_of(plan)
    is_audited: Flags = ranked["is_audited"].to_numpy().astype(np.bool_)
    while plan.get("design") is not None:
        audited = said(ranked.filter(pa.array(is_audited)))
        due = terms.design.due(_evidence(plan, ranked, audited, planted, audited), terms)
        if not (due & ~is_audited).any():
            break
        is_audited |= due
    return is_audited


def random_audit(plan: pa.Table, items: pa.Table, audit: pa.Table, planted: pa.Table | None = None) -> pa.Table:
    """Return the part of the audit that is a random sample of all items, for estimates.

    Of strata, that is as many as the whole draw holds before the first item that its stratum left out; of a
    rising audit, the first wave.

    Args:
        plan: RELEASE_PLAN of the release.
        items: RELEASE_ITEMS; the columns `NEEDED_ITEMS` will do.
        audit: AUDIT.
    """
    planned = plan.to_pylist()[0]
    audit, design = _first_audit(planned, items, audit, planted), terms_of(planned).design
    if isinstance(design, FixedSequence | EProcess):
        return audit
    of_items = marks(Names(items), planned["seed"])
    first = of_items[~items["is_audited"].to_numpy().astype(np.bool_)].min(initial=1.0)
    names = items.filter(pa.array(of_items < first)).select(["batch", "item_id"])
    one, other = places(names, audit)
    return audit.filter(pc.is_in(pa.array(other), value_set=pa.array(one)))


def contested_upper(
    plan: pa.Table, items: pa.Table, audit: pa.Table, alpha: float, planted: pa.Table | None = None
) -> int:
    """Return the exact upper bound of the contested items among all, by the design of the audit.

    Args:
        plan: RELEASE_PLAN of the release.
        items: RELEASE_ITEMS; the columns `NEEDED_ITEMS` will do.
        audit: AUDIT, complete.
        alpha: Chance that the bound is below the truth.
    """
    planned = plan.to_pylist()[0]
    said, terms = evidence(planned, items, audit, empty(ADJUDICATIONS), planted), terms_of(planned)
    return terms.design.upper(said, said.is_contested, alpha, terms)


def allowed_wrong(plan: pa.Table, items: pa.Table, audit: pa.Table, planted: pa.Table | None = None) -> int:
    """Return the wrong labels that the budget allows; 0 while the audit is incomplete.

    Args:
        plan: RELEASE_PLAN of the release.
        items: RELEASE_ITEMS; the columns `NEEDED_ITEMS` will do.
        audit: AUDIT.
    """
    return _assay(plan, items, audit, empty(ADJUDICATIONS), planted).allowed_wrong


def cuts(plan: pa.Table, items: pa.Table, audit: pa.Table, planted: pa.Table | None = None) -> pa.Table:
    """Test the cuts of the risk order; none while the audit is incomplete.

    Args:
        plan: RELEASE_PLAN of the release.
        items: RELEASE_ITEMS; the columns `NEEDED_ITEMS` will do.
        audit: AUDIT.

    Returns:
        CUTS, up to and including the first that failed.
    """
    tested = _assay(plan, items, audit, empty(ADJUDICATIONS), planted).cuts
    release = plan["release"][0].as_py()
    return from_rows([{"release": release, **cut._asdict()} for cut in tested], CUTS)


def adjudications(
    plan: pa.Table,
    items: pa.Table,
    audit: pa.Table,
    cuts: pa.Table,
    expert_answers: pa.Table,
    planted: pa.Table | None = None,
) -> pa.Table:
    """Return the items behind the cut that the audit has not drawn, with what experts say of them so far.

    Nothing is adjudicated while the audit is incomplete, nor where it would show more to experts than the
    project allows: such a release is refused, and the money saved.

    Args:
        plan: RELEASE_PLAN of the release.
        items: RELEASE_ITEMS; the columns `NEEDED_ITEMS` will do.
        audit: AUDIT.
        cuts: CUTS of the release.
        expert_answers: EXPERT_ANSWERS of the release.

    Returns:
        ADJUDICATIONS, in risk order.
    """
    assayed = _assay(plan, items, audit, empty(ADJUDICATIONS), planted)
    if not assayed.is_audited or assayed.result.status == "refused":
        return empty(ADJUDICATIONS)
    passed = cuts.filter(cuts["is_passed"])["accepted"].to_pylist()
    ranked = items.sort_by("risk_rank")
    said = evidence(plan.to_pylist()[0], ranked, audit, empty(ADJUDICATIONS), planted)
    behind = ranked.filter(pa.array(said.behind(max(passed, default=0))))
    planned = plan.to_pylist()[0]
    answers = answers_for(planned, expert_answers, "expert")
    return verdicts(behind, answers, planned["expert_answers"], ADJUDICATIONS)


def audit_result(
    plan: pa.Table, items: pa.Table, audit: pa.Table, adjudicated: pa.Table, planted: pa.Table | None = None
) -> pa.Table:
    """Return what the audit has shown so far.

    Args:
        plan: RELEASE_PLAN of the release.
        items: RELEASE_ITEMS; the columns `NEEDED_ITEMS` will do.
        audit: AUDIT.
        adjudicated: ADJUDICATIONS.

    Returns:
        AUDIT_RESULT of one row.
    """
    result = _assay(plan, items, audit, adjudicated, planted).result
    return from_rows([{"release": plan["release"][0].as_py(), **asdict(result)}], AUDIT_RESULT)


def certificate(plan: pa.Table, result: pa.Table, expert_answers: pa.Table) -> pa.Table:
    """Return the certificate, or the refusal.

    Args:
        plan: RELEASE_PLAN of the release.
        result: AUDIT_RESULT, certified or refused.
        expert_answers: EXPERT_ANSWERS of the release: they show whether auditors were other people.

    Returns:
        CERTIFICATE of one row.
    """
    row, planned = result.to_pylist()[0], plan.to_pylist()[0]
    release = row.pop("release")
    is_independent = planned["are_auditors_independent"] and were_auditors_independent(expert_answers)
    terms = terms_of(planned)
    text = wording(
        AuditResult(**row), planned["experts_description"], is_independent, terms.design, terms.adjudicators_audited
    )
    names = ("status", "error_budget", "confidence", "error_bound", "error_bound_with_contested", "experts_seen_share")
    copied = {name: row[name] for name in (*names, "items")}
    content = {
        "release": release,
        "are_auditors_independent": is_independent,
        "wording": text,
        "items_sha256": planned["items_sha256"],
        **copied,
    }
    return from_rows([content], CERTIFICATE)


def were_auditors_independent(expert_answers: pa.Table) -> bool:
    """Tell whether nobody who audited also adjudicated; false where either is missing, for nothing shows it then.

    Args:
        expert_answers: EXPERT_ANSWERS of a release.
    """
    people: dict[str, set[str]] = {"audit": set(), "expert": set(), "round": set()}
    for answer in expert_answers.group_by(["purpose", "annotator"]).aggregate([]).to_pylist():
        people[answer["purpose"]].add(answer["annotator"])
    adjudicators = people["expert"] | people["round"]
    return bool(people["audit"] and adjudicators) and not people["audit"] & adjudicators


def evidence(
    plan: Mapping[str, Any], items: pa.Table, audit: pa.Table, adjudicated: pa.Table, planted: pa.Table | None = None
) -> Evidence:
    """Return what experts have said so far, as arrays in risk order.

    Args:
        plan: Row of RELEASE_PLAN.
        items: RELEASE_ITEMS, any row order; the columns `NEEDED_ITEMS` will do.
        audit: AUDIT.
        adjudicated: ADJUDICATIONS; where another expert has judged an item again, that verdict counts.
        planted: PLANTED_VERDICTS.
    """
    first = _first_audit(plan, items, audit, planted)
    again = rows_of_items(audit.filter(audit["is_settled"]), drawn_again(plan, adjudicated))
    return _evidence(plan, items, first, planted, *(table.select(_SAID) for table in (first, adjudicated, again)))


def assay_of(
    plan: Mapping[str, Any], items: pa.Table, audit: pa.Table, adjudicated: pa.Table, planted: pa.Table | None = None
) -> Assay:
    """Return what the evidence comes to.

    Args:
        plan: Row of RELEASE_PLAN.
        items: RELEASE_ITEMS, any row order; the columns `NEEDED_ITEMS` will do.
        audit: AUDIT.
        adjudicated: ADJUDICATIONS.
        planted: PLANTED_VERDICTS.
    """
    said = evidence(plan, items, audit, adjudicated, planted)
    return assay(said, terms_of(plan), second_audit(plan, audit, adjudicated))


def _first_audit(plan: Mapping[str, Any], items: pa.Table, audit: pa.Table, planted: pa.Table | None) -> pa.Table:
    """Return AUDIT without the items that were drawn again because they had been adjudicated."""
    if not terms_of(plan).adjudicators_audited:
        return audit

    def said(drawn: pa.Table) -> pa.Table:
        return rows_of_items(audit, drawn)

    ranked = items.sort_by("risk_rank")
    return said(ranked.filter(pa.array(audited_items(plan, ranked, said, planted))))


def _evidence(
    plan: Mapping[str, Any], items: pa.Table, audit: pa.Table, planted: pa.Table | None, *verdicts: pa.Table
) -> Evidence:
    """Return the evidence of an audit and of verdicts, the later of which count."""
    ranked = items.select(["batch", "item_id", "label", "is_audited", "risk_rank"]).sort_by("risk_rank")
    said = pa.concat_tables([table.select(_SAID) for table in verdicts])
    item, judged = places(ranked, said)

    def flags(values: Flags, rows: Places) -> Flags:
        found = np.zeros(max(item.max(initial=-1), judged.max(initial=-1)) + 1, np.bool_)
        found[rows] = values
        return found[item]

    settled, wrong, contested = (flags(pc.fill_null(said[name], False).to_numpy(), judged) for name in _SAID[2:])
    is_audited = ranked["is_audited"].to_numpy().astype(np.bool_)
    if plan.get("design") is None:
        return Evidence(is_audited, settled, wrong, contested)
    # What was audited beyond the first wave is in the table of the audit alone.
    is_audited |= flags(np.ones(audit.num_rows, np.bool_), judged[: audit.num_rows])
    return Evidence(
        is_audited, settled, wrong, contested, marks(Names(ranked), plan["seed"]), plants(ranked, planted),
        terms_of(plan).undecided,
    )  # fmt: skip


def _assay(plan: pa.Table, items: pa.Table, audit: pa.Table, adjudicated: pa.Table, planted: pa.Table | None) -> Assay:
    planned = plan.to_pylist()[0]
    return assay_of(planned, items, audit, adjudicated, planted)
