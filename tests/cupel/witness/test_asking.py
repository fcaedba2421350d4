import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cupel.errors import WitnessError
from cupel.witness.asking import ask_authority, ask_command
from cupel.witness.receipts import decode_receipt, hash_receipt
from cupel.witness.timestamps import read_roots, verify_timestamp
from timestamp_authority import Authority

ONE = "a" * 64


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    with Authority(tmp_path_factory.mktemp("authority") / "own").serving() as found:
        yield found


@pytest.fixture(autouse=True)
def _well_behaved(authority: Authority) -> Iterator[None]:
    yield
    authority.wrong = ""


def ask(authority: Authority, seconds: float = 20.0) -> bytes:
    return ask_authority(authority.url, ONE, read_roots(authority.roots), seconds).content


def test_an_authority_gives_a_receipt_that_is_verified(authority: Authority) -> None:
    content = ask(authority)
    assert content == authority.issued[-1]
    verify_timestamp(content, ONE, read_roots(authority.roots))


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ("status", "answered with status 503"),
        ("garbage", "no time stamp by RFC 3161"),
        ("other", "of another hash than that of the freeze"),
        ("closed", "cannot be reached"),
    ],
)
def test_an_authority_that_fails_gives_no_receipt(authority: Authority, wrong: str, problem: str) -> None:
    authority.wrong = wrong
    with pytest.raises(WitnessError, match=problem):
        ask(authority)


def test_an_answer_that_drips_in_ends_at_the_time_for_all_of_it(authority: Authority) -> None:
    authority.wrong = "slow"
    with pytest.raises(WitnessError, match="did not answer within 1 seconds"):
        ask(authority, 1.0)


def test_an_authority_that_is_down_is_named_so(authority: Authority) -> None:
    with pytest.raises(WitnessError, match="cannot be reached: ConnectError"):
        ask_authority("http://127.0.0.1:9/stamp", ONE, read_roots(authority.roots), 5.0)


def test_a_receipt_by_another_authority_than_the_named_is_refused(authority: Authority, tmp_path: Path) -> None:
    stranger = read_roots(Authority(tmp_path / "stranger").roots)
    with pytest.raises(WitnessError, match="no authority under the given certificates"):
        ask_authority(authority.url, ONE, stranger, 20.0)


def test_a_program_gets_the_hash_as_its_last_argument() -> None:
    found = ask_command(["echo", "seen"], ONE, 20.0)
    assert found.content == f"seen {ONE}\n".encode()
    assert (found.nonce, found.witness, found.at) == (hash_receipt(found.content), "echo", None)


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("exit 3", "exit code 3"),
        ("true", "printed no receipt"),
        ("yes", "more than 65,536 bytes"),
        ("echo begun; sleep 60", "did not end within 1 seconds"),
        ("sleep 60 & echo begun", "did not end within 1 seconds"),
        ("exec >&-; sleep 60", "did not end within 1 seconds"),
    ],
)
def test_a_program_that_fails_gives_no_receipt(script: str, problem: str) -> None:
    with pytest.raises(WitnessError, match=problem):
        ask_command(["sh", "-c", script, "sh"], ONE, 1.0)


def test_a_program_that_is_not_there_gives_no_receipt() -> None:
    with pytest.raises(WitnessError, match="cannot be started"):
        ask_command(["/nowhere/notary"], ONE, 1.0)


def test_a_program_that_is_python_may_print_any_bytes() -> None:
    script = "import sys; sys.stdout.buffer.write(bytes(range(256)))"
    assert ask_command([sys.executable, "-c", script], ONE, 60.0).content == bytes(range(256))


@pytest.mark.parametrize("text", ["***", "abc", "é"])
def test_a_receipt_that_is_not_base64_is_an_error(text: str) -> None:
    with pytest.raises(WitnessError, match="not base64"):
        decode_receipt(text)
