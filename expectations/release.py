"""What the release gate asks: is the release certified, within its budgets, and is the certificate the audit's?"""

from typing import Any

import pyarrow as pa

from cupel.certificate.design import FixedSequence
from cupel.certificate.hypergeometric import upper_count
from cupel.config.project import Project
from cupel.lake.step import Step
from cupel.modalities.text.languages.codes import macrolanguage
from cupel.release.frozen_terms import FrozenTerms
from cupel.release.guidelines import lapsed_certificates
from cupel.release.release_audit import load_release_audit
from cupel.release.terms import counted, forbidden
from cupel.release.undecided_experts import find_undecided_experts, name_finding
from expectations import thresholds
from expectations.suite import MOST_IDS, Check, Measured, Suite, one_row

CONTESTED_ALPHA = 0.05

_SAME_AS_AUDIT = (
    "status", "items", "error_budget", "confidence", "error_bound", "error_bound_with_contested", "experts_seen_share",
)  # fmt: skip
_SAME_AS_PLAN = ("items", "items_sha256", "error_budget")


def measure(step: Step) -> pa.Table:
    """Read the certificate, what the audit found, and what was frozen: one row each."""
    certificate, audit, plan = (_row(step, table) for table in ("certificate", "audit_result", "release_plan"))
    if not (certificate and audit and plan):
        return one_row({})
    terms = FrozenTerms.from_plan(plan)
    differing = [name for name in _SAME_AS_AUDIT if certificate[name] != audit[name]]
    differing += [name for name in _SAME_AS_PLAN if certificate[name] != getattr(terms, name)]
    is_certified = certificate["status"] == audit["status"] == "certified"
    bound = certificate["error_bound"]
    return one_row(
        {
            "release_certified": Measured(int(is_certified)),
            "certificate_differs": Measured(
                len(differing), note=f"differing: {', '.join(differing)}" if differing else None
            ),
            "error_bound": Measured(bound, bound),
            "experts_seen_share": Measured(certificate["experts_seen_share"]),
            "adjudications_missing": _missing(audit),
            "contested_share": _contested(step, terms, audit),
            "undecided_experts": _undecided_experts(step, terms),
            "promises_broken": _promises(step),
            "budgets_broken": _budgets(step, terms),
            "items_forbidden": _forbidden(step, terms),
            "items_overlapping": _overlapping(step),
            "certificates_lapsed": _lapsed(step, terms),
            "error_bound_with_contested": Measured(*[certificate["error_bound_with_contested"]] * 2),
        },
        is_open=int(audit["status"] == "open"),
    )


def awaited(metrics: pa.Table) -> str | None:
    """Say that experts' answers are awaited."""
    if "is_open" in metrics.column_names and metrics["is_open"][0].as_py():
        return "answers of auditors or experts are awaited"
    return None


def has_budgets(project: Project, partition: str | None) -> bool:
    """Tell whether the project has budgets by class or slice."""
    return bool(project.release.certificate.by)


def _budgets(step: Step, terms: FrozenTerms) -> Measured:
    """Count the classes and slices whose budgets are not proven; one of which the table says nothing is not."""
    named = {(budget.by, budget.value) for budget in terms.budgets}
    if not named or step.lake.commit("slice_bounds", step.partition) is None:
        return Measured(None)
    rows = step.read("slice_bounds", columns=["by", "value", "is_kept"]).to_pylist()
    broken = sorted(named - {(row["by"], row["value"]) for row in rows if row["is_kept"]})
    told = ", ".join(f"{by} {value}" for by, value in broken)
    return Measured(len(broken), note=f"not proven: {told}" if broken else None)


def promises_languages(project: Project, partition: str | None) -> bool:
    """Tell whether the project promises anything of a language."""
    return bool(project.release.languages)


def names_licences(project: Project, partition: str | None) -> bool:
    """Tell whether the project names licences."""
    return bool(project.licences)


def _forbidden(step: Step, frozen: FrozenTerms) -> Measured:
    """Count frozen items that the terms frozen with them forbid; without such terms there is no evidence."""
    terms = frozen.licence_terms
    if terms is None:
        return Measured(None)
    counts = counted(step.read("release_items", columns=["licence"])["licence"].to_pylist())
    number = sum(items for name, items in counts.items() if terms.why_forbidden(name))
    return Measured(number, note="; ".join(forbidden(terms, counts)) or None)


def names_evaluation_sets(project: Project, partition: str | None) -> bool:
    """Tell whether the project names sets that models are examined with."""
    return bool(project.cleaning.overlap)


def _overlapping(step: Step) -> Measured:
    """Count frozen items that hold too much of an evaluation set; where none was looked at, there is no evidence."""
    if not step.project.cleaning.overlap or step.lake.commit("release_overlaps", step.partition) is None:
        return Measured(None)
    rows = step.read("release_overlaps").to_pylist()
    frozen = step.uses("release_items").rows
    if not rows or any(row["items"] != frozen for row in rows):
        return Measured(None)
    ids = tuple(name for row in rows for name in row["item_ids"])[:MOST_IDS]
    most = "; ".join(row["evidence"] for row in rows if row["items_over"])
    return Measured(sum(row["items_over"] for row in rows), item_ids=ids, note=most or None)


def has_guideline(project: Project, partition: str | None) -> bool:
    """Tell whether the project's guideline has versions."""
    return project.labeling.guideline is not None


def _lapsed(step: Step, terms: FrozenTerms) -> Measured:
    """Count the certificates of the release's deliveries that speak of a guideline which another has replaced."""
    if not step.guidelines():
        return Measured(None)
    found = [(name, under) for name, under in lapsed_certificates(step.lake, terms.batches) if name != step.partition]
    return Measured(len(found), note="; ".join(f"{name} is of guideline {under}" for name, under in found) or None)


def _promises(step: Step) -> Measured:
    """Count broken promises; a language of which the table says nothing has broken its own."""
    promised = step.project.release.languages
    if not promised:
        return Measured(None)
    rows = step.read("release_languages", columns=["language", "is_kept", "items"]).to_pylist()
    kept = {row["language"] for row in rows if row["is_kept"]}
    broken = sorted(set(promised) - kept)
    note = f"broken: {', '.join(broken)}" if broken else ""
    counts = {row["language"]: row["items"] for row in rows}
    for name in broken:
        above = macrolanguage(name)
        if above and str(above) != name and counts.get(str(above)):
            note += f"; {counts[str(above)]} items are {above} without a variety: they do not count as {name}"
    return Measured(len(broken), note=note or None)


def _missing(audit: dict[str, Any]) -> Measured:
    """Return how many adjudications are missing: none where the audit refused, for then nobody is asked for any."""
    if audit["status"] == "refused":
        return Measured(0, note="the audit refused, so experts are asked for none")
    return Measured(audit["to_adjudicate"] - audit["adjudicated"])


def _contested(step: Step, terms: FrozenTerms, audit: dict[str, Any]) -> Measured:
    """Return the share of contested items in the audit, and the upper bound of those among all that it rests on.

    A release that was frozen before there was a limit has no such bound: it has the one that it was judged by then.
    """
    items, audited, contested = audit["items"], audit["audited"], audit["audit_contested"]
    if not 0 < audited <= items:
        return Measured(None)
    if audit["undecided_bound"] is not None:
        return Measured(contested / audited, audit["undecided_bound"])
    if not isinstance(terms.design, FixedSequence) and audit["status"] != "open":
        upper = load_release_audit(step, "release_items", "audit", "planted_verdicts").contested_upper(CONTESTED_ALPHA)
        return Measured(contested / audited, upper / items)
    return Measured(contested / audited, upper_count(items, audited, contested, CONTESTED_ALPHA) / items)


def _undecided_experts(step: Step, terms: FrozenTerms) -> Measured:
    """Count the experts who leave undecided what others decide, and name them."""
    if step.lake.commit("expert_answers", step.partition) is None:
        return Measured(None)
    is_simple = isinstance(terms.design, FixedSequence) and not terms.adjudicators_audited and not terms.budgets
    tables = () if is_simple else ("release_items", "planted_verdicts")
    audit = load_release_audit(step, *tables, "audit", "expert_answers")
    found = find_undecided_experts(audit)
    return Measured(len(found), note="; ".join(map(name_finding, found)) or None)


def _row(step: Step, table: str) -> dict[str, Any] | None:
    rows = step.read(table).to_pylist()
    return rows[0] if len(rows) == 1 else None


SUITE = Suite(
    stage="release",
    table="certificate",
    checks=(
        Check(
            thresholds.RELEASE_CERTIFIED,
            "Do audit and certificate both say certified (1) or not (0)?",
            "Read the reason in audit_result; relabel what the relabel list names, then make a new release.",
        ),
        Check(
            thresholds.CERTIFICATE_DIFFERS,
            "In how many fields does the certificate differ from the audit's result or the frozen plan?",
            "A table was changed after the audit: run the release again from its plan; trust no file of this one.",
        ),
        Check(
            thresholds.ERROR_BOUND,
            "Up to which label error, contested items aside, can the audit not rule out?",
            "Relabel the riskiest items, or audit more of them in a new release.",
            judges_bound=True,
        ),
        Check(
            thresholds.EXPERTS_SEEN_SHARE,
            "What share of the items did experts see, audit included?",
            "Improve the labels before the audit (overlap, checker, instructions); a larger share is a decision "
            "about money, made in the project file.",
        ),
        Check(
            thresholds.ADJUDICATIONS_MISSING,
            "How many items that the audit did not accept have no settled verdict?",
            "Answer the open expert tasks, then run the release again.",
        ),
        Check(
            thresholds.CONTESTED_SHARE,
            "On what share of the items do experts stay split, at most (the upper bound that the audit itself uses)?",
            "Sharpen the question, merge the classes that experts confuse, or audit more, in a new release.",
            judges_bound=True,
        ),
        Check(
            thresholds.UNDECIDED_EXPERTS,
            "How many experts leave undecided what others decide, more often than chance explains?",
            "Talk to those named; let others answer what they left undecided, and audit anew.",
        ),
        Check(
            thresholds.ERROR_BOUND_WITH_CONTESTED,
            "Up to which label error, contested items counted wrong, can the audit not rule out?",
            "Tell users of the release; contested items are held back from it.",
            judges_bound=True,
        ),
        Check(
            thresholds.PROMISES_BROKEN,
            "Of how many promised languages has the release too few items, or an audit that shows not so few errors?",
            "Read the languages' rows in release_languages: deliver more of them, audit more, or promise less.",
            applies=promises_languages,
        ),
        Check(
            thresholds.BUDGETS_BROKEN,
            "Of how many classes and slices with a budget of their own is it not proven that they keep it?",
            "Read their rows in slice_bounds and the reason in audit_result: audit more, or take the budget out.",
            applies=has_budgets,
        ),
        Check(
            thresholds.ITEMS_FORBIDDEN,
            "How many items do the terms of their licences forbid, for the release's purpose and on its day?",
            "Renew the contract and mend its dates, or take its licence out of cleaning.allowed_licences; then make a "
            "new release.",
            applies=names_licences,
        ),
        Check(
            thresholds.ITEMS_OVERLAPPING,
            "How many items hold more of a row of an evaluation set than cleaning.max_overlap_share?",
            "Run the cleaning stage of the batches again, which rejects them, then make a new release.",
            applies=names_evaluation_sets,
        ),
        Check(
            thresholds.CERTIFICATES_LAPSED,
            "How many earlier certificates of its deliveries speak of a guideline that another has replaced?",
            "Tell who uses those releases; `cupel guideline` lists them. Nothing of this release is wrong.",
            applies=has_guideline,
        ),
    ),
    measure=measure,
    awaited=awaited,
)
