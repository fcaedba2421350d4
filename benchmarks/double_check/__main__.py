"""`python -m benchmarks.double_check --data DIR --json FILE`: what a certified error costs on crowd data."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from benchmarks.double_check.folder import folders_in, read_folder
from benchmarks.double_check.harness import (
    BUDGETS,
    DEPLOYED,
    TARGETS,
    Measured,
    comparison,
    crowds_of,
    measure,
    summary,
    thinned,
)
from benchmarks.double_check.rankers import OURS
from benchmarks.new_file import new_file
from cupel.errors import CupelError
from cupel.store.files import put_file


def report(
    folder: Path, replays: int, items: int | None = None, labels: int | None = None, is_alone: bool = False
) -> dict[str, Any]:
    """Measure a folder.

    Args:
        folder: A folder of the crowd form.
        replays: Audits drawn.
        items: Items to draw with replacement, where crowds are redrawn; None: each once.
        labels: Labels of an item that are kept; None: all.
        is_alone: Leave out all other methods.
    """
    crowd, gold = read_folder(folder)
    crowd = crowd if labels is None else thinned(crowd, labels)
    measured: list[Measured] = []
    # Of redrawn crowds the first will do for methods that are not deployed.
    names: tuple[str, ...] | None = (OURS,) if is_alone else None
    for number, (drawn, known, here) in enumerate(crowds_of(folder, crowd, gold, replays, items)):
        measured.append(measure(drawn, known, here, number, names))
        names = names or DEPLOYED
    methods = list(measured[0].accuracy)
    deployed = [name for name in DEPLOYED if (name, BUDGETS[0]) in measured[0].outcomes]
    return {
        "dataset": crowd.name,
        "items": len(known.verdicts),
        "classes": len(crowd.classes),
        "labels": crowd.annotations.num_rows,
        "crowds": len(measured),
        "is_model_external": crowd.model is not None,
        "accuracy": {name: _mean(one.accuracy[name] for one in measured if name in one.accuracy) for name in methods},
        "seconds": {name: _mean(one.seconds[name] for one in measured if name in one.seconds) for name in methods},
        "chosen_method": Counter(one.chosen for one in measured).most_common(1)[0][0],
        "chosen_methods": dict(Counter(one.chosen for one in measured)),
        "oracle_frontier": {
            name: {
                str(target): _mean(one.frontier[name][target] for one in measured if name in one.frontier)
                for target in TARGETS
            }
            for name in methods
        },
        "deployed": [summary(measured, OURS, budget) for budget in BUDGETS],
        "deployed_with_other_rankers": {
            name: [summary(measured, name, budget) for budget in BUDGETS] for name in deployed if name != OURS
        },
        "compared": [comparison(measured, name, budget) for name in deployed if name != OURS for budget in BUDGETS],
    }


@click.command()
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    required=True,
    help="A folder of the crowd form, or of such.",
)
@click.option(
    "--json",
    "json_path",
    type=new_file,
    required=True,
    help="Where to write the figures.",
)
@click.option(
    "--replays",
    type=click.IntRange(min=2),
    default=200,
    show_default=True,
    help="Audits drawn.",
)
@click.option(
    "--items",
    type=click.IntRange(min=1),
    help="Draw so many items with replacement (needs counts.npy).",
)
@click.option(
    "--labels",
    type=click.IntRange(min=1),
    help="Keep at most so many labels of each item.",
)
@click.option("--alone", "is_alone", is_flag=True, help="Leave out all other methods: much faster on redrawn crowds.")
def main(data: Path, json_path: Path, replays: int, items: int | None, labels: int | None, is_alone: bool) -> None:
    """Rank, audit, cut and adjudicate again and again; say what experts see and whether it was right."""
    try:
        folders = folders_in(data)
        found = []
        for folder in folders:
            found.append(report(folder, replays, items, labels, is_alone))
            _print(found[-1])
    except CupelError as error:
        raise click.ClickException(str(error)) from None
    content = found[0] if folders == [data] else {"datasets": found}
    put_file(json_path, (json.dumps(content, indent=1, allow_nan=False) + "\n").encode())


def _mean(values: Any) -> float:
    known = list(values)
    return float(sum(known) / len(known))


def _print(found: dict[str, Any]) -> None:
    table = Table(title=f"{found['dataset']}: {found['items']:,} items, {found['crowds']} crowd(s); experts see (%)")
    columns = [OURS, *found["deployed_with_other_rankers"]]
    for name in (
        "budget",
        "before",
        "audited",
        *columns,
        "p80",
        "false",
        "floor",
        "CP",
    ):
        table.add_column(name, justify="right", no_wrap=True)
    rows = {OURS: found["deployed"], **found["deployed_with_other_rankers"]}
    for place, own in enumerate(found["deployed"]):
        shares = [own["asked_before_share"]]
        shares += [rows[name][place]["experts_seen_share"]["mean"] for name in columns]
        shares += [
            own["experts_seen_share"]["p80"],
            own["false_certificate_share"],
            own["floor_share"],
        ]
        texts = [f"{100 * share:.1f}" for share in (*shares, own["clopper_pearson_share"])]
        table.add_row(f"{own['budget']:.1%}", texts[0], f"{own['audited']:.0f}", *texts[1:])
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
