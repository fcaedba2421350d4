"""Are planted errors as hard as real ones? Bad sets, audited by people who see easy errors and miss confusable ones."""

import argparse
import json
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from rich.console import Console
from rich.table import Table

from benchmarks.certificate_designs import BUDGETS, SIZE, first_over
from benchmarks.certificate_sets import SEED, Setting, settings
from benchmarks.new_file import new_file
from cupel.certificate.attempts import attempt_levels
from cupel.certificate.auditors import (
    ALPHA_SENSITIVITY_SHARE,
    LAST_TIER,
    LEAST_SENSITIVITY,
    sensitivity_lower,
    share_alpha,
    thinned_tail,
)
from cupel.certificate.evidence import Plants
from cupel.certificate.hypergeometric import Integers, clopper_pearson_lower, clopper_pearson_upper
from cupel.certificate.sequence import Flags
from cupel.release.planted import draw_to_plant
from cupel.store.files import put_file

EASY, PLANTED = 0.99, 100
LIMIT = 0.05


class Gold(NamedTuple):
    """Known labels: how many are of items that the crew got wrong, that only the checker did, and that neither did.

    Where `counts_all`, the sensitivity is bounded by all planted items, which is a rule that must be caught.
    """

    name: str
    erred: int
    confused: int
    others: int
    counts_all: bool = False


GOLD = (
    Gold("easy items only, as planted before", 0, 0, 300),
    Gold("2% of 300 erred: too few to count", 6, 0, 294),
    Gold("3% of 300 erred", 9, 0, 291),
    Gold("5% of 300 erred", 15, 0, 285),
    Gold("10% of 300 erred", 30, 0, 270),
    Gold("10% of 300 erred, but all planted count", 30, 0, 270, counts_all=True),
    Gold("10% erred, 20% only the checker, whose items are easy", 30, 60, 210),
    Gold("a third erred: all planted did", 110, 0, 190),
)


def plant(gold: Gold) -> Integers:
    """Return the kinds of the items that the chain's own draw plants of known labels; shape planted."""
    tier = np.repeat(np.arange(LAST_TIER + 1), [gold.erred, gold.confused, gold.others])
    names = [f"i{place}" for place in range(len(tier))]
    log_odds = np.random.default_rng([SEED, 6]).exponential(3.0, len(tier))
    pool = pa.table({"batch": ["b"] * len(tier), "item_id": names, "log_odds": log_odds})
    return np.sort(tier[draw_to_plant(pool, PLANTED, SEED, tier)])


def certified_falsely(setting: Setting, replays: int, seen: float, tier: Integers, counts_all: bool = False) -> Flags:
    """Replay audits whose auditors see real errors, and planted items of crew's errors, only with some chance.

    Args:
        setting: A set over its budget.
        replays: How many audits.
        seen: Chance that an auditor sees a real error; of all other planted items `EASY` are seen.
        tier: Kinds of the planted items.
        counts_all: See `Gold`.

    Returns:
        Whether the first cut over its budget passes, shape replays.
    """
    rng, size = np.random.default_rng([SEED, 7]), len(setting.is_wrong)
    cut, wrong = first_over(setting)
    shared = share_alpha(attempt_levels(1, bool(setting.is_contested.any())), ALPHA_SENSITIVITY_SHARE)
    audited = rng.hypergeometric(cut, size - cut, setting.drawn, size=replays) if cut < size else setting.drawn
    audited = np.broadcast_to(audited, replays)
    found = rng.binomial(rng.hypergeometric(wrong, cut - wrong, audited), seen)
    is_caught = rng.random((replays, len(tier))) < np.where(tier == 0, seen, EASY)

    @cache
    def lower(counts: tuple[int, ...]) -> float:
        caught = np.concatenate([np.arange(number) < counts[kind] for kind, number in enumerate(np.bincount(tier))])
        everything = np.ones(len(tier), np.bool_)
        counted = Plants(everything, everything, caught, ~everything, None if counts_all else tier).counted(
            shared.other
        )
        return sensitivity_lower(counted, shared.other)

    counts = np.stack([(is_caught & (tier == kind)).sum(axis=1) for kind in range(int(tier.max()) + 1)], axis=1)
    lows = np.array([lower(tuple(row)) for row in counts.tolist()])
    is_false = np.zeros(replays, np.bool_)
    for low in np.unique(lows[lows >= LEAST_SENSITIVITY]):
        own = lows == low
        chance = thinned_tail(found[own], np.array(cut), setting.allowed + 1, audited[own], float(low))
        is_false[own] = chance <= shared.levels.wrong
    return is_false


def measure(replays: int) -> Iterator[dict[str, Any]]:
    """Yield for each known set and each sensitivity the worst of the bad sets: rows of the report."""
    bad = [setting for budget in BUDGETS for setting in settings(budget, SIZE)]
    for gold in GOLD:
        tier = plant(gold)
        for seen in (0.6, 0.5):
            counts = [(int(certified_falsely(one, replays, seen, tier, gold.counts_all).sum()), one) for one in bad]
            count, worst = max(counts, key=lambda found: found[0])
            yield {
                "known": gold.name, "is_rule": gold.erred > GOLD[1].erred and not gold.counts_all,
                "erred_planted": int((tier == 0).sum()), "planted": len(tier), "seen": seen, "setting": worst.name,
                "error_budget": worst.error_budget, "replays": replays, "certified_falsely_share": count / replays,
                "low": clopper_pearson_lower(count, replays, 0.975),
                "high": clopper_pearson_upper(count, replays, 0.975),
            }  # fmt: skip


def main() -> int:
    """Replay, print, write; 1 where known labels with enough errors of the crew certify falsely too often."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=new_file, required=True, help="file to write")
    parser.add_argument("--replays", type=int, default=5_000, help="replays of each setting")
    arguments = parser.parse_args()
    rows = list(measure(arguments.replays))
    table = Table(
        title="Auditors who see 60 or 50% of what is confusable and 99% of what is easy: falsely certified (%)"
    )
    for name in ("known labels", "erred, of planted", "seen", "worst set", "certified", "95% interval"):
        table.add_column(name)
    for row in rows:
        table.add_row(
            row["known"], f"{row['erred_planted']} of {row['planted']}", f"{row['seen']:.0%}",
            f"{row['error_budget']:.1%}, {row['setting']}", f"{100 * row['certified_falsely_share']:.2f}",
            f"{100 * row['low']:.2f} to {100 * row['high']:.2f}",
        )  # fmt: skip
    Console(width=None if sys.stdout.isatty() else 150).print(table)
    put_file(arguments.json, (json.dumps(rows, indent=1) + "\n").encode())
    # Easy items only, too few that erred, and all that are planted: here to show what is not proven.
    return int(any(row["high"] > LIMIT for row in rows if row["is_rule"]))


if __name__ == "__main__":
    sys.exit(main())
