"""The probability of a released label: the belief that was frozen, and nothing where an expert spoke."""

import math
from pathlib import Path

import pytest
from forged_releases import failed, rewrite

from cupel.release.folder import write_release
from cupel.release.verify import verify_release
from cupel.show.release_documents import describe_release
from cupel.store.local import LocalStore
from made_releases import PROVENANCE, Made, make_release

CHECK = "probabilities are those of the frozen labels"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_release(tmp_path_factory.mktemp("lake"))


@pytest.fixture
def folder(made: Made, tmp_path: Path) -> Path:
    assert made.tables is not None
    write_release(LocalStore(tmp_path), "r", made.facts, made.tables, PROVENANCE, describe_release)
    return tmp_path / "r"


def test_it_is_what_people_and_checker_believed_and_null_where_an_expert_judged(made: Made) -> None:
    frozen = {row["item_id"]: row for row in made.lake.read("release_items", "movies-r1").to_pylist()}
    judged = {
        row["item_id"] for table in ("audit", "adjudications") for row in made.lake.read(table, "movies-r1").to_pylist()
    }
    rows = made.lake.read("training_set", "movies-r1").to_pylist()
    assert {row["item_id"] in judged for row in rows} == {True, False}
    for row in rows:
        if row["item_id"] in judged:
            assert (row["probability"], row["decided_by"]) in ((None, "audit"), (None, "expert"))
        else:
            odds = frozen[row["item_id"]]["log_odds"]
            assert row["probability"] == pytest.approx(min(1 / (1 + math.exp(-odds)), 0.999999), abs=1e-6)


@pytest.mark.parametrize("value", [0.123, None])
def test_another_probability_is_found_though_all_hashes_fit(folder: Path, value: float | None) -> None:
    def change(rows: list[dict[str, object]]) -> list[dict[str, object]]:
        next(row for row in rows if row["probability"] is not None)["probability"] = value
        return rows

    rewrite(folder, "data/train.parquet", change)
    assert failed(verify_release(folder)) == {CHECK}


def test_a_probability_of_an_experts_word_is_found(folder: Path) -> None:
    def change(rows: list[dict[str, object]]) -> list[dict[str, object]]:
        next(row for row in rows if row["probability"] is None)["probability"] = 0.9
        return rows

    rewrite(folder, "data/train.parquet", change)
    assert failed(verify_release(folder)) == {CHECK}


def test_the_last_decimal_may_be_rounded_otherwise(folder: Path) -> None:
    def change(rows: list[dict[str, object]]) -> list[dict[str, object]]:
        row = next(row for row in rows if row["probability"] is not None)
        row["probability"] = round(float(str(row["probability"])) - 1e-6, 6)
        return rows

    rewrite(folder, "data/train.parquet", change)
    assert verify_release(folder).is_passed
