from pathlib import Path

import pytest

from cupel.contract.table import from_rows
from cupel.contract.tables.release import RELEASE_ITEMS, RELEASE_PLAN
from cupel.errors import LakeError
from cupel.lake.lake import Lake
from cupel.trace.label_id import find


def plan(release: str, batches: list[str]) -> dict[str, object]:
    return {
        "release": release, "batches": batches, "status": "frozen", "reason": None, "attempt": 1, "alpha": 0.04,
        "error_budget": 0.01, "audit_size": 1, "seed": 1, "answers_until": 1, "items": 1, "items_sha256": "",
        "classes": ["x", "y"], "expert_answers": 1, "experts_description": "one", "max_experts_seen_share": 0.5,
        "are_auditors_independent": False,
    }  # fmt: skip


def held(batch: str, item_id: str, rank: int) -> dict[str, object]:
    return {
        "release": "all-r1", "batch": batch, "item_id": item_id, "source_file": "f", "line": rank, "text": "t",
        "label": "x", "decided_by": "people", "majority_label": "x", "consensus_label": "x", "predicted_label": "x",
        "log_odds": 1.0, "risk_rank": rank, "split": "train", "group_id": "g", "is_audited": False, "language": "und",
        "licence": "MIT",
    }  # fmt: skip


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two projects: `birds` with batches one and two and a release of both, `songs` with batch one."""
    for project, batches in (("birds", ["one", "two"]), ("songs", ["one"])):
        lake = Lake(tmp_path, project)
        for batch in batches:
            folder = lake.partition_folder("raw_items", batch)
            folder.mkdir(parents=True)
            (folder / "commit.json").write_text("{}")
    lake = Lake(tmp_path, "birds")
    lake.write("release_plan", "all-r1", from_rows([plan("all-r1", ["one", "two"])], RELEASE_PLAN))
    lake.write("release_plan", "two-r1", from_rows([plan("two-r1", ["two"])], RELEASE_PLAN))
    items = [held("one", "robin", 1), held("one", "both", 2), held("two", "both", 3)]
    lake.write("release_items", "all-r1", from_rows(items, RELEASE_ITEMS))
    return tmp_path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("birds/two/7", ("birds", "two", "7", None)),
        ("two/7", ("birds", "two", "7", None)),
        ("two/thread/7 a", ("birds", "two", "thread/7 a", None)),
        ("songs/one/birds/one/7", ("songs", "one", "birds/one/7", None)),
        ("two-r1/7", ("birds", "two", "7", "two-r1")),
        ("birds/two-r1/7", ("birds", "two", "7", "two-r1")),
        ("all-r1/robin", ("birds", "one", "robin", "all-r1")),
        ("birds/all-r1/two/both", ("birds", "two", "both", "all-r1")),
    ],
)
def test_batch_or_release_and_item_are_told_apart(root: Path, text: str, expected: tuple[str, ...]) -> None:
    name, release, _ = find(root, text)
    assert (*name, release) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("one/7", "could be any of 'birds/one/7', 'songs/one/7'"),
        ("tow/7", "Meant is perhaps 'two/7'"),
        ("birds/tow-r1/7", "no batch or release 'tow-r1'; it has one, two, all-r1, two-r1. Meant is perhaps"),
        ("all-r1/both", "2 of its batches have an item 'both'; name the batch, one of one, two"),
        ("all-r1/wren", "none of its batches has an item 'wren'"),
        ("seven", "expected BATCH/ITEM_ID or RELEASE/ITEM_ID"),
        ("two/", "expected BATCH/ITEM_ID"),
        ("two/" + "7" * 2_000, "longer than 2,000 characters"),
        ("two/\0", "null character"),
        ("two/\udc80", "not UTF-8"),
        ("../two/7", "no batch or release '..'"),
    ],
)
def test_what_names_nothing_or_several_is_said_with_what_is_there(root: Path, text: str, words: str) -> None:
    with pytest.raises(LakeError, match=r"^(label id|release)") as error:
        find(root, text)
    assert words in str(error.value)


def test_a_lake_that_is_not_there_or_empty_is_said(tmp_path: Path) -> None:
    with pytest.raises(LakeError, match="no lake here; name its folder with --lake"):
        find(tmp_path / "nowhere", "one/7")
    with pytest.raises(LakeError, match="no project in this lake yet"):
        find(tmp_path, "one/7")
