"""Findings: what was found against an annotator, each with its evidence, its chance or ratio, and items."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.stats import binom

from cupel.consensus.coding import Integers
from cupel.contract.tables.labeling import ANNOTATOR_FINDINGS
from cupel.people.annotators.copying import groups
from cupel.people.annotators.guessing import CONSTANT_SHARE
from cupel.people.annotators.multiplicity import passes
from cupel.people.annotators.speed import HURRIED_SHARE
from cupel.people.annotators.study import Study

FINDINGS = {
    "guessing": "The answers fit their items no better than the same answers dealt out at random.",
    "constant": "The same, and nearly all answers are one and the same.",
    "copying": "More answers equal another annotator's than the items explain, and the other was first.",
    "colluding": "More answers equal those of others than the items explain, and nobody was always first.",
    "worsening": "The answers got worse in the course of the work.",
    "below_bar": "Fewer answers on hidden gold are right than somebody would give who is right as often as is asked.",
    "hurried": "Most answers took less than a third of the others' time on the same items.",
}
ITEMS_SHOWN = 20
# Of those who are found to be below the bar, this share is not, at most, in expectation, at one look.
FALSE_BELOW_BAR = 0.01
# How sure a text may sound.
MOST_TIMES = 1_000_000


def findings(measured: Study, least_right: float | None = None) -> pa.Table:
    """Return what was found against annotators.

    Args:
        measured: The study of a batch.
        least_right: Share of answers on hidden gold that must be right; None: no bar is set.

    Returns:
        ANNOTATOR_FINDINGS; nobody who has too few answers to tell is in it.
    """
    rows = [
        row
        for found in (
            _guessing(measured),
            _copying(measured),
            _worsening(measured),
            _below_bar(measured, least_right),
            _hurried(measured),
        )
        for row in found
    ]
    return pa.Table.from_pylist(rows, schema=ANNOTATOR_FINDINGS.schema).sort_by(
        [("annotator", "ascending"), ("finding", "ascending")]
    )


def _guessing(measured: Study) -> Iterator[dict[str, Any]]:
    guesses, coded = measured.guessing, measured.coded
    for who in np.flatnonzero(guesses.is_guessing & measured.is_named):
        is_constant = guesses.top_share[who] >= CONSTANT_SHARE
        mine = np.flatnonzero(coded.annotator == who)
        tested = measured.beliefs.is_gold[mine]
        right = int(measured.is_right[mine][tested].sum())
        said = f"{guesses.top_share[who]:.0%} of the answers are {coded.classes[guesses.top_answer[who]]!r}; "
        yield _row(
            measured, who, "constant" if is_constant else "guessing",
            statistic="fit to the items above a random deal of the same answers, in standard deviations",
            value=guesses.score[who], log_ratio=guesses.careless[who], items=len(mine),
            shown=coded.item[mine][np.lexsort((mine, _belief(measured, mine), ~tested))],
            evidence=f"{said if is_constant else ''}dealt out at random, these {len(mine)} answers fit as well with "
            f"chance {guesses.guess_chance[who]:.2g}; they are {_times(guesses.careless[who])} likelier if half "
            f"of them are guessed{f'; right on {right} of {int(tested.sum())} gold items' if tested.any() else ''}",
        )  # fmt: skip


def _times(log_ratio: float) -> str:
    """Return a ratio of likelihoods in words."""
    ratio = float(np.exp(min(log_ratio, np.log(MOST_TIMES))))
    return f"{ratio:.1f} times" if ratio < 10 else f"{ratio:,.0f} times"


def _copying(measured: Study) -> Iterator[dict[str, Any]]:
    found, coded = measured.pairs, measured.coded
    group = groups(found)
    for who in np.flatnonzero(measured.is_copying):
        own = np.flatnonzero(found.is_found & ((found.one == who) | (found.other == who)) & (found.source != who))
        is_copy = bool((found.source[own] >= 0).any())
        likelier = np.where(found.one[own] == who, found.one_copies[own], found.other_copies[own])
        best = own[np.lexsort((own, -likelier))[0]]
        with_whom = int(found.one[best] + found.other[best] - who)
        others = np.where(found.one[own] == who, found.other[own], found.one[own])
        size = int((group == group[who]).sum())
        yield _row(
            measured, who, "copying" if is_copy else "colluding",
            statistic="share of the agreement left open by independence that the pair fills",
            value=found.excess[best], log_ratio=found.evidence[who], items=int(found.shared[best]),
            shown=_equal_items(measured, int(who), with_whom),
            others=[coded.annotators[int(one)].as_py() for one in np.sort(others)],
            evidence=f"{found.equal[best]} of {found.shared[best]} answers equal those of "
            f"{coded.annotators[with_whom].as_py()!r}, where the items explain {found.expected[best]:.1f}; they are "
            f"{_times(found.evidence[who])} likelier if copied; "
            f"{'the other one was first' if is_copy else 'neither was always first'}; a group of {size}",
        )  # fmt: skip


def _worsening(measured: Study) -> Iterator[dict[str, Any]]:
    found, coded = measured.drift, measured.coded
    for who in np.flatnonzero(found.is_worse & measured.is_named):
        mine = np.flatnonzero(coded.annotator == who)
        later = mine[np.argsort(measured.sequence[mine], kind="stable")][found.change[who] - 1 :]
        yield _row(
            measured, who, "worsening", statistic="largest excursion of the cumulative sum, in standard deviations",
            value=found.statistic[who], p_value=found.p_value[who], items=len(later), shown=coded.item[later],
            evidence=f"about {found.before[who]:.0%} right before answer {found.change[who]} of {len(mine)}, "
            f"{found.after[who]:.0%} from there on",
        )  # fmt: skip


def _below_bar(measured: Study, least_right: float | None) -> Iterator[dict[str, Any]]:
    """Hold the answers on hidden gold against the bar by the exact binomial test, of all who gave any together.

    Only first answers count: gold that is asked again, because people disagreed, is the harder gold.
    """
    if least_right is None:
        return
    coded, is_gold = measured.coded, measured.beliefs.is_gold & measured.beliefs.occasions.is_first
    people = len(coded.annotators)
    tested = np.bincount(coded.annotator, is_gold, people)
    right = np.bincount(coded.annotator, is_gold & measured.is_right, people)
    asked = np.flatnonzero((tested > 0) & measured.is_named)
    chances = binom.cdf(right[asked], tested[asked], least_right)
    is_below = passes(chances, FALSE_BELOW_BAR)
    for who, chance in zip(asked[is_below], chances[is_below], strict=True):
        mine = np.flatnonzero((coded.annotator == who) & is_gold)
        is_wrong = ~measured.is_right[mine]
        yield _row(
            measured, who, "below_bar", statistic="share of the answers on hidden gold that are right",
            value=right[who] / tested[who], p_value=chance, items=len(mine), shown=coded.item[mine[is_wrong]],
            evidence=f"right on {right[who]:.0f} of {tested[who]:.0f} gold items; somebody who is right on "
            f"{least_right:.0%} is so seldom right with chance {chance:.2g}",
        )  # fmt: skip


def _hurried(measured: Study) -> Iterator[dict[str, Any]]:
    found, coded = measured.speed, measured.coded
    for who in np.flatnonzero(found.is_hurried & measured.is_named):
        mine = np.flatnonzero(coded.annotator == who)
        yield _row(
            measured, who, "hurried", statistic="median of own time over the others' on the same item",
            value=found.ratio[who], p_value=found.p_value[who], items=int(found.timed[who]),
            shown=coded.item[mine],
            evidence=f"{found.faster[who]} of {found.timed[who]} answers took less than {HURRIED_SHARE:.0%} of the "
            "others' time on the same item",
        )  # fmt: skip


def _row(
    measured: Study, who: np.integer[Any], finding: str, *, statistic: str, value: float, items: int,
    shown: Integers, evidence: str, p_value: float | None = None, log_ratio: float | None = None,
    others: list[str] | None = None,
) -> dict[str, Any]:  # fmt: skip
    ids = measured.coded.item_ids
    return {
        "annotator": measured.coded.annotators[int(who)].as_py(),
        "finding": finding,
        "statistic": statistic,
        "value": float(value),
        "p_value": None if p_value is None else float(p_value),
        "log10_ratio": None if log_ratio is None else float(log_ratio / np.log(10)),
        "items": int(items),
        "item_ids": [ids[int(place)].as_py() for place in dict.fromkeys(shown[:ITEMS_SHOWN].tolist())],
        "others": others or [],
        "evidence": evidence,
    }


def _belief(measured: Study, rows: Integers) -> np.ndarray[Any, Any]:
    """Return how far the others believe in these answers."""
    return measured.beliefs.others[rows, measured.coded.label[rows]]


def _equal_items(measured: Study, one: int, other: int) -> Integers:
    """Return the items on which two gave the same answer, the least believed answers first."""
    coded = measured.coded
    ours, theirs = np.flatnonzero(coded.annotator == one), np.flatnonzero(coded.annotator == other)
    _, mine, his = np.intersect1d(coded.item[ours], coded.item[theirs], return_indices=True)
    equal = coded.label[ours[mine]] == coded.label[theirs[his]]
    rows = ours[mine[equal]]
    return np.asarray(coded.item[rows[np.lexsort((rows, _belief(measured, rows)))]], dtype=np.int64)
