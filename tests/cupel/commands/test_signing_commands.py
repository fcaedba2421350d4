import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cupel.cli import main
from cupel.release.folder import write_release
from cupel.show.release_documents import describe_release
from cupel.signing.keys import read_public_key
from cupel.store.local import LocalStore

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "sign-a-release.md"


def run(*arguments: object, **options: Any) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], **options)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CUPEL_PASSPHRASE", raising=False)
    return tmp_path


def test_the_commands_of_the_page_do_what_it_says(place: Path, certified: Any, provenance: Any) -> None:
    store = LocalStore(place / "releases")
    write_release(store, "movies-r1", certified.facts, certified.tables, provenance, describe_release)
    (place / "sheet.csv").write_text("id,label\n1,good\n")
    commands = re.findall(r"^cupel (.*)$", PAGE.read_text(), re.MULTILINE)
    assert len(commands) == 11
    for command in commands:
        words = shlex.split(command)
        if "KEYID" in words:
            words[words.index("KEYID")] = read_public_key(place / "anna.public.pem").key_id[:8]
        found = run(*words)
        assert found.exit_code == 0, (command, found.output)
    states = run("key", "list").output.splitlines()
    assert ["revoked since 2027-01-15T00:00:00Z" in line for line in states] == [True, False]
    assert run("verify", "releases/movies-r1", "--key", "keys.json").exit_code == 1
    assert run("sign", "releases/movies-r1", "--key", "anna-2027.pem").exit_code == 0
    assert run("verify", "releases/movies-r1", "--key", "keys.json").exit_code == 0


def test_a_passphrase_is_asked_for_and_never_shown(place: Path) -> None:
    made = run("key", "new", "anna.pem", "--passphrase", input="secret\nsecret\n")
    assert (made.exit_code, "secret" in made.output) == (0, False)
    assert b"ENCRYPTED" in (place / "anna.pem").read_bytes()
    (place / "sheet.csv").write_text("1")
    assert run("sign", "sheet.csv", "--key", "anna.pem", input="secret\n").exit_code == 0
    assert run("sign", "sheet.csv", "--key", "anna.pem", env={"CUPEL_PASSPHRASE": "secret"}).exit_code == 0
    wrong = run("sign", "sheet.csv", "--key", "anna.pem", input="no\n")
    assert (wrong.exit_code, "Error: anna.pem: the passphrase is wrong" in wrong.output) == (1, True)


def test_what_goes_wrong_is_one_message(place: Path) -> None:
    run("key", "new", "anna.pem")
    shutil.copy(place / "anna.pem", place / "open.pem")
    (place / "open.pem").chmod(0o644)
    for arguments, words in (
        (("key", "new", "anna.pem"), "never replaced"),
        (("key", "add", "anna.public.pem"), "give --who"),
        (("key", "add", "anna.pem", "--who", "Anna"), "is a private key; name the public part, anna.public.pem"),
        (("key", "list"), "keys.json: cannot be read"),
        (("key", "revoke", "12345678", "--reason", "lost"), "keys.json: cannot be read"),
        (("key", "rotate", "anna.pem", "none.pem"), "none.pem: cannot be read"),
        (("sign", "none.csv", "--key", "anna.pem"), "none.csv: No such file"),
        (("sign", place, "--key", "anna.pem"), "no release here"),
        (("sign", "anna.public.pem", "--key", "open.pem"), "others may use it (mode 0644)"),
    ):
        found = run(*arguments)
        assert (found.exit_code, found.output.count("\n")) == (1, 1), found.output
        assert words in found.output
