"""What is said of a release whose audit cannot pass: why, what it would cost, and what would have to be otherwise."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import replace
from math import ceil

from cupel.certificate.design import EProcess, FixedSequence
from cupel.certificate.flawless_audit import Prospect, find_prospect, passes_always
from cupel.certificate.sequence import floor_share
from cupel.certificate.slice_budgets import Slice
from cupel.config.project import Project
from cupel.config.release import Release
from cupel.figures import count, money, setting
from cupel.release.audit_design import design_of
from cupel.release.frozen_terms import FrozenTerms

ANYWAY = "release.certificate.audit_anyway"
# What is advised passes in each of so many draws: in at least 86 of 100, at 95% confidence, if nothing is wrong. The
# least that passes in one of some draws would be refused most of the time.
SEARCH_DRAWS = 20
# Shares and budgets are looked for in steps of a percent and of a thousandth.
SHARES, BUDGETS = 100, 1000
MOST_TIMES_ITEMS = 64


def explain_hopeless(project: Project, terms: FrozenTerms, slices: Sequence[Slice] = ()) -> str | None:
    """Return why nobody is asked, where an audit could not pass whatever experts say; None where it could.

    Args:
        project: The project: what it declares, and what experts are paid.
        terms: What the release is about to be frozen with; nothing is drawn yet.
        slices: The items of each budget by class or slice.
    """
    if project.release.certificate.audit_anyway:
        return None
    prospect = find_prospect(terms, terms.items, slices)
    if prospect.can_pass:
        return None
    ways = _find_ways(project, terms)
    return (
        f"nobody is asked, for its audit could not pass if experts found nothing wrong: {prospect.result.reason} "
        f"({prospect.tried} draws tried). {_cost(project, terms, prospect)} would be spent for nothing. "
        f"{'To pass, ' + '; or '.join(ways) + '. ' if ways else ''}To have it audited all the same, which counts as an "
        f"attempt, set {ANYWAY}: true"
    )


def _cost(project: Project, terms: FrozenTerms, prospect: Prospect) -> str:
    items, prices = prospect.result.audited, project.prices
    answers = items * terms.expert_answers
    return f"{count(answers)} answers of experts and {money(answers * prices.expert_answer, prices.currency)}"


def _find_ways(project: Project, terms: FrozenTerms) -> list[str]:
    """Return what would let a flawless audit pass, one change at a time, each with what it costs.

    Where budgets by class or slice stand in the way, that is to leave them out; else all is of the whole alone.
    """
    settings = project.release
    if terms.budgets:
        terms = replace(terms, budgets=())
        whole = find_prospect(terms, terms.items)
        if whole.can_pass:
            return [f"leave out budgets of release.certificate.by ({_spend(project, terms, whole)})"]
    return [
        way
        for way in (
            _find_audit_size(project, terms),
            _find_share(project, terms),
            _find_items(project, terms, settings),
            _find_budget(project, terms, settings),
        )
        if way is not None
    ]


def _find_audit_size(project: Project, terms: FrozenTerms) -> str | None:
    """Return which sizes of the audit could pass, where the design has one."""
    design, most = terms.design, floor_share(terms.max_experts_seen_share, terms.items)
    if not isinstance(design, FixedSequence | EProcess):
        return None

    def changed(size: int) -> FrozenTerms:
        if isinstance(design, EProcess):
            return replace(terms, design=EProcess(min(design.step, size), size))
        return replace(terms, design=FixedSequence(size))

    def tried(size: int, share: float = terms.max_experts_seen_share) -> Prospect:
        return passes_always(replace(changed(size), max_experts_seen_share=share), terms.items, draws=SEARCH_DRAWS)

    least = _find_least(1, most, tried)
    if least is None:
        least = _find_least(1, terms.items, lambda size: tried(size, _share_of(size, terms)))
        if least is None:
            return None
        size, cost = least
        share, spent = setting(_share_of(size, terms)), _spend(project, terms, cost)
        return f"audit_size of {size:,} with max_experts_seen_share of {share} ({spent})"
    size, cost = least
    return (
        f"audit_size of {size:,} to {most:,} instead of {project.release.audit_size:,} ({_spend(project, terms, cost)})"
    )


def _find_share(project: Project, terms: FrozenTerms) -> str | None:
    def tried(step: int) -> Prospect:
        return passes_always(
            replace(terms, max_experts_seen_share=step / SHARES), terms.items, draws=SEARCH_DRAWS
        )  # fmt: skip

    least = _find_least(1, SHARES, tried)
    if least is None:
        return None
    share, cost = least
    spent = _spend(project, terms, cost)
    return f"max_experts_seen_share of {setting(share / SHARES)} ({spent})"


def _find_items(project: Project, terms: FrozenTerms, settings: Release) -> str | None:
    def tried(items: int) -> Prospect:
        undecided = ceil(terms.undecided * items / terms.items)
        larger = replace(terms, design=design_of(settings, items, terms.attempt), undecided=undecided)
        return passes_always(larger, items, draws=SEARCH_DRAWS)

    least = _find_least(terms.items, MOST_TIMES_ITEMS * terms.items, tried)
    if least is None:
        return None
    items, cost = least
    return f"a delivery of {items:,} items instead of {terms.items:,} ({_spend(project, terms, cost)})"


def _find_budget(project: Project, terms: FrozenTerms, settings: Release) -> str | None:
    def tried(step: int) -> Prospect:
        budget = step / BUDGETS
        design = design_of(settings.model_copy(update={"error_budget": budget}), terms.items, terms.attempt)
        return passes_always(replace(terms, error_budget=budget, design=design), terms.items, draws=SEARCH_DRAWS)

    least = _find_least(max(1, ceil(terms.error_budget * BUDGETS)), BUDGETS // 2, tried)
    if least is None:
        return None
    step, cost = least
    return f"error_budget of {setting(step / BUDGETS)} ({_spend(project, terms, cost)})"


def _share_of(size: int, terms: FrozenTerms) -> float:
    """Return the share of the items that an audit of so many is, in whole percent, rounded up."""
    return -(-size * SHARES // terms.items) / SHARES


def _spend(project: Project, terms: FrozenTerms, prospect: Prospect) -> str:
    price = prospect.result.experts_seen * terms.expert_answers * project.prices.expert_answer
    return f"then from {money(price, project.prices.currency)} of experts"


def _find_least(first: int, last: int, tried: Callable[[int], Prospect]) -> tuple[int, Prospect] | None:
    """Return the least value from which on the audit can pass, with its prospect; None where the last cannot."""
    if last < first or not tried(last).can_pass:
        return None
    found = first + bisect_left(range(first, last), True, key=lambda value: tried(value).can_pass)
    return found, tried(found)
