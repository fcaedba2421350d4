"""`python -m benchmarks.models_in_crew --data DIR --json FILE`: a model beside two or three people; and anchoring."""

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.double_check.folder import read_folder
from benchmarks.models_in_crew.anchored import SHAPES, Shape, judge_replays, replay
from benchmarks.models_in_crew.arms import chances, error
from benchmarks.models_in_crew.crews import draw_crew
from benchmarks.new_file import new_file
from cupel.errors import CupelError
from cupel.store.files import put_file

# Real crowds with texts, features, or the probabilities of an independent model.
SETS = ("sentiment_text", "weather_text", "medrel_treat", "cifar10h_k3", "labelme")
PEOPLE = (2, 3)


def measure_crowd(folder: Path, people: int, draws: int) -> dict[str, Any]:
    """Return the median error of each arm over redrawn crews, in shares of the items whose label is known.

    Args:
        folder: A folder of the crowd form.
        people: Answers an item.
        draws: Crews drawn.
    """
    crowd, gold = read_folder(folder)
    place = {name: number for number, name in enumerate(crowd.classes)}
    truth = np.array([place.get(gold.verdicts.get(item, ""), -1) for item in crowd.item_ids], np.int64)
    errors: dict[str, list[float]] = defaultdict(list)
    is_independent = True
    for seed in range(draws):
        crew = draw_crew(crowd, people, np.random.default_rng(seed))
        is_independent &= crew.is_independent
        for name, said in crew.models.items():
            known = (truth >= 0) & (said >= 0)
            errors[f"model {name} alone"].append(float((said[known] != truth[known]).mean()))
        for name, chance in chances(crowd, crew):
            errors[name].append(error(chance, truth))
    return {
        "dataset": crowd.name,
        "people": people,
        "items": int((truth >= 0).sum()),
        "draws": draws,
        "is_model_independent": is_independent,
        "error": {name: float(np.median(found)) for name, found in errors.items()},
    }


def measure_shape(shape: Shape, replays: int, seed: int) -> dict[str, Any]:
    """Return bias and coverage of the anchoring estimates of made people."""
    rng = np.random.default_rng(seed)
    found = defaultdict(list)
    for _ in range(replays):
        for measure, one in replay(shape, rng).items():
            found[measure].append(one)
    judged = {measure: judge_replays(ones) for measure, ones in found.items()}
    return shape._asdict() | {name: None if one is None else one._asdict() for name, one in judged.items()}


@click.command()
@click.option("--data", type=click.Path(path_type=Path), required=True, help="The folder that holds crowd/.")
@click.option("--json", "json_path", type=new_file, help="Where to write the figures.")
@click.option("--draws", type=click.IntRange(min=1), default=5, show_default=True, help="Crews drawn of each crowd.")
@click.option("--replays", type=click.IntRange(min=0), default=500, show_default=True, help="Batches of made people.")
@click.option("--only", "sets", type=click.Choice(SETS), multiple=True, default=SETS, help="Of the crowds, only this.")
def main(data: Path, json_path: Path | None, draws: int, replays: int, sets: Sequence[str]) -> None:
    """Compare a model in the crew with a model as the checker alone, and hold the anchoring estimate against truth."""
    console = Console()
    try:
        crowds = [measure_crowd(data / "crowd" / name, people, draws) for name in sets for people in PEOPLE]
    except CupelError as error:
        raise click.ClickException(str(error)) from None
    _print_crowds(console, crowds)
    shapes = [measure_shape(shape, replays, number) for number, shape in enumerate(SHAPES)] if replays else []
    if shapes:
        _print_shapes(console, shapes)
    if json_path is not None:
        content = {"crowds": crowds, "anchoring": shapes}
        put_file(json_path, (json.dumps(content, indent=1, allow_nan=False) + "\n").encode())


def _print_crowds(console: Console, crowds: list[dict[str, Any]]) -> None:
    table = Table("error (%)", *(f"{one['dataset']} {one['people']}" for one in crowds), title="Medians over crews")
    for name in dict.fromkeys(name for one in crowds for name in one["error"]):
        cells = [f"{100 * one['error'][name]:.1f}" if name in one["error"] else "-" for one in crowds]
        table.add_row(name, *cells)
    console.print(table)


def _print_shapes(console: Console, shapes: list[dict[str, Any]]) -> None:
    measures = ("following", "error", "misled")
    heads = ("items", "answers", "shown", "follow")
    table = Table(*heads, *measures, title="Anchoring: bias, coverage of the 95% interval, false verdicts")
    for one in shapes:
        cells = [
            "-" if (found := one.get(name)) is None else f"{found['bias']:+.3f} {found['coverage']:.3f}"
            + ("" if found["false"] is None else f" {found['false']:.3f}")
            for name in measures
        ]  # fmt: skip
        table.add_row(*(str(one[name]) for name in heads), *cells)
    console.print(table)


if __name__ == "__main__":
    main()
