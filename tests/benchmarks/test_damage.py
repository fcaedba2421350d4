"""What is damaged is told or made again: a sample of the damage bench, and each damage that was met in operation."""

import os
import shutil
import sqlite3
import uuid
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest

from benchmarks.damage import (
    HOME,
    LAKE,
    MEANING,
    NAME,
    DamageCase,
    cases,
    copy_project,
    hashes,
    hurt,
    judge,
    kind_of,
    look,
    prepare,
    repair_project,
    run_project,
    small_project,
)
from cupel.contract.stages import find_step
from cupel.contract.tables.answers import ANSWERS
from cupel.errors import LakeError
from cupel.kinds.projects import load_project
from cupel.lake.lake import Lake
from cupel.store.local import LocalStore
from cupel.store.locks import claim
from orchestration import dagster_storage
from orchestration.deployment import Deployment
from orchestration.jobs import batch_job
from orchestration.runs import Run, RunRequest, RunsInProcess
from orchestration.wiring import deployment_definitions

TABLES = f"{LAKE}/tables"
RELEASE = "one-r1"


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A finished project, and what it was before late answers."""
    return prepare(tmp_path_factory.mktemp("damage") / "states", small_project)


@pytest.fixture
def project(states: tuple[Path, Path], tmp_path: Path) -> Path:
    """A copy of the finished project."""
    copy_project(states[0], tmp_path / "project")
    return tmp_path / "project"


def sample(states: tuple[Path, Path]) -> Iterator[DamageCase]:
    """Yield a case of each kind of file; the damages take turns."""
    by_kind: dict[str, list[DamageCase]] = {}
    for case in cases(*states, most_of_a_kind=1):
        by_kind.setdefault(kind_of(case.path), []).append(case)
    for turn, (_, found) in enumerate(sorted(by_kind.items())):
        yield found[turn % len(found)]


def test_whatever_file_is_damaged_it_is_mended_or_told(states: tuple[Path, Path], tmp_path: Path) -> None:
    whole, chosen = hashes(states[0]), list(sample(states))
    assert len(chosen) >= 12
    for number, case in enumerate(chosen):
        root = tmp_path / str(number)
        copy_project(states[0], root)
        result = judge(root, states[1], whole, case)
        assert result.outcome != "silent", result
        shutil.rmtree(root)


def test_the_page_of_the_bench_tells_every_outcome_and_no_silent_one() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "damage.md").read_text()
    header, _, *rows = [line.split("|")[1:-1] for line in page.splitlines() if line.startswith("|")]
    assert [name.strip() for name in header[1:]] == list(MEANING)
    counts = [[int(cell) for cell in row[1:]] for row in rows]
    assert [sum(column) for column in zip(*counts[:-1], strict=True)] == counts[-1]
    assert counts[-1][-1] == 0
    assert f"{sum(counts[-1])} cases" in page


def damage(project: Path, path: str, how: str) -> None:
    hurt(project, project, DamageCase(path, how))


def part_of(project: Path, table: str, partition: str = "one") -> str:
    lake = Lake(project / "lake", NAME)
    commit = lake.commit(table, partition)
    assert commit is not None
    return f"{TABLES}/{table}/{partition}/{commit.parts[0]}"


def segments(project: Path) -> list[str]:
    return sorted(path.relative_to(project).as_posix() for path in (project / LAKE / "answers").glob("segment-*"))


def materialize(project: Path, table: str) -> Run:
    """Make a table of the batch as page and daemon do: without anything that `make run` does before."""
    deployment = Deployment(project / "projects", project / "data", str(project / "lake"))
    file = load_project(deployment.projects / f"{NAME}.yaml")
    step = find_step(file, table)
    assert step is not None
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(f"{NAME}_batches", ["one"])
        definitions = deployment_definitions([file], deployment)
        request = RunRequest(batch_job(NAME), "one", step.tables, str(uuid.uuid4()))
        return RunsInProcess(instance).execute(definitions, request)


def test_a_batch_is_not_made_from_a_log_with_a_hole(project: Path) -> None:
    before = hashes(project)
    damage(project, segments(project)[1], "deleted")
    run = materialize(project, "annotations")
    assert run.error is not None
    assert "segment" in run.error
    assert "restore it from a copy" in run.error
    assert run_project(project)[0] == 1
    del before[segments_name(before)]
    assert {name: value for name, value in hashes(project).items() if name in before} == before


def segments_name(files: dict[str, str]) -> str:
    return sorted(name for name in files if name.startswith("answers/segment-"))[1]


@pytest.mark.parametrize("is_older", [False, True])
def test_a_log_that_is_gone_or_older_is_not_taken_for_a_new_one(
    project: Path, states: tuple[Path, Path], is_older: bool
) -> None:
    shutil.rmtree(project / LAKE / "answers")
    if is_older:
        shutil.copytree(states[1] / LAKE / "answers", project / LAKE / "answers")
    run = materialize(project, "annotations")
    assert run.error is not None
    assert "restore the whole folder" in run.error
    code, said = run_project(project)
    assert code == 1
    assert "restore the whole folder" in " ".join(said.split())
    assert any(words.startswith("answers: ") for words in look(project))


def test_a_run_says_of_a_broken_log_once_which_file_it_is_and_what_to_do(project: Path) -> None:
    shutil.rmtree(project / LAKE / "answers")
    said = " ".join(run_project(project)[1].split())
    assert (said.count("/answers: "), said.count("restore")) == (1, 1)


def test_a_repair_says_of_tables_of_a_release_that_are_lost_how_to_go_on(project: Path) -> None:
    shutil.rmtree(project / TABLES)
    said = " ".join(repair_project(project).split())
    path = f"tables/stage_errors/{RELEASE}/commit.json"
    assert f"go on without it: `cupel check {NAME} --accept {path}`" in said
    assert f"stage_errors of {RELEASE}: not made again yet" not in said


@pytest.mark.parametrize(("table", "how"), [("raw_items", "flipped"), ("labels", "cut"), ("annotations", "flipped")])
def test_a_damaged_part_of_a_batch_is_moved_aside_and_made_again(project: Path, table: str, how: str) -> None:
    before = hashes(project)
    damage(project, part_of(project, table), how)
    hurt_bytes = (project / part_of(project, table)).read_bytes()
    assert any(table in words for words in look(project))
    code, said = run_project(project)
    assert code == 0
    assert f"{table} of one: made again, the same bytes" in " ".join(said.split())
    assert "Nothing had changed" not in said
    assert hashes(project) == before
    aside = list((project / LAKE / "damaged").rglob("part-*.parquet"))
    assert hurt_bytes in [path.read_bytes() for path in aside]
    assert look(project) == []


@pytest.mark.parametrize("table", ["release_plan", "certificate"])
def test_a_release_whose_commit_is_gone_is_told_and_made_again_by_a_repair(project: Path, table: str) -> None:
    before = hashes(project)
    damage(project, f"{TABLES}/{table}/{RELEASE}/commit.json", "deleted")
    code, said = run_project(project)
    assert code == 1
    assert f"cupel check {NAME} --repair" in " ".join(said.split())
    said = " ".join(repair_project(project).split())
    assert f"{table} of {RELEASE}: made again, the same bytes" in said
    assert hashes(project) == before
    assert run_project(project)[0] == 0


@pytest.mark.parametrize("table", ["adjudications", "audit"])
def test_an_older_commit_of_a_release_is_told_and_made_again_also_where_its_table_is_the_same(
    project: Path, states: tuple[Path, Path], table: str
) -> None:
    before = hashes(project)
    hurt(project, states[1], DamageCase(f"{TABLES}/{table}/{RELEASE}/commit.json", "older"))
    assert hashes(project) != before
    code, said = run_project(project)
    assert code == 1
    assert "of another time" in " ".join(said.split())
    repair_project(project)
    assert hashes(project) == before
    assert look(project) == look(project) == []
    assert run_project(project)[0] == 0


@pytest.mark.parametrize(("name", "how"), [("data/train.parquet", "flipped"), ("report.html", "deleted")])
def test_a_damaged_file_of_a_release_is_told_and_written_again_by_a_repair(project: Path, name: str, how: str) -> None:
    before = hashes(project)
    damage(project, f"{LAKE}/releases/{RELEASE}/{name}", how)
    code, said = run_project(project)
    assert code == 1
    assert name in "".join(said.split())  # the terminal breaks long paths anywhere
    repair_project(project)
    assert hashes(project) == before
    assert look(project) == []
    assert list((project / LAKE / "damaged").rglob("manifest.json")), "the damaged folder is kept"


def test_a_release_whose_batch_went_on_is_repaired_from_what_a_rebuild_makes(project: Path) -> None:
    lake = Lake(project / "lake", NAME)
    given = [field for field in ANSWERS.schema if field.name not in ("sequence", "hash")]
    late = {"answer_id": "late", "batch": "one", "item_id": "i7", "purpose": "label", "annotator": "dan",
            "label": "warm", "source": "test"}  # fmt: skip
    lake.answers.append(pa.Table.from_pylist([late], schema=pa.schema(given)))
    assert run_project(project)[0] == 0
    before = hashes(project)
    damage(project, f"{LAKE}/releases/{RELEASE}/data/train.parquet", "flipped")
    damage(project, part_of(project, "stage_errors", RELEASE), "flipped")
    said = " ".join(repair_project(project).split())
    assert f"stage_errors of {RELEASE}: made again, the same bytes" in said
    assert f"manifest of {RELEASE}: made again, the same bytes" in said
    assert hashes(project) == before
    assert run_project(project)[0] == 0
    assert look(project) == []


def test_without_its_project_file_a_repair_moves_nothing(project: Path) -> None:
    damage(project, f"{LAKE}/releases/{RELEASE}/data/train.parquet", "flipped")
    before = hashes(project)
    (project / "projects" / f"{NAME}.yaml").unlink()
    assert f"{NAME}.yaml" in repair_project(project)
    assert hashes(project) == before


def test_a_repair_leaves_what_a_step_is_at_work_on(project: Path) -> None:
    damage(project, part_of(project, "labels"), "cut")
    with claim(LocalStore(project / LAKE), "one", "a-run"):
        said = " ".join(repair_project(project).split())
    assert "a step is at work on one; repair it when that has ended" in said
    assert (project / part_of(project, "labels")).exists()


def test_the_database_of_a_run_that_begins_is_no_damage(project: Path) -> None:
    path = project / HOME / "history" / "runs" / f"{uuid.uuid4()}.db"
    path.touch()
    assert look(project) == []
    os.utime(path, (0, 0))
    assert [words.partition(": ")[2][:11] for words in look(project)] == ["it is empty"]


def test_what_nobody_can_make_again_is_put_back_as_damaged_as_it_was(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise LakeError("no")

    monkeypatch.setattr("orchestration.frozen_repair.rebuild", refuse)
    damage(project, part_of(project, "release_items", RELEASE), "flipped")
    before = (project / part_of(project, "release_items", RELEASE)).read_bytes()
    said = " ".join(repair_project(project).split())
    assert f"release_items of {RELEASE}: cannot be made again as it was" in said
    assert (project / part_of(project, "release_items", RELEASE)).read_bytes() == before
    assert any("release_items" in words for words in look(project))


def test_a_commit_that_says_nothing_is_a_sentence_and_the_table_is_made_again(project: Path) -> None:
    before = hashes(project)
    path = project / TABLES / "consensus" / "one" / "commit.json"
    path.unlink()
    path.write_text("{}")
    assert any("not a commit as it was written" in words for words in look(project))
    code, said = run_project(project)
    assert (code, hashes(project)) == (0, before)
    assert "consensus of one: made again, the same bytes" in " ".join(said.split())


@pytest.mark.parametrize("name", ["history/runs.db", "history/runs/index.db"])
def test_a_database_of_dagster_that_was_cut_short_costs_its_record_and_nothing_else(project: Path, name: str) -> None:
    before = hashes(project)
    damage(project, f"{HOME}/{name}", "cut")
    assert any(words.startswith(name) for words in look(project))
    _, said = run_project(project)
    assert "TRACEBACK" not in said
    assert "TRACEBACK" not in repair_project(project)
    assert run_project(project)[0] == 0
    assert hashes(project) == before
    assert look(project) == []


def test_a_full_disk_of_dagster_is_a_sentence(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(sqlite3.OperationalError):
        sqlite_errorcode = sqlite3.SQLITE_FULL

    def fail(*_: object) -> None:
        raise RuntimeError("wrapped") from Full("database or disk is full")

    monkeypatch.setattr("orchestration.rounds.end_dead_runs", fail)
    code, said = run_project(project)
    assert code == 1
    assert "database or disk is full" in " ".join(said.split())
    assert "free space on its disk" in " ".join(said.split())
    assert dagster_storage.describe_trouble(RuntimeError("another")) is None
