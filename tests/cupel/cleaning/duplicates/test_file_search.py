"""The command that finds near-duplicates in files: what it writes, says and refuses."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from cupel.cli import main

TEXTS = ["A first text of some words", "another", "a first text of  some WORDS", "a first text of words", None]


def write(file: Path, texts: list[str | None], **columns: list) -> str:
    pq.write_table(pa.table({"text": pa.array(texts, pa.string()), **columns}), file)
    return str(file)


def run(*words: str) -> str:
    result = CliRunner().invoke(main, ["duplicates", *words])
    assert result.exit_code == 0, result.output
    return result.output


def test_pairs_within_a_file_name_what_they_are_like_and_what_is_kept(tmp_path: Path) -> None:
    file, to = write(tmp_path / "a.parquet", TEXTS, name=["p", "q", "r", "s", "t"]), tmp_path / "pairs.parquet"
    said = run(file, "--to", str(to), "--id", "name", "--similarity", "0.5")
    rows = pq.read_table(to).to_pylist()
    assert [(row["id"], row["like_id"], row["kept_id"]) for row in rows] == [("r", "p", "p"), ("s", "p", "p")]
    assert rows[0]["similarity"] == 1
    first, second = said.splitlines()
    assert first == f"2 of 5 texts are like an earlier one: {to}, 2 pairs"
    assert second.startswith("1 texts were brought to normal form")
    assert "Not done: masks" in second


def test_texts_of_one_file_are_found_in_another(tmp_path: Path) -> None:
    file, other = write(tmp_path / "a.parquet", TEXTS), write(tmp_path / "b.parquet", ["none", "ANOTHER"])
    to = tmp_path / "pairs.parquet"
    said = run(file, "--against", other, "--to", str(to))
    (row,) = pq.read_table(to).to_pylist()
    assert (row["id"], row["like_id"], row["similarity"], row["containment"]) == (1, 1, 1.0, 1.0)
    assert said.startswith(f"1 of 5 texts are in {other}: {to}, 1 pairs\n")


def test_texts_are_compared_in_the_normal_form_of_the_chain(tmp_path: Path) -> None:
    texts = ["caf\u00e9 no\u00ebl du soir", "cafe\u0301 no\u200be\u0308l  du\u00a0soir", "cafe noel du soir"]
    file, to = write(tmp_path / "a.parquet", texts), tmp_path / "pairs.parquet"
    assert "1 texts were brought" in run(file, "--to", str(to), "--similarity", "1")
    assert pq.read_table(to).column("id").to_pylist() == [1]
    run(file, "--to", str(to), "--similarity", "1", "--fold-accents")
    assert pq.read_table(to).column("id").to_pylist() == [1, 2]


def test_held_texts_and_other_digits_may_be_asked_for(tmp_path: Path) -> None:
    text = "All of this stands in a longer text too, word for word and sign for sign, number 17."
    texts = [
        text,
        f"Before it stands this. {text} And behind it much more stands, so that few are shared.",
        text[:-3] + "94.",
    ]
    file, to = write(tmp_path / "a.parquet", texts), tmp_path / "pairs.parquet"
    said = run(file, "--to", str(to), "--containment", "0.9")
    rows = [
        (row["id"], row["like_id"], row["longer"], row["differ_in_digits"]) for row in pq.read_table(to).to_pylist()
    ]
    assert rows[:2] == [(1, 0, "id", False), (2, 0, "like_id", True)]
    assert "1 pairs differ in digits only" in said
    assert "1 pairs that differ in digits only were left out" in run(file, "--to", str(to), "--keep-other-digits")


def test_words_in_a_shingle_may_be_asked_for(tmp_path: Path) -> None:
    file, to = write(tmp_path / "a.parquet", ["one two three", "one two four"]), tmp_path / "pairs.parquet"
    run(file, "--to", str(to), "--words", "1", "--similarity", "0.5")
    assert pq.read_table(to).column("similarity").to_pylist() == [2 / 4]


def test_a_crowd_that_was_not_compared_whole_is_said(tmp_path: Path) -> None:
    texts = [f"your order number {place} has been shipped and will arrive at your door" for place in range(300)]
    said = run(write(tmp_path / "a.parquet", texts), "--to", str(tmp_path / "pairs.parquet"))
    assert "In crowds of alike texts at most" in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--text", "body"], "no column 'body'; it has text, number"),
        (["--id", "key"], "no column 'key'"),
        (["--text", "number"], "column 'number': of type int64; expected texts"),
        (["--against", "gone.parquet"], "gone.parquet: not there"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, words: list[str], message: str) -> None:
    file = write(tmp_path / "a.parquet", ["a"], number=[1])
    result = CliRunner().invoke(main, ["duplicates", file, "--to", str(tmp_path / "to.parquet"), *words])
    assert result.exit_code == 1
    assert message in result.output
    assert not (tmp_path / "to.parquet").exists()


def test_a_file_that_is_no_parquet_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text\na\n")
    result = CliRunner().invoke(main, ["duplicates", str(tmp_path / "a.csv"), "--to", str(tmp_path / "to.parquet")])
    assert (result.exit_code, "no Parquet file that can be read" in result.output) == (1, True)
