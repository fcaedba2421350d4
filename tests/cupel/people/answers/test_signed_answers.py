import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from cupel.people.answers.signed_answers import (
    SIGNED_ANSWERS,
    copy_signed_files,
    describe_answers,
    digest_answer,
    match_signatures,
    read_signed_files,
    sort_files,
)
from cupel.signing.keys import PrivateKey, make_key
from cupel.signing.signed_files import find_envelope_path, sign_file
from cupel.signing.trusted_keys import Revocation, TrustedKeys, add_key, revoke_key
from cupel.store.event_log import EventLog
from cupel.store.memory import MemoryStore

EVE, MALLORY = make_key(), make_key()
TRUSTED = add_key(TrustedKeys((), "keys.json"), EVE.public, "Eve", "2026-11-30T00:00:00Z")
HEADER = "batch,item_id,purpose,annotator,label\n"
ROWS = "one,a,expert,eve,warm\none,b,expert,eve,\none,a,label,ann,cold\n"


@pytest.fixture
def log() -> EventLog:
    return EventLog(MemoryStore(), SIGNED_ANSWERS)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "eve.csv"
    path.write_text(HEADER + ROWS)
    return path


def sign(path: Path, key: PrivateKey = EVE) -> None:
    sign_file(path, key, describe_answers(path))


def answer(sequence: int, label: str | None = "warm", item_id: str = "a", file: str = "eve.csv") -> dict[str, Any]:
    source = f"recorded:{file}" if file else "label_studio:3"
    return {"sequence": sequence, "batch": "one", "item_id": item_id, "label": label, "source": source}


def test_a_signed_file_is_recorded_before_its_answers_and_once(path: Path, log: EventLog) -> None:
    sign(path)
    for answers in (7, 9):
        assert sort_files([path], TRUSTED, log, answers) == ([path], {})
    [found] = read_signed_files(log)
    assert (found.file, found.answers_from, found.key_id, found.who) == ("eve.csv", 8, EVE.public.key_id, "Eve")
    assert list(found.digests) == sorted([digest_answer("one", "a", "warm"), digest_answer("one", "b", None)])


def test_answers_count_as_signed_if_their_file_was_when_they_came_and_names_them(path: Path, log: EventLog) -> None:
    sort_files([path], TRUSTED, log, 0)
    assert log.read() == []  # nothing is recorded of a project in which nobody signs
    sign(path)
    sort_files([path], TRUSTED, log, 10)
    find_envelope_path(path).unlink()
    sort_files([path], TRUSTED, log, 20)
    rows = [
        answer(10), answer(11), answer(12, None, "b"), answer(13, "cold"), answer(14, file="other.csv"),
        answer(15, file=""), answer(16, file="eve.csv@model"), answer(17, file="eve.csv@guideline-0123"), answer(21),
    ]  # fmt: skip
    found = match_signatures(pa.Table.from_pylist(rows), read_signed_files(log))
    assert found == [None, 0, 0, None, None, None, 0, 0, None]


def test_an_unsigned_file_is_taken_in_and_without_keys_nothing_is_looked_at(path: Path, log: EventLog) -> None:
    assert sort_files([path], TRUSTED, log, 0) == ([path], {})
    sign(path, MALLORY)
    assert sort_files([path], None, log, 0) == ([path], {})
    assert read_signed_files(log) == []


def change_a_label(path: Path) -> None:
    sign(path)
    path.write_text(path.read_text().replace("warm", "cold"))


def put_beside_another_of_its_name(path: Path) -> None:
    sign(path)
    other = path.parent / "other" / path.name
    other.parent.mkdir()
    shutil.copy(path, other)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: sign(path, MALLORY), "signed by key ID_OF_MALLORY, which keys.json does not hold"),
        (change_a_label, "is a signature by Eve of another content"),
        (lambda path: sign_file(path, EVE), "does not name the answers of its file"),
        (lambda path: find_envelope_path(path).write_text("{"), "cut or damaged"),
        (put_beside_another_of_its_name, "another file of answers has this name"),
    ],
)
def test_nothing_is_taken_of_a_file_whose_signature_does_not_hold(
    path: Path, log: EventLog, spoil: Any, words: str
) -> None:
    spoil(path)
    files = [path, *path.parent.glob("other/*.csv")]
    found = sort_files(files, TRUSTED, log, 0)
    assert path not in found.files
    assert found.refused["eve.csv"].startswith("nothing of it is taken in: ")
    assert words.replace("ID_OF_MALLORY", MALLORY.public.key_id) in found.refused["eve.csv"]
    assert all(one.sha256 == "" for one in read_signed_files(log))


def test_nothing_more_is_taken_of_a_file_once_its_key_is_revoked(path: Path, log: EventLog) -> None:
    sign(path)
    sort_files([path], TRUSTED, log, 0)
    revoked = revoke_key(TRUSTED, EVE.public.key_id, Revocation("2026-12-01", "stolen"))
    found = sort_files([path], revoked, log, 5)
    assert (found.files, "(Eve), revoked since 2026-12-01: stolen" in found.refused["eve.csv"]) == ([], True)


def test_a_file_that_holds_no_answers_is_signed_as_it_is(tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("id,label\n1,good\n")
    assert describe_answers(sheet) == {}


def test_what_is_recorded_can_be_brought_to_another_lake(path: Path, log: EventLog) -> None:
    sign(path)
    sort_files([path], TRUSTED, log, 3)
    copy = EventLog(MemoryStore(), SIGNED_ANSWERS)
    for _ in range(2):
        copy_signed_files(copy, log.read())
    assert read_signed_files(copy) == read_signed_files(log)
