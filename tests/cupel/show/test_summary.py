import dataclasses
import json
from typing import Any

from cupel.release.facts import BatchFacts
from cupel.show.summary import Delivery, batch_reason, deliveries, summary

KEYS = {
    "items_in", "rejected", "rejected_answers",
    "items_labelled", "crew_error", "consensus_error", "adjudicated", "audited", "audit_wrong",
    "contested", "error_bound", "error_bound_with_contested", "confidence", "error_budget", "gate", "gate_reason",
    "released", "experts_seen_share", "release", "report",
}  # fmt: skip


def batch_of(made: Any, name: str = "newspaper", **values: Any) -> BatchFacts:
    found: BatchFacts = dataclasses.replace(made.facts.batches[0], batch=name, **values)
    return found


def gate(outcome: str, severity: str = "critical") -> dict[str, Any]:
    return {"stage": "cleaning", "check": "kept_share", "outcome": outcome, "severity": severity, "reason": "because"}


def test_a_certified_release_says_all_that_is_known(certified: Any) -> None:
    content = summary(certified.project, [certified.facts], {"movies-r1": "r"}, {"movies-r1": "r.html"})
    found, result = content["deliveries"]["movies"], certified.facts.result
    assert set(found) == KEYS
    assert (found["gate"], found["release"], found["report"]) == ("PASS", "r", "r.html")
    assert (found["items_in"], found["rejected"]) == (420, {"near duplicate": 13, "too short": 7})
    assert found["released"] == certified.tables.training_set.num_rows
    assert all(found[name] == result[name] for name in ("audited", "audit_wrong", "error_bound", "experts_seen_share"))
    errors = {row["decided_by"]: row["error"] for row in certified.facts.stage_errors}
    assert (found["crew_error"], found["consensus_error"]) == (errors["one annotator"], errors["consensus"])
    json.dumps(content, allow_nan=False)


def test_a_refused_release_has_no_folder_and_says_why(refused: Any) -> None:
    found = summary(refused.project, [refused.facts], {}, {"movies-r1": "r.html"})["deliveries"]["movies"]
    assert (found["gate"], found["release"], found["released"]) == ("REFUSED", None, 0)
    assert found["gate_reason"] == refused.facts.result["reason"]


def test_a_delivery_that_never_got_to_a_release_has_the_same_keys(certified: Any) -> None:
    found = summary(certified.project, [certified.facts, batch_of(certified)], {}, {})["deliveries"]["newspaper"]
    assert set(found) == KEYS
    assert (found["gate"], found["error_bound"], found["crew_error"], found["audited"]) == ("OPEN", None, None, None)
    assert found["error_budget"] == 0.05


def test_a_release_of_several_deliveries_stands_for_each(certified: Any) -> None:
    both = [certified.facts.batches[0], batch_of(certified)]
    facts = dataclasses.replace(certified.facts, batches=both)
    found = deliveries([facts, facts, batch_of(certified, "tweets")])
    assert [delivery.batch.batch for delivery in found] == ["movies", "newspaper", "tweets"]
    assert [delivery.release is facts for delivery in found] == [True, True, False]


def test_without_a_release_a_failed_check_refuses_and_only_a_critical_one(certified: Any) -> None:
    assert Delivery(batch_of(certified, gates=[gate("fail")])).verdict == "REFUSED"
    assert Delivery(batch_of(certified, gates=[gate("fail", "warning")])).verdict == "OPEN"
    assert Delivery(batch_of(certified, gates=[])).verdict == "OPEN"


def test_the_reason_names_what_failed_or_what_is_awaited(certified: Any) -> None:
    assert batch_reason(batch_of(certified, gates=[gate("fail")])) == "checks failed: kept_share (cleaning): because"
    waiting = batch_of(certified, gates=[gate("open")], tasks_open=1200)
    assert batch_reason(waiting) == "waiting: because; 1,200 questions wait for an answer"
    assert batch_reason(batch_of(certified, gates=[])) == "no stage has been judged yet"
