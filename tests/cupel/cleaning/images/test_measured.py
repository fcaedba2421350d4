"""A batch's images become tables, whatever is wrong with some of them."""

from pathlib import Path

import pyarrow as pa

from cupel.cleaning.images.measured import measure_batch
from cupel.config.images import Images
from pictures import encoded, personal_exif, picture, write_pictures


def items(*locations: str) -> list[pa.Table]:
    return [pa.table({"item_id": [f"i{place}" for place in range(len(locations))], "text": list(locations)})]


def test_every_item_has_a_row_in_every_table_in_the_order_of_the_items(tmp_path: Path) -> None:
    names = write_pictures(tmp_path, 4)
    (tmp_path / "turned.jpg").write_bytes(encoded(picture(9), "JPEG", exif=personal_exif(6)))
    locations = [*names, "turned.jpg", "none.png", "../x.png", "http://127.0.0.1/a.png", names[0]]
    found = measure_batch("b", items(*locations), tmp_path, Images())
    for table in found:
        assert table["item_id"].to_pylist() == [f"i{place}" for place in range(len(locations))]
    files = found.image_files.to_pylist()
    assert [row["problem"] for row in files] == [
        None, None, None, None, None, "missing_file", "outside_folder", "network_forbidden", None,
    ]  # fmt: skip
    turned = files[4]
    assert (turned["width"], turned["height"], turned["orientation"]) == (64, 96, 6)
    assert turned["metadata"] == ["EXIF", "place"]


def test_two_items_on_one_file_are_equal_and_unreadable_ones_are_not(tmp_path: Path) -> None:
    (name,) = write_pictures(tmp_path, 1)
    found = measure_batch("b", items(name, f"./{name}", "none.png", "none.png"), tmp_path, Images())
    first, second, third, fourth = found.signatures["text_sha256"].to_pylist()
    assert first == second
    assert len({first, third, fourth}) == 3


def test_pieces_and_threads_change_nothing(tmp_path: Path) -> None:
    names = write_pictures(tmp_path, 12)
    (whole,) = items(*names)
    one = measure_batch("b", [whole], tmp_path, Images())
    other = measure_batch("b", [whole.slice(0, 5), whole.slice(5)], tmp_path, Images())
    for table, same in zip(one, other, strict=True):
        assert table.combine_chunks().equals(same.combine_chunks())


def test_an_empty_batch_has_empty_tables(tmp_path: Path) -> None:
    assert [table.num_rows for table in measure_batch("b", [], tmp_path, Images())] == [0, 0, 0]
