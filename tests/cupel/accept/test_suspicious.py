import random
from pathlib import Path

from cupel.accept.delivery import Delivery, read_delivery
from cupel.accept.suspicious import suspicious_labels

WORDS = {"good": ["fine", "lovely", "great", "warm"], "bad": ["poor", "dull", "cold", "awful"]}


def delivery_with(folder: Path, flipped: set[int], count: int = 300, order: int = 1) -> Delivery:
    rng = random.Random(4)
    lines = []
    for number in range(count):
        truth = ("good", "bad")[number % 2]
        text = " ".join(rng.choices(WORDS[truth], k=4) + rng.choices(["the", "film", "was", "seen"], k=3))
        label = truth if number not in flipped else ("bad", "good")[number % 2]
        lines.append(f"{number},{text},{label}")
    path = folder / "d.csv"
    path.write_text("\n".join(["id,text,label", *lines[::order]]))
    return read_delivery(path)


def test_flipped_labels_are_listed_first(tmp_path: Path) -> None:
    flipped = {4, 77, 130, 211}
    found = suspicious_labels(delivery_with(tmp_path, flipped), frozenset())
    assert found is not None
    assert {int(one.item_id) for one in found[:4]} == flipped
    assert all(one.label != one.suggested_label for one in found)


def test_what_was_audited_is_not_listed(tmp_path: Path) -> None:
    found = suspicious_labels(delivery_with(tmp_path, {4, 77}), frozenset({"4"}))
    assert found is not None
    assert [one.item_id for one in found] == ["77"]


def test_the_order_of_the_rows_does_not_matter(tmp_path: Path) -> None:
    forth = suspicious_labels(delivery_with(tmp_path, {4, 77}), frozenset())
    back = suspicious_labels(delivery_with(tmp_path, {4, 77}, order=-1), frozenset())
    assert forth is not None
    assert back is not None
    assert [one._replace(row=0) for one in forth] == [one._replace(row=0) for one in back]


def test_from_too_little_nothing_is_suggested(tmp_path: Path) -> None:
    assert suspicious_labels(delivery_with(tmp_path, set(), count=100), frozenset()) is None
