import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cupel.cli import main
from cupel.people.answers.recorded_files import rows_of
from mark_exports import activitynet, coco, cvat, cvat_box, studio, studio_frames


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(one) for one in arguments])


def test_marks_become_answers_that_the_recorded_workforce_reads(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(cvat(cvat_box(1, 2, 30, 40)))
    answers, items = tmp_path / "answers.csv", tmp_path / "items.jsonl"
    said = call("import", tmp_path / "a.xml", "--kind", "boxes", "--batch", "b", "--answers", answers, "--items", items,
                "--annotator", "ann")  # fmt: skip
    assert said.exit_code == 0, said.output
    assert "1 answers on 1 items by 1 annotators" in said.output
    (row,) = rows_of([answers], "b").to_pylist()
    assert (row["item_id"], row["annotator"]) == ("a.jpg", "ann")
    assert row["label"] == '[{"class":"car","x":1,"y":2,"width":29,"height":38}]'
    assert json.loads(items.read_text()) == {"id": "a.jpg", "path": "a.jpg", "width": 200, "height": 100}


def test_what_is_not_imported_is_told_with_its_place(tmp_path: Path) -> None:
    content = activitynet([1, 99]).replace('{"database": {', '{"database": {"v0": {"annotations": []}, ')
    (tmp_path / "a.json").write_text(content)
    said = call("import", tmp_path / "a.json", "--kind", "segments", "--batch", "b", "--answers", tmp_path / "a.csv")
    assert said.exit_code == 0, said.output
    assert "not imported: 1 beyond_end: the mark ends after the item does" in said.output
    left = json.loads((tmp_path / "a.left.jsonl").read_text())
    assert left["evidence"].startswith("v1, annotations[1].segment: start 1000000, end 99000000")
    again = call("import", tmp_path / "a.json", "--kind", "segments", "--batch", "b", "--answers", tmp_path / "a.csv",
                 "--cut-within", "90")  # fmt: skip
    assert "cut to its end" in again.output


def test_items_that_an_import_wrote_say_what_is_known_of_them(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(studio([studio_frames(1, 25)], {"video": "v.mp4"}))
    asked = ("import", tmp_path / "a.json", "--kind", "segments", "--batch", "b", "--answers", tmp_path / "a.csv")
    assert "unknown_rate" in call(*asked).output
    (tmp_path / "clips.jsonl").write_text('{"id": "one", "duration": 10000000, "frames": 250, "rate": "25"}\n')
    said = call(*asked, "--known", tmp_path / "clips.jsonl", "--items", tmp_path / "items.jsonl")
    assert said.exit_code == 0, said.output
    assert '""end"":1000000' in (tmp_path / "a.csv").read_text()
    assert call(*asked, "--known", tmp_path / "items.jsonl").exit_code == 0


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ('{"id": "one", "rate": "29.97"}', "row 1, item 'one': wrong_rate: 29.97: say 30000/1001"),
        ('{"id": "one", "frames": -1}', "frames: found '-1', expected a whole number"),
        ('{"frames": 1}', "row 1: no id"),
        ('{"id": 1}\n{"id": 1}', "row 2: id '1' stands twice"),
        ('{"id": 1, "frame_times": "0,1"}', "expected a list of microseconds"),
    ],
)
def test_a_table_of_items_that_is_none_is_refused(tmp_path: Path, known: str, said: str) -> None:
    (tmp_path / "a.json").write_text(studio([studio_frames(1, 25)], {"video": "v.mp4"}))
    (tmp_path / "clips.jsonl").write_text(known + "\n")
    found = call("import", tmp_path / "a.json", "--kind", "segments", "--batch", "b", "--answers", tmp_path / "a.csv",
                 "--known", tmp_path / "clips.jsonl")  # fmt: skip
    assert found.exit_code == 1
    assert said in found.output


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--kind", "segments", "--rate", "29.97"), "--rate 29.97: say 30000/1001"),
        (("--rate", "25"), "--known, --rate, --unit and --cut-within go with --kind"),
        (("--kind", "segments", "--question", "q"), "--question does not go with --kind segments"),
    ],
)
def test_options_that_do_not_go_together_are_wrong_usage(tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    (tmp_path / "a.json").write_text(activitynet([1, 2]))
    found = call("import", tmp_path / "a.json", "--batch", "b", "--answers", tmp_path / "a.csv", *options)
    assert found.exit_code == 2
    assert said in found.output


def test_what_a_format_cannot_hold_is_listed_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(
        coco({"bbox": [1, 2, 3, 4], "segmentation": {"size": [100, 200], "counts": [20000]}})
    )
    asked = ("convert", tmp_path / "a.json", "--kind", "boxes", "--to", tmp_path / "b.xml", "--format", "cvat")
    refused = call(*asked)
    assert refused.exit_code == 1
    assert "- 1 mark without 'rle'" in refused.output
    assert not (tmp_path / "b.xml").exists()
    done = call(*asked, "--lossy")
    assert done.exit_code == 0, done.output
    assert "lost: 1 mark without 'rle'" in done.output
    assert 'xtl="1" ytl="2" xbr="4" ybr="6"' in (tmp_path / "b.xml").read_text()
    assert "something else" in call(*asked).output or call(*asked).exit_code == 1  # a file that is there stays


def test_files_are_told_what_they_are_not(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(activitynet([1, 2]))
    said = call("convert", tmp_path / "a.json", "--kind", "boxes", "--to", tmp_path / "b", "--format", "coco")
    assert said.exit_code == 1
    assert "activitynet holds segments, and no boxes" in said.output
    said = call("convert", tmp_path / "a.json", "--kind", "segments", "--to", tmp_path / "b", "--format", "coco")
    assert "no format of segments; there are label-studio, activitynet" in said.output
