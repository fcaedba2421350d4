"""Are honest annotators left alone, however they are asked? Counts false findings in made-up crowds of many shapes."""

import argparse
import itertools
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from rich.console import Console
from rich.table import Table

from benchmarks.simulated_crowd import Shape, SimulatedCrowd, simulate_crowd
from cupel.config.labeling import Overlap
from cupel.people.annotators.findings import FINDINGS, findings
from cupel.people.annotators.study import study

SEED = 1999
# First answers, and most. Two and no more is also what the chain sees before anything is asked again.
OVERLAPS = tuple(Overlap(first=first, most=most) for first, most in ((2, 3), (3, 3), (3, 5), (1, 3), (2, 2)))
FEWEST, MOST = 20, 50_000
FEWEST_PEOPLE, MOST_PEOPLE, MOST_ANSWERS = 6, 200, 100_000
# Answers a person, at most, where there are 20 classes: they take long.
MOST_OF_MANY = 5_000
# Bounds of the groups of crowds by answers a person.
SIZES = (20, 200, 2_000, 10_000, 50_001)
SPAMMERS = ("random", "constant", "collude", "worsening")
INJECTED = 0.25
# The finding that each kind of spammer ought to have.
EXPECTED = {
    "random": {"guessing", "constant"},
    "constant": {"guessing", "constant"},
    "collude": {"copying", "colluding"},
    "worsening": {"worsening"},
}


class Verdicts(NamedTuple):
    """What came of one crowd: its shape, its honest people and those of them with a finding, by finding."""

    shape: Shape
    answers: int
    honest: int
    accused: int
    by_finding: dict[str, int]
    spammers: dict[str, tuple[int, int]]
    seconds: float


def main() -> int:
    """Simulate the crowds, print what was found, write it; 0 always: figures are for reading."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, required=True, help="file to write")
    parser.add_argument("--crowds", type=int, default=200, help="honest crowds")
    parser.add_argument("--spammed", type=int, default=0, help="crowds of which a quarter are spammers, after them")
    parser.add_argument("--skip", type=int, default=0, help="crowds that are left out, so that parts can run apart")
    parser.add_argument("--most-answers", type=int, default=MOST_ANSWERS, help="answers of a crowd, at most")
    arguments = parser.parse_args()
    found: list[Verdicts] = []
    for number in range(arguments.skip, arguments.skip + arguments.crowds + arguments.spammed):
        shape = draw_shape(number, arguments.most_answers)
        wanted = spammers_of(shape, number) if number >= arguments.skip + arguments.crowds else ()
        found.append(judge(simulate_crowd(shape, SEED + number, wanted), shape))
        last = found[-1]
        print(json.dumps({"crowd": shape.name, "honest": last.honest, **last.by_finding}), flush=True)
    arguments.json.write_text(json.dumps([row_of(one) for one in found], indent=1) + "\n", encoding="utf-8")
    show(found[: arguments.crowds], found[arguments.crowds :])
    return 0


def draw_shape(number: int, most_answers: int = MOST_ANSWERS) -> Shape:
    """Return the shape of a crowd: overlaps in turn, everything else drawn."""
    rng = np.random.default_rng([SEED, number])
    overlap = OVERLAPS[number % len(OVERLAPS)]
    each = int(np.exp(rng.uniform(np.log(FEWEST), np.log(MOST))))
    most = max(FEWEST_PEOPLE, min(MOST_PEOPLE, most_answers // each))
    people = int(np.exp(rng.uniform(np.log(FEWEST_PEOPLE), np.log(most + 1))))
    classes = int(rng.choice([2, 3, 4, 8, 20]))
    each = min(each, MOST_OF_MANY) if classes == 20 else each
    low = float(rng.uniform(0.65 if classes == 2 else 0.55, 0.85))
    return Shape(
        name=f"{number}: {overlap.first} to {overlap.most}, {people} people of about {each}, {classes} classes",
        people=people,
        items=max(overlap.most, round(each * people / ((overlap.first + overlap.most) / 2))),
        classes=classes,
        overlap=overlap,
        skills=(low, float(rng.uniform(low + 0.05, 0.99))),
        evenness=float(rng.choice([1.0, 10.0])),
        hard_share=float(rng.choice([0.0, 0.1, 0.3, 0.5])),
        lure_share=float(rng.choice([0.0, 0.5, 0.9])),
        skew=float(rng.choice([1.0, 1.5, 4.0])) if classes < 20 else float(rng.choice([1.0, 1.2])),
        checker=float(rng.choice([0.6, 0.8, 0.95])),
        route_by_price=bool(rng.random() < 0.3),
        expert_rounds=bool(rng.random() < 0.3),
        parts=int(rng.choice([1, 1, 3])),
        shifts=int(rng.choice([1, 1, 2])) if people >= 2 * overlap.most else 1,
        run_share=float(rng.choice([0.0, 0.0, 0.8])),
        tiring=float(rng.choice([1.0, 2.0])),
        gold_share=float(rng.choice([0.0, 0.05])),
        is_ring=bool(rng.random() < 0.25),
    )


def spammers_of(shape: Shape, number: int) -> Sequence[str]:
    """Return what the spammers of a crowd do: all the same, three at least, a quarter of the people."""
    return [SPAMMERS[number // len(OVERLAPS) % len(SPAMMERS)]] * max(3, round(INJECTED * shape.people))


def judge(crowd: SimulatedCrowd, shape: Shape) -> Verdicts:
    """Study a crowd as the chain does and count who was found; the bar is that of the least skilled."""
    start = time.process_time()
    measured = study(crowd.annotations, crowd.item_ids, crowd.classes, crowd.gold, first=shape.overlap.first)
    table = findings(measured, least_right(shape))
    seconds = time.process_time() - start
    names = set(pa.compute.unique(crowd.annotations["annotator"]).to_pylist())
    rows = [(row["annotator"], row["finding"]) for row in table.select(["annotator", "finding"]).to_pylist()]
    honest = {name for name in names if crowd.kinds[name] == "honest"}
    spammers = {}
    for kind in sorted({crowd.kinds[name] for name in names - honest}):
        own = {name for name in names if crowd.kinds[name] == kind}
        spammers[kind] = (len({who for who, what in rows if who in own and what in EXPECTED[kind]}), len(own))
    return Verdicts(
        shape, crowd.annotations.num_rows, len(honest), len({who for who, _ in rows if who in honest}),
        {name: sum(what == name and who in honest for who, what in rows) for name in FINDINGS}, spammers, seconds,
    )  # fmt: skip


def least_right(shape: Shape) -> float:
    """Return how often somebody of the least skill is right on an item of the crowd's kind."""
    hardness = shape.hard_share * 0.65
    return shape.skills[0] * (1 - hardness) + hardness / shape.classes


def row_of(one: Verdicts) -> dict[str, Any]:
    """Return a crowd's row of the JSON."""
    return one._asdict() | {"shape": one.shape._asdict() | {"overlap": one.shape.overlap.model_dump()}}


def show(honest: Sequence[Verdicts], spammed: Sequence[Verdicts]) -> None:
    """Print shares of accused honest people by overlap and by size, and of spammers found."""
    console = Console(width=None if sys.stdout.isatty() else 150)
    heads = ("crowds of", "crowds", "people", "any", "mean of crowds", *FINDINGS, "crowds with any")
    table = Table(title="Honest annotators with a finding (%)")
    for head in heads:
        table.add_column(head, justify="left" if head == heads[0] else "right")
    groups = {"all": list(honest)}
    for overlap in OVERLAPS:
        groups[f"{overlap.first} to {overlap.most}"] = [one for one in honest if one.shape.overlap == overlap]
    for low, high in itertools.pairwise(SIZES):
        groups[f"{low:,} to {high - 1:,} each"] = [
            one for one in honest if low <= max(SIZES[0], one.answers / one.honest) < high
        ]
    groups["experts' rounds"] = [one for one in honest if one.shape.expert_rounds]
    groups["by price"] = [one for one in honest if one.shape.route_by_price]
    for name, some in groups.items():
        people = sum(one.honest for one in some)
        table.add_row(
            name, str(len(some)), f"{people:,}", _percent(sum(one.accused for one in some) / max(1, people)),
            _percent(sum(one.accused / one.honest for one in some) / max(1, len(some))),
            *(_percent(sum(one.by_finding[finding] for one in some) / max(1, people)) for finding in FINDINGS),
            str(sum(one.accused > 0 for one in some)),
        )  # fmt: skip
    console.print(table)
    for kind in SPAMMERS:
        own = [(one, one.spammers[kind]) for one in spammed if kind in one.spammers]
        shares = sorted(found / size for _, (found, size) in own)
        if shares:
            blamed = sum(one.accused for one, _ in own) / max(1, sum(one.honest for one, _ in own))
            console.print(
                f"{kind}: {len(own)} crowds, found: lowest {shares[0]:.0%}, median {np.median(shares):.0%}, mean "
                f"{np.mean(shares):.0%}; honest ones accused {blamed:.2%}"
            )


def _percent(share: float) -> str:
    return f"{100 * share:.2f}"


if __name__ == "__main__":
    sys.exit(main())
