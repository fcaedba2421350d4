import json
from collections.abc import Callable
from typing import Any

import pytest

from cupel.accept import folder as module
from cupel.accept.delivery import read_delivery
from cupel.accept.folder import add_look, load_plan, read_answers, take_look, write_answers
from cupel.accept.item_files import ItemFolder
from cupel.accept.looks import draw_later_look, freeze_later_look
from cupel.errors import AuditError
from cupel.store.memory import MemoryStore


def test_the_folder_appears_whole_or_not_at_all(
    make_buyer: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    buyer = make_buyer(0)

    def fail(*_: object) -> bytes:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "sheet_page", fail)
    with pytest.raises(KeyboardInterrupt):
        buyer.run(budget=0.05)
    assert not buyer.folder.exists()
    assert not list(buyer.delivery.parent.glob(".*"))


def test_the_seed_is_on_disk_before_anything_is_drawn(
    make_buyer: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    buyer = make_buyer(0)
    seen: list[dict[str, Any]] = []
    draw = module.draw_look

    def spy(*args: Any) -> Any:
        (plan,) = buyer.delivery.parent.glob(".*/plan.json")
        seen.append(json.loads(plan.read_text()))
        return draw(*args)

    monkeypatch.setattr(module, "draw_look", spy)
    buyer.run(budget=0.05, seed=11)
    assert (seen[0]["nonce"], seen[0]["nonce_source"], seen[0]["drawn"]) == ("11", "option", [])
    assert seen[0]["seed"] == json.loads((buyer.folder / "plan.json").read_text())["seed"]


@pytest.mark.parametrize(
    ("key", "value"),
    [("seed", 12), ("drawn", ["i1"]), ("alpha", 0.05), ("size", 3), ("labels", 5), ("sizes", [10, 900]), ("new", 1),
     ("sizes", []), ("nonce", "12"), ("attempt", 2), ("rejected", 1), ("freeze_sha256", "0"), ("version", 1)],
)  # fmt: skip
def test_an_altered_plan_is_refused(make_buyer: Callable[..., Any], key: str, value: object) -> None:
    buyer = make_buyer(0)
    buyer.run(budget=0.05, seed=11)
    path = buyer.folder / "plan.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    with pytest.raises(AuditError, match=r"plan\.json"):
        buyer.run()


def test_a_budget_altered_in_the_plan_no_longer_fits_the_sheet(make_buyer: Callable[..., Any]) -> None:
    buyer = make_buyer(100)
    buyer.run(budget=0.05, seed=11)
    buyer.fill()
    path = buyer.folder / "plan.json"
    path.write_text(path.read_text().replace('"error_budget": 0.05', '"error_budget": 0.5'))
    with pytest.raises(AuditError, match=r"sheet of another audit|altered"):
        buyer.run()


def test_an_altered_delivery_is_refused(make_buyer: Callable[..., Any]) -> None:
    buyer = make_buyer(0)
    buyer.run(budget=0.05)
    buyer.fill()
    before = sorted(path.name for path in buyer.folder.iterdir())
    with buyer.delivery.open("a") as file:
        file.write("i1000,text 1000,good,ann\n")
    with pytest.raises(AuditError, match=r"not the delivery that .* was planned for"):
        buyer.run()
    assert sorted(path.name for path in buyer.folder.iterdir()) == before


def test_a_folder_that_cannot_be_written_is_an_error_of_ours(make_buyer: Callable[..., Any]) -> None:
    buyer = make_buyer(0)
    buyer.folder.write_text("a file of that name")
    with pytest.raises(AuditError, match="cannot be written"):
        buyer.run(budget=0.05)
    there = {path.name for path in buyer.delivery.parent.iterdir()}
    assert there == {buyer.delivery.name, buyer.folder.name, "audit_record"}


def test_an_audit_goes_on_in_whatever_store_it_lies(make_buyer: Callable[..., Any]) -> None:
    buyer = make_buyer(0)
    buyer.run(budget=0.05, audit=20, seed=11)
    store, delivery = MemoryStore(), read_delivery(buyer.delivery)
    store.put("plan.json", (buyer.folder / "plan.json").read_bytes())
    plan, looks = load_plan(store, delivery)
    assert read_answers(store, 1) is None
    write_answers(store, 1, {"r1-0001": "good", "r1-0002": None})
    assert read_answers(store, 1) == {"r1-0001": "good", "r1-0002": None}
    ids = [one.item_id for one in delivery.labels]
    later = draw_later_look(freeze_later_look(plan, 2, 20, attempt=2), "5", "system", ids, looks[0].ids)
    drawn = take_look(plan, later, ids, looks, [])
    add_look(store, plan, delivery, later, drawn, ItemFolder(buyer.delivery))
    assert load_plan(store, delivery)[1] == [looks[0], drawn]
    assert {one.name for one in store.list()} >= {"plan-2.json", "sheet-2.csv", "sheet-2.html"}
    store.put("plan-2.json", store.read("plan-2.json").replace(b"2", b"3"))
    with pytest.raises(AuditError, match=r"plan-2\.json"):
        load_plan(store, delivery)
