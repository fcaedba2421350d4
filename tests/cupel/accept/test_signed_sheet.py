import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cupel.commands.accept_delivery import ExitCode
from cupel.errors import CupelError
from cupel.signing.keys import make_key, write_key
from cupel.signing.signed_files import find_envelope_path, sign_file


@pytest.fixture
def filled(make_buyer: Callable[..., Any]) -> Any:
    buyer = make_buyer(0)
    buyer.run(budget=0.05)
    buyer.fill()
    return buyer


def test_the_verdict_says_whose_the_sheet_is_and_goes_on_saying_it(filled: Any, tmp_path: Path) -> None:
    key = make_key()
    public = write_key(key, tmp_path / "anna.pem", None)
    sign_file(filled.folder / "sheet.csv", key)
    for _ in range(2):
        code, printed = filled.run(key=public)
        assert code == ExitCode.ACCEPT
        (signed,) = json.loads((filled.folder / "verdict.json").read_text())["signed"]
        assert (signed["look"], signed["key_id"], signed["who"]) == (1, key.public.key_id, "anna.public.pem")
        assert f"signed by {key.public.key_id[:16]}" in printed
    assert key.public.key_id in (filled.folder / "verdict.html").read_text()


@pytest.mark.parametrize("case", ["stranger", "changed", "other sheet", "unsigned"])
def test_a_sheet_that_is_not_signed_as_it_is_by_a_trusted_key_is_refused(
    filled: Any, tmp_path: Path, case: str
) -> None:
    key, sheet = make_key(), filled.folder / "sheet.csv"
    public = write_key(key, tmp_path / "anna.pem", None)
    if case == "stranger":
        sign_file(sheet, make_key())
    elif case == "changed":
        sign_file(sheet, key)
        sheet.write_text(sheet.read_text(encoding="utf-8-sig").replace(",good", ",?", 1))
    elif case == "other sheet":
        other = tmp_path / "other.csv"
        other.write_text("row,label\n")
        find_envelope_path(sheet).write_bytes(sign_file(other, key).read_bytes())
    words = {"stranger": "which anna.public.pem does not hold", "unsigned": "cannot be read"}
    with pytest.raises(CupelError, match=words.get(case, "of another content")):
        filled.run(key=public)
    assert not (filled.folder / "answers.json").exists()


def test_a_verdict_without_a_signature_does_not_get_one_later(filled: Any, tmp_path: Path) -> None:
    filled.run()
    key = make_key()
    public = write_key(key, tmp_path / "anna.pem", None)
    sign_file(filled.folder / "sheet.csv", key)
    with pytest.raises(CupelError, match=r"signed\.json: missing: look 1 was judged by a sheet whose signature"):
        filled.run(key=public)
