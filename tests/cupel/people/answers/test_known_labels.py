import pyarrow as pa

from cupel.contract.ontology import Ontology
from cupel.kinds.category import CATEGORY
from cupel.people.answers.known_labels import parse_known
from toy_kind import NUMBER

LINE = Ontology(("3", "4"))


def test_known_labels_get_their_canonical_text_and_what_is_none_stays_as_it_is() -> None:
    gold = pa.table({"item_id": ["a", "b", "c", "d"], "label": [" 4.0", "3", "warm", None]})
    assert parse_known(gold, NUMBER, LINE)["label"].to_pylist() == ["4", "3", "warm", None]
    assert parse_known(gold, CATEGORY, LINE).equals(gold)
