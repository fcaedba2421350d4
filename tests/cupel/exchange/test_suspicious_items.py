"""Suspicious items: what is listed, in which order, and what each tool's files hold; tests/handover loads them."""

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from cupel.cli import main
from cupel.contract.table import from_rows
from cupel.contract.tables import TABLES
from cupel.contract.tables.checking import PREDICTIONS
from cupel.exchange.suspicious_items import find_suspicious, write_for_fiftyone
from cupel.kinds import KINDS
from made_releases import CLASSES, Made, make_release

SILENT = "i0003"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    made = make_release(tmp_path_factory.mktemp("lake"))
    add_predictions(made)
    return made


def add_predictions(made: Made) -> None:
    """Let the checker find the frozen labels likely, and one item not at all."""
    items = made.lake.read("release_items", "movies-r1").to_pylist()
    rows = []
    for place, item in enumerate(items):
        posterior = [0.8 if name == item["label"] else 0.1 for name in CLASSES]
        if place % 50 == 0:
            posterior = posterior[1:] + posterior[:1]
        is_silent = item["item_id"] == SILENT
        rows.append({
            "item_id": item["item_id"], "predicted_label": None if is_silent else CLASSES[int(np.argmax(posterior))],
            "posterior": None if is_silent else posterior, "abstention": "too short" if is_silent else None,
            "model": "made", "model_version": "1",
        })  # fmt: skip
    made.lake.write("predictions", "movies", from_rows(rows, PREDICTIONS))


def run(made: Made, name: str, folder: Path, *more: str) -> Result:
    where = ["--lake", str(made.lake.root), "--to", str(folder), "--format", name]
    return CliRunner().invoke(main, ["suspicious", made.lake.project, "movies-r1", *where, *more])


def test_cleanlab_gets_labels_probabilities_and_issues_in_one_order(made: Made, tmp_path: Path) -> None:
    done = run(made, "cleanlab", tmp_path / "c")
    assert done.exit_code == 0, done.output
    assert "left out: 1 items, for the checker has no opinion of them" in done.output
    labels, chances = np.load(tmp_path / "c/labels.npy"), np.load(tmp_path / "c/pred_probs.npy")
    issues = pq.read_table(tmp_path / "c/issues.parquet").to_pylist()
    assert json.loads((tmp_path / "c/classes.json").read_text()) == list(CLASSES)
    frozen = {row["item_id"]: row for row in made.lake.read("release_items", "movies-r1").to_pylist()}
    predicted = {row["item_id"]: row["posterior"] for row in made.lake.read("predictions", "movies").to_pylist()}
    assert (labels.shape, chances.shape, len(issues)) == ((399,), (399, 3), 399)
    for label, chance, issue in zip(labels, chances, issues, strict=True):
        assert CLASSES[label] == issue["given_label"] == frozen[issue["item_id"]]["label"]
        assert chance.tolist() == predicted[issue["item_id"]]


def test_what_an_expert_called_wrong_is_an_issue_and_what_one_confirmed_is_none(made: Made, tmp_path: Path) -> None:
    run(made, "cleanlab", tmp_path / "c")
    issues = {row["item_id"]: row for row in pq.read_table(tmp_path / "c/issues.parquet").to_pylist()}
    judged = [
        row for table in ("audit", "adjudications") for row in made.lake.read(table, "movies-r1").to_pylist()
        if row["item_id"] in issues
    ]  # fmt: skip
    assert {row["is_wrong"] for row in judged} >= {True, False}
    for row in judged:
        assert issues[row["item_id"]]["is_label_issue"] == bool(row["is_wrong"])
        assert issues[row["item_id"]]["label_score"] is None


def test_argilla_gets_a_record_an_item_worst_first_with_the_label_as_suggestion(made: Made, tmp_path: Path) -> None:
    done = run(made, "argilla", tmp_path / "a", "--most", "60")
    assert done.exit_code == 0, done.output
    records = json.loads((tmp_path / "a/records.json").read_text())
    assert len(records) == 60
    assert records[0]["fields"]["reason"].startswith("wrong: the experts say ")
    settings = json.loads((tmp_path / "a/.argilla/settings.json").read_text())
    (question,) = settings["questions"]
    assert [one["value"] for one in question["settings"]["options"]] == list(CLASSES)
    frozen = {row["item_id"]: row for row in made.lake.read("release_items", "movies-r1").to_pylist()}
    for record in records:
        item = frozen[record["metadata"]["item_id"]]
        assert record["fields"]["text"] == item["text"]
        assert record["suggestions"]["label"]["value"] == item["label"]
        assert record["id"] == f"movies/{item['item_id']}"


def test_fiftyone_gets_images_only(made: Made, tmp_path: Path) -> None:
    done = run(made, "fiftyone", tmp_path / "f")
    assert done.exit_code == 1
    assert "movies-r1: its items are no images; use --format cleanlab or argilla" in done.output
    assert not (tmp_path / "f").exists()


def test_fiftyone_gets_labels_by_the_images_path_and_none_that_lie_at_an_address(made: Made, tmp_path: Path) -> None:
    made.lake.write("image_files", "movies", TABLES["image_files"].schema.empty_table())
    try:
        found = find_suspicious(made.lake, "movies-r1", KINDS, 3)
        places = ["sub/a.b.png", "https://example.org/b.png", "c.jpg"]
        found = found._replace(listed=found.listed.set_column(2, "text", pa.array(places)))
        done = write_for_fiftyone(found, made.lake, tmp_path / "f")
    finally:
        shutil.rmtree(made.lake.partition_folder("image_files", "movies"))
    assert (done.items, done.left_out) == (2, 1)
    written = json.loads((tmp_path / "f/labels.json").read_text())
    assert (written["classes"], list(written["labels"])) == (list(CLASSES), ["sub/a.b", "c"])
    row = found.listed.slice(0, 1).to_pylist()[0]
    one = written["labels"]["sub/a.b"]
    assert (one["label"], one["confidence"]) == (row["label"], row["probability"])
    assert one["attributes"]["reason"] == row["reason"]


def test_files_that_are_there_are_left_as_they_are(made: Made, tmp_path: Path) -> None:
    (tmp_path / "labels.npy").write_bytes(b"mine")
    done = run(made, "cleanlab", tmp_path)
    assert (done.exit_code, "labels.npy is there already; name a new folder" in done.output) == (1, True)
    assert (tmp_path / "labels.npy").read_bytes() == b"mine"
    assert run(made, "cleanlab", tmp_path / "no" / "such").exit_code == 1


@pytest.mark.parametrize("release", ["movies-r9", "nothing"])
def test_a_release_that_was_never_planned_is_an_error(made: Made, tmp_path: Path, release: str) -> None:
    where = ["--lake", str(made.lake.root), "--to", str(tmp_path / "x"), "--format", "argilla"]
    done = CliRunner().invoke(main, ["suspicious", made.lake.project, release, *where])
    assert (done.exit_code, "not there yet" in done.output) == (1, True)
