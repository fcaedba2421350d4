import json
from collections.abc import Callable

import pytest

from cupel.commands.accept_delivery import ExitCode
from label_buyer import Buyer, read_csv, write_csv

Make = Callable[..., Buyer]


def deliver_again(buyer: Buyer, mended: int, name: str = "again.csv") -> Buyer:
    """Return the delivery once more, with the labels of so many of the items sent back mended and in another order."""
    back = [row[0] for row in read_csv(buyer.folder / "send_back.csv")[1:]]
    rows = read_csv(buyer.delivery)
    for row in rows[1:]:
        if row[0] in back[:mended]:
            row[2] = buyer.right[row[1]]
    path = buyer.delivery.with_name(name)
    write_csv(path, [rows[0], *reversed(rows[1:])])
    return Buyer(path, buyer.right)


@pytest.fixture
def refused(make_buyer: Make) -> Buyer:
    buyer = make_buyer(300)
    buyer.run(budget=0.05)
    buyer.fill()
    assert buyer.run()[0] == ExitCode.REFUSE
    return buyer


def test_items_sent_back_that_come_again_are_counted_and_the_unchanged_named(refused: Buyer) -> None:
    back = [row[0] for row in read_csv(refused.folder / "send_back.csv")[1:]]
    again = deliver_again(refused, mended=len(back) - 2)
    _, planned = again.run(budget=0.05)
    words = f"Of {len(back)} items sent back after delivery.csv"
    assert words in planned
    assert f"{len(back)} come again: {len(back) - 2} with another label, 2 unchanged: " in planned
    again.fill()
    _, judged = again.run()
    assert words in judged
    (returned,) = json.loads((again.folder / "verdict.json").read_text())["returned"]
    assert (returned["sent_back"], returned["came_back"], returned["changed"]) == (len(back), len(back), len(back) - 2)
    assert sorted(returned["unchanged"]) == sorted(back[-2:])


def test_a_delivery_of_other_items_brings_nothing_back(refused: Buyer, make_buyer: Make) -> None:
    rows = read_csv(refused.delivery)
    path = refused.delivery.with_name("other.csv")
    write_csv(path, [rows[0], *([f"x{row[0]}", f"quite another sentence {row[0]}", *row[2:]] for row in rows[1:])])
    _, planned = Buyer(path, {}).run(budget=0.05)
    assert "sent back after" not in planned


def test_a_verdict_does_not_call_its_own_items_returned(refused: Buyer) -> None:
    assert refused.run()[1].count("sent back after") == 0
    assert json.loads((refused.folder / "verdict.json").read_text())["returned"] == []


def test_the_record_holds_no_text_and_no_label_of_what_was_sent_back(refused: Buyer) -> None:
    record = refused.delivery.parent / "audit_record"
    (content,) = [path.read_bytes() for path in (record / "sent_back").iterdir()]
    assert len(content) == 32 * len(read_csv(refused.folder / "send_back.csv")[1:])
    assert b"good" not in content
    assert b"text" not in content
