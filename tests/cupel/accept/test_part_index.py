from pathlib import Path

from cupel.accept.delivery import read_delivery
from cupel.accept.kind_rules import make_rules
from cupel.accept.label_rules import ONE_CLASS
from cupel.accept.part_index import find_insides, index_classes, index_parts
from cupel.accept.plan import PlannedPart
from cupel.kinds import KINDS
from label_buyer import write_csv

MULTILABEL = next(kind for kind in KINDS if kind.name == "multilabel")


def test_a_label_of_several_classes_is_of_each_of_them() -> None:
    index = index_classes(['["law","war"]', '["war"]', "[]", None], make_rules(MULTILABEL, ("art", "law", "war")))
    assert index.has_value("war").tolist() == [True, True, False, False]
    assert index.has_value("law").tolist() == [True, False, False, False]
    assert not index.has_value("art").any()


def test_an_item_without_a_value_is_in_no_part(tmp_path: Path) -> None:
    rows = [["id", "text", "label", "worker", "site"], ["1", "a", "x", "ann", "s"], ["2", "b", "y", "bob", ""]]
    write_csv(tmp_path / "d.csv", rows)
    delivery = read_delivery(tmp_path / "d.csv")
    assert index_parts(delivery, ONE_CLASS, "site").count_values() == {"s": 1}
    assert index_parts(delivery, ONE_CLASS, "worker").count_values() == {"ann": 1, "bob": 1}
    parts = [PlannedPart(by="class", value="y", labels=1), PlannedPart(by="site", value="s", labels=1)]
    assert [flags.tolist() for flags in find_insides(delivery, ONE_CLASS, parts)] == [[False, True], [True, False]]
