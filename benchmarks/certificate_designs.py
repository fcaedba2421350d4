"""Are the other designs valid? The same bad sets, audited by the rising audit, strata, the e-process, and poor eyes."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks.certificate_sets import LIMIT, SEED, Setting, settings
from cupel.certificate.attempts import attempt_levels
from cupel.certificate.auditors import ALPHA_SENSITIVITY_SHARE, Planted, sensitivity_lower, share_alpha, thinned_tail
from cupel.certificate.e_process import cut_bet, log_e_values, upper_sequence
from cupel.certificate.hypergeometric import (
    Integers,
    binomial_upper_count,
    clopper_pearson_lower,
    clopper_pearson_upper,
    tail,
)
from cupel.certificate.rising import rising_shares
from cupel.certificate.rising_plan import choose_rise
from cupel.certificate.sequence import Flags, cut_positions, floor_share
from cupel.certificate.stratified import Stratum, strata_ends, weights, worst_p_value

BUDGETS, SIZE = (0.003, 0.01, 0.02), 6_000
STRATA, STRATA_EFFORT = (0.6, 0.25, 0.15), (1.0, 1.5, 2.5)
STRATA_REPLAYS = 400
SENSITIVITIES, PLANTED = (0.7, 0.9, 0.99), 60
MOST_FOUND = 40


def rising(setting: Setting, replays: int) -> Flags:
    """Replay rising audits; false when more wrong labels than allowed stay unseen."""
    rng, levels, size = np.random.default_rng([SEED, 1]), setting.levels(1), len(setting.is_wrong)
    rise = choose_rise(size, floor_share(setting.error_budget, size), levels.wrong)
    first = float(rising_shares(rise, floor_share(setting.error_budget, size), levels.wrong)[0])
    uppers = np.zeros(replays, dtype=np.int64)
    if levels.contested:
        found = rng.binomial(int(setting.is_contested.sum()), first, size=replays)
        known = {int(k): binomial_upper_count(size, first, int(k), levels.contested) for k in np.unique(found)}
        uppers = np.array([known[int(k)] for k in found])
    unseen, met = np.zeros(replays, dtype=np.int64), np.zeros(replays, dtype=np.int64)
    shares = np.ones((replays, rise.steps + 1))
    for upper in np.unique(uppers):
        allowed = floor_share(setting.error_budget, size - int(upper))
        shares[uppers == upper, :-1] = rising_shares(rise, allowed, levels.wrong)
    for _ in range(int(setting.is_wrong.sum())):
        is_found = rng.random(replays) < shares[np.arange(replays), met]
        unseen += ~is_found
        met = np.minimum(met + is_found, rise.steps)
    return np.asarray(unseen > setting.allowed)


def e_process(setting: Setting, replays: int) -> Flags:
    """Look after every item until all are drawn; false when the first cut over its budget ever passes.

    A bound of the contested items that ever fails counts as false too.
    """
    rng, levels, size = np.random.default_rng([SEED, 2]), setting.levels(1), len(setting.is_wrong)
    cut, wrong = first_over(setting)
    places = _positions(rng, replays, cut, wrong)
    bet = cut_bet([cut], floor_share(setting.error_budget, size))
    drawn, found = np.arange(cut + 1)[:, None], np.arange(MOST_FOUND)[None, :]
    is_known = found <= drawn
    evidence = log_e_values(cut, drawn, np.minimum(found, drawn), setting.allowed + 1, (bet[0], bet[1][0]))
    passes = is_known & (evidence >= -np.log(levels.wrong))
    is_false = np.zeros(replays, dtype=np.bool_)
    # Between two finds the evidence only grows, so it is highest just before the next.
    for count in range(min(MOST_FOUND, wrong)):
        is_false |= passes[places[:, count], count]
    if levels.contested:
        contested = int(setting.is_contested.sum())
        places = _positions(rng, min(replays, 200), size, contested)
        looks = np.arange(20, size + 1, 20)
        counts = np.stack([np.searchsorted(row, looks) for row in places])
        failed = [bool((upper_sequence(size, looks, row, levels.contested) < contested).any()) for row in counts]
        is_false[: len(failed)] |= np.array(failed)
    return is_false


def stratified(setting: Setting, replays: int) -> Flags:
    """Draw strata; false when the first cut over its budget passes, whatever came before it."""
    rng, levels = np.random.default_rng([SEED, 3]), setting.levels(1)
    cut, _ = first_over(setting)
    ends = strata_ends(len(setting.is_wrong), STRATA)
    starts = np.concatenate([[0], ends[:-1]])
    share = setting.drawn / len(setting.is_wrong)
    sizes = [round(min(1.0, share * effort) * int(end - start))
             for start, end, effort in zip(starts, ends, STRATA_EFFORT, strict=True)]  # fmt: skip
    weight = weights((ends - starts).tolist(), sizes)
    known: dict[tuple[int, ...], float] = {}
    is_false = []
    for _ in range(min(replays, STRATA_REPLAYS)):
        parts, finds = [], 0
        for start, end, drawn, one in zip(starts, ends, sizes, weight, strict=True):
            if start < cut:
                upto = min(int(end), cut)
                wrong = int(setting.is_wrong[start:upto].sum())
                here = rng.hypergeometric(upto - start, end - upto, drawn) if end > upto else drawn
                parts.append(Stratum(upto - int(start), int(here), one))
                finds += one * int(rng.hypergeometric(wrong, upto - start - wrong, here))
        key = (finds, *(part.drawn for part in parts))
        if key not in known:
            known[key] = worst_p_value(parts, finds, setting.allowed + 1)
        is_false.append(known[key] <= levels.wrong)
    return np.array(is_false)


def imperfect(sensitivity: float) -> Callable[[Setting, int], Flags]:
    """Return the replay of a fixed sequence whose auditors see a wrong label only with some chance."""

    def replay(setting: Setting, replays: int) -> Flags:
        rng, size = np.random.default_rng([SEED, 4]), len(setting.is_wrong)
        cut, wrong = first_over(setting)
        shared = share_alpha(attempt_levels(1, bool(setting.is_contested.any())), ALPHA_SENSITIVITY_SHARE)
        audited = (
            rng.hypergeometric(cut, size - cut, setting.drawn, size=replays)
            if cut < size
            else np.full(replays, setting.drawn)
        )
        found = rng.binomial(rng.hypergeometric(wrong, cut - wrong, audited), sensitivity)
        flagged = rng.binomial(PLANTED, sensitivity, size=replays)
        lows = {int(k): sensitivity_lower(Planted(PLANTED, int(k)), shared.other) for k in np.unique(flagged)}
        is_false = np.zeros(replays, dtype=np.bool_)
        for told, low in lows.items():
            own = flagged == told
            chance = thinned_tail(found[own], np.array(cut), setting.allowed + 1, audited[own], low)
            is_false[own] = chance <= shared.levels.wrong
        return is_false

    return replay


def measure_designs(replays: int) -> Iterator[dict[str, Any]]:
    """Replay all designs on all bad sets: rows of the report."""
    designs: dict[str, Callable[[Setting, int], Flags]] = {
        "rising": rising,
        "e_process, looked at after each item": e_process,
        "stratified": stratified,
        **{f"auditors who see {sensitivity:.0%}": imperfect(sensitivity) for sensitivity in SENSITIVITIES},
    }
    for error_budget in BUDGETS:
        for setting in settings(error_budget, SIZE):
            for name, replay in designs.items():
                is_false = replay(setting, replays)
                count, of = int(is_false.sum()), len(is_false)
                low, high = clopper_pearson_lower(count, of, 0.975), clopper_pearson_upper(count, of, 0.975)
                yield {
                    "design": name, "setting": setting.name, "items": SIZE, "error_budget": error_budget,
                    "replays": of, "certified_falsely": count, "certified_falsely_share": count / of, "low": low,
                    "high": high, "is_valid": low <= LIMIT - 0.005,
                }  # fmt: skip


def worst_of(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return each design's row with the largest share of false certificates."""
    worst: dict[str, dict[str, Any]] = {}
    for row in rows:
        if row["certified_falsely_share"] >= worst.get(row["design"], row)["certified_falsely_share"]:
            worst[row["design"]] = row
    return worst


def naive_looks(setting: Setting, replays: int) -> Flags:
    """Look after every item with a test made for one look: a rule that must be caught."""
    rng, levels = np.random.default_rng([SEED, 5]), setting.levels(1)
    cut, wrong = first_over(setting)
    places = _positions(rng, replays, cut, wrong)
    is_false = np.zeros(replays, dtype=np.bool_)
    for count in range(min(MOST_FOUND, wrong)):
        is_false |= tail(np.full(replays, count), cut, setting.allowed + 1, places[:, count]) <= levels.wrong
    return is_false


def first_over(setting: Setting) -> tuple[int, int]:
    """Return the first cut that holds more wrong labels than allowed, and how many."""
    positions = cut_positions(len(setting.is_wrong))
    wrong = np.cumsum(setting.is_wrong)[positions - 1]
    place = int(np.flatnonzero(wrong > setting.allowed)[0])
    return int(positions[place]), int(wrong[place])


def _positions(rng: np.random.Generator, replays: int, size: int, count: int) -> Integers:
    """Return before how many draws each of some items comes, sorted, of shape (replays, count)."""
    return np.sort(np.stack([rng.choice(size, count, replace=False) for _ in range(replays)]), axis=1)
