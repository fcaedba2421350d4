import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from benchmarks.new_file import new_file
from cupel.cli import main
from cupel.errors import OutputError
from cupel.store.outputs import (
    Output,
    check_outputs,
    is_json_lines,
    is_json_list,
    is_json_object,
    is_marked,
    is_never_ours,
    is_table,
    write_output,
)

READ = "id,annotator,label\n1,ann,x\n2,bob,y\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.csv"
    path.write_text(READ)
    return path


def refused(path: Path, *inputs: Path) -> str:
    with pytest.raises(OutputError) as error:
        check_outputs([Output("--to", path, lambda path: True)], inputs)
    return str(error.value)


def test_an_input_is_refused_under_any_of_its_names(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hard.csv").hardlink_to(source)
    (tmp_path / "folder").symlink_to(tmp_path)
    (tmp_path / "soft.csv").symlink_to(source)
    names = ("in.csv", "./in.csv", "hard.csv", "folder/in.csv", "soft.csv")
    for name in names:
        assert "is the file that is read" in refused(Path(name), source)
    for name in names:
        assert "is the file that is read" in refused(source, Path(name))


def test_a_name_that_differs_by_case_is_refused_where_it_is_the_same_file(source: Path) -> None:
    other = source.with_name("IN.CSV")
    if not other.exists():
        # A disk that knows no case has one file under both names, as a hard link has.
        other.hardlink_to(source)
    assert "is the file that is read" in refused(other, source)


def test_two_outputs_are_two_files(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    (tmp_path / "hard.json").hardlink_to(tmp_path / "a.json")
    for one, other in (("new.csv", "new.csv"), ("new.csv", "NEW.csv"), ("a.json", "hard.json"), ("a.json", "./a.json")):
        outputs = [
            Output("--one", tmp_path / one, lambda path: True),
            Output("--two", tmp_path / other, lambda path: True),
        ]
        with pytest.raises(OutputError, match="name two files"):
            check_outputs(outputs, ())


def test_links_folders_and_pipes_are_no_place_for_a_file(source: Path, tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to(tmp_path / "nowhere.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    assert "is a link" in refused(tmp_path / "link.csv", source)
    assert "is not a regular file" in refused(tmp_path / "pipe.csv", source)
    assert "is not a regular file" in refused(tmp_path / ".." / tmp_path.name, source)
    assert "is not a regular file" in refused(Path("/dev/null"), source)
    assert "is a link" in refused(Path("/dev/stdout"), source)


def test_a_file_of_somebody_else_is_not_replaced_and_an_empty_one_is_no_loss(tmp_path: Path) -> None:
    path = tmp_path / "theirs.csv"
    path.write_text("x")
    output = [Output("--to", path, is_never_ours)]
    with pytest.raises(OutputError, match="was not written by this command"):
        check_outputs(output, ())
    path.write_text("")
    check_outputs(output, ())
    path.unlink()
    check_outputs(output, ())


def test_nothing_is_written_into_a_closed_folder(tmp_path: Path) -> None:
    (tmp_path / "closed" / "deep").mkdir(parents=True)
    (tmp_path / "door").symlink_to(tmp_path / "closed")
    for name in ("closed/new.json", "closed/deep/new.json", "door/new.json", "closed/deep/../new.json"):
        with pytest.raises(OutputError, match="nothing is changed"):
            check_outputs([Output("--json", tmp_path / name, is_never_ours)], (), [tmp_path / "closed"])
    check_outputs([Output("--json", tmp_path / "open.json", is_never_ours)], (), [tmp_path / "closed"])


def test_a_commands_own_files_are_told_by_what_they_hold(tmp_path: Path) -> None:
    table = pa.table({"id": ["1"], "label": ["x"]})
    csv, parquet, text = tmp_path / "a.csv", tmp_path / "a.parquet", tmp_path / "a.txt"
    pa_csv.write_csv(table, csv)
    pq.write_table(table, parquet)
    text.write_text('{"id": 1, "label": "x"}\n')
    for path in (csv, parquet):
        assert is_table(["label"], ["id", "label"])(path)
        assert not is_table(["id"], ["label", "id"])(path)
    assert is_json_object("id")(text)
    assert not is_json_object("id", "other")(text)
    assert is_json_lines("id", "label")(text)
    assert not is_json_lines("id")(text)
    assert is_marked('"label"')(text)
    text.write_text('[{"id": 1}]')
    assert is_json_list("id")(text)
    assert not is_json_list("label")(text)
    for broken in (b"\xff\xfe", b"{", b"[1]", b"PAR1"):
        text.write_bytes(broken)
        for is_ours in (is_json_object("id"), is_json_list("id"), is_json_lines("id"), is_table(["id"])):
            with pytest.raises(OutputError, match="was not written"):
                check_outputs([Output("--to", text, is_ours)], ())


def test_what_cannot_be_written_is_said_and_what_was_there_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    path.write_text("before")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OutputError, match=r"--json .*a\.json: cannot be written: No space"):
        write_output("--json", path, b"after")
    assert [one.name for one in tmp_path.iterdir()] == ["a.json"]
    assert path.read_text() == "before"


def test_a_benchmark_writes_to_a_new_file_only(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    assert new_file(str(path)) == path
    path.touch()
    assert new_file(str(path)) == path
    path.write_text("{}")
    (tmp_path / "link.json").symlink_to(path)
    for name in (path, tmp_path / "link.json", tmp_path, tmp_path / "nowhere" / "a.json"):
        with pytest.raises(SystemExit, match="name"):
            new_file(str(name))


def run(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    return done.exit_code, done.output


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_import_never_writes_over_what_it_reads(source: Path, tmp_path: Path) -> None:
    (tmp_path / "hard.csv").hardlink_to(source)
    (tmp_path / "out.left.jsonl").write_text(json.dumps({"id": "1", "annotator": "ann", "label": "x"}) + "\n")
    before = files(tmp_path)
    common = ("import", source, "--batch", "b")
    for options in (
        ("--answers", source), ("--answers", tmp_path / "hard.csv"),
        ("--answers", tmp_path / "new.csv", "--items", source),
        ("--answers", tmp_path / "new.csv", "--items", tmp_path / "new.csv"),
        ("--answers", tmp_path / "new.csv", "--items", tmp_path / "new.left.jsonl"),
        ("--answers", tmp_path / "out.csv"), (tmp_path / "out.left.jsonl", "--answers", tmp_path / "out.csv"),
    ):  # fmt: skip
        code, said = run(*common, *options)
        assert code == 1, options
        assert "Error:" in said
        assert files(tmp_path) == before


def test_import_replaces_its_own_files_and_nobody_elses(source: Path, tmp_path: Path) -> None:
    for ending in ("csv", "parquet"):
        arguments = (
            "import",
            source,
            "--batch",
            "b",
            "--answers",
            tmp_path / f"a.{ending}",
            "--items",
            tmp_path / "i.jsonl",
        )
        assert run(*arguments)[0] == 0
        first = files(tmp_path)
        assert run(*arguments)[0] == 0
        assert files(tmp_path) == first
        (tmp_path / "i.jsonl").write_text('{"id": "1", "mine": true}\n')
        assert run(*arguments)[0] == 1
        (tmp_path / "i.jsonl").unlink()
        (tmp_path / f"a.{ending}").write_text("mine\n")
        before = files(tmp_path)
        assert run(*arguments)[0] == 1
        assert files(tmp_path) == before


def test_duplicates_never_write_over_what_they_read(tmp_path: Path) -> None:
    texts, others, to = tmp_path / "texts.parquet", tmp_path / "others.parquet", tmp_path / "pairs.parquet"
    for path in (texts, others):
        pq.write_table(pa.table({"text": ["the same words again and again"] * 2}), path)
    before = files(tmp_path)
    for target in (texts, others):
        assert run("duplicates", texts, "--against", others, "--to", target)[0] == 1
    assert run("duplicates", texts, "--to", others)[0] == 1
    assert files(tmp_path) == before
    for options in ((), (), ("--against", others)):
        assert run("duplicates", texts, "--to", to, *options)[0] == 0


def test_accept_never_writes_over_what_it_reads(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))  # where the record of audits is kept
    delivery, scores = tmp_path / "d.csv", tmp_path / "scores.html"
    delivery.write_text("text,label\n" + "".join(f"text {n},{'ab'[n % 2]}\n" for n in range(60)))
    (tmp_path / "theirs.json").write_text('{"verdict": "mine"}')
    (tmp_path / "vendors.html").write_text("<title>My own page</title>")
    before = files(tmp_path)
    for options in (
        ("--json", delivery), ("--json", tmp_path / "theirs.json"), ("--vendor", "v", "--scores", delivery),
        ("--vendor", "v", "--scores", scores), ("--vendor", "v", "--scores", tmp_path / "vendors.jsonl"),
        ("--vendor", "v", "--scores", tmp_path / "s.jsonl", "--json", tmp_path / "s.jsonl"),
    ):  # fmt: skip
        code, said = run("accept", delivery, "--budget", "20%", "--audit", 12, *options)
        assert (code, "Error:" in said) == (1, True), options
        assert files(tmp_path) == before
        assert not (tmp_path / "d.audit").exists()
    common = ("accept", delivery, "--json", tmp_path / "verdict.json")
    assert run(*common, "--budget", "20%", "--audit", 12)[0] == 3
    assert run(*common)[0] == 3
    sheet = tmp_path / "d.audit" / "sheet.csv"
    plan = (tmp_path / "d.audit" / "plan.json").read_bytes()
    for name in ("plan.json", "answers.json", "own.json"):
        assert run("accept", delivery, "--json", tmp_path / "d.audit" / name)[0] == 1
    assert run("accept", delivery, "--sheet", sheet, "--json", sheet)[0] == 1
    assert (tmp_path / "d.audit" / "plan.json").read_bytes() == plan


def test_a_trace_is_not_written_over_something_else(tmp_path: Path) -> None:
    path = tmp_path / "package.json"
    path.write_text('{"name": "mine"}')
    code, said = run("trace", "one/i3", "--lake", tmp_path, "--json", path)
    assert code == 1
    assert "was not written by this command" in said
    assert path.read_text() == '{"name": "mine"}'


def test_histograms_and_comparisons_are_not_written_over_something_else(tmp_path: Path) -> None:
    path = tmp_path / "package.json"
    path.write_text('{"name": "mine"}')
    places = ("--lake", tmp_path, "--projects", tmp_path)
    for arguments in (("signals", "small"), ("rebuild", "small/one-r1")):
        code, said = run(*arguments, *places, "--json", path)
        assert code == 1
        assert "was not written by this command" in said
    assert path.read_text() == '{"name": "mine"}'
