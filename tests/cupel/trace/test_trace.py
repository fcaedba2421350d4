import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hostile_names import HOSTILE_ID

from cupel.errors import LakeError
from cupel.lake.lake import Lake
from cupel.trace.trace import trace


@pytest.fixture
def spoiled(traced: Path, tmp_path: Path) -> Path:
    """A copy of the lake that a test may spoil."""
    return shutil.copytree(traced, tmp_path / "lake")


def test_a_released_label_is_told_from_the_line_of_the_delivery_to_the_file_of_the_release(traced: Path) -> None:
    lake = Lake(traced, "small")
    row = lake.read("training_set", "one-r2").to_pylist()[0]
    found = trace(traced, f"one/{row['item_id']}")
    assert found.raw.item is not None
    assert found.raw.file is not None
    assert (found.raw.item["line"], found.raw.file["source_file"]) == (row["line"], row["source_file"])
    assert found.cleaning.signals is not None
    assert found.cleaning.kept is not None
    assert found.labeling.consensus is not None
    assert found.checking.prediction is not None
    assert found.checking.route is not None
    assert found.checking.label is not None
    assert len(found.gates) > 10
    release = found.release
    assert release is not None
    assert (release.release, release.training) == ("one-r2", row)
    assert release.certificate is not None
    assert release.folder is not None
    assert release.folder.file is not None
    assert (release.folder.file.path, release.folder.file.is_intact) == (f"data/{row['split']}.parquet", True)
    assert found.problems == ()
    assert not any(used.is_changed for used in found.tables)


def test_all_answers_on_the_item_are_there_in_the_order_of_the_log(traced: Path) -> None:
    log = Lake(traced, "small").answers.read("one", ("label", "expert", "audit"))
    for item_id in ("i3", "i4", HOSTILE_ID):
        expected = log.filter(pc.equal(log["item_id"], item_id)).sort_by("sequence").to_pylist()
        found = trace(traced, f"one/{item_id}").answers
        assert [(one.sequence, one.annotator, one.label, one.purpose) for one in found] == [
            (row["sequence"], row["annotator"], row["label"], row["purpose"]) for row in expected
        ]
        assert len(found) >= 2
        assert all(one.is_chained for one in found)


def test_an_answer_that_does_not_count_says_why(traced: Path) -> None:
    purple = [one for one in trace(traced, "one/i3").answers if one.label == "purple"]
    assert [(one.standing, one.reason) for one in purple] == [("not counted", "unknown_label")]
    ghost = trace(traced, "one/ghost")
    assert [one.reason for one in ghost.answers] == ["unknown_item"]
    assert ghost.raw.item is None


def test_an_item_that_cleaning_rejected_names_the_reason_and_the_one_that_was_kept(traced: Path) -> None:
    found = trace(traced, "one/twin")
    assert found.cleaning.rejected is not None
    assert (found.cleaning.rejected["reason"], found.cleaning.rejected["evidence"]) == ("exact_duplicate", "one/i5")
    assert [row["item_id"] for row in trace(traced, "one/i5").cleaning.dropped_for_it] == ["twin"]


def test_a_withheld_item_says_so(traced: Path) -> None:
    row = Lake(traced, "small").read("withheld_items", "one-r2").to_pylist()[0]
    release = trace(traced, f"one-r2/{row['item_id']}").release
    assert release is not None
    assert (release.withheld, release.training) == (row, None)


def test_a_row_of_the_delivery_stands_for_its_item_or_for_what_was_rejected(traced: Path) -> None:
    lake = Lake(traced, "small")
    item = lake.read("raw_items", "one").to_pylist()[7]
    assert trace(traced, f"one/{item['source_file']}:{item['line']}").label_id.item_id == item["item_id"]
    for row in lake.read("rejected_rows", "one").to_pylist():
        found = trace(traced, f"small/one/{row['source_file']}:{row['line']}")
        assert (found.raw.rejected, found.is_item) == (row, False)


def test_each_release_has_its_own_story(traced: Path) -> None:
    first, second = (trace(traced, f"one-r{number}/i3").release for number in (1, 2))
    assert first is not None
    assert second is not None
    assert (first.plan["attempt"], second.plan["attempt"]) == (1, 2)
    assert trace(traced, "one/i3", "one-r1").release == first
    with pytest.raises(LakeError, match="'one-r9': not planned; releases with batch one: one-r2, one-r1"):
        trace(traced, "one/i3", "one-r9")


def test_an_item_that_nothing_knows_brings_the_nearest_ids(traced: Path) -> None:
    with pytest.raises(LakeError, match=r"no item 'i1399' among its \d+; the nearest ids: 'i139'"):
        trace(traced, "one/i1399")


def test_an_altered_answer_is_shown_as_one(spoiled: Path) -> None:
    lake = Lake(spoiled, "small")
    sequence = trace(spoiled, "one/i9").answers[0].sequence
    for segment in (Path(str(file)) for file in lake.answers.segments()):
        records = pq.read_table(segment)
        hit = pc.equal(records["sequence"], sequence)
        labels = pc.if_else(hit, pa.scalar("purple"), records["label"].cast(pa.string()))
        pq.write_table(records.set_column(records.column_names.index("label"), "label", labels), segment)
    found = {one.sequence: one for one in trace(spoiled, "one/i9").answers}
    assert (found[sequence].label, found[sequence].is_chained) == ("purple", False)
    assert [one.is_chained for number, one in found.items() if number != sequence] == [True] * (len(found) - 1)


def test_what_is_damaged_is_told_and_hides_nothing_else(spoiled: Path) -> None:
    lake = Lake(spoiled, "small")
    Path(lake.files("consensus", "one")[0]).write_bytes(b"nonsense")
    (lake.partition_folder("predictions", "one") / "commit.json").write_text("{")
    found = trace(spoiled, "one/i3")
    assert (found.labeling.consensus, found.checking.prediction) == (None, None)
    assert found.checking.label is not None
    assert len([problem for problem in found.problems if "consensus" in problem or "predictions" in problem]) >= 2


def test_a_table_that_is_another_one_than_the_release_was_made_from_is_told(spoiled: Path) -> None:
    lake = Lake(spoiled, "small")
    commit = lake.commit("labels", "one")
    assert commit is not None
    lake.write("labels", "one", lake.read("labels", "one").slice(1), commit.inputs, commit.code_version)
    changed = [used for used in trace(spoiled, "one/i3").tables if used.is_changed]
    assert [(used.name, used.frozen) for used in changed] == [("labels@one", commit.hash)]


def test_a_file_of_the_release_that_was_altered_is_told(spoiled: Path) -> None:
    row = Lake(spoiled, "small").read("training_set", "one-r2").to_pylist()[0]
    path = spoiled / "small" / "releases" / "one-r2" / "data" / f"{row['split']}.parquet"
    path.write_bytes(path.read_bytes() + b" ")
    release = trace(spoiled, f"one/{row['item_id']}").release
    assert release is not None
    assert release.folder is not None
    assert release.folder.file is not None
    assert not release.folder.file.is_intact
