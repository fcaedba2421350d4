"""What no command reads is refused in a sentence by each that opens a file, and nothing is left behind."""

import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from cupel.cli import main

IMPORT = ("import", "{}", "--batch", "b", "--answers", "out/a.csv", "--items", "out/i.jsonl")
ACCEPT = ("accept", "{}", "--budget", "5%")
DUPLICATES = ("duplicates", "{}", "--to", "pairs.parquet")
TABLE = "id,text,label\n" + "".join(f"{number},a,warm\n" for number in range(9))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refuse(command: tuple[str, ...], name: str, code: int = 1) -> str:
    """Run a command that must end with an error, and leave nothing; return what it says."""
    before = sorted(Path().rglob("*"))
    found = CliRunner().invoke(main, [part.format(name) for part in command])
    assert isinstance(found.exception, SystemExit), found.exception
    assert found.exit_code == code
    assert sorted(Path().rglob("*")) == before
    return found.output


@pytest.mark.parametrize("command", [IMPORT, ACCEPT, DUPLICATES])
def test_pipes_and_devices_are_refused_and_not_waited_for(command: tuple[str, ...]) -> None:
    os.mkfifo("pipe.csv")
    Path("zero.csv").symlink_to("/dev/zero")
    for name in ("pipe.csv", "zero.csv"):
        assert "it is a pipe, socket or device, not a file" in refuse(command, name)


@pytest.mark.parametrize("command", [IMPORT, ACCEPT])
@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", "größe,label\n1,a\n".encode("cp1252"), "line 1: the header is not UTF-8: byte 3 of it is 0xf6; save"),
        ("a.csv", b"id,label\n1,caf\xe9\n", "wrong_encoding|not valid UTF-8"),
        ("a.csv", b"id\0,label\n1,a\n", "NUL byte"),
        ("a.csv", b",".join(b"c%d" % number for number in range(20_000)), "20,000 columns, at most 16,384"),
        ("a.csv", b"x" * 10_000_001, "a header of over 10,000,000 characters"),
        ("a.json", b"[" * 101 + b"]" * 101, "more than 100 levels"),
        ("a.json", b"[" * 100_000 + b"]" * 100_000, "more than 100 levels"),
        ("a.xml", b"<annotations>" + b"<a>" * 200 + b"</a>" * 200 + b"</annotations>", "--limit depth"),
        ("a.xml", "<!DOCTYPE a [<!ENTITY b 'c'>]><annotations>&b;</annotations>".encode("utf-16"), "has a DTD"),
        ("a.xml", b"<!DOCTYPE a SYSTEM 'file:///etc/passwd'><annotations/>", "has a DTD"),
    ],
)
def test_what_is_too_much_or_no_text_is_refused_with_its_place(
    command: tuple[str, ...], name: str, content: bytes, words: str
) -> None:
    Path(name).write_bytes(content)
    output = refuse(command, name)
    assert any(one in output for one in words.split("|")), output


@pytest.mark.parametrize("command", [IMPORT, ACCEPT, DUPLICATES])
def test_a_limit_is_raised_by_the_option_that_its_message_names(command: tuple[str, ...]) -> None:
    pq.write_table(pa.table({"id": [1, 2], "text": ["x" * 50_000] * 2, "label": ["a", "a"]}), "a.parquet")
    assert "--limit bytes=NUMBER" in refuse((*command, "--limit", "bytes=60000"), "a.parquet")
    done = CliRunner().invoke(main, [part.format("a.parquet") for part in (*command, "--limit", "bytes=300000")])
    assert done.exit_code in (0, 3), done.output


@pytest.mark.parametrize("batch", ["../../etc", "", "a\nb", "a\x1b[31m", "movies-r1", "all", "x" * 65, "Ü"])
def test_a_batch_is_named_as_project_files_name_it(batch: str) -> None:
    Path("a.csv").write_text(TABLE)
    assert "Invalid value for '--batch'" in refuse(
        ("import", "{}", "--batch", batch, "--answers", "a2.csv"), "a.csv", 2
    )


@pytest.mark.parametrize("price", ["nan", "inf", "-inf", "1e999"])
@pytest.mark.parametrize("option", ["--price", "--expert-price", "--expert-seconds"])
def test_a_price_is_a_finite_number(option: str, price: str) -> None:
    Path("a.csv").write_text(TABLE)
    refuse((*ACCEPT, option, price), "a.csv", 2)


@pytest.mark.parametrize("output", ["a.csv", "./x/../a.csv", "linked.csv", "hard.csv"])
def test_what_is_read_is_never_written(output: str) -> None:
    Path("x").mkdir()
    Path("a.csv").write_text(TABLE)
    Path("linked.csv").symlink_to("a.csv")
    os.link("a.csv", "hard.csv")
    refuse(("import", "{}", "--batch", "b", "--answers", output), "a.csv")
    assert Path("a.csv").read_text() == TABLE


def test_a_project_file_has_finite_prices_and_is_a_regular_file() -> None:
    os.mkfifo("small.yaml")
    assert "pipe" in refuse(("signals", "small", "--projects", "."), "")
    os.unlink("small.yaml")
    for price in (".nan", ".inf"):
        content = json.dumps({"project": "small", "prices": {"annotator_answer": "P"}})
        Path("small.yaml").write_text(content.replace('"P"', price))
        assert "finite number" in refuse(("signals", "small", "--projects", "."), "")
