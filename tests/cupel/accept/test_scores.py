import io
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from scipy.stats import beta

from cupel.accept import scores as scores_module
from cupel.accept.judging import rate
from cupel.accept.scores import Score, ScoreLog, standings
from cupel.errors import AuditError
from cupel.show.delivery_terminal import show_vendors
from cupel.show.delivery_verdict import vendors_page
from cupel.store.event_log import Event, EventLog
from cupel.store.local import LocalStore


def score(vendor: str = "acme", sha: str = "a", look: int = 1, wrong: int = 2, **more: Any) -> Score:
    known: dict[str, Any] = {
        "vendor": vendor, "delivery": f"{sha}.csv", "delivery_sha256": sha, "plan": f"plan {sha}", "look": look,
        "verdict": "ACCEPT", "error_budget": 0.05, "labels": 1000, "rows_rejected": 0, "audited": 100, "wrong": wrong,
        "contested": 0, "error_bound": 0.04, "currency": "USD", "labels_cost": 100.0, "audit_cost": 50.0,
        "right_by_estimate": 980,
    }  # fmt: skip
    return Score.model_validate(known | more)


@pytest.fixture
def log(tmp_path: Path) -> ScoreLog:
    return ScoreLog(tmp_path / "scores")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_the_same_outcome_is_kept_once(log: ScoreLog) -> None:
    assert log.append(score())
    before = contents(log.folder)
    assert not log.append(score())
    assert contents(log.folder) == before


def test_an_outcome_is_never_changed(log: ScoreLog) -> None:
    log.append(score())
    with pytest.raises(AuditError, match=r"event 1.*never changed"):
        log.append(score(wrong=1))
    with pytest.raises(AuditError, match="never changed"):
        log.append(score(vendor="other"))
    assert log.read() == [score()]


def test_a_second_audit_of_the_same_labels_is_refused(log: ScoreLog) -> None:
    log.append(score())
    log.refuse_second_audit("a", "plan a")
    log.refuse_second_audit("b", None)
    with pytest.raises(AuditError, match=r"event 1.*second throw of the dice"):
        log.refuse_second_audit("a", "another plan")


def test_an_altered_score_is_named_by_file_and_event(log: ScoreLog) -> None:
    log.append(score())
    log.append(score(sha="b"))
    (second,) = log.folder.glob("*2.jsonl")
    second.write_text(second.read_text().replace('"wrong":2', '"wrong":1'))
    with pytest.raises(AuditError, match=rf"{re.escape(str(second))}: event 2 was altered"):
        ScoreLog(log.folder).read()


def earlier_lines(*scores: Score) -> str:
    return "".join(f"{json.dumps(one.model_dump(mode='json'), ensure_ascii=False, sort_keys=True)}\n" for one in scores)


@pytest.mark.parametrize("name", ["scores", "scores.jsonl"])
def test_scores_of_an_earlier_version_are_the_first_events_of_the_log(tmp_path: Path, name: str) -> None:
    file = tmp_path / "scores.jsonl"
    file.write_text(lines := earlier_lines(score(), score(vendor="<ü>", sha="b", labels_cost=0.1)))
    log = ScoreLog(tmp_path / name)
    known = log.read()
    assert [one.delivery_sha256 for one in known] == ["a", "b"]
    assert file.exists()
    with pytest.raises(AuditError, match="second throw of the dice"):
        log.refuse_second_audit("a", "another plan")
    assert log.append(score(sha="c"))
    assert log.read() == [*known, score(sha="c")]
    assert not file.exists()
    assert (tmp_path / "scores.jsonl.old").read_text() == lines


def test_a_kill_before_the_earlier_file_is_set_aside_doubles_no_score(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "scores.jsonl"
    file.write_text(earlier_lines(score(), score(sha="b")))
    log = ScoreLog(tmp_path / "scores")

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(scores_module, "move", fail)
        with pytest.raises(KeyboardInterrupt):
            log.append(score(sha="c"))
    assert file.exists()
    assert [one.delivery_sha256 for one in log.read()] == ["a", "b", "c"]
    assert not log.append(score(sha="c"))
    assert not file.exists()
    assert [one.delivery_sha256 for one in log.read()] == ["a", "b", "c"]


def test_a_broken_line_of_an_earlier_version_is_named_and_nothing_is_converted(log: ScoreLog) -> None:
    log.earlier_file.write_text(lines := earlier_lines(score()) + "{}\n")
    for use in (log.read, lambda: log.append(score(sha="b"))):
        with pytest.raises(AuditError, match=r"scores\.jsonl, line 2"):
            use()
    assert log.earlier_file.read_text() == lines
    assert not log.folder.exists()


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


def test_a_buyer_sees_the_vendors_side_by_side(make_buyer: Callable[..., Any], log: ScoreLog) -> None:
    for vendor, wrong in (("acme", 0), ("bolt", 300)):
        buyer = make_buyer(wrong, f"{vendor}.csv")
        buyer.run(budget=0.05, vendor=vendor, scores=log.folder)
        buyer.fill()
        _, printed = buyer.run(vendor=vendor, scores=log.folder)
    assert [one.verdict for one in log.read()] == ["ACCEPT", "REFUSE"]
    assert log.page.name == "scores.html"
    assert log.page.is_file()
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


def test_a_file_that_another_process_has_set_aside_meanwhile_is_no_error(
    log: ScoreLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.earlier_file.write_text(earlier_lines(score()))
    append = EventLog.append

    def append_and_be_overtaken(self: EventLog, decide: Callable[[list[Event]], Iterable[Event]]) -> list[Event]:
        found = append(self, decide)
        log.earlier_file.rename(log.earlier_file.with_suffix(".jsonl.old"))
        return found

    monkeypatch.setattr(EventLog, "append", append_and_be_overtaken)
    assert log.append(score(sha="b"))
    assert [one.delivery_sha256 for one in log.read()] == [score().delivery_sha256, "b"]


def test_first_time_acceptance_counts_first_looks_at_new_items_alone() -> None:
    found = standings(
        [
            score(sha="a", attempt=1, verdict="ACCEPT", audited=100, wrong=2, contested=4),
            score(sha="b", attempt=1, verdict="OPEN", audited=100, wrong=6),
            score(sha="b", attempt=1, look=2, verdict="ACCEPT", audited=250, wrong=7),
            score(sha="c", attempt=2, verdict="ACCEPT", audited=300, wrong=0),  # what was sent back, mended
            score(sha="d", attempt=None, verdict="REFUSE", audited=50, wrong=20),  # of a version that did not tell
            score(sha="e", attempt=1, look=2, verdict="ACCEPT", audited=80, wrong=0),  # its first look was not scored
        ]
    )
    (one,) = found
    assert (one.first_looks, one.first_accepted) == (3, 1)
    assert (one.first_right, one.first_settled) == (96 - 2 + 94 + 30, 96 + 100 + 50)
    # The exact lower bound of 218 of 246, by an independent computation.
    assert one.first_low == pytest.approx(float(beta.ppf(0.05, 218, 246 - 218 + 1)))
    assert (one.deliveries, one.accepted) == (5, 4)
    out = io.StringIO()
    show_vendors(Console(file=out, width=200), found)
    assert (
        "acme: accepted at first look 1 of 3 deliveries; right at first look 218 of 246 checked labels"
        in out.getvalue()
    )
    assert "1 of 3" in vendors_page(found).decode()


def test_a_vendor_whose_first_looks_nobody_scored_has_no_first_time_acceptance() -> None:
    (one,) = standings([score(look=2, attempt=1)])
    assert (one.first_looks, one.first_low) == (0, None)
    out = io.StringIO()
    show_vendors(Console(file=out, width=200), [one])
    assert "first-time acceptance unknown" in out.getvalue()


def test_scores_of_before_there_were_attempts_are_read(log: ScoreLog) -> None:
    older = {name: value for name, value in score().model_dump(mode="json").items() if name != "attempt"}
    EventLog(LocalStore(log.folder.parent), log.folder.name).append(lambda _: [older])
    assert log.read() == [score()]
    assert not log.append(score())
