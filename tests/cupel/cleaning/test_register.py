"""Positions: earlier batches first, the batch itself in the order of its delivery."""

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa

from cupel.cleaning.register import Register, Signed


def signed(batch: str, **texts: str) -> Signed:
    hashes = [hashlib.sha256(text.encode()).hexdigest() for text in texts.values()]
    table = pa.table({"item_id": list(texts), "text_sha256": hashes})
    return Signed(batch, lambda columns: [table.select(list(columns)).slice(row, 1) for row in range(len(hashes))])


RAW = pa.table({"item_id": ["x", "y", "z"], "source_file": ["b", "a", "a"], "line": [1, 2, 1]})
REGISTER = Register(
    signed("c", x="one", y="two", z="one"), [signed("a", p="two"), signed("b"), signed("b2", q="six")], RAW
)


def test_the_batch_stands_behind_the_earlier_ones_in_the_order_of_its_delivery() -> None:
    assert (REGISTER.first_own, REGISTER.count) == (2, 5)
    batches, ids = REGISTER.names(pa.array(range(5)).to_numpy())
    assert list(zip(batches.to_pylist(), ids.to_pylist(), strict=True)) == [
        ("a", "p"), ("b2", "q"), ("c", "z"), ("c", "y"), ("c", "x"),
    ]  # fmt: skip


def test_equal_texts_have_one_first_position() -> None:
    assert REGISTER.firsts.tolist() == [0, 1, 2, 0, 2]


def test_pieces_bring_the_positions_of_their_rows() -> None:
    own = [(positions.tolist(), piece["item_id"].to_pylist()) for positions, piece in REGISTER.own(["item_id"])]
    assert own == [([4], ["x"]), ([3], ["y"]), ([2], ["z"])]
    earlier = [(positions.tolist(), piece["item_id"].to_pylist()) for positions, piece in REGISTER.earlier(["item_id"])]
    assert earlier == [([0], ["p"]), ([1], ["q"])]


def test_names_may_be_asked_in_any_order_and_twice() -> None:
    batches, ids = REGISTER.names(pa.array([4, 0, 4]).to_numpy())
    assert (batches.to_pylist(), ids.to_pylist()) == (["c", "a", "c"], ["x", "p", "x"])


def test_batches_in_which_nothing_is_wanted_are_not_read() -> None:
    read: list[str] = []

    def watched(batch: str, **texts: str) -> Signed:
        whole = signed(batch, **texts)

        def pieces(columns: Sequence[str]) -> Iterable[pa.Table]:
            read.append(batch)
            return whole.pieces(columns)

        return Signed(batch, pieces)

    own = signed("c", x="one", y="two", z="one")
    register = Register(own, [watched("a", p="two"), watched("b2", q="six")], RAW)
    read.clear()
    wanted = np.array([False, True, True, False, False])
    assert [positions.tolist() for positions, _ in register.earlier(["item_id"], wanted)] == [[1]]
    assert read == ["b2"]
