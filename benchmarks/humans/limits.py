"""Limits: what the figures do not prove, and where Cupel loses, in sentences made of the figures."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from benchmarks.double_check.rankers import OURS
from benchmarks.humans.arms import ARMS, BOTH, CREW, MODEL, PEERS
from benchmarks.humans.replay import PAC
from benchmarks.humans.tried_attacks import ShownAttack
from cupel.figures import count, percent, setting

ARM_NAMES = {MODEL: "model alone", CREW: "crew", BOTH: "both"}
METHOD_NAMES = {
    OURS: "Cupel",
    "majority": "majority",
    "dawid_skene": "Dawid-Skene",
    f"{PAC}betting": "PAC labels",
    f"{PAC}normal": "PAC, normal",
}
# The normal bound is in the tables: it promises nothing of so few errors.
DRAWN = (*PEERS, f"{PAC}betting")
# Shares that differ by less are alike.
ALIKE = 0.0005

Row = dict[str, Any]


def rows_of(one: Row, arm: str, method: str = OURS) -> list[Row]:
    """Return a set's rows of an arm and method, the highest error budget first."""
    found = [row for row in one["rows"] if row["arm"] == arm and row["method"] == method]
    return sorted(found, key=lambda row: -float(row["budget"]))


def list_losses(found: Row) -> list[str]:
    """Return where another method has experts read less than Cupel, and where the model beside the crew costs more."""
    said = []
    for one in found["sets"]:
        for arm in ARMS:
            ours = rows_of(one, arm)
            for method in METHOD_NAMES:
                budgets = _where_less(rows_of(one, arm, method), ours)
                if budgets:
                    said.append(
                        f"{one['name']}, {ARM_NAMES[arm]}: experts read less with {METHOD_NAMES[method]}, at {budgets}."
                    )
        if budgets := _where_less(rows_of(one, CREW), rows_of(one, BOTH)):
            said.append(f"{one['name']}: the crew alone needs less than crew and model together, at {budgets}.")
    return said


def list_limits(found: Row, attacks: Sequence[ShownAttack]) -> list[str]:
    """Return what the page does not prove.

    Args:
        found: All figures.
        attacks: What became of them.
    """
    broken, free = found["class_bounds"], Counter(one.verdict for one in attacks)["not caught"]
    contested = ", ".join(f"{count(one['contested'])} of {one['name']}" for one in found["sets"])
    return [
        "The panel is the expert, and right by definition. What its raters get wrong together, no audit here can see.",
        f"Sentences on which the panel has no clear verdict are left out ({contested}). A project must withhold them, "
        "or count them wrong.",
        _false_promises(found),
        "The class bounds of an audit and its certificate hold together in "
        f"{setting(1 - found['alpha'] - found['alpha_classes'])} of cases. In {broken['broken']} of "
        f"{count(broken['replays'])} audits a class bound did not hold. Shown are medians of the bounds.",
        "The shade is of the audit's draw. Other people, other sentences and other models give other figures: these "
        "are two sets, with one crew each.",
        f"{found['model']} {found['model_role']}. Another model may need fewer people: join yours with "
        "make humans ENDPOINT=URL MODEL=NAME.",
        "Clopper-Pearson at its best cut and the floor are computed by who knows all answers: no procedure to use.",
        "Prices are those of the sample's project file; the model's own cost is left out.",
        f"{free} attacks above are not caught. All were tried with texts, single classes and one design of the audit, "
        "and attacks that nobody thought of are not among them.",
    ]


def _false_promises(found: Row) -> str:
    """Return how many certificates of each method were false, and of its worst row."""
    rows, said = [row for one in found["sets"] for row in one["rows"]], []
    for method, name in METHOD_NAMES.items():
        counts = found["false_certificates"][method]
        worst = max((row for row in rows if row["method"] == method), key=lambda row: float(row["false"]))
        said.append(
            f"{count(counts['false'])} of {count(counts['replays'])} by {name} ({percent(counts['share'])}; worst row "
            f"{worst['false']} of {count(worst['replays'])})"
        )
    return (
        f"False promises, which left more wrong labels than they said: {', '.join(said)}. Cupel's audit, which is "
        f"that of majority and Dawid-Skene here, may be wrong so in {setting(found['alpha'])} of cases, whatever the "
        f"labels; PAC labels in {setting(found['alpha_pac'])}, with the normal bound in very large samples only. Rows "
        "share their draws."
    )


def _where_less(rows: Sequence[Row], ours: Sequence[Row]) -> str:
    """Return the error budgets at which rows have experts read less than ours do."""
    shares = {row["budget"]: row["read_share"]["mean"] for row in ours}
    less = [row["budget"] for row in rows if row["read_share"]["mean"] < shares[row["budget"]] - ALIKE]
    return ", ".join(setting(budget) for budget in less)
