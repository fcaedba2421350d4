import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from cupel.cli import main
from cupel.errors import SourceError
from cupel.exchange.imports.answers import Imported, gather, write_answers
from cupel.exchange.imports.gate import Export
from cupel.people.answers.recorded_files import rows_of
from cupel.people.tool_annotation import Annotation
from cupel.sources.reasons import BadRow


def export(name: str, *found: Annotation | BadRow) -> Export:
    return Export(Path(name), "", "table", list(found))


def at(hour: int) -> datetime:
    return datetime(2024, 5, 1, hour, tzinfo=UTC)


def test_in_is_imported_and_left_together() -> None:
    one, bad = Annotation(1, "a", "x", "ann"), BadRow(2, "no_answer", "")
    found = gather([export("e", one, bad), export("f", one._replace(annotator="bob"))])
    assert (len(found.annotations), [(left.file, left.reason) for left in found.left]) == (2, [("e", "no_answer")])


def test_the_latest_of_an_annotators_answers_is_imported_and_the_other_told() -> None:
    late, early = (
        Annotation(1, "a", "late", "ann", answered_at=at(9)),
        Annotation(2, "a", "early", "ann", answered_at=at(8)),
    )
    for order in ((late, early), (early, late)):
        found = gather([export("e", *order)])
        assert [one.label for one in found.annotations] == ["late"]
        assert [(left.reason, left.line) for left in found.left] == [("earlier_version", 2)]


def test_without_times_the_later_in_the_files_is_the_latest() -> None:
    found = gather([export("e", Annotation(1, "a", "x", "ann")), export("f", Annotation(1, "a", "y", "ann"))])
    assert [one.label for one in found.annotations] == ["y"]


def test_answers_without_a_name_are_never_versions_of_each_other() -> None:
    found = gather([export("e", Annotation(1, "a", "x"), Annotation(2, "a", "x"))])
    assert len(found.annotations) == 2


def test_nothing_understood_is_an_error_that_says_why(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no_answer: 1"):
        write_answers(gather([export("e", BadRow(1, "no_answer", ""))]), "b", "label", tmp_path / "a.csv")


def test_answers_are_written_as_csv_or_parquet_only(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"\.csv or \.parquet"):
        write_answers(Imported([Annotation(1, "a", "x")], []), "b", "label", tmp_path / "a.json")


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_what_is_imported_is_what_a_project_reads(tmp_path: Path, ending: str) -> None:
    (tmp_path / "in.csv").write_text("item,annotator,label,text\n1,ann,good,fine\n1,bob,bad,fine\n2,ann,,hm\n")
    answers, items = tmp_path / "out" / f"answers.{ending}", tmp_path / "out" / "items.jsonl"
    arguments = ["import", str(tmp_path / "in.csv"), "--batch", "one", "--answers", str(answers), "--items", str(items)]
    done = CliRunner().invoke(main, [*arguments, "--id", "item"])
    assert done.exit_code == 0, done.output
    assert "2 answers on 1 items by 2 annotators" in done.output
    assert "not imported: 1 no_answer" in done.output
    rows = rows_of([answers], "one")
    assert rows.select(["item_id", "purpose", "annotator", "label"]).to_pylist() == [
        {"item_id": "1", "purpose": "label", "annotator": "ann", "label": "good"},
        {"item_id": "1", "purpose": "label", "annotator": "bob", "label": "bad"},
    ]
    assert [json.loads(line) for line in items.read_text().splitlines()] == [{"id": "1", "text": "fine"}]
    left = (tmp_path / "out" / "answers.left.jsonl").read_text().splitlines()
    assert [(one["line"], one["reason"]) for one in map(json.loads, left)] == [(4, "no_answer")]


def test_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("item_id,annotator,label\n1,ann,good\n")
    for name in ("a", "b"):
        arguments = [
            "import",
            str(tmp_path / "in.csv"),
            "--batch",
            "one",
            "--answers",
            str(tmp_path / f"{name}.parquet"),
        ]
        assert CliRunner().invoke(main, arguments).exit_code == 0
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    assert pq.read_table(tmp_path / "a.parquet").num_rows == 1


def test_a_missing_file_is_an_error_in_words(tmp_path: Path) -> None:
    arguments = ["import", str(tmp_path / "none.json"), "--batch", "one", "--answers", str(tmp_path / "a.csv")]
    done = CliRunner().invoke(main, arguments)
    assert (done.exit_code, "none.json: cannot be read" in done.output) == (1, True)
