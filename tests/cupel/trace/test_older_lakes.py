"""Labels of older versions' releases are traced: nothing is called altered or missing that is as it was made."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from old_lakes import OLD, PROJECT, OldRelease, unpack

from cupel.cli import main
from cupel.contract.format_numbers import LAKE
from cupel.contract.tables import TABLES
from cupel.lake.catalog import FOLDER_VARIABLE
from cupel.lake.lake import Lake
from cupel.lake.recorded_inputs import alteration


@pytest.fixture(scope="module", params=OLD, ids=lambda old: old.commit)
def old(request: pytest.FixtureRequest) -> OldRelease:
    return OldRelease(*request.param)


@pytest.fixture(scope="module")
def lake(old: OldRelease, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return Lake(unpack(old.commit, tmp_path_factory.mktemp(f"traced-{old.commit}")).lake, PROJECT)


def test_a_released_label_is_traced_to_its_file(old: OldRelease, lake: Lake) -> None:
    item = lake.read("training_set", old.release, ["batch", "item_id"]).to_pylist()[0]
    said = CliRunner().invoke(main, ["trace", f"{item['batch']}/{item['item_id']}", "--lake", str(lake.root)])
    assert said.exit_code == 0, said.output
    assert f"Released in {old.release}" in said.output
    assert "as its manifest says" in said.output
    for word in ("altered", "not there", "gone", "Damaged", "earlier version"):
        assert word not in said.output


def test_no_table_of_an_older_version_is_called_altered(lake: Lake) -> None:
    commits = [lake.commit(table, partition) for table in TABLES for partition in lake.partitions(table)]
    assert len(commits) > 60
    assert [alteration(lake, commit) for commit in commits if commit is not None and alteration(lake, commit)] == []


def test_a_flipped_byte_in_a_table_of_an_older_version_is_called_altered(old: OldRelease, tmp_path: Path) -> None:
    there = Lake(unpack(old.commit, tmp_path).lake, PROJECT)
    path = Path(there.files("labels", "one")[0])
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    commit = there.commit("labels", "one")
    assert commit is not None
    assert "altered" in alteration(there, commit)


def test_the_catalog_shows_tables_of_older_and_of_present_columns_together(old: OldRelease, tmp_path: Path) -> None:
    there = Lake(unpack(old.commit, tmp_path).lake, PROJECT)
    (there.folder / "FORMAT").write_text(f"{LAKE}\n")
    for table in ("training_set", "signatures"):
        there.write(table, "later", TABLES[table].schema.empty_table())
    there.write_catalog()
    shown = there.connection.execute(f"ATTACH '{there.folder}/catalog.duckdb' AS catalog (READ_ONLY)")
    shown.execute(f"SET VARIABLE {FOLDER_VARIABLE} = '{there.folder}'")
    shown.execute("SELECT count(*), count(DISTINCT release) FROM catalog.training_set")
    released = there.commit("training_set", old.release)
    assert released is not None
    assert shown.fetchone() == (released.rows, 1)
    shown.execute("SELECT count(*) FROM catalog.signatures")
    signed = sum(there.commit("signatures", batch).rows for batch in ("one", "two"))  # type: ignore[union-attr]
    assert shown.fetchone() == (0 if old.format == 1 else signed,)  # of format 1 they are of another type
