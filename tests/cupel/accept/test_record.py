"""The record of audits, by the command that keeps it."""

import csv
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cupel.accept import freezing
from cupel.accept.record import AuditRecord
from cupel.commands.accept_delivery import ExitCode
from cupel.errors import AuditError
from cupel.store.event_log import EventLog
from cupel.store.local import LocalStore

Make = Callable[..., Any]


def plan_of(buyer: Any, name: str = "plan.json") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((buyer.folder / name).read_text())
    return found


def copy_as(buyer: Any, name: str, change: Callable[[str], str] = lambda text: text) -> Any:
    path = buyer.delivery.with_name(name)
    path.write_text(change(buyer.delivery.read_text()))
    return buyer._replace(delivery=path)


def events(buyer: Any) -> list[Any]:
    return EventLog(LocalStore(buyer.delivery.parent), "audit_record").read()


@pytest.mark.parametrize("ends", [1, 2, 3])
def test_a_refused_delivery_with_line_ends_more_under_another_name_is_known(make_buyer: Make, ends: int) -> None:
    buyer = make_buyer(300)
    buyer.run(budget=0.05, vendor="acme", scores=buyer.delivery.parent / "scores")
    buyer.fill()
    assert buyer.run(vendor="acme", scores=buyer.delivery.parent / "scores")[0] == ExitCode.REFUSE
    again = copy_as(buyer, "again.csv", lambda text: text + "\n" * ends)
    with pytest.raises(AuditError, match=rf"came to REFUSE.*second throw of the dice; go on in folder {buyer.folder}"):
        again.run(budget=0.05, vendor="bolt", scores=buyer.delivery.parent / "scores")
    assert not again.folder.exists()


def test_the_same_file_goes_on_with_line_ends_more(make_buyer: Make) -> None:
    buyer = make_buyer(0)
    buyer.run(budget=0.05)
    buyer.fill()
    with buyer.delivery.open("a") as file:
        file.write("\n\n")
    assert buyer.run()[0] == ExitCode.ACCEPT


def test_other_labels_on_the_same_items_are_the_next_attempt_and_the_buyer_is_told(make_buyer: Make) -> None:
    buyer = make_buyer(300)
    buyer.run(budget=0.05)
    again = copy_as(buyer, "relabelled.csv", lambda text: text.replace(",good,", ",GOOD,"))
    _, printed = again.run(budget=0.05)
    plan, first = plan_of(again), plan_of(buyer)
    assert (plan["attempt"], plan["alpha"], first["attempt"]) == (2, 0.005, 1)
    assert (plan["earlier"]["items"], plan["earlier"]["delivery"]) == (1000, "delivery.csv")
    assert plan["size"] == plan["earlier"]["size_needed"] > plan["earlier"]["size_alone"] == first["size"]
    words = " ".join(printed.split())
    assert "1,000 of 1,000 items were audited before (last in delivery.csv, " in words
    assert "this is attempt 2, its alpha is 0.5%; the audit is" in words
    assert "Audited before" in (again.folder / "plan.html").read_text()
    again.fill(answer=lambda _, right: {"good": "GOOD"}.get(right, right))
    again.run()
    assert "this is attempt 2" in (again.folder / "verdict.html").read_text()
    assert json.loads((again.folder / "verdict.json").read_text())["attempt"] == 2


def test_each_look_takes_the_next_attempt_of_its_items_when_it_is_drawn(make_buyer: Make) -> None:
    buyer = make_buyer(0)
    buyer.run(budget=0.05, audit=60)
    again = copy_as(buyer, "again.csv", lambda text: text.replace("i1,", "other,"))
    again.run(budget=0.05)
    buyer.fill(answer=lambda number, right: right if number > 1 else {"good": "bad", "bad": "good"}[right])
    assert buyer.run()[0] == ExitCode.OPEN
    (later,) = buyer.folder.glob("plan-*.json")
    assert [plan_of(buyer)["attempt"], plan_of(again)["attempt"], plan_of(buyer, later.name)["attempt"]] == [1, 2, 3]


def test_one_shared_item_links_and_so_does_one_that_is_nearly_the_same(make_buyer: Make, tmp_path: Path) -> None:
    text = "The parcel came on a Tuesday; the box was torn and the lamp in it was broken."
    rng = random.Random(2)
    for number, said in enumerate((text, "Nothing of this was ever seen before by anybody.", text, f"{text}!!")):
        fresh = ["".join(rng.choices("abcdefghijklm", k=60)) for _ in range(39)]
        lines = [f"i{n},{one},{'ab'[n % 2]}" for n, one in enumerate([said, *fresh])]
        (tmp_path / f"d{number}.csv").write_text("\n".join(["id,text,label", *lines]))
    found = []
    for number in range(4):
        buyer = make_buyer(0)._replace(delivery=tmp_path / f"d{number}.csv")
        buyer.run(budget=0.2)
        earlier = plan_of(buyer)["earlier"]
        found.append((plan_of(buyer)["attempt"], earlier and (earlier["items"], earlier["near_items"])))
    assert found == [(1, None), (1, None), (2, (1, 0)), (3, (0, 1))]


def test_whoever_names_another_column_as_the_text_has_the_same_items(make_buyer: Make, tmp_path: Path) -> None:
    rng = random.Random(5)
    texts = [["".join(rng.choices("abcdefghijklm", k=40)) for _ in range(2)] for _ in range(60)]
    lines = [f"i{n},{one},{other},{'ab'[n % 2]}" for n, (one, other) in enumerate(texts)]
    plans = []
    for name, options in (("one.csv", {}), ("two.csv", {"text": "title"})):
        buyer = make_buyer(0)._replace(delivery=tmp_path / name)
        buyer.delivery.write_text("\n".join(["id,text,title,label", *lines]))
        buyer.run(budget=0.2, **options)
        plans.append(plan_of(buyer))
    assert [plan["attempt"] for plan in plans] == [1, 2]
    assert plans[1]["earlier"]["items"] == 60


def test_the_freeze_is_recorded_before_there_is_a_nonce_and_a_kill_between_draws_no_second_time(
    make_buyer: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    buyer = make_buyer(0)

    def fail(*_: object) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(freezing.secrets, "token_hex", fail)
        with pytest.raises(KeyboardInterrupt):
            buyer.run(budget=0.05)
    assert [event["event"] for event in events(buyer)] == ["freeze"]
    buyer.run(budget=0.05)
    assert [event["event"] for event in events(buyer)] == ["freeze", "draw"]
    first = (buyer.folder / "sheet.csv").read_bytes()
    for path in (*buyer.folder.iterdir(), buyer.folder):
        path.rmdir() if path.is_dir() else path.unlink()
    # Who throws the folder away gets the same draw again.
    buyer.run(budget=0.05)
    assert (buyer.folder / "sheet.csv").read_bytes() == first
    assert [event["event"] for event in events(buyer)] == ["freeze", "draw"]


def test_a_sample_that_was_judged_is_not_judged_again_with_other_answers(make_buyer: Make) -> None:
    buyer = make_buyer(300)
    buyer.run(budget=0.05)
    buyer.fill()
    buyer.run()
    for path in buyer.folder.iterdir():
        path.unlink()
    buyer.folder.rmdir()
    buyer.run(budget=0.05)
    rows = {row["text"]: row["label"] for row in csv.DictReader(buyer.delivery.open())}
    buyer._replace(right=rows).fill()
    with pytest.raises(AuditError, match=r"judged before with other answers, .* wrong .*: REFUSE"):
        buyer.run()


def test_a_nonce_chosen_beforehand_is_allowed_and_told(make_buyer: Make) -> None:
    told = []
    for name, seed in (("one.csv", None), ("two.csv", 7)):
        buyer = make_buyer(0, name)
        buyer.run(budget=0.05, seed=seed, record=buyer.delivery.parent / name[:3])
        buyer.fill()
        buyer.run(record=buyer.delivery.parent / name[:3])
        told.append("chosen beforehand" in json.loads((buyer.folder / "verdict.json").read_text())["wording"])
    assert told == [False, True]


def test_a_record_that_was_cut_altered_or_left_elsewhere_is_refused_by_name(make_buyer: Make) -> None:
    buyer = make_buyer(0)
    buyer.run(budget=0.05)
    record = buyer.delivery.parent / "audit_record"
    with pytest.raises(AuditError, match=r"elsewhere does not hold this look; name the record .* with --record"):
        buyer.run(record=record.with_name("elsewhere"))
    for name, pattern in (("000000000001.jsonl", "was altered"), ("000000000002.jsonl", "were cut off"),
                          (next(record.glob("items/*")).relative_to(record), "gone")):  # fmt: skip
        path = record / name
        content = path.read_bytes()
        if pattern == "was altered":
            path.write_bytes(content.replace(b'"attempt":1', b'"attempt":2'))
        else:
            path.unlink()
        other = copy_as(buyer, "other.csv", lambda text: text.replace("i1,", "x,"))
        with pytest.raises(AuditError, match=pattern):
            other.run(budget=0.05)
        path.write_bytes(content)
    (record / "items" / "x").write_text("left there by somebody")
    AuditRecord(record).read()


def test_a_folder_of_scores_is_no_record(make_buyer: Make) -> None:
    buyer = make_buyer(0)
    scores = buyer.delivery.parent / "scores"
    buyer.run(budget=0.05, vendor="acme", scores=scores)
    buyer.fill()
    buyer.run(vendor="acme", scores=scores)
    with pytest.raises(AuditError, match=r"scores, event 1: not of a record of audits"):
        copy_as(buyer, "again.csv").run(budget=0.05, record=scores)


def test_wrong_labels_called_undecided_are_never_accepted_above_the_limit(make_buyer: Make) -> None:
    for wrong in (80, 150):
        buyer = make_buyer(wrong, f"d{wrong}.csv")
        buyer.run(budget=0.01, record=buyer.delivery.parent / str(wrong))
        delivered = {row["text"]: row["label"] for row in csv.DictReader(buyer.delivery.open())}
        rows = list(csv.reader((buyer.folder / "sheet.csv").open(encoding="utf-8-sig")))
        buyer.fill(answer=lambda n, right, rows=rows, said=delivered: right if said[rows[n + 1][1]] == right else "?")
        code, printed = buyer.run(record=buyer.delivery.parent / str(wrong))
        assert code in (ExitCode.REFUSE, ExitCode.OPEN)
        assert "cannot be decided" in printed


def test_a_plan_of_an_earlier_version_is_judged_by_its_own_rule(make_buyer: Make) -> None:
    buyer = make_buyer(0)
    buyer.run(budget=0.05, seed=11)
    plan = plan_of(buyer)
    from cupel.accept.delivery import read_delivery
    from cupel.accept.looks import draw_look
    from cupel.accept.plan import Plan

    delivery = read_delivery(buyer.delivery)
    settings = {name: value for name, value in plan["settings"].items() if name != "max_undecided"}
    kept = ("delivery", "labels", "rejected", "sizes", "look", "size", "alpha", "shown")
    old: dict[str, Any] = {"version": 1, "delivery_sha256": delivery.sha256, "settings": settings, "seed": 11} | {
        n: plan[n] for n in kept
    }
    ids = [one.item_id for one in delivery.labels]
    old["drawn"] = draw_look(Plan.model_validate({**old, "drawn": ()}), ids)
    # Its key as the version that wrote it made it: of delivery, settings, seed and sizes.
    for path in buyer.folder.iterdir():
        path.unlink()
    (buyer.folder / "plan.json").write_text(json.dumps(old))
    parsed = Plan.model_validate(old)
    lines = [f"r{parsed.key[:6]}-{n:04d},{buyer.right[f'text {item[1:]}']}" for n, item in enumerate(old["drawn"], 1)]
    (buyer.folder / "sheet.csv").write_text("\n".join(["row,label", *lines]))
    assert buyer.run(seed=11)[0] == ExitCode.ACCEPT
    verdict = json.loads((buyer.folder / "verdict.json").read_text())
    assert (verdict["max_undecided"], verdict["attempt"]) == (None, 1)
    assert "earlier version" in verdict["wording"]
