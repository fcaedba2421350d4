"""A release read by the library `datasets`, pushed to a hub of its protocol, and read back from there."""

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cupel.cli import main
from cupel.kinds.multilabel import MULTILABEL
from cupel.release.folder import write_release
from cupel.release.verify import verify_release
from cupel.show.release_documents import describe_release
from cupel.store.local import LocalStore
from hub_server import TOKEN, Hub, running_hub
from made_releases import CLASSES, PROVENANCE, Made, make_release

pytestmark = pytest.mark.handover
NAME = "team/movies"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_release(tmp_path_factory.mktemp("lake"))


@pytest.fixture(scope="module")
def release(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("releases")
    assert made.tables is not None
    write_release(LocalStore(folder), "r", made.facts, made.tables, PROVENANCE, describe_release)
    return folder / "r"


def load(place: str, **more: Any) -> Any:
    import datasets

    return datasets.load_dataset(place, **more)


def test_labels_are_classes_with_names_in_the_ontologys_order(release: Path, made: Made, tmp_path: Path) -> None:
    from datasets import ClassLabel, Value

    found = load(str(release), cache_dir=str(tmp_path))
    assert found["train"].features["label"] == ClassLabel(names=list(CLASSES))
    assert found["train"].features["probability"] == Value("float64")
    assert made.tables is not None
    rows = {row["item_id"]: row for row in made.lake.read("training_set", "movies-r1").to_pylist()}
    assert sum(split.num_rows for split in found.values()) == len(rows)
    for name, split in found.items():
        for row in split:
            expected = rows[row["item_id"]]
            assert (split.features["label"].int2str(row["label"]), name) == (expected["label"], expected["split"])
            assert row["probability"] == expected["probability"]


def test_a_file_without_its_card_takes_the_features_that_stand_in_it(release: Path, tmp_path: Path) -> None:
    import json

    import pyarrow.parquet as pq
    from datasets import ClassLabel, Dataset, Features, Value

    path = release / "data/train.parquet"
    alone = Dataset.from_parquet(str(path), cache_dir=str(tmp_path / "1"))
    assert alone.features["label"] == Value("string")  # the library casts by what it is given, or by the card
    told = Features.from_dict(json.loads(pq.read_schema(path).metadata[b"huggingface"])["info"]["features"])
    cast = Dataset.from_parquet(str(path), features=told, cache_dir=str(tmp_path / "2"))
    assert cast.features["label"] == ClassLabel(names=list(CLASSES))
    assert cast.column_names == alone.column_names


def test_a_set_of_classes_is_a_list_of_classes(tmp_path: Path) -> None:
    from datasets import ClassLabel, Features, List, Value

    from cupel.contract.ontology import Ontology
    from cupel.release.dataset_features import front_matter_features
    from cupel.release.kind_columns import table_of

    ontology = Ontology(("art", "sport"))
    told = front_matter_features(table_of(MULTILABEL, ontology), MULTILABEL, ontology)
    found = Features._from_yaml_list(told)
    assert found["classes"] == List(ClassLabel(names=["art", "sport"]))
    assert found["label"] == Value("string")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Any:
    # Of the hub's two ways for large files the local one speaks Git LFS, and not Xet.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    with running_hub() as server:
        yield server


def push(release: Path, hub: Hub, *more: str) -> Result:
    return CliRunner().invoke(main, ["push", str(release), "--to", NAME, "--endpoint", hub.url, *more])


def test_what_was_pushed_is_read_back_byte_for_byte_and_verifies(release: Path, hub: Hub, tmp_path: Path) -> None:
    from huggingface_hub import snapshot_download

    done = push(release, hub)
    assert done.exit_code == 0, done.output
    assert f"{hub.url}/datasets/{NAME}: 14 files" in done.output
    assert f"revision {hub.revision(NAME)}" in done.output
    there = hub.commits[NAME][-1]
    here = {path.relative_to(release).as_posix(): path.read_bytes() for path in release.rglob("*") if path.is_file()}
    assert {name: there[name] for name in here if name != "report.html"} == {
        name: content for name, content in here.items() if name != "report.html"
    }
    copy = snapshot_download(NAME, repo_type="dataset", endpoint=hub.url, token=TOKEN, local_dir=tmp_path / "copy",
                             ignore_patterns=[".gitattributes"])  # fmt: skip
    for name in there.keys() - {".gitattributes"}:
        content = (Path(copy) / name).read_bytes()
        assert hashlib.sha256(content).digest() == hashlib.sha256(here[name]).digest()
    for path in (Path(copy) / ".cache").rglob("*"):
        if path.is_file():
            path.unlink()
    assert verify_release(Path(copy)).is_passed


def test_the_report_never_leaves_and_no_annotator_is_named(release: Path, hub: Hub) -> None:
    assert "person 0" in (release / "report.html").read_text()
    push(release, hub)
    there = hub.commits[NAME][-1]
    assert "report.html" not in there
    import io

    import pyarrow.parquet as pq

    for name, content in there.items():
        shown = str(pq.read_table(io.BytesIO(content)).to_pylist()) if name.endswith(".parquet") else content.decode()
        assert "person 0" not in shown, name


def test_it_is_private_unless_asked_otherwise(release: Path, hub: Hub) -> None:
    push(release, hub)
    assert hub.is_private == {NAME: True}


def test_public_is_asked_for_by_name(release: Path, hub: Hub) -> None:
    push(release, hub, "--public")
    assert hub.is_private == {NAME: False}


def test_pushing_again_changes_nothing(release: Path, hub: Hub) -> None:
    push(release, hub)
    before = hub.revision(NAME)
    again = push(release, hub)
    assert again.exit_code == 0, again.output
    assert "already there, nothing was changed" in again.output
    assert hub.revision(NAME) == before


def test_a_push_that_broke_off_is_completed_by_the_next(release: Path, hub: Hub) -> None:
    hub.refuses_commits = True
    broken = push(release, hub)
    assert broken.exit_code == 1
    assert "not pushed" in broken.output
    hub.refuses_commits = False
    assert push(release, hub).exit_code == 0
    assert "manifest.json" in hub.commits[NAME][-1]


def test_a_wrong_token_is_told_in_one_line(release: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    said = push(release, hub)
    assert said.exit_code == 1
    assert said.output.startswith(f"Error: {NAME} at {hub.url}: not pushed: ")
    assert (len(said.output.splitlines()), hub.commits) == (1, {})


def test_a_hub_that_is_not_there_is_told_in_one_line(release: Path, hub: Hub) -> None:
    said = CliRunner().invoke(main, ["push", str(release), "--to", NAME, "--endpoint", "http://127.0.0.1:9"])
    assert said.exit_code == 1
    assert said.output.startswith(f"Error: {NAME} at http://127.0.0.1:9: not pushed: ")


def test_a_data_set_that_holds_something_else_is_left_alone(release: Path, hub: Hub) -> None:
    hub.commits[NAME], hub.is_private[NAME] = [{"other.csv": b"a,b\n"}], True
    said = push(release, hub)
    assert said.exit_code == 1
    assert "holds other.csv and no release; push to a new data set" in said.output
    assert hub.commits[NAME] == [{"other.csv": b"a,b\n"}]


def test_it_loads_from_the_hub_as_from_the_folder(
    release: Path, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import subprocess
    import sys

    push(release, hub)
    code = (
        "import datasets; d = datasets.load_dataset('team/movies'); "
        "print(d['train'].features['label'].names, sum(len(s) for s in d.values()))"
    )
    set_ = {"HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN, "HF_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, **set_}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    expected = sum(split.num_rows for split in load(str(release), cache_dir=str(tmp_path / "c")).values())
    assert done.stdout.strip() == f"{list(CLASSES)} {expected}"
