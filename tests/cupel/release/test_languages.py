"""A release by language: counted, with intervals that hold together, and held to what was promised."""

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from cupel.certificate.auditors import Planted, hidden_upper, sensitivity_lower
from cupel.certificate.hypergeometric import lower_count, upper_count
from cupel.config.release import LanguagePromise
from cupel.contract.table import from_rows
from cupel.contract.tables.release import AUDIT, PLANTED_VERDICTS
from cupel.release.languages import ALPHA, release_languages
from cupel.release.release_audit import ReleaseAudit
from cupel.show.card import render_card
from cupel.show.language_views import LEAST_SHOWN_ITEMS, language_rows, small_languages
from cupel.show.report import render_report
from made_releases import make_terms


def release(languages: list[str], audited: dict[int, bool | None], open_items: tuple[int, ...] = ()) -> ReleaseAudit:
    """Return the audit of a release: the language of each item, and of those audited whether they are wrong."""
    drawn = {*audited, *open_items}
    names = [{"release": "b-r1", "batch": "b", "item_id": str(place)} for place in range(len(languages))]
    items = [
        name | {"label": "a", "risk_rank": place + 1, "is_audited": place in drawn, "language": languages[place]}
        for place, name in enumerate(names)
    ]
    verdicts = [
        names[place]
        | {"label": "a", "answers": 1, "is_settled": place not in open_items}
        | {"is_contested": place not in open_items and audited[place] is None}
        | {"expert_label": {False: "a", True: "b"}.get(audited.get(place)), "is_wrong": audited.get(place)}  # type: ignore[arg-type]
        for place in sorted(drawn)
    ]
    tables = {"release_items": pa.Table.from_pylist(items), "audit": from_rows(verdicts, AUDIT)}
    return ReleaseAudit.of(make_terms(items=len(languages), release="b-r1"), tables)


def counted(audit: ReleaseAudit, delivered: dict[str, int] | None = None, **promises: LanguagePromise) -> Any:
    rows = release_languages(audit, delivered or {}, promises).to_pylist()
    return {row["language"]: row for row in rows}


def test_items_are_counted_by_language_from_the_delivery_to_the_audit() -> None:
    audit = release(["deu_Latn"] * 6 + ["eng_Latn"] * 4, {0: False, 1: True, 2: None, 6: False})
    rows = counted(audit, {"deu_Latn": 9, "eng_Latn": 4, "fra_Latn": 2})
    assert [rows["deu_Latn"][name] for name in ("items_in", "items", "withheld", "audited", "wrong")] == [9, 6, 1, 3, 1]
    assert [rows["eng_Latn"][name] for name in ("items_in", "items", "withheld", "audited", "wrong")] == [4, 4, 0, 1, 0]
    assert [rows["fra_Latn"][name] for name in ("items_in", "items", "audited", "error_high")] == [2, 0, 0, None]


def test_intervals_are_exact_and_share_the_chance_of_being_wrong() -> None:
    audit = release(["deu_Latn"] * 60 + ["eng_Latn"] * 40, {place: place < 2 for place in range(30)})
    row = counted(audit)["deu_Latn"]
    assert row["error_high"] == upper_count(60, 30, 2, ALPHA / 4) / 60
    assert row["error_low"] == lower_count(60, 30, 2, ALPHA / 4) / 60
    assert counted(audit)["eng_Latn"]["error_high"] is None


def planted(caught: list[bool | None]) -> pa.Table:
    """Return the verdicts of planted items whose known label is b: b where caught, a where not, none where open."""
    said = {True: ("b", False), False: ("a", True), None: (None, None)}
    rows = [
        {"release": "b-r1", "batch": "b", "item_id": str(place), "label": "b", "answers": 1, "is_contested": False}
        | {"is_settled": one is not None, "expert_label": said[one][0], "is_wrong": said[one][1]}
        for place, one in enumerate(caught)
    ]
    return from_rows(rows, PLANTED_VERDICTS)


def test_what_auditors_overlook_of_planted_items_widens_every_interval() -> None:
    audit = release(["deu_Latn"] * 600, {place: place < 2 for place in range(300)})
    plain = counted(audit)["deu_Latn"]
    sharp = counted(replace(audit, planted_verdicts=planted([True] * 200)))["deu_Latn"]
    blunt = counted(replace(audit, planted_verdicts=planted([True] * 100 + [False] * 100)))["deu_Latn"]
    assert plain["error_high"] < sharp["error_high"] < blunt["error_high"]
    alpha = ALPHA * 3 / 4 / 2
    sensitivity = sensitivity_lower(Planted(200, 100), ALPHA / 4)
    shown = upper_count(600, 300, 2, alpha * 4 / 5)
    assert blunt["error_high"] == hidden_upper(shown, 600, sensitivity, alpha / 5) / 600
    assert blunt["error_low"] == lower_count(600, 300, 2, alpha) / 600


def test_auditors_who_caught_nothing_prove_nothing() -> None:
    audit = release(["deu_Latn"] * 60, {place: False for place in range(30)})
    row = counted(replace(audit, planted_verdicts=planted([False] * 20)))["deu_Latn"]
    assert row["error_high"] == 1.0


def test_planted_items_without_a_verdict_give_no_interval() -> None:
    audit = release(["deu_Latn"] * 60, {place: False for place in range(30)})
    row = counted(replace(audit, planted_verdicts=planted([True, None])))["deu_Latn"]
    assert row["error_high"] is None


def test_an_audit_that_is_not_at_its_end_gives_no_interval() -> None:
    audit = release(["deu_Latn"] * 60, {place: False for place in range(30)}, open_items=(40,))
    assert counted(audit)["deu_Latn"]["error_high"] is None


@pytest.mark.parametrize(
    ("least", "budget", "is_kept"), [(5, None, True), (6, None, False), (5, 0.9, True), (5, 0.1, False)]
)
def test_a_promise_is_of_released_items_and_of_the_bound(least: int, budget: float | None, is_kept: bool) -> None:
    audit = release(["deu_Latn"] * 6, {0: False, 1: None, 2: False})
    promise = LanguagePromise(least_items=least, error_budget=budget)
    assert counted(audit, deu_Latn=promise)["deu_Latn"]["is_kept"] is is_kept


def test_a_language_that_never_came_breaks_its_promise() -> None:
    rows = counted(release(["deu_Latn"] * 6, {}), fra_Latn=LanguagePromise(least_items=1))
    assert (rows["fra_Latn"]["items"], rows["fra_Latn"]["is_kept"]) == (0, False)
    assert rows["deu_Latn"]["is_kept"] is None


def test_all_intervals_hold_together_as_often_as_they_say() -> None:
    """Draw audits of four languages with known errors; all four intervals must hold the truth in 95 of 100."""
    rng = np.random.default_rng(1)
    languages = np.repeat(["deu_Latn", "eng_Latn", "fra_Latn", "spa_Latn"], [120, 80, 60, 40]).tolist()
    truth = {"deu_Latn": 0.1, "eng_Latn": 0.05, "fra_Latn": 0.3, "spa_Latn": 0.0}
    wrong = np.zeros(len(languages), np.bool_)
    for language, share in truth.items():
        places = np.flatnonzero(np.array(languages) == language)
        wrong[places[: round(share * len(places))]] = True
    held = 0
    for _ in range(60):
        drawn = rng.permutation(len(languages))[:100]
        rows = counted(release(languages, {int(place): bool(wrong[place]) for place in drawn}))
        held += all(row["error_low"] <= truth[name] + 1e-9 and truth[name] <= row["error_high"] + 1e-9
                    for name, row in rows.items())  # fmt: skip
    # With 95 in 100 fewer than 51 of 60 have a chance of one in a hundred.
    assert held >= 51


def test_languages_below_the_floor_stand_in_one_row_and_their_names_behind_a_fold(certified: Any) -> None:
    def row(language: str, items: int, **changes: Any) -> dict[str, Any]:
        counts = {"items_in": items, "items": items - 1, "withheld": 0, "audited": 1, "wrong": 0}
        rest = {"error_low": 0.0, "error_high": 0.9, "promised_items": None, "promised_error": None, "is_kept": None}
        return {"release": "r", "language": language, **counts, **rest, **changes}

    promised = row("deu_Latn", 5, promised_items=4, is_kept=True)
    at_floor, below = row("fra_Latn", LEAST_SHOWN_ITEMS), row("spa_Latn", LEAST_SHOWN_ITEMS - 1)
    large, small = row("eng_Latn", 1200), [row(f"x{number:02d}_Latn", 2) for number in range(39)]
    facts = replace(certified.facts, languages=[*small, below, large, at_floor, promised])
    rows = language_rows(facts)
    name = "40 other languages of fewer than 30 items each"
    assert [one["language"] for one in rows] == ["deu_Latn", "eng_Latn", "fra_Latn", name]
    assert (rows[-1]["items_in"], rows[-1]["items"], rows[-1]["audited"]) == ("107", "67", "40")
    assert rows[-1]["error"] == "too few audited"
    assert small_languages(facts).startswith("spa_Latn 28, x00_Latn 1, x01_Latn 1")
    page = render_report(facts)
    assert page.count("_Latn</th>") == 3
    assert re.search(r"<details><summary[^>]*>The other languages[^<]*</summary><p[^>]*>spa_Latn 28, ", page)
    # A single small one has its own row: nothing is gained by hiding its name.
    alone = replace(certified.facts, languages=[large, below])
    assert [one["language"] for one in language_rows(alone)] == ["eng_Latn", "spa_Latn"]
    assert small_languages(alone) == ""


def test_card_and_report_show_languages_where_there_are_several_or_a_promise(certified: Any) -> None:
    def row(language: str, **changes: Any) -> dict[str, Any]:
        counts = {"items_in": 1200, "items": 900, "withheld": 0, "audited": 200, "wrong": 3}
        rest = {"error_low": 0.001, "error_high": 0.05, "promised_items": None, "promised_error": None, "is_kept": None}
        return {"release": "r", "language": language, **counts, **rest, **changes}

    assert "By language" not in render_card(replace(certified.facts, languages=[row("eng_Latn"), row("und")]))
    several = replace(
        certified.facts,
        languages=[
            row("eng_Latn"), row("swh_Latn", audited=2, error_high=0.8),
            row("deu_Latn", promised_items=1000, is_kept=False),
        ],
    )  # fmt: skip
    card = render_card(several)
    assert "| eng_Latn | 1,200 | 900 (75.0%) | 200 | 3 | 0.1% to 5% | none |" in card.replace("0.10%", "0.1%")
    assert "| too few audited | none |" in card
    assert card.index("deu_Latn") < card.index("eng_Latn")
    assert "broken: 1,000 items" in render_report(several)
    assert "take the auditors at their word" in card
    planted_too = replace(several, result={**(several.result or {}), "planted": 100})
    assert "hold for what auditors overlook, too" in render_card(planted_too)
