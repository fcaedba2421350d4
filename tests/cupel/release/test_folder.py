import dataclasses
import hashlib
import json
import os
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from cupel.contract.tables.release import MANIFEST
from cupel.errors import ReleaseError
from cupel.release import layout
from cupel.release.folder import add_uncovered, write_release
from cupel.release.layout import is_written
from cupel.release.verify import verify_release
from cupel.show.release_documents import describe_release
from cupel.store.local import LocalStore
from cupel.store.memory import MemoryStore

DESCRIBE = partial(describe_release, page=b"<html>")

WRITTEN = (*layout.COVERED, layout.SLICE_BOUNDS_FILE)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def shuffled(table: pa.Table | None) -> pa.Table | None:
    return None if table is None else table.take(list(range(table.num_rows))[::-1])


def test_a_release_holds_the_files_of_its_layout_and_no_others(certified: Any, provenance: Any, tmp_path: Path) -> None:
    write_release(LocalStore(tmp_path), "r", certified.facts, certified.tables, provenance, DESCRIBE)
    assert set(contents(tmp_path / "r")) == {*WRITTEN, layout.MANIFEST_FILE}
    assert [path.name for path in tmp_path.iterdir()] == ["r"]


def test_the_manifest_names_hash_size_and_rows_of_each_file(certified: Any, provenance: Any, tmp_path: Path) -> None:
    rows = write_release(LocalStore(tmp_path), "r", certified.facts, certified.tables, provenance, DESCRIBE)
    assert rows.schema == MANIFEST.schema
    for row in rows.to_pylist():
        content = (tmp_path / "r" / row["path"]).read_bytes()
        assert (row["sha256"], row["size_bytes"]) == (hashlib.sha256(content).hexdigest(), len(content))
        if row["path"].endswith(".parquet"):
            assert row["rows"] == pq.read_metadata(tmp_path / "r" / row["path"]).num_rows
    manifest = json.loads((tmp_path / "r" / "manifest.json").read_bytes())
    assert manifest["release"] == "movies-r1"
    assert manifest["batches"] == ["movies"]
    assert manifest["inputs"] == provenance.inputs
    assert manifest["not_covered"] == ["run.json"]
    assert len(manifest["release_sha256"]) == 64


def test_splits_together_are_the_training_set(certified: Any, provenance: Any, tmp_path: Path) -> None:
    write_release(LocalStore(tmp_path), "r", certified.facts, certified.tables, provenance, DESCRIBE)
    parts = [pq.read_table(tmp_path / "r" / name) for name in layout.DATA_FILES]
    assert all(
        set(part["split"].to_pylist()) <= {Path(name).stem} for part, name in zip(parts, layout.DATA_FILES, strict=True)
    )
    together = pa.concat_tables(parts).sort_by([("batch", "ascending"), ("item_id", "ascending")])
    assert together.equals(certified.tables.training_set.cast(together.schema).combine_chunks())


def test_only_the_training_set_holds_texts(certified: Any, provenance: Any, tmp_path: Path) -> None:
    write_release(LocalStore(tmp_path), "r", certified.facts, certified.tables, provenance, DESCRIBE)
    withheld = certified.tables.withheld_items
    assert withheld.num_rows > 0
    for name in (layout.WITHHELD_FILE, *layout.EVIDENCE_FILES):
        assert "text" not in pq.read_schema(tmp_path / "r" / name).names


def test_the_same_release_gives_the_same_bytes_whatever_the_order_of_rows(
    certified: Any, provenance: Any, tmp_path: Path
) -> None:
    other = dataclasses.replace(
        certified.tables,
        **{name: shuffled(table) for name, table in vars(certified.tables).items() if isinstance(table, pa.Table)},
    )
    write_release(LocalStore(tmp_path), "a", certified.facts, certified.tables, provenance, DESCRIBE)
    write_release(LocalStore(tmp_path), "b", certified.facts, other, provenance, DESCRIBE)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_writing_the_same_release_again_changes_nothing_and_keeps_the_record_of_the_run(
    certified: Any, provenance: Any, tmp_path: Path
) -> None:
    first = write_release(LocalStore(tmp_path), "r", certified.facts, certified.tables, provenance, DESCRIBE)
    add_uncovered(LocalStore(tmp_path), "r", "run.json", b"{}")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "r").rglob("*")}
    assert write_release(LocalStore(tmp_path), "r", certified.facts, certified.tables, provenance, DESCRIBE).equals(
        first
    )
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "r").rglob("*")} == before


def test_another_release_is_never_overwritten(certified: Any, provenance: Any, tmp_path: Path) -> None:
    write_release(LocalStore(tmp_path), "r", certified.facts, certified.tables, provenance, DESCRIBE)
    before = contents(tmp_path / "r")
    other = dataclasses.replace(provenance, answers_head="00" * 32)
    with pytest.raises(ReleaseError, match=r"another release is here \(manifest\.json differs or is missing\)"):
        write_release(LocalStore(tmp_path), "r", certified.facts, certified.tables, other, DESCRIBE)
    assert contents(tmp_path / "r") == before


def test_a_file_that_was_spoiled_is_not_mended_in_silence(certified: Any, provenance: Any, tmp_path: Path) -> None:
    write_release(LocalStore(tmp_path), "r", certified.facts, certified.tables, provenance, DESCRIBE)
    (tmp_path / "r" / "README.md").write_text("spoiled")
    with pytest.raises(ReleaseError, match=r"README\.md differs"):
        write_release(LocalStore(tmp_path), "r", certified.facts, certified.tables, provenance, DESCRIBE)


@pytest.mark.parametrize("killed_at", [0, 3, len(WRITTEN)])
def test_a_write_that_breaks_off_leaves_no_release_and_the_next_completes_it(
    certified: Any, provenance: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed_at: int
) -> None:
    put: list[str] = []
    link = os.link

    def break_off(source: Path, target: Path) -> None:
        if len(put) == killed_at:
            raise KeyboardInterrupt
        put.append(target.name)
        link(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "link", break_off)
        with pytest.raises(KeyboardInterrupt):
            write_release(LocalStore(tmp_path), "r", certified.facts, certified.tables, provenance, DESCRIBE)
    assert len(contents(tmp_path)) == killed_at
    assert layout.MANIFEST_FILE not in put
    assert not is_written(LocalStore(tmp_path), "r")
    with pytest.raises(ReleaseError, match="no release here"):
        verify_release(tmp_path / "r")
    write_release(LocalStore(tmp_path), "r", certified.facts, certified.tables, provenance, DESCRIBE)
    assert verify_release(tmp_path / "r").is_passed
    assert set(contents(tmp_path / "r")) == {*WRITTEN, layout.MANIFEST_FILE}


def test_a_file_that_another_write_left_is_not_replaced(certified: Any, provenance: Any, tmp_path: Path) -> None:
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "README.md").write_text("another release's, which broke off")
    with pytest.raises(ReleaseError, match=r"no release is here, but .* left README\.md .* move this folder away"):
        write_release(LocalStore(tmp_path), "r", certified.facts, certified.tables, provenance, DESCRIBE)
    assert not is_written(LocalStore(tmp_path), "r")


def test_a_full_disk_is_one_clear_error(
    certified: Any, provenance: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ReleaseError, match=r"cannot write the release: .*No space left"):
        write_release(LocalStore(tmp_path), "r", certified.facts, certified.tables, provenance, DESCRIBE)
    assert contents(tmp_path) == {}


def test_a_refused_release_is_not_written(refused: Any, certified: Any, provenance: Any, tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="not certified"):
        write_release(LocalStore(tmp_path), "r", refused.facts, certified.tables, provenance, DESCRIBE)
    assert list(tmp_path.iterdir()) == []


def test_rows_of_another_release_are_refused(certified: Any, provenance: Any, tmp_path: Path) -> None:
    audit = certified.tables.audit
    place = audit.schema.get_field_index("release")
    other = audit.set_column(place, audit.schema.field(place), pa.array(["other-r1"] * audit.num_rows))
    with pytest.raises(ReleaseError, match="table audit holds rows of other-r1"):
        write_release(
            LocalStore(tmp_path),
            "r",
            certified.facts,
            dataclasses.replace(certified.tables, audit=other),
            provenance,
            DESCRIBE,
        )


def test_an_item_that_got_lost_is_refused(certified: Any, provenance: Any, tmp_path: Path) -> None:
    lacking = dataclasses.replace(certified.tables, training_set=certified.tables.training_set.slice(1))
    with pytest.raises(ReleaseError, match="399 items released or withheld, but 400 were frozen"):
        write_release(LocalStore(tmp_path), "r", certified.facts, lacking, provenance, DESCRIBE)


def test_a_split_without_items_is_an_empty_file(certified: Any, provenance: Any, tmp_path: Path) -> None:
    table = certified.tables.training_set
    place = table.schema.get_field_index("split")
    column = pc.if_else(pc.equal(table["split"], "test"), "train", table["split"])
    moved = dataclasses.replace(
        certified.tables, training_set=table.set_column(place, table.schema.field(place), column)
    )
    write_release(LocalStore(tmp_path), "r", certified.facts, moved, provenance, DESCRIBE)
    assert pq.read_table(tmp_path / "r" / "data/test.parquet").num_rows == 0
    names = {check.name for check in verify_release(tmp_path / "r").checks if not check.is_passed}
    assert names == {"labels that no expert judged are as frozen"}


def test_only_the_record_of_the_run_may_be_added_and_of_an_older_release_its_report(
    certified: Any, provenance: Any, tmp_path: Path
) -> None:
    with pytest.raises(ReleaseError, match="no release here"):
        add_uncovered(LocalStore(tmp_path), "r", "run.json", b"")
    write_release(LocalStore(tmp_path), "r", certified.facts, certified.tables, provenance, DESCRIBE)
    for name in ("data/train.parquet", "report.html"):
        with pytest.raises(ReleaseError, match=r"only run\.json may be added"):
            add_uncovered(LocalStore(tmp_path), "r", name, b"")
    (tmp_path / "older").mkdir()
    (tmp_path / "older" / "manifest.json").write_text('{"format": 3}')
    add_uncovered(LocalStore(tmp_path), "older", "report.html", b"<html>")
    add_uncovered(LocalStore(tmp_path), "r", "run.json", b"{}")
    assert (tmp_path / "r" / "run.json").read_bytes() == b"{}"


def test_on_a_store_without_folders_the_manifest_is_put_last(certified: Any, provenance: Any) -> None:
    store = MemoryStore()
    write_release(store, "releases/movies-r1", certified.facts, certified.tables, provenance, DESCRIBE)
    written = {one.name: int(one.version) for one in store.list("releases/movies-r1")}
    assert max(written, key=lambda name: written[name]) == f"releases/movies-r1/{layout.MANIFEST_FILE}"
    assert len(written) == len(WRITTEN) + 1
    store.put("releases/movies-r1/README.md", b"spoiled")
    with pytest.raises(ReleaseError, match=r"README\.md differs"):
        write_release(store, "releases/movies-r1", certified.facts, certified.tables, provenance, DESCRIBE)
