"""A release of format 5, as the last commit of that format wrote it: it verifies by what it was then."""

import tarfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from forged_releases import failed

from cupel.release.older_formats import may_be_left_out
from cupel.release.verify import verify_release

ARCHIVE = Path(__file__).parents[2] / "old_releases" / "bb09446-release.tar.xz"
PROBABILITIES = "probabilities are those of the frozen labels"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path / "movies-r1"


def test_it_passes_and_is_not_asked_for_probabilities(folder: Path) -> None:
    found = verify_release(folder)
    assert (found.format, failed(found)) == (5, set())
    assert PROBABILITIES not in {check.name for check in found.checks}
    assert "probability" not in pq.read_schema(folder / "data/train.parquet").names


def test_its_report_is_still_asked_for(folder: Path) -> None:
    (folder / "report.html").unlink()
    assert "no file is missing" in failed(verify_release(folder))
    assert (may_be_left_out(5), may_be_left_out(6)) == ((), ("report.html",))


def test_a_column_that_came_later_is_none_of_its_own(folder: Path) -> None:
    path = folder / "data/test.parquet"
    table = pq.read_table(path)
    pq.write_table(table.append_column("probability", table["line"].cast("double")), path)
    assert "every table can be read and has its columns" in failed(verify_release(folder))
