"""Concluding: what the audit shows of the cuts, and what is kept."""

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.certificate.hypergeometric import tail, upper_count
from cupel.cleaning.contamination.answered import Said, alpha_of, said_of
from cupel.cleaning.contamination.audit_rule import IN_SEQUENCE, find_rule
from cupel.cleaning.contamination.cutting import PASS_SHARE, Kept, Range, keep, keep_by_sequence, place_cuts
from cupel.cleaning.contamination.learning import Flags, Places
from cupel.contract.table import from_rows
from cupel.contract.tables.contamination import CONTAMINATION_CUTS, CONTAMINATION_RESULT
from cupel.figures import bound, setting

SIZES_TRIED = 400
# About so much of alpha is what a cut is held against where all are judged at once.
LEVEL_SHARE = 0.35


class Concluded(NamedTuple):
    """CONTAMINATION_CUTS, CONTAMINATION_RESULT of one row, and which items are kept (none while it is open)."""

    cuts: pa.Table
    result: pa.Table
    is_kept: Flags


class _Audit(NamedTuple):
    """The ranked items as an audit sees them: arrays of shape ranks, the least suspicious first."""

    is_audited: Flags
    is_unwanted: Flags
    known_good: int
    between: Range


def concluded(plan: dict[str, Any], items: pa.Table, answers: pa.Table) -> Concluded:
    """Test the cuts, if every answer is there.

    Args:
        plan: The row of CONTAMINATION_PLAN.
        items: CONTAMINATION_ITEMS.
        answers: CONTAMINATION_ANSWERS.

    Returns:
        The loosest cut that passed. Where none did, the strictest is kept, with its own exact bound if there was an
        audit: what the audit found is out and the rest of it in, so that it may be as low as is wanted all the same.
    """
    said = said_of(items["item_id"], answers, plan["good"])
    asked = items["use"].is_valid().to_numpy() & ~said.is_answered
    base = _base(plan)
    if asked.any():
        what = "to learn from" if plan["status"] == "learning" else "of the audit"
        row = base | {"status": "open", "reason": f"{int(asked.sum()):,} answers {what} are awaited"}
        return Concluded(_no_cuts(), from_rows([row], CONTAMINATION_RESULT), np.zeros(len(asked), np.bool_))
    order, audit = _audit(plan, items, said)
    rule = find_rule(plan)
    judge = keep_by_sequence if rule == IN_SEQUENCE else keep
    found = judge(*audit, budget=plan["at_most"], alpha=plan["alpha"]) if len(order) else None
    cut = 0 if found is None else found.kept or audit.between.strictest
    is_kept = _kept(order[:cut], items, said, rule)
    row = base | _counts(plan, items, said, audit, cut, is_kept)
    row["cut_score"] = items["score"][int(order[cut - 1])].as_py() if cut else None
    unasked = 0 if rule == IN_SEQUENCE else int((said.is_unwanted[order] & ~audit.is_audited)[:cut].sum())
    row |= _bound(plan, audit, cut, int(is_kept.sum()), found, unasked)
    is_bounded = row["bound"] is not None and row["bound"] <= plan["at_most"]
    row["status"] = "bounded" if is_bounded else "unbounded"
    row["answers_needed"] = None if is_bounded else answers_needed(plan, audit)
    row["reason"] = _reason(plan, audit, row)
    cuts = _no_cuts() if found is None else _cuts(plan, audit, found)
    return Concluded(cuts, from_rows([row], CONTAMINATION_RESULT), is_kept)


def answers_needed(plan: dict[str, Any], audit: _Audit) -> int | None:
    """Return how many audit answers would be expected to let a cut pass, or None.

    It rests on the shares found so far, which are estimates, and on a level that cuts come to where all are judged at
    once; where an audit was held, it is for the next attempt.
    """
    cuts, loosest = place_cuts(audit.between), audit.between.loosest
    if not loosest:
        return None
    drawn, bad = (np.cumsum(flags)[cuts - 1] for flags in (audit.is_audited, audit.is_unwanted))
    attempt = plan["attempt"] + (plan["audit_size"] > 0)
    sizes = np.unique(np.linspace(1, loosest, min(SIZES_TRIED, loosest)).astype(np.int64))[:, None]
    shares = bad / np.maximum(drawn, 1) * (cuts / loosest)
    expected = np.ceil(sizes * shares).astype(np.int64)
    allowed = np.floor(plan["at_most"] * (cuts + audit.known_good - expected)).astype(np.int64)
    chances = tail(expected, loosest, allowed + 1 + expected, sizes)
    # An audit that finds all there is shows that nothing is left, and leaves nothing.
    is_enough = (chances <= LEVEL_SHARE * alpha_of(plan["confidence"], attempt)) & (expected < cuts)
    enough = is_enough.any(axis=1)
    return int(sizes[int(np.argmax(enough)), 0]) if enough.any() else None


def _base(plan: dict[str, Any]) -> dict[str, Any]:
    row = {name: None for name in CONTAMINATION_RESULT.schema.names}
    row |= {name: plan[name] for name in ("batch", "at_most", "confidence", "alpha", "attempt", "candidates")}
    return row | {"audited": 0, "audit_unwanted": 0}


def _audit(plan: dict[str, Any], items: pa.Table, said: Said) -> tuple[Places, _Audit]:
    """Return the places of the ranked items in the order of their ranks, and the audit of them."""
    rank = items["rank"].fill_null(0).to_numpy()
    order = np.argsort(rank, kind="stable")[int((rank == 0).sum()) :]
    is_audited = pc.equal(items["use"], "audit").fill_null(False).to_numpy()
    is_good = said.is_answered & ~said.is_unwanted & (rank == 0)
    between = Range(plan["strictest"], plan["loosest"])
    return order, _Audit(is_audited[order], (is_audited & said.is_unwanted)[order], int(is_good.sum()), between)


def _kept(before_cut: Places, items: pa.Table, said: Said, rule: str | None) -> Flags:
    """Keep what lies before the cut, but for what people found unwanted; and all that they were asked and found wanted.

    Older versions dropped what lies before the cut and was found wanted by somebody who was not asked, such as by a
    late answer to a task of an earlier design; what they froze is recomputed so.
    """
    is_kept = said.is_answered & ~said.is_unwanted & items["use"].is_valid().to_numpy()
    is_out = said.is_answered if rule == IN_SEQUENCE else said.is_unwanted
    is_kept[before_cut] |= ~is_out[before_cut]
    return np.asarray(is_kept)


def _counts(
    plan: dict[str, Any], items: pa.Table, said: Said, audit: _Audit, cut: int, is_kept: Flags
) -> dict[str, Any]:
    kept, pilot, size = int(is_kept.sum()), plan["pilot"], items.num_rows
    drawn, bad = int(audit.is_audited[:cut].sum()), int(audit.is_unwanted[:cut].sum())
    left = bad / drawn * (cut - drawn) if drawn else None
    before = plan["pilot_unwanted"] / pilot if pilot else None
    good = None if before is None else size * (1 - before)
    return {
        "cut": cut,
        "kept": kept,
        "audited": int(audit.is_audited.sum()),
        "audit_unwanted": int(audit.is_unwanted.sum()),
        "estimate": left / kept if left is not None and kept else (0.0 if kept and not cut else None),
        "share_before": before,
        "good_kept": min(1.0, (kept - (left or 0.0)) / good) if good and (left is not None or not cut) else None,
    }


def _bound(
    plan: dict[str, Any], audit: _Audit, cut: int, kept: int, found: Kept | None, unasked: int
) -> dict[str, Any]:
    """Return the bound of what is kept; what the audit found is not among it any more, nor what was found `unasked`.

    Of the cut that passed nothing less than what was allowed may be told: it was chosen by the audit. The strictest cut
    was fixed before it, so that its own exact bound holds, with the part of alpha that the cuts leave.
    """
    drawn, bad = int(audit.is_audited[:cut].sum()), int(audit.is_unwanted[:cut].sum())
    if not kept or (cut and not drawn):
        return {"unwanted_at_most": None, "bound": None}
    if found is None or found.left is not None:
        most = min(cut - bad, found.left or 0) if found else 0
    else:
        # A test in sequence that fails although little is unwanted is no error: there alpha is spent once.
        share = 1.0 if find_rule(plan) == IN_SEQUENCE else 1 - PASS_SHARE
        most = upper_count(cut, drawn, bad, share * plan["alpha"]) - bad
    # The audit did not see these, but they are out as well.
    most = max(0, most - unasked)
    return {"unwanted_at_most": most, "bound": most / kept}


def _cuts(plan: dict[str, Any], audit: _Audit, tested: Kept) -> pa.Table:
    drawn, bad = np.cumsum(audit.is_audited), np.cumsum(audit.is_unwanted)
    rows = [
        {
            "batch": plan["batch"],
            "kept": int(cut),
            "allowed": int(allowed),
            "audited": int(drawn[cut - 1]),
            "found": int(bad[cut - 1]),
            "p_value": float(p_value),
            "alpha": tested.level,
            "is_passed": bool(p_value <= tested.level),
        }
        for cut, allowed, p_value in zip(tested.cuts, tested.allowed, tested.p_values, strict=True)
    ]
    return from_rows(rows, CONTAMINATION_CUTS)


def _no_cuts() -> pa.Table:
    return CONTAMINATION_CUTS.schema.empty_table()


def _reason(plan: dict[str, Any], audit: _Audit, row: dict[str, Any]) -> str:
    what, allowed = plan["what"], setting(plan["at_most"])
    if row["status"] == "bounded":
        learned = "" if plan["trained_unwanted"] else f"; no answer says {what}, so that nothing was learned"
        shown = (
            "nothing is kept" if row["bound"] is None else f"at most {bound(row['bound'])} of what is kept is {what}"
        )
        return f"{shown} (allowed {allowed}){learned}"
    if plan["trained"] and plan["trained_unwanted"] == plan["trained"]:
        said = f"all {plan['trained']:,} answers that the model could learn from say {what}; "
    else:
        strictest = audit.between.strictest
        drawn, bad = int(audit.is_audited[:strictest].sum()), int(audit.is_unwanted[:strictest].sum())
        said = f"of {drawn:,} audited items before the strictest cut {bad:,} are {what}; " if drawn else ""
    if row["answers_needed"] is None:
        return f"{said}more audit answers would not show {allowed}: more or clearer answers to learn from may"
    needed = f"about {row['answers_needed']:,} audit answers (cleaning.contamination.answers.audit)"
    if not plan["audit_size"]:
        return f"{said}too few audit answers are allowed to show {allowed}; {needed} could, so none was asked for"
    return f"{said}too many to show {allowed}; with another audit of {needed} it would be expected to pass"
