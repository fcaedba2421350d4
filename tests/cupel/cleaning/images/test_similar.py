"""Which images resemble an earlier one."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from cupel.cleaning.images.similar import MOST_OF_ONE_HASH, HashedBatch, similar_images

BITS = 8


def hashed(batch: str, hashes: list[int | None]) -> HashedBatch:
    digits = [None if one is None else f"{one:016x}" for one in hashes]
    ids = [f"{batch}{number:03}" for number in range(len(hashes))]
    return HashedBatch(batch, pa.table({"item_id": ids, "perceptual_hash": pa.array(digits, pa.string())}))


def raw(own: HashedBatch) -> pa.Table:
    count = own.signals.num_rows
    return pa.table({"item_id": own.signals["item_id"], "source_file": ["f"] * count, "line": list(range(count))})


def pairs(own: HashedBatch, *earlier: HashedBatch) -> list[tuple[str, str, float]]:
    found = similar_images(own, earlier, raw(own), BITS).pairs.to_pylist()
    return sorted((row["item_id"], row["earlier_item_id"], row["similarity"]) for row in found)


def test_an_image_resembles_earlier_ones_of_its_batch_and_of_batches_before() -> None:
    before = hashed("a", [0b1111, 1 << 40])
    own = hashed("b", [0, (1 << 64) - 1, 0b11])
    assert pairs(own, before) == [
        ("b000", "a000", 1 - 4 / 64),
        ("b000", "a001", 1 - 1 / 64),
        ("b002", "a000", 1 - 2 / 64),
        ("b002", "a001", 1 - 3 / 64),
        ("b002", "b000", 1 - 2 / 64),
    ]


def test_a_picture_of_one_colour_resembles_nothing() -> None:
    assert pairs(hashed("b", [None, None, 5])) == []


def test_earlier_means_earlier_in_the_delivery() -> None:
    own = hashed("b", [0, 1])
    turned = raw(own).set_column(2, "line", pa.array([2, 1]))
    found = similar_images(own, [], turned, BITS).pairs.to_pylist()
    assert [(row["item_id"], row["earlier_item_id"]) for row in found] == [("b000", "b001")]


def test_frames_of_a_film_do_not_make_pairs_without_end() -> None:
    own = hashed("b", [7] * 1_000)
    found = similar_images(own, [], raw(own), BITS)
    first = MOST_OF_ONE_HASH * (MOST_OF_ONE_HASH - 1) // 2
    assert found.pairs.num_rows == first + 1_000 - MOST_OF_ONE_HASH
    assert found.beyond == 1_000 - MOST_OF_ONE_HASH
    assert set(found.pairs["item_id"].to_pylist()) == {f"b{number:03}" for number in range(1, 1_000)}


def test_an_empty_batch_has_no_pairs() -> None:
    assert pairs(hashed("b", [])) == []


@given(st.lists(st.integers(0, 255) | st.none(), max_size=30))
def test_pairs_are_those_of_a_loop(hashes: list[int | None]) -> None:
    own = hashed("b", hashes)
    expected = [
        (f"b{later:03}", f"b{before:03}", 1 - (one ^ other).bit_count() / 64)
        for later, one in enumerate(hashes)
        for before, other in enumerate(hashes[:later])
        if one is not None and other is not None and (one ^ other).bit_count() <= BITS
    ]
    assert pairs(own) == sorted(expected)
