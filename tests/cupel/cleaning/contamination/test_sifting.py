import numpy as np
import pyarrow as pa
import pytest

from contamination_designs import flags
from cupel.cleaning.contamination.sifting import rejected_items, sifted_items, wanted
from cupel.cleaning.decide import Decision
from cupel.contract.table import from_rows
from cupel.contract.tables.cleaning import REJECTED_ITEMS
from cupel.contract.tables.contamination import CONTAMINATION_ANSWERS, CONTAMINATION_ITEMS
from cupel.errors import TableError

PLACE = {"batch": "one", "source_file": "a"}
RAW = pa.table(
    {"batch": ["one"] * 4, "item_id": ["a", "b", "c", "d"], "source_file": ["a"] * 4, "line": [1, 2, 3, 4],
     "licence": ["MIT"] * 4}
)  # fmt: skip
SHORT = PLACE | {"item_id": "b", "line": 2, "reason": "too_short", "value": 1.0, "threshold": 2.0}
DECISION = Decision(
    pa.table({"item_id": ["a", "b", "c", "d"], "group_id": ["a", None, "c", "d"]}), from_rows([SHORT], REJECTED_ITEMS),
    pa.table({}),
)  # fmt: skip
SIFTED = sifted_items(RAW, DECISION)
ITEMS = from_rows(
    [
        PLACE | {"item_id": "a", "use": None, "score": -1.0, "rank": 1},
        PLACE | {"item_id": "c", "use": "train", "score": 2.0, "rank": None},
        PLACE | {"item_id": "d", "use": None, "score": 1.0, "rank": 2},
    ],
    CONTAMINATION_ITEMS,
)
SAID = {"sequence": 7, "batch": "one", "item_id": "c", "purpose": "contamination", "annotator": "eve", "label": "spam"}
ANSWERS = from_rows([SAID], CONTAMINATION_ANSWERS)


def test_what_rules_dropped_keeps_its_reason() -> None:
    assert SIFTED.to_pylist()[1] == SHORT | {"group_id": None, "evidence": None, "licence": "MIT"}
    assert SIFTED["group_id"].to_pylist() == ["a", None, "c", "d"]


def test_every_item_is_kept_or_rejected() -> None:
    is_kept = flags([True, False, False])
    kept = wanted(SIFTED, ITEMS, is_kept)
    rejected = rejected_items(SIFTED, ITEMS, ANSWERS, is_kept, {"cut": 1, "cut_score": -1.0}, "good").to_pylist()
    assert kept["group_id"].to_pylist() == ["a", None, None, None]
    assert [(row["item_id"], row["reason"]) for row in rejected] == [
        ("b", "too_short"), ("c", "contaminated"), ("d", "contaminated"),
    ]  # fmt: skip


def test_the_contaminated_have_their_score_the_cut_and_why() -> None:
    rejected = rejected_items(
        SIFTED, ITEMS, ANSWERS, flags([True, False, False]), {"cut": 1, "cut_score": -1.0}, "good"
    ).to_pylist()[1:]
    assert [(row["value"], row["threshold"]) for row in rejected] == [(2.0, -1.0), (1.0, -1.0)]
    assert [row["evidence"] for row in rejected] == ["answer 7 does not say good", "rank 2 is behind the cut at 1"]


def test_items_of_another_sifting_are_refused() -> None:
    with pytest.raises(TableError, match="holds other items than sifted_items left"):
        wanted(SIFTED, ITEMS.slice(1), np.ones(2, np.bool_))
