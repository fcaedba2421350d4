"""The tables of the reference in Markdown, from the figures of a run: `python -m benchmarks.double_check.page FILE`."""

import json
from pathlib import Path

import click

from benchmarks.double_check.figures import Row
from benchmarks.double_check.over_sets import BUDGETS
from benchmarks.double_check.rankers import OURS
from benchmarks.double_check.tables import format_difference

BY_SET = (OURS, "cupel_before", "majority", "dawid_skene", "ebcc", "crowdlab_in_rounds", "confidence")


@click.command()
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def main(path: Path) -> None:
    """Print the tables in Markdown."""
    found = json.loads(path.read_text(encoding="utf-8"))
    if "over_sets" not in found:
        raise click.ClickException(f"{path}: no over_sets; give a file of a run over several sets")
    tables = (over_sets_table(found["over_sets"]), rivals_table(found["over_sets"]), sets_table(found["datasets"]))
    click.echo("\n\n".join("\n".join(lines) for lines in tables))


def over_sets_table(found: Row) -> list[str]:
    """Return the means over sets of each method, in percent of the items."""
    lines = _head(
        [
            "method",
            "sets",
            *map(_percent, BUDGETS),
            "above the floor",
            "ours less it",
            "over sets",
            "falsely certified",
        ]
    )
    for row in found["methods"]:
        less = [format_difference(row, key) for key in ("interval_of_these_sets", "interval_over_sets")]
        low, high = row["false_certificate_interval"]
        false = f"{row['false_certificates']} of {row['replays']:,}: {100 * low:.1f} to {100 * high:.1f}"
        seen = [f"{100 * row['experts_seen_share'][str(budget)]:.1f}" for budget in BUDGETS]
        lines.append(_line([row["method"], str(row["sets"]), *seen, f"{100 * row['above_floor']:.1f}", *less, false]))
    return lines


def rivals_table(found: Row) -> list[str]:
    """Return ours less the best of the rivals in each set, in points of the items."""
    lines = _head(["set", *map(_percent, BUDGETS)])
    for dataset in dict.fromkeys(row["dataset"] for row in found["rivals"]):
        rows = [row for row in found["rivals"] if row["dataset"] == dataset]
        lines.append(_line([dataset, *(f"{100 * row['difference']:.1f} {_mark(row)}".strip() for row in rows)]))
    return lines


def sets_table(datasets: list[Row]) -> list[str]:
    """Return what experts see in each set and at each budget, in percent of the items."""
    lines = _head(["set", "budget", *BY_SET, "PAC betting, equal audits", "its best draws", "floor", "false"])
    for found in datasets:
        others = found["deployed_with_other_rankers"]
        for place, own in enumerate(found["deployed"]):
            if own["budget"] not in BUDGETS:
                continue
            rows = [own, *(others[name][place] if name in others else None for name in BY_SET[1:])]
            rows += [_pac_row(found, own["budget"], draws_by) for draws_by in ("ours", "oracle")]
            seen = ["" if row is None else f"{100 * row['experts_seen_share']['mean']:.1f}" for row in rows]
            last = [f"{100 * own['floor_share']:.1f}", f"{own['false_certificates']} of {own['replays']}"]
            lines.append(_line([found["dataset"], _percent(own["budget"]), *seen, *last]))
    return lines


def _pac_row(found: Row, budget: float, draws_by: str) -> Row | None:
    """Return PAC labels by betting on the confidence of a model, or else on Dawid-Skene."""
    source = "confidence" if found["is_model_only_annotator"] else "dawid_skene"
    keys = {"budget": budget, "bound": "betting", "source": source, "draws_by": draws_by}
    return next((row for row in found["pac_labels"] if all(row[key] == value for key, value in keys.items())), None)


def _mark(row: Row) -> str:
    return "++" if row["is_better"] else "+" if row["is_within"] else "-" if row["is_worse"] else ""


def _percent(share: float) -> str:
    return f"{100 * share:g}%"


def _head(names: list[str]) -> list[str]:
    return [_line(names), "|" + "---|" * len(names)]


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
