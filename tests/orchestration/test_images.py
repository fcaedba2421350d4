"""A project of images goes through the whole chain, from a folder of pictures to a certified release."""

import dataclasses
import hashlib
import io
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pyarrow.parquet as pq
import pytest
from forged_releases import failed, rewrite
from PIL import Image

from cupel.cleaning.images.measured import download_limits
from cupel.config.images import Images
from cupel.errors import ReleaseError
from cupel.kinds.projects import load_project
from cupel.lake.lake import Lake
from cupel.modalities.image.contents import read_content
from cupel.modalities.image.problems import ImageProblem
from cupel.release.facts import release_facts
from cupel.release.release_images import release_images
from cupel.release.verify import verify_release
from cupel.show.pictures import preview_images
from cupel.show.report import render_report
from cupel.sources.register import delivery_folder
from image_project import write_project
from orchestration.deployment import Deployment
from orchestration.rounds import Done, Rounds

Finished = tuple[Deployment, Done, Lake]


def finish(deployment: Deployment) -> Finished:
    project = load_project(deployment.projects / "views.yaml")
    rounds = Rounds(project, deployment, dg.DagsterInstance.ephemeral())
    return deployment, rounds.run(), rounds.lake


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    return finish(write_project(tmp_path_factory.mktemp("views")))


def release(lake: Lake) -> Path:
    return Path(str(lake.folder)) / "releases" / "one-r1"


def test_images_end_in_a_certified_release(finished: Finished) -> None:
    deployment, done, lake = finished
    assert done.broken == []
    facts = release_facts(lake, load_project(deployment.projects / "views.yaml"), "one-r1")
    assert facts.verdict == "PASS"
    assert verify_release(release(lake)).is_passed


def test_the_training_set_names_where_an_image_lies_and_its_hash(finished: Finished) -> None:
    deployment, _, lake = finished
    images = {row["item_id"]: row for row in pq.read_table(release(lake) / "data" / "images.parquet").to_pylist()}
    rows = lake.read("training_set", "one-r1").to_pylist()
    assert {row["item_id"] for row in rows} == images.keys()
    for row in rows:
        image = images[row["item_id"]]
        assert row["text"] == image["location"]
        path = deployment.data / image["location"]
        assert hashlib.sha256(path.read_bytes()).hexdigest() == image["delivered_sha256"]
        with Image.open(path) as delivered:
            assert (image["width"], image["height"], image["frames"]) == (*delivered.size, 1)


def test_copies_have_the_pixels_and_say_nothing_of_place_and_person(finished: Finished) -> None:
    deployment, _, lake = finished
    images = pq.read_table(release(lake) / "data" / "images.parquet").to_pylist()
    assert Counter(row["format"] for row in images).keys() == {"JPEG", "PNG"}
    for row in images:
        content = (release(lake) / row["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == row["sha256"]
        with Image.open(io.BytesIO(content)) as copy, Image.open(deployment.data / row["location"]) as delivered:
            assert copy.tobytes() == delivered.tobytes()
            assert not copy.getexif()
            assert bool(delivered.getexif()) == (row["format"] == "JPEG")


def test_images_that_cannot_be_used_are_rejected_with_what_to_do(finished: Finished) -> None:
    _, _, lake = finished
    rejected = {
        Path(row["item_id"]).name: (row["reason"], row["evidence"])
        for row in lake.read("rejected_items", "one").to_pylist()
    }
    assert {name: reason for name, (reason, _) in rejected.items()} == {
        "z-copy.png": "exact_duplicate",
        "z-cut.jpg": "unreadable_image",
        "z-empty.png": "unreadable_image",
        "z-near.jpg": "near_duplicate",
        "z-text.png": "unreadable_image",
        "z-tiny.png": "tiny_image",
        "z-uniform.png": "uniform_image",
    }
    assert rejected["z-empty.png"][1] == "views/img/z-empty.png: has no bytes; bring the whole file"
    assert rejected["z-near.jpg"][1] == "one/views/img/y-larger.png"


def test_the_checker_sees_colours_and_says_when_it_cannot(finished: Finished) -> None:
    _, _, lake = finished
    rows = lake.read("predictions", "one").to_pylist()
    assert {row["model"] for row in rows} == {"linear of images"}
    labels = {row["item_id"]: row["label"] for row in lake.read("training_set", "one-r1").to_pylist()}
    said = [row["predicted_label"] == labels[row["item_id"]] for row in rows if row["item_id"] in labels]
    assert sum(said) > 0.9 * len(labels)


def test_the_report_shows_the_pictures_that_it_speaks_of(finished: Finished) -> None:
    deployment, _, lake = finished
    facts = release_facts(lake, load_project(deployment.projects / "views.yaml"), "one-r1")
    item = lake.read("training_set", "one-r1").slice(0, 1).to_pylist()[0]
    wrong = {"expert_label": "cold", "majority_label": "warm", "predicted_label": None, "risk_rank": 1}
    told = dataclasses.replace(facts, worst=[item | wrong])

    def read(batch: str, location: str) -> bytes:
        return (deployment.data / location).read_bytes()

    pictures = preview_images([("one", item["text"]), ("one", "https://x.org/1.png")], read, 1_000_000)
    assert pictures.keys() == {item["text"]}
    assert f'<img src="{pictures[item["text"]]}"' in render_report(told, pictures=pictures)
    assert "<img" not in render_report(told)


def test_the_card_speaks_of_images(finished: Finished) -> None:
    card = (release(finished[2]) / "README.md").read_text()
    assert "image-classification" in card
    assert "data/images.parquet" in card
    assert "Whether the images represent" in card
    assert "| `text` | Path or address of the image" in card
    query = next(line for line in card.splitlines() if line.startswith("SELECT"))
    counts = duckdb.connect().execute(query.replace("'data/", f"'{release(finished[2])}/data/")).fetchall()
    labels = finished[2].read("training_set", "one-r1")["label"].to_pylist()
    assert dict(counts) == {label: labels.count(label) for label in set(labels)}


def test_gates_of_images_ask_about_images(finished: Finished) -> None:
    _, _, lake = finished
    asked = {row["check"]: row for row in lake.read("gate_results", "cleaning--one").to_pylist()}
    assert {"unreadable_image_share", "exact_duplicates_left", "near_duplicates_left"} <= asked.keys()
    assert not {"private_data_left", "changed_share", "places_left"} & asked.keys()
    assert asked["near_duplicates_left"]["observed"] == 0


@pytest.mark.parametrize("what", ["altered", "missing", "added", "exchanged"])
def test_a_release_with_other_images_does_not_verify(finished: Finished, tmp_path: Path, what: str) -> None:
    folder = shutil.copytree(release(finished[2]), tmp_path / "one-r1")
    one, other, *_ = sorted((folder / "images").iterdir())
    if what == "altered":
        one.write_bytes(one.read_bytes() + b"x")
    elif what == "missing":
        one.unlink()
    elif what == "added":
        (folder / "images" / f"{'0' * 64}.png").write_bytes(b"x")
    else:
        content = one.read_bytes()
        one.write_bytes(other.read_bytes())
        other.write_bytes(content)
    assert not verify_release(folder).is_passed


def test_two_images_exchanged_with_all_hashes_mended_are_not_what_was_frozen(
    finished: Finished, tmp_path: Path
) -> None:
    folder = shutil.copytree(release(finished[2]), tmp_path / "one-r1")

    def exchange(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        names = ("file", "sha256", "size_bytes", "delivered_sha256")
        one, other = ({name: row[name] for name in names} for row in rows[:2])
        return [rows[0] | other, rows[1] | one, *rows[2:]]

    rewrite(folder, "data/images.parquet", exchange)
    assert failed(verify_release(folder)) == {"every content is the one that was frozen"}


def test_a_delivered_image_that_changed_stops_the_release(finished: Finished) -> None:
    deployment, _, lake = finished
    items = lake.read("training_set", "one-r1")
    settings = load_project(deployment.projects / "views.yaml").images

    def make(read: Callable[[str, str], bytes | ImageProblem], frozen: dict[tuple[str, str], str]) -> None:
        files = lake.read("image_files", "one")
        list(release_images("one-r1", [items], lambda batch: files, read, settings, frozen))

    with pytest.raises(ReleaseError, match="but people saw"):
        make(lambda *_: b"other", {})
    with pytest.raises(ReleaseError, match="is not there; bring the file"):
        make(lambda *_: ImageProblem("missing_file"), {})
    folder, first = delivery_folder(lake, "one", deployment.data), items.slice(0, 1).to_pylist()[0]
    with pytest.raises(ReleaseError, match="was frozen; set the project's `images` as it was then"):
        make(
            lambda _, location: read_content(folder, location, download_limits(settings)),
            {(first["batch"], first["item_id"]): "0" * 64},
        )


def test_a_release_of_references_reads_no_file(finished: Finished) -> None:
    _, _, lake = finished
    files, items = lake.read("image_files", "one"), lake.read("training_set", "one-r1")

    def read(batch: str, location: str) -> bytes:
        raise AssertionError("it was read")

    found = list(release_images("one-r1", [items], lambda batch: files, read, Images(released="references"), {}))
    assert len(found) == items.num_rows
    assert all(content is None and row["file"] is None for row, content in found)
    assert all(row["sha256"] == row["delivered_sha256"] for row, _ in found)
