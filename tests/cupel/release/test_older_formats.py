"""Releases that older versions of Cupel made, verified by what they were when they were made."""

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from forged_releases import Rows, failed, forge, rewrite
from old_lakes import OLD, OldRelease, release_of, unpack

from cupel.cli import main
from cupel.contract.format_numbers import RELEASE
from cupel.errors import FormatError
from cupel.exchange.release_export import export_release
from cupel.release import layout
from cupel.release.verify import verify_release

OTHER = {"warm": "cold", "cold": "warm"}


@pytest.fixture(scope="module", params=OLD, ids=lambda old: old.commit)
def old(request: pytest.FixtureRequest) -> OldRelease:
    return OldRelease(*request.param)


@pytest.fixture(scope="module")
def made(old: OldRelease, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return release_of(old, unpack(old.commit, tmp_path_factory.mktemp(f"made-{old.commit}")))


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy of the release to spoil."""
    return Path(shutil.copytree(made, tmp_path / made.name))


def number(folder: Path, value: object) -> None:
    manifest = json.loads((folder / layout.MANIFEST_FILE).read_bytes())
    (folder / layout.MANIFEST_FILE).write_bytes(layout.json_bytes(manifest | {"format": value}))
    forge(folder)


def test_a_release_of_an_older_version_passes_all_the_checks_that_its_format_has(old: OldRelease, made: Path) -> None:
    found = verify_release(made)
    assert failed(found) == set()
    assert (found.format, len(found.checks)) == (old.format, old.checks)
    said = CliRunner().invoke(main, ["verify", str(made)])
    assert (said.exit_code, f"{old.checks} of {old.checks} checks passed" in said.output) == (0, True)
    assert (f"format {old.format}" in said.output) == (old.format < RELEASE)


@pytest.mark.parametrize("name", ["data/train.parquet", "evidence/audit.parquet", "README.md", "certificate.json"])
def test_a_flipped_byte_is_found(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    assert "every file has its hash" in failed(verify_release(folder))


def test_the_report_of_an_older_format_is_not_covered(folder: Path) -> None:
    (folder / layout.REPORT_FILE).write_text("made anew, with other seconds")
    assert verify_release(folder).is_passed
    (folder / layout.REPORT_FILE).unlink()
    assert verify_release(folder).is_passed


def test_an_exchanged_label_is_found_though_all_hashes_fit(folder: Path) -> None:
    def exchange(rows: Rows) -> Rows:
        row = next(row for row in rows if row["decided_by"] == "people and checker")
        row["label"] = OTHER[row["label"]]
        return rows

    rewrite(folder, "data/train.parquet", exchange)
    assert failed(verify_release(folder)) == {"labels that no expert judged are as frozen"}


def test_a_dropped_row_of_the_audit_is_found_though_all_hashes_fit(folder: Path) -> None:
    rewrite(folder, "evidence/audit.parquet", lambda rows: rows[1:])
    assert "the audit is the sample that its seed draws" in failed(verify_release(folder))


def test_a_column_of_its_format_that_is_gone_is_found(folder: Path) -> None:
    name = "evidence/release_items.parquet"
    pq.write_table(pq.read_table(folder / name).drop_columns(["group_id"]), folder / name)
    forge(folder)
    assert "every table can be read and has its columns" in failed(verify_release(folder))


def test_a_claim_that_came_with_a_later_format_is_checked_in_an_older_release_too(folder: Path) -> None:
    path = folder / layout.CERTIFICATE_FILE
    content = json.loads(path.read_bytes())
    claim = {"release": {"kept": 1}, "batches": [{"batch": "elsewhere"}]}
    path.write_bytes(layout.json_bytes(content | {"contamination": claim}))
    forge(folder)
    assert failed(verify_release(folder)) == {"what is said of unwanted items, recomputed, is the same"}


def test_a_release_of_a_newer_version_is_refused_with_what_to_do(folder: Path) -> None:
    number(folder, RELEASE + 1)
    for use in (verify_release, lambda there: export_release(there, there.parent / "to", None, ())):
        with pytest.raises(FormatError, match=rf"of format {RELEASE + 1}.*install a newer Cupel"):
            use(folder)


@pytest.mark.parametrize("value", ["2", 0, True, None])
def test_a_number_that_is_none_is_refused(folder: Path, value: object) -> None:
    number(folder, value)
    with pytest.raises(FormatError, match="expected a number"):
        verify_release(folder)
