"""The outlook of a release: what its audit is expected to show experts and cost, by guesses of the risk."""

import numpy as np

from cupel.certificate.design import Design, FixedSequence, Rising
from cupel.certificate.hypergeometric import Reals
from cupel.certificate.outlook import BudgetOutlook, Outlook, Prices, budget_outlook, outlooks, sensible_sizes
from cupel.certificate.rising import Rise
from cupel.certificate.rising_plan import choose_rise
from cupel.certificate.risk import Course, course_of_log_odds, course_of_quantiles
from cupel.certificate.sequence import floor_share
from cupel.certificate.slice_budgets import MISSED
from cupel.config.project import Project
from cupel.release.audit_design import limits_of
from cupel.release.release_audit import ReleaseAudit

# Log-odds are as a rule too sure of themselves; so the outlook is given for several times their errors too.
TIMES_LOG_ODDS = (1, 3)


def release_outlook(project: Project, log_odds: Reals, attempt: int, design: Design) -> list[Outlook]:
    """Return what is to be expected of audits of a frozen release.

    Args:
        project: The project: budget, prices, protocol, and a guess of the risk where it has one.
        log_odds: Of the frozen labels, any order.
        attempt: How often the batches are put to an audit, this time included.
        design: What was declared; a rising audit or a fixed sequence is among what is compared.

    Returns:
        The rising audit and fixed sequences of several sizes, for each guess. No expert's answer enters.
    """
    settings, size = project.release, len(log_odds)
    limits = limits_of(settings, attempt)
    declared = design if isinstance(design, Rising) else None
    rise = (
        Rise(declared.gain, declared.steps)
        if declared
        else (choose_rise(size, floor_share(limits.tested_budget, size), limits.levels.wrong))
    )
    sizes = {*sensible_sizes(size, limits), *([design.size] if isinstance(design, FixedSequence) else [])}
    prices = Prices(project.labeling.experts.answers, project.prices.expert_answer, project.prices.expert_seconds)
    return outlooks(_guesses(project, log_odds), rise, sorted(sizes), limits, prices)


def outlook_budgets(project: Project, audit: ReleaseAudit) -> list[BudgetOutlook]:
    """Return what is to be expected of each budget by class or slice, for each guess of the risk.

    Of what a class misses, each wrong label is guessed to be of it as often as the items are.

    Args:
        project: The project: prices.
        audit: A frozen release; of its items with their log-odds.
    """
    size, experts = audit.items.num_rows, project.labeling.experts
    prices = Prices(experts.answers, project.prices.expert_answer, project.prices.expert_seconds)
    log_odds = audit.items["log_odds"].to_numpy()
    found = []
    for budget, (items, base) in zip(audit.terms.budgets, audit.budget_items, strict=True):
        if not items.any():
            continue
        of_class = float(base.mean()) if budget.counts == MISSED else 1.0
        for times in TIMES_LOG_ODDS:
            plain = course_of_log_odds(log_odds[items])
            share = min(1.0, float(plain.wrong[-1]) / int(items.sum()) * times * of_class)
            course = course_of_log_odds(log_odds[items], share)
            guess = _name_guess(times)
            numbers = int(items.sum()), int(base.sum()), size
            found.append(budget_outlook(guess, course, budget, *numbers, audit.terms, prices))
    return found


def _name_guess(times: int) -> str:
    return f"{times} times as many wrong" if times > 1 else "as the log-odds say"


def _guesses(project: Project, log_odds: Reals) -> list[tuple[str, Course]]:
    own = project.release.certificate.guessed_errors
    if own:
        return [("the project's guess", course_of_quantiles(len(log_odds), own))]
    ordered = np.sort(log_odds)[::-1]
    plain = course_of_log_odds(ordered)
    share = float(plain.wrong[-1]) / len(log_odds)
    return [
        (_name_guess(times), course_of_log_odds(ordered, min(1.0, share * times)))
        for times in TIMES_LOG_ODDS
    ]  # fmt: skip
