from pathlib import Path

import pytest

from cupel.config.project import Project
from cupel.contract.table import empty
from cupel.contract.tables.raw import RAW_ITEMS
from cupel.kinds.projects import load_project
from cupel.lake.lake import Lake
from orchestration.scope import ScopeError, check_named, partitions_of
from small_project import write_project

DELIVERY = {"files": ["small/one.jsonl"], "licence": "CC0-1.0"}


def two_batches(folder: Path, holds: str, *releases: str) -> tuple[Project, Lake]:
    deployment = write_project(
        folder, items=2, raw={"deliveries": {"one": DELIVERY, "two": DELIVERY}}, release={"holds": holds}
    )
    lake = Lake(deployment.lake, "small")
    lake.log("proposals").append(lambda _: [{"release": name, "asked_by": "test"} for name in releases])
    return load_project(deployment.projects / "small.yaml"), lake


@pytest.mark.parametrize(
    ("named", "judged"),
    [
        ([], ["one", "two", "one-r10", "two-r1"]),
        (["one"], ["one", "one-r10"]),
        (["one-r9"], ["one-r9"]),
        (["one-r9", "two"], ["two", "one-r9", "two-r1"]),
    ],
)
def test_a_batchs_latest_release_belongs_to_it_and_an_earlier_one_must_be_named(
    tmp_path: Path, named: list[str], judged: list[str]
) -> None:
    project, lake = two_batches(tmp_path, "each_batch", "one-r9", "one-r10", "two-r1")
    found = partitions_of(project, lake, named, all_releases=False)
    assert [partition.name for partition in found.judged] == judged
    everything = {"one", "two", "one-r9", "one-r10", "two-r1"}
    assert {words.partition(":")[0] for words in found.left_out} == everything - set(judged)


def test_a_release_of_all_batches_belongs_to_each_of_them(tmp_path: Path) -> None:
    project, lake = two_batches(tmp_path, "all_batches", "all-r1", "all-r2")
    found = partitions_of(project, lake, ["two"], all_releases=False)
    assert [partition.name for partition in found.judged] == ["two", "all-r2"]
    found = partitions_of(project, lake, [], all_releases=True)
    assert [partition.name for partition in found.judged] == ["one", "two", "all-r1", "all-r2"]


def test_what_the_lake_holds_and_the_project_no_longer_names_is_said(tmp_path: Path) -> None:
    project, lake = two_batches(tmp_path, "each_batch")
    lake.write("raw_items", "old", empty(RAW_ITEMS))
    assert partitions_of(project, lake, [], False).left_out == ["old: no delivery of the project any more"]


def test_a_name_that_no_project_has_is_refused_with_those_there_are(tmp_path: Path) -> None:
    place = two_batches(tmp_path, "each_batch", "one-r1")
    check_named(["one", "one-r1"], [place])
    with pytest.raises(ScopeError, match="three: no batch or release of these projects; there are one, two, one-r1"):
        check_named(["three"], [place])
