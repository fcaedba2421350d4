"""The tables of a release's audit: what each step of it makes of the evidence so far."""

from collections.abc import Callable
from dataclasses import asdict, replace

import numpy as np
import pyarrow as pa

from cupel.certificate.result import AuditResult
from cupel.contract.class_places import split_labels
from cupel.contract.table import empty, from_rows
from cupel.contract.tables.release import ADJUDICATIONS, AUDIT, AUDIT_RESULT, CERTIFICATE, CUTS, PLANTED_VERDICTS
from cupel.release.nonces import WitnessedDraws
from cupel.release.release_audit import ReleaseAudit, Verdicts
from cupel.release.second_audit import count_to_draw, hash_adjudications
from cupel.release.signed_share import SignedShare, signed_sentence


def judge_planted_items(audit: ReleaseAudit) -> pa.Table:
    """Hold the known labels of planted items against what auditors say.

    Args:
        audit: With its planted items and expert answers.

    Returns:
        PLANTED_VERDICTS, in the order of the items; empty where none are planted.
    """
    known = audit.planted_items
    drawn = known.filter(known["is_planted"]).rename_columns({"known_label": "label"})
    return audit.judge(drawn, "audit", PLANTED_VERDICTS)


def draw_audit(audit: ReleaseAudit, make_nonce: Callable[[str], str | None] = lambda frozen_sha256: None) -> pa.Table:
    """Return the items put to the auditors so far, with what they say of them.

    Where adjudicators are audited, those of their items that are drawn again follow, see `second_audit`. Where
    the design lets the audit grow, errors or looks may make further items due; they are added in
    waves, each once the verdicts before it are known as far as the design asks for.

    Args:
        audit: With its items, planted verdicts and expert answers.
        make_nonce: Returns the recorded nonce that draws of the adjudicated items, whose hash it gets, or None while
            there is none; asked once all of them are decided.

    Returns:
        AUDIT, in risk order; what is drawn again comes behind.
    """
    said = audit.judge(audit.items, "audit", AUDIT)
    places = split_labels(said["expert_label"], audit.kind, audit.terms.ontology)
    first = said.filter(pa.array(audit.draw(Verdicts.of(said), places)))
    if not audit.terms.adjudicators_audited:
        return first
    judged = replace(audit, audit=first)
    decided = replace(judged, adjudications=adjudicate_items(judged))
    if decided.assay.result.status == "refused":  # too much was left undecided; nobody need look again
        return first
    if count_to_draw(audit.terms, decided.adjudications) and audit.terms.freeze_sha256 is not None:
        nonce = make_nonce(hash_adjudications(audit.terms, decided.adjudications))
        decided = replace(decided, second_nonce=nonce)
    again = np.sort(decided.rows.adjudications[decided.drawn_again])
    return pa.concat_tables([first, said.take(pa.array(again))])


def find_cuts(audit: ReleaseAudit) -> pa.Table:
    """Test the cuts of the risk order; none while the audit is incomplete.

    Args:
        audit: With its items, audit and planted verdicts.

    Returns:
        CUTS, up to and including the first that failed.
    """
    return from_rows([{"release": audit.terms.release, **cut._asdict()} for cut in audit.assay.cuts], CUTS)


def adjudicate_items(audit: ReleaseAudit) -> pa.Table:
    """Return the items behind the cut that the audit has not drawn, with what experts say of them so far.

    Nothing is adjudicated while the audit is incomplete, nor where it would show more to experts than the
    project allows: such a release is refused, and the money saved.

    Args:
        audit: With its items, audit, planted verdicts and expert answers.

    Returns:
        ADJUDICATIONS, in risk order.
    """
    found = audit.assay
    if not found.is_audited or found.result.status == "refused":
        return empty(ADJUDICATIONS)
    return audit.judge(audit.items.filter(pa.array(found.behind)), "expert", ADJUDICATIONS)


def conclude_audit(audit: ReleaseAudit) -> pa.Table:
    """Return what the audit has shown so far.

    Args:
        audit: With its items, audit, adjudications and planted verdicts.

    Returns:
        AUDIT_RESULT of one row.
    """
    return from_rows([{"release": audit.terms.release, **asdict(audit.assay.result)}], AUDIT_RESULT)


def write_certificate(
    audit: ReleaseAudit, result: pa.Table, signed: SignedShare | None = None, witnessed: WitnessedDraws | None = None
) -> pa.Table:
    """Return the certificate, or the refusal.

    Args:
        audit: With its expert answers: they show whether auditors were other people.
        result: AUDIT_RESULT, certified or refused.
        signed: How many expert answers were signed; None where no trust file is declared.
        witnessed: The witnessed draws by part, see `witnessed_draws`.

    Returns:
        CERTIFICATE of one row.
    """
    row, terms = result.to_pylist()[0], audit.terms
    release = row.pop("release")
    is_independent = terms.are_auditors_independent and were_auditors_independent(audit.expert_answers)
    text = audit.write_wording(AuditResult(**row), is_independent, witnessed) + signed_sentence(signed)
    names = ("status", "error_budget", "confidence", "error_bound", "error_bound_with_contested", "experts_seen_share")
    copied = {name: row[name] for name in (*names, "items")}
    content = {
        "release": release,
        "are_auditors_independent": is_independent,
        "wording": text,
        "items_sha256": terms.items_sha256,
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
