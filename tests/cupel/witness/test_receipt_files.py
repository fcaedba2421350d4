import base64
import json
from pathlib import Path

import pytest

from cupel.errors import WitnessError
from cupel.witness.receipt_files import read_receipts
from timestamp_authority import Authority


def test_a_folder_holds_stamps_and_what_programs_printed(tmp_path: Path) -> None:
    stamp = Authority(tmp_path / "authority").stamp_commitment("a" * 64)
    folder = tmp_path / "receipts"
    (folder / "2026").mkdir(parents=True)
    (folder / "one.tsr").write_bytes(stamp)
    (folder / "2026" / "again.bin").write_bytes(stamp)
    (folder / "two.txt").write_bytes(b"seen")
    found = read_receipts(folder)
    assert [(one.name, one.receipt.kind) for one in found] == [("2026/again.bin", "timestamp"), ("two.txt", "command")]


def test_a_file_of_lines_has_receipts_in_the_order_of_the_witness(tmp_path: Path) -> None:
    told = [{"hash": name * 64, "receipt": base64.b64encode(name.encode()).decode()} for name in "ba"]
    (tmp_path / "listed.jsonl").write_text("".join(json.dumps(one) + "\n" for one in told))
    found = read_receipts(tmp_path / "listed.jsonl")
    assert [(one.name, one.commitment, one.place) for one in found] == [
        ("listed.jsonl, line 1", "b" * 64, 1),
        ("listed.jsonl, line 2", "a" * 64, 2),
    ]


@pytest.mark.parametrize("line", ["{", "[]", '{"hash": "ab"}', '{"receipt": 3}', '{"receipt": "***"}', '"x"'])
def test_a_line_that_is_no_receipt_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "listed.jsonl").write_text(line + "\n")
    with pytest.raises(WitnessError, match=r"base64"):
        read_receipts(tmp_path / "listed.jsonl")


def test_a_file_that_claims_to_be_a_time_stamp_must_be_one(tmp_path: Path) -> None:
    (tmp_path / "one.tsr").write_bytes(b"none")
    with pytest.raises(WitnessError, match=r"one\.tsr: the reply is no time stamp"):
        read_receipts(tmp_path)
    (tmp_path / "one.tsr").unlink()
    with pytest.raises(WitnessError, match="holds no receipt"):
        read_receipts(tmp_path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(WitnessError, match=r"none\.tsr: cannot be read"):
        read_receipts(tmp_path / "none.tsr")
