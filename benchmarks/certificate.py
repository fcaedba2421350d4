"""Is the certificate valid? Sets that are over their budget are audited again and again, and certificates counted."""

import argparse
import json
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.certificate_designs import measure_designs, worst_of
from benchmarks.certificate_sets import LIMIT, SEED, Setting, settings
from benchmarks.certificate_streams import measure_streams
from benchmarks.new_file import new_file
from cupel.certificate.attempts import Levels
from cupel.certificate.hypergeometric import (
    Integers,
    Reals,
    clopper_pearson_lower,
    clopper_pearson_upper,
    tail,
    upper_counts,
)
from cupel.certificate.sequence import Flags, count_passed, cut_positions, floor_share
from cupel.store.files import put_file

BUDGETS = (0.003, 0.01, 0.02)
SIZES = (2_000, 6_000, 20_000)
ATTEMPTS = 4
REPEATED_SIZE = 6_000


class Samples(NamedTuple):
    """Replayed audits: counts among the items before each cut, of shape (replays, cuts)."""

    audited: Integers
    wrong: Integers
    contested: Integers


Rule = Callable[[Setting, Samples, Levels], Integers]


def sample(setting: Setting, replays: int, attempt: int = 1) -> Samples:
    """Replay the draw of an attempt's audit; the counts between cuts are multivariate hypergeometric."""
    rng = np.random.default_rng([SEED, attempt, replays])
    size = len(setting.is_wrong)
    starts = np.concatenate([[0], cut_positions(size)[:-1]])
    kinds = np.stack([setting.is_wrong, setting.is_contested, ~setting.is_wrong & ~setting.is_contested])
    between = np.add.reduceat(kinds.astype(np.int64), starts, axis=1)
    colors = between.ravel()
    counts = np.zeros((replays, colors.size), dtype=np.int64)
    held = np.flatnonzero(colors)
    counts[:, held] = rng.multivariate_hypergeometric(colors[held], setting.drawn, size=replays, method="marginals")
    wrong, contested, right = np.cumsum(counts.reshape(replays, 3, -1), axis=2).transpose(1, 0, 2)
    return Samples(wrong + contested + right, wrong, contested)


def contested_uppers(setting: Setting, samples: Samples, levels: Levels) -> Integers:
    """Return the upper bound of contested items that each replay would work with."""
    found = samples.contested[:, -1]
    if not levels.contested:
        return np.zeros(len(found), dtype=np.int64)
    return _on_distinct(lambda k: upper_counts(len(setting.is_wrong), setting.drawn, k, levels.contested), found)


def p_values(setting: Setting, samples: Samples, levels: Levels) -> Reals:
    """Return the chances that each replay holds against alpha, of shape (replays, cuts)."""
    size, positions = len(setting.is_wrong), cut_positions(len(setting.is_wrong))
    uppers = contested_uppers(setting, samples, levels)
    allowed = _on_distinct(lambda c: np.array([floor_share(setting.error_budget, size - int(x)) for x in c]), uppers)
    arrays = np.broadcast_arrays(samples.wrong, positions, allowed[:, None] + 1, samples.audited)
    # Many replays share a case: pack it into one integer, and ask for each distinct case once.
    key = np.zeros(samples.wrong.shape, dtype=np.int64)
    for array in arrays:
        key = key * (size + 2) + array
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    chances = tail(*(array.ravel()[first] for array in arrays))
    result: Reals = chances[inverse].reshape(samples.wrong.shape)
    return result


def fixed_sequence(setting: Setting, samples: Samples, levels: Levels) -> Integers:
    """Cupel's rule: test from the safest cut on, stop at the first failure. Returns accepted items, 0 for none."""
    positions = np.concatenate([[0], cut_positions(len(setting.is_wrong))])
    accepted: Integers = positions[count_passed(p_values(setting, samples, levels), levels.wrong)]
    return accepted


def certified_falsely(setting: Setting, samples: Samples, levels: Levels, rule: Rule = fixed_sequence) -> Flags:
    """Return for each replay whether a part with more wrong labels than allowed is accepted.

    Wrong labels count as they were before repair, so a certificate that repairs would have saved counts too.
    """
    accepted = rule(setting, samples, levels)
    wrong_before = np.concatenate([[0], np.cumsum(setting.is_wrong)])
    result: Flags = wrong_before[accepted] > setting.allowed
    return result


def bounds_failed(setting: Setting, samples: Samples, levels: Levels) -> tuple[Flags, Flags]:
    """Return for each replay whether the bounds of all labels are too low: contested aside, and counted wrong.

    The first is the bound given with a refusal, the second the one given with certificate and refusal.
    """
    size, wrong, contested = len(setting.is_wrong), samples.wrong[:, -1], samples.contested[:, -1]
    upper = _on_distinct(lambda k: upper_counts(size, setting.drawn, k, levels.wrong), wrong)
    either = _on_distinct(lambda k: upper_counts(size, setting.drawn, k, sum(levels)), wrong + contested)
    settled = size - contested_uppers(setting, samples, levels)
    all_wrong, all_contested = int(setting.is_wrong.sum()), int(setting.is_contested.sum())
    return upper / settled < all_wrong / (size - all_contested), either < all_wrong + all_contested


def measure(setting: Setting, replays: int) -> dict[str, Any]:
    """Replay a setting: a row of the report."""
    samples = sample(setting, replays)
    first = certified_falsely(setting, samples, setting.levels(1))
    as_frozen, with_contested = bounds_failed(setting, samples, setting.levels(1))
    count, ever = int(first.sum()), first.copy()
    is_repeated = len(setting.is_wrong) == REPEATED_SIZE
    for attempt in range(2, ATTEMPTS + 1) if is_repeated else ():
        ever |= certified_falsely(setting, sample(setting, replays, attempt), setting.levels(attempt))
    return {
        "setting": setting.name,
        "items": len(setting.is_wrong),
        "error_budget": setting.error_budget,
        "audited": setting.drawn,
        "wrong": int(setting.is_wrong.sum()),
        "allowed": setting.allowed,
        "contested": int(setting.is_contested.sum()),
        "replays": replays,
        "certified_falsely": count,
        "certified_falsely_share": count / replays,
        "low": clopper_pearson_lower(count, replays, 0.975),
        "high": clopper_pearson_upper(count, replays, 0.975),
        "certified_falsely_ever_share": float(ever.mean()) if is_repeated else None,
        "bound_as_frozen_failed_share": float(as_frozen.mean()),
        "bound_with_contested_failed_share": float(with_contested.mean()),
    }


def main() -> int:
    """Replay all settings, print them, write them; 1 when a share is over the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=new_file, required=True, help="file to write")
    parser.add_argument("--replays", type=int, default=5_000, help="replays of each setting")
    parser.add_argument("--stream-replays", type=int, default=50_000, help="replays of each stream of deliveries")
    arguments = parser.parse_args()
    rows = [
        measure(setting, arguments.replays)
        for error_budget in BUDGETS
        for size in SIZES
        for setting in settings(error_budget, size)
    ]
    shares = [name for name in rows[0] if name.endswith("_share")]
    worst = {name: max(row[name] for row in rows if row[name] is not None) for name in shares}
    designs = list(measure_designs(arguments.replays))
    streams = measure_streams(arguments.stream_replays)
    is_valid = all(value <= LIMIT for value in worst.values()) and all(row["is_valid"] for row in designs)
    is_valid = is_valid and streams["is_valid"]
    _print(rows, worst)
    _print_designs(worst_of(designs))
    _print_streams(streams)
    content = {"limit": LIMIT, "attempts": ATTEMPTS, "worst": worst, "is_valid": is_valid, "settings": rows,
               "designs": designs, "streams": streams}  # fmt: skip
    put_file(arguments.json, (json.dumps(content, indent=1) + "\n").encode())
    return 0 if is_valid else 1


def _print(rows: list[dict[str, Any]], worst: dict[str, float]) -> None:
    table = Table(title=f"Sets over their budget that were certified, in {rows[0]['replays']:,} replays each (%)")
    for name in ("budget", "items", "audited", "wrong", "setting"):
        table.add_column(name, justify="left" if name == "setting" else "right")
    for name in ("certified", "95% interval", f"in {ATTEMPTS} attempts", "bound failed", "with contested"):
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(
            f"{100 * row['error_budget']:g}%", f"{row['items']:,}", str(row["audited"]),
            str(row["wrong"]), row["setting"], f"{100 * row['certified_falsely_share']:.2f}",
            f"{100 * row['low']:.2f} to {100 * row['high']:.2f}",
            "" if row["certified_falsely_ever_share"] is None else f"{100 * row['certified_falsely_ever_share']:.2f}",
            f"{100 * row['bound_as_frozen_failed_share']:.2f}",
            f"{100 * row['bound_with_contested_failed_share']:.2f}",
        )  # fmt: skip
    table.add_section()
    table.add_row("", "", "", "", f"worst (limit {100 * LIMIT:g})", f"{100 * worst['certified_falsely_share']:.2f}", "",
                  *(f"{100 * worst[name]:.2f}" for name in list(worst)[1:]))  # fmt: skip
    Console(width=None if sys.stdout.isatty() else 150).print(table)


def _print_designs(worst: dict[str, dict[str, Any]]) -> None:
    table = Table(title="Other designs: the worst of the same sets that are over their budget (%)")
    for name in ("design", "budget", "setting", "replays", "certified", "95% interval"):
        table.add_column(name)
    for name, row in worst.items():
        table.add_row(
            name, f"{100 * row['error_budget']:g}%", row["setting"], f"{row['replays']:,}",
            f"{100 * row['certified_falsely_share']:.2f}", f"{100 * row['low']:.2f} to {100 * row['high']:.2f}",
        )  # fmt: skip
    Console(width=None if sys.stdout.isatty() else 150).print(table)


def _print_streams(streams: dict[str, Any]) -> None:
    table = Table(title="Streams of deliveries, each one wrong label over its budget (%)")
    for name in ("stream", "attempts by", "audits", "last attempt", "replays", "certified in a family", "95% interval"):
        table.add_column(name, justify="left" if name in ("stream", "attempts by") else "right")
    for row in [*streams["rows"], streams["control"]]:
        table.add_row(
            row["stream"], row["attempts_by"], str(row["audits"]), str(row["last_attempt"]), f"{row['replays']:,}",
            f"{100 * row['certified_falsely_share']:.2f}", f"{100 * row['low']:.2f} to {100 * row['high']:.2f}",
        )  # fmt: skip
    console = Console(width=None if sys.stdout.isatty() else 150)
    console.print(table)
    costs = ", ".join(f"link {row['link']}: {row['audited']:,}" for row in streams["chain"])
    console.print(f"Audited at links of a chain of overlaps: {costs}")


def _on_distinct(function: Callable[[Integers], Integers], values: Integers) -> Integers:
    distinct, inverse = np.unique(values, return_inverse=True)
    result: Integers = function(distinct)[inverse]
    return result


if __name__ == "__main__":
    sys.exit(main())
