import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cupel.accept.judging import rate
from cupel.accept.report import vendors_page
from cupel.accept.scores import Score, append_score, read_scores, refuse_second_audit, standings
from cupel.accept.terminal import show_vendors
from cupel.errors import AuditError


def score(vendor: str = "acme", sha: str = "a", look: int = 1, wrong: int = 2, **more: Any) -> Score:
    known: dict[str, Any] = {
        "vendor": vendor, "delivery": f"{sha}.csv", "delivery_sha256": sha, "plan": f"plan {sha}", "look": look,
        "verdict": "ACCEPT", "error_budget": 0.05, "labels": 1000, "rows_rejected": 0, "audited": 100, "wrong": wrong,
        "contested": 0, "error_bound": 0.04, "currency": "USD", "labels_cost": 100.0, "audit_cost": 50.0,
        "right_by_estimate": 980,
    }  # fmt: skip
    return Score.model_validate(known | more)


def test_the_same_outcome_is_kept_once(tmp_path: Path) -> None:
    path = tmp_path / "scores.jsonl"
    assert append_score(path, score())
    before = path.read_bytes()
    assert not append_score(path, score())
    assert path.read_bytes() == before


def test_an_outcome_is_never_changed(tmp_path: Path) -> None:
    path = tmp_path / "scores.jsonl"
    append_score(path, score())
    with pytest.raises(AuditError, match=r"line 1.*never changed"):
        append_score(path, score(wrong=1))
    with pytest.raises(AuditError, match="never changed"):
        append_score(path, score(vendor="other"))
    assert read_scores(path) == [score()]


def test_a_second_audit_of_the_same_labels_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "scores.jsonl"
    append_score(path, score())
    refuse_second_audit(path, "a", "plan a")
    refuse_second_audit(path, "b", None)
    with pytest.raises(AuditError, match="second throw of the dice"):
        refuse_second_audit(path, "a", "another plan")


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "scores.jsonl"
    append_score(path, score())
    with path.open("a") as file:
        file.write("{}\n")
    with pytest.raises(AuditError, match="line 2"):
        read_scores(path)


def test_a_delivery_counts_once_by_its_last_look() -> None:
    lines = [score(look=1, verdict="OPEN"), score(look=2, wrong=5, audited=200), score(sha="b", wrong=1)]
    for order in (lines, lines[::-1]):
        (one,) = standings(order)
        assert (one.deliveries, one.accepted, one.open, one.audited, one.wrong) == (2, 2, 0, 300, 6)
        assert one.error == 6 / 300
        assert one.low < 6 / 300 < one.high
        assert one.per_right_label == 300 / 1960


def test_vendors_are_ordered_by_error_and_costs_need_prices() -> None:
    found = standings([score("worse", wrong=9), score("better", sha="b", wrong=1, labels_cost=None)])
    assert [one.vendor for one in found] == ["better", "worse"]
    assert found[0].per_right_label is None


def test_the_interval_of_a_mixture_holds_at_least_as_often_as_it_says() -> None:
    import numpy as np

    rng = np.random.default_rng(5)
    wrongs = np.array([rng.hypergeometric(50, 950, 100, 2000), rng.hypergeometric(300, 700, 100, 2000)]).T
    truth = (0.05 + 0.3) / 2
    kept = 0
    for first, second in wrongs[:400]:
        (one,) = standings([score(wrong=int(first)), score(sha="b", wrong=int(second))])
        kept += one.low <= truth <= one.high
    assert kept / 400 >= 0.95


def test_undecided_items_are_not_in_the_error() -> None:
    (one,) = standings([score(contested=50)])
    assert one.error == 2 / 50


@pytest.fixture
def scores_file(tmp_path: Path) -> Path:
    return tmp_path / "scores.jsonl"


def test_a_buyer_sees_the_vendors_side_by_side(make_buyer: Callable[..., Any], scores_file: Path) -> None:
    for vendor, wrong in (("acme", 0), ("bolt", 300)):
        buyer = make_buyer(wrong, f"{vendor}.csv")
        buyer.run(budget=0.05, vendor=vendor, scores=scores_file)
        buyer.fill()
        _, printed = buyer.run(vendor=vendor, scores=scores_file)
    assert [one.verdict for one in read_scores(scores_file)] == ["ACCEPT", "REFUSE"]
    assert printed.index("acme ") < printed.index("bolt ", printed.index("Vendors so far"))


def test_one_delivery_has_the_interval_of_its_verdict() -> None:
    (one,) = standings([score(wrong=2)])
    expected = rate(score().labels, score().audited, 2, score().contested)
    assert (one.low, one.high) == (expected.low, expected.high)


def test_at_80_columns_no_column_of_the_vendors_table_is_lost() -> None:
    sink = io.StringIO()
    many = [score(f"a rather long vendor name {n}", sha=str(n), wrong=12, labels=120_000) for n in range(3)]
    show_vendors(Console(width=80, file=sink), standings(many))
    printed = sink.getvalue()
    assert max(map(len, printed.splitlines())) <= 80
    for word in ("accepted", "labels", "12 of", "6.36%", "20.02%", "costs", "USD", "120,000", "12%"):
        assert word in printed, word


def test_the_vendors_page_draws_every_vendor_and_escapes_its_name() -> None:
    page = vendors_page(standings([score("<b>acme"), score("bolt", sha="b", wrong=30)])).decode()
    assert page.count('class="plot"') == 2
    assert "&lt;b&gt;acme" in page
    assert "<b>acme" not in page
