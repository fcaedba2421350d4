"""Page: one HTML file that stands alone, made of the figures and of the attacks that were tried."""

import re
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

import cupel
from benchmarks.humans.arms import ARMS, BOTH, CREW, MODEL
from benchmarks.humans.draw import Point, Series, draw_chart, find_top
from benchmarks.humans.limits import ARM_NAMES, DRAWN, METHOD_NAMES, list_limits, list_losses, rows_of
from benchmarks.humans.replay import PAC
from benchmarks.humans.tried_attacks import UNKNOWN, ShownAttack
from cupel import figures
from cupel.store.files import read_text

HERE = Path(__file__).parent
TITLES = {"movies": "Movies", "newspaper": "Newspaper"}
METHOD_STYLES = {"majority": "peer", "dawid_skene": "second", f"{PAC}betting": "pac", f"{PAC}normal": "pac"}
# The groups of attacks, in the order in which they are shown.
ATTACK_STYLES = {
    UNKNOWN: ("bad", "?"),
    "not caught": ("bad", "✘"),
    "told": ("told", "!"),
    "caught": ("good", "✔"),
    "control": ("control", "○"),
}


Row = dict[str, Any]


def render_page(found: Row, attacks: Sequence[ShownAttack]) -> str:
    """Return the page; it needs no network, and the same arguments give the same bytes.

    Args:
        found: What `figures.measure_sample` returned.
        attacks: In the order in which they are shown.
    """
    template = _environment().get_template("page.html.j2")
    return template.render(
        css=Markup(read_text(HERE / "page.css")),
        script=Markup(read_text(HERE / "page.js")),
        lead=_lead(found),
        error_budget=found["error_budget"],
        replays=found["replays"],
        all_by_experts=_price(1000 * found["prices"]["expert_answer"], found),
        sets=[_set(one, found) for one in found["sets"]],
        attacks=_attack_groups(attacks),
        attacks_lead=_attacks_lead(attacks),
        limits=list_limits(found, attacks),
        losses=list_losses(found),
        footer=f"Made by make humans, Cupel {cupel.__version__}. Every figure is computed from the sample, with fixed "
        "seeds; humans.json, beside this page, holds them all.",
    )


def arm_series(one: Row) -> list[Series]:
    """Return a series an arm, ranked by Cupel."""
    return [Series(ARM_NAMES[arm], arm, _points(rows_of(one, arm)), is_shaded=True) for arm in ARMS]


def panel_series(one: Row, arm: str) -> list[Series]:
    """Return the series of an arm's panel: Cupel, its peers, the textbook's audit and the floor."""
    ours = rows_of(one, arm)
    series = [Series("Cupel", arm, _points(ours), is_shaded=True)]
    for method in DRAWN:
        if rows := rows_of(one, arm, method):
            series.append(Series(METHOD_NAMES[method], METHOD_STYLES[method], _points(rows)))
    for name, style, key in (
        ("Clopper-Pearson", "textbook", "clopper_pearson_share"),
        ("floor", "floor", "floor_share"),
    ):
        series.append(Series(name, style, tuple(Point(row["budget"], row[key]) for row in ours)))
    return series


@cache
def _environment() -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(HERE)
    made = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)
    made.filters.update(count=figures.count, percent=figures.percent, setting=figures.setting)
    return made


def _points(rows: Sequence[Row]) -> tuple[Point, ...]:
    return tuple(
        Point(row["budget"], row["read_share"]["mean"], row["read_share"]["low"], row["read_share"]["high"])
        for row in rows
    )


def _at_budget(one: Row, arm: str, budget: float) -> Row:
    return next(row for row in rows_of(one, arm) if row["budget"] == budget)


def _lead(found: Row) -> str:
    one, budget = found["sets"][0], found["error_budget"]
    shares = {arm: figures.percent(_at_budget(one, arm, budget)["read_share"]["mean"]) for arm in ARMS}
    return (
        f"{figures.count(one['items'])} sentences of {one['name']}; at most {figures.setting(budget)} of their labels "
        f"may be wrong, proven. Where a model labels alone ({found['model']}), experts must read {shares[MODEL]} of "
        f"them; where {one['answers_per_item']:.2g} annotators do, {shares[CREW]}; where both do, {shares[BOTH]}."
    )


def _set(one: Row, found: Row) -> Row:
    arms = arm_series(one)
    return {
        "title": TITLES.get(one["name"], one["name"]),
        "size": one["items"],
        "answers": f"{one['answers_per_item']:.2g}",
        "cards": [_card(one, arm, found) for arm in ARMS],
        "chart": draw_chart(f"{one['name']}: certified error against the share that experts read", arms),
        "panels": [_panel(one, arm) for arm in ARMS],
        "methods": [_method_group(one, budget, found) for budget in sorted(found["budgets"])],
        "classes": [_class_group(one, budget, found) for budget in sorted(found["budgets"])],
    }


def _card(one: Row, arm: str, found: Row) -> Row:
    row = _at_budget(one, arm, found["error_budget"])
    price = f"{_price(1000 * row['price']['total'], found)}"
    return {"style": arm, "name": ARM_NAMES[arm], "share": row["read_share"]["mean"], "price": price}


def _panel(one: Row, arm: str) -> Row:
    series = panel_series(one, arm)
    title = f"{one['name']}, labelled by {ARM_NAMES[arm]}: experts' share with each method"
    return {"name": ARM_NAMES[arm], "style": arm, "chart": draw_chart(title, series, find_top(series))}


def _method_group(one: Row, budget: float, found: Row) -> Row:
    rows = sorted((row for row in one["rows"] if row["budget"] == budget), key=lambda row: ARMS.index(row["arm"]))
    shown: list[Row] = []
    for row in rows:
        hours = row["read_share"]["mean"] * one["items"] * found["prices"]["expert_seconds"] / 3600
        shown.append(
            {
                "style": row["arm"],
                "arm_words": "both" if row["arm"] == BOTH else f"the {ARM_NAMES[row['arm']]}",
                "is_first": not shown or shown[-1]["style"] != row["arm"],
                "method": METHOD_NAMES[row["method"]],
                "read": row["read_share"]["mean"],
                "low": row["read_share"]["low"],
                "high": row["read_share"]["high"],
                "price": _price(1000 * row["price"]["total"], found),
                "hours": figures.hours(hours),
                "false": row["false"],
                "replays": row["replays"],
            }
        )
    return {"budget": budget, "is_open": budget == found["error_budget"], "rows": shown}


def _class_group(one: Row, budget: float, found: Row) -> Row:
    rows = []
    for arm in ARMS:
        for place, row in enumerate(_at_budget(one, arm, budget)["classes"]):
            bounds = {
                name: "unproven" if row[name] >= 1 else figures.bound(row[name])
                for name in ("wrong_bound", "missed_bound")
            }
            labelled = f"{row['labelled']:,.0f}"
            rows.append(
                {**row, **bounds, "arm": ARM_NAMES[arm], "style": arm, "is_first": place == 0, "labelled": labelled}
            )
    return {"budget": budget, "is_open": budget == found["error_budget"], "rows": rows}


def _attack_groups(attacks: Sequence[ShownAttack]) -> list[Row]:
    groups = []
    for verdict, (style, sign) in ATTACK_STYLES.items():
        if ones := [_attack(one) for one in attacks if one.verdict == verdict]:
            groups.append({"verdict": verdict, "style": style, "sign": sign, "attacks": ones})
    return groups


def _attack(one: ShownAttack) -> Row:
    return one._asdict() | {
        "title": one.name.replace("-", " "),
        "done": _format_code(one.done),
        "notes": [(heading, _format_code(note)) for heading, note in one.notes],
    }


def _format_code(text: str) -> Markup:
    """Return a text in which what stands between backticks is code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def _attacks_lead(attacks: Sequence[ShownAttack]) -> str:
    counts = Counter(one.verdict for one in attacks)
    said = [f"{counts[verdict]} {verdict}" for verdict in ATTACK_STYLES if counts[verdict] and verdict != "control"]
    controls = counts["control"]
    others = sum(not one.is_as_said for one in attacks)
    end = "" if not others else f" {others} came out otherwise than docs/attacks.md says."
    return (
        f"{len(attacks)} were tried on a small project with this very code, {controls} of them controls in which "
        f"nothing is wrong: {', '.join(said)}. Told means that nothing stops it, but the certificate says so.{end}"
    )


def _price(amount: float, found: Row) -> str:
    return figures.money(amount, found["prices"]["currency"])
