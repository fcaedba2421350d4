"""What the report's tables show: the facts of a release as rows of text, ready for the template."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from cupel.figures import UNKNOWN, bound, count, figure, hours, interval, money, percent, plural, setting
from cupel.release.facts import BatchFacts, ReleaseFacts, Row
from cupel.show.audit_words import accepted_until
from cupel.show.report_facts import ReportFacts, wrong_left
from cupel.show.slice_views import UNPROVEN, worst_class
from cupel.show.summary import batch_reason, stage_error
from cupel.show.wording import stage_name, stage_order, told_errors

WORST_ANNOTATORS = 10
FEWEST_ANSWERS = 10


class KeyFigure(NamedTuple):
    """One of the figures on the first screen."""

    value: str
    name: str
    note: str


class FunnelRow(NamedTuple):
    """One step of the funnel: a count for each delivery, their sum, and its share of the rows delivered."""

    name: str
    numbers: list[int | None]
    total: int | None
    share: float
    kind: str


class CheckRow(NamedTuple):
    """A check with what it observed; `fill` and `mark` place value and threshold on a bar, 0 to 100."""

    row: Row
    observed: str
    threshold: str
    margin: str
    fill: float | None
    mark: float | None


def headline(facts: ReleaseFacts) -> tuple[str, str]:
    """Return the verdict as a title, and one sentence why."""
    titles = {
        "PASS": "PASS: certified and released",
        "REFUSED": "REFUSED: not released",
        "OPEN": "OPEN: not decided yet",
    }
    reason = facts.reason
    if facts.verdict == "OPEN" and facts.result is None:
        waiting = [batch_reason(batch) for batch in facts.batches if batch.gate != "pass"]
        reason = "; ".join(waiting) or reason
    return titles[facts.verdict], f"{reason[:1].upper()}{reason[1:].rstrip('.')}."


def key_figures(facts: ReleaseFacts) -> list[KeyFigure]:
    """Return the five to seven figures that matter most."""
    result, crew = facts.result, stage_error(facts, "one annotator")
    figures = []
    if result and result["error_bound"] is not None:
        confidence = setting(result["confidence"])
        whose = "of the labels are wrong" if facts.released else "of the labels, as frozen, are wrong"
        figures += [
            KeyFigure(
                f"≤ {bound(result['error_bound'])}", whose,
                f"with {confidence} confidence, contested items aside; budget {setting(result['error_budget'])}",
            ),
            KeyFigure(
                f"≤ {bound(result['error_bound_with_contested'])}", "with contested items counted wrong",
                f"with {confidence} confidence; experts split on {plural(result['contested'], 'item')}",
            ),
        ]  # fmt: skip
    if (worst := worst_class(facts)) is not None:
        share = worst["wrong_upper"]
        note = "the class with the highest bound; all classes below, together with the certificate at 95%"
        name = f"wrong among those labelled {worst['value']}"
        figures.append(KeyFigure(UNPROVEN if share is None else f"≤ {bound(share)}", name, note))
    if (both := facts.together) is not None:
        figures.append(
            KeyFigure(
                f"≤ {bound(both.unwanted_or_wrong)}", "unwanted, or labelled wrongly",
                f"with {setting(both.confidence)} confidence; unwanted alone ≤ {bound(both.unwanted)} with "
                f"{setting(both.unwanted_confidence)}",
            )
        )  # fmt: skip
    if crew:
        figures.append(
            KeyFigure(percent(crew["error"]), "wrong with one annotator", f"estimate, 95% interval {_range(crew)}")
        )
    rows_in = sum(batch.rows_in for batch in facts.batches)
    figures.append(KeyFigure(count(facts.released), "labels released", f"of {count(rows_in)} rows delivered"))
    if result:
        limit = setting(facts.terms.max_experts_seen_share)
        note = f"{count(result['experts_seen'])} of {count(result['items'])} items; limit {limit}"
        need = "need an expert's eyes" if facts.verdict == "REFUSED" else "of the items seen by experts"
        figures.append(KeyFigure(percent(result["experts_seen_share"]), need, note))
    note = f"{hours(facts.cost.expert_hours)} of experts, {count(facts.cost.annotator_answers)} annotator answers"
    figures.append(KeyFigure(money(facts.cost.total, facts.cost.currency), "spent on answers", note))
    return figures


def funnel(facts: ReleaseFacts) -> list[FunnelRow]:
    """Return the way from rows delivered to items released."""
    batches, result = facts.batches, facts.result
    rows_in = sum(batch.rows_in for batch in batches)
    reasons: dict[str, int] = {}
    for batch in batches:
        for reason, number in batch.rejected.items():
            reasons[reason] = reasons.get(reason, 0) + number

    def row(name: str, numbers: Sequence[int], kind: str = "step") -> FunnelRow:
        total = sum(numbers)
        return FunnelRow(name, list(numbers), total, total / rows_in if rows_in else 0.0, kind)

    def whole(name: str, total: int, kind: str = "step") -> FunnelRow:
        numbers: list[int | None] = [total] if len(batches) == 1 else [None] * len(batches)
        return FunnelRow(name, numbers, total, total / rows_in if rows_in else 0.0, kind)

    rows = [row("rows delivered", [batch.rows_in for batch in batches])]
    rows += [
        row(f"rejected: {reason.replace('_', ' ')}", [batch.rejected.get(reason, 0) for batch in batches], "lost")
        for reason in sorted(reasons, key=lambda reason: (-reasons[reason], reason))
    ]
    rows.append(row("kept by cleaning", [batch.items_clean for batch in batches]))
    rows.append(row("labelled by people and checker", [batch.items_labelled for batch in batches]))
    if result:
        # Of planted items, those that were neither drawn nor adjudicated.
        is_known = result.get("planted") and result["status"] != "open"
        beside = result["experts_seen"] - result["audited"] - result["to_adjudicate"] if is_known else 0
        rows += [
            whole(
                "seen by no expert" if facts.released else "that no expert needs to see",
                result["items"] - result["experts_seen"],
                "part",
            ),
            whole("audited by experts, drawn at random", result["audited"], "part"),
            *([whole("planted among their questions, known labels", beside, "part")] if beside else []),
            whole(
                f"behind {accepted_until(facts.terms.design)}, for experts to judge", result["to_adjudicate"], "part"
            ),
        ]
    if facts.released or facts.withheld:
        rows.append(whole("withheld: contested", facts.withheld, "lost"))
    rows.append(whole("released", facts.released, "end"))
    return rows


def is_balanced(batch: BatchFacts) -> bool:
    """Tell whether every row delivered was kept or rejected with a reason."""
    return batch.rows_in == batch.items_clean + sum(batch.rejected.values())


def error_rows(facts: ReleaseFacts) -> list[tuple[str, str, str]]:
    """Return name, estimate with interval, and audited items, for each stage."""
    return [(stage_name(row), interval(row), count(row["audited"])) for row in told_errors(facts)]


def needed(facts: ReleaseFacts, more: ReportFacts) -> list[str]:
    """Return what would be needed to release what was refused, a sentence each."""
    result, most, prices = facts.result, facts.terms.max_experts_seen_share, facts.project.prices
    if result is None:
        return [f"The checks that failed must pass: {facts.reason}.", "Then plan a new release of the same deliveries."]
    left = result["to_adjudicate"] - result["adjudicated"]
    answers = left * facts.terms.expert_answers
    sentences = [
        f"To keep the budget of {setting(result['error_budget'])}, experts would have to see "
        f"{count(result['experts_seen'])} of {count(result['items'])} items "
        f"({percent(result['experts_seen_share'])}); the project allows {setting(most)}.",
    ]
    if left > 0:
        sentences.append(
            f"That is {plural(left, 'item')} more than so far: about {hours(answers * prices.expert_seconds / 3600)} "
            f"of expert time and {money(answers * prices.expert_answer, prices.currency)}."
        )
    remaining = wrong_left(more.curve, result["items"], facts.terms.audit_size, most)
    if remaining is not None:
        sentences.append(
            f"With no more than {setting(most)} seen, an estimated {percent(remaining)} of "
            f"the labels would stay wrong, contested items aside; an estimate is no proof."
        )
    sentences.append(
        "Better labels to begin with lower the need: more annotators per item, a sharper question, or the items below "
        "labelled anew. A new audit is a new attempt, which must be stricter."
    )
    if result["audited"] and result["audit_contested"]:
        share = result["audit_contested"] / (result["audited"])
        sentences.append(
            f"Experts themselves stayed split on {percent(share)} of the audited items: for these texts the question "
            f"may have no single answer."
        )
    return sentences


def check_groups(facts: ReleaseFacts) -> list[tuple[str, list[CheckRow]]]:
    """Return the checks of each stage and partition, in the order of the chain; those not passed come first."""
    groups: dict[str, list[CheckRow]] = {}
    for row in _gates(facts):
        groups.setdefault(f"{row['stage']}, {row['partition']}", []).append(_check_row(row))
    order = {"fail": 0, "open": 1, "pass": 2}
    return [
        (name, sorted(rows, key=lambda check: (order[check.row["outcome"]], check.row["check"])))
        for name, rows in groups.items()
    ]


def checks_summary(facts: ReleaseFacts) -> str:
    """Return how many checks passed, failed and are open."""
    counts = Counter(
        "warn" if row["outcome"] == "fail" and row["severity"] != "critical" else row["outcome"]
        for row in _gates(facts)
    )
    if not counts:
        return "No check has been made yet."
    parts = [f"{counts['pass']} passed", f"{counts['fail']} failed"]
    parts += [f"{counts['warn']} failed but only warn"] if counts["warn"] else []
    parts += [f"{counts['open']} wait for evidence"] if counts["open"] else []
    return f"Of {plural(sum(counts.values()), 'check')}, {', '.join(parts)}."


def agreement_rows(more: ReportFacts) -> list[Row]:
    """Return the statistics of agreement with their intervals as text."""
    rows = []
    for row in more.agreement:
        value = UNKNOWN if row["value"] is None else f"{row['value']:.2f}"
        if row["lower"] is not None and row["upper"] is not None:
            value += f" ({row['lower']:.2f} to {row['upper']:.2f})"
        rows.append({**row, "value": value})
    return rows


def _gates(facts: ReleaseFacts) -> list[Row]:
    rows = [row for batch in facts.batches for row in batch.gates] + facts.gates
    return sorted(rows, key=lambda row: stage_order(row["stage"]))


def annotator_rows(batch: BatchFacts) -> list[Row]:
    """Return a delivery's annotators with the lowest quality, among those with answers enough to tell."""
    known = [row for row in batch.annotators if row["quality"] is not None and row["answers"] >= FEWEST_ANSWERS]
    return sorted(known, key=lambda row: (row["quality"], row["annotator"]))[:WORST_ANNOTATORS]


def cost_rows(facts: ReleaseFacts) -> list[tuple[str, str, str]]:
    """Return what was done, how much of it, and what it cost."""
    cost, prices = facts.cost, facts.project.prices
    annotators = cost.annotator_answers * prices.annotator_answer
    experts = cost.expert_answers * prices.expert_answer
    rows = [
        ("Annotator answers", count(cost.annotator_answers), money(annotators, cost.currency)),
        (
            "Expert answers", f"{count(cost.expert_answers)} ({hours(cost.expert_hours)})",
            money(experts, cost.currency),
        ),
        ("Together", "", money(cost.total, cost.currency)),
    ]  # fmt: skip
    if cost.model_answers:
        rows.insert(1, ("Answers of models", count(cost.model_answers), money(cost.models, cost.currency)))
    if facts.released:
        each = f"{cost.currency} {cost.total / facts.released:,.3f}"
        rows.append(("Per released label", count(facts.released), each))
    return rows


def is_share(check: str) -> bool:
    """Tell by a check's name whether its figures are shares.

    >>> is_share("kept_share"), is_share("error_bound"), is_share("rows_unaccounted")
    (True, True, False)
    """
    return check.endswith(("_share", "_accuracy")) or check.startswith("error_bound")


def _check_row(row: Row) -> CheckRow:
    value, threshold = row["bound"] if row["bound"] is not None else row["observed"], row["threshold"]
    shares = is_share(row["check"])
    observed = figure(row["observed"], shares)
    if row["bound"] is not None:
        observed += f" (bound {figure(row['bound'], shares)})"
    if value is None or math.isnan(value) or threshold is None or row["comparison"] not in ("at most", "at least"):
        return CheckRow(row, observed, figure(threshold, shares), UNKNOWN, None, None)
    gap = threshold - value if row["comparison"] == "at most" else value - threshold
    beyond = "over" if row["comparison"] == "at most" else "short"
    margin = f"{figure(abs(gap), shares)} {'to spare' if gap >= 0 else beyond}"
    top = max(value, threshold) * 1.25
    fill, mark = (max(0.0, value / top * 100), max(0.0, threshold / top * 100)) if top > 0 else (0.0, 0.0)
    return CheckRow(
        row,
        observed,
        f"{row['comparison']} {setting(threshold) if shares else figure(threshold, False)}",
        margin,
        fill,
        mark,
    )


def _range(row: Row) -> str:
    return f"{percent(row['error_low'])} to {percent(row['error_high'])}"
