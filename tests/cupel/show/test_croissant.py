import hashlib
import json
import re
from pathlib import Path
from typing import Any

import mlcroissant
import pytest

from cupel.errors import ReleaseError
from cupel.release.files import WrittenFile
from cupel.release.folder import write_release
from cupel.show.croissant import croissant
from cupel.show.release_documents import describe_release
from cupel.store.local import LocalStore


@pytest.fixture(scope="module")
def folder(certified: Any, provenance: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("croissant") / "r"
    write_release(
        LocalStore(folder.parent), folder.name, certified.facts, certified.tables, provenance, describe_release
    )
    return folder


def test_the_metadata_validate_and_load_the_data(folder: Path, certified: Any) -> None:
    dataset = mlcroissant.Dataset(jsonld=str(folder / "croissant.json"))
    assert not dataset.metadata.ctx.issues.errors
    rows = list(dataset.records("test"))
    expected = [row for row in certified.tables.training_set.to_pylist() if row["split"] == "test"]
    found = {(row["test/item_id"].decode(), row["test/label"].decode(), row["test/line"]) for row in rows}
    assert found == {(row["item_id"], row["label"], row["line"]) for row in expected}


def test_every_data_file_is_named_with_its_hash(folder: Path) -> None:
    content = json.loads((folder / "croissant.json").read_bytes())
    for file in content["distribution"]:
        assert file["sha256"] == hashlib.sha256((folder / file["contentUrl"]).read_bytes()).hexdigest()
    assert len(content["distribution"]) == 3


def test_the_fields_for_responsible_ai_are_filled_in(folder: Path) -> None:
    content = json.loads((folder / "croissant.json").read_bytes())
    for name in (
        "dataAnnotationProtocol", "dataAnnotationPlatform", "annotationsPerItem", "dataLimitations",
        "dataCollection", "machineAnnotationTools",
    ):  # fmt: skip
        assert content[f"rai:{name}"], name
    assert content["rai:annotationsPerItem"].startswith("3.00 annotators on average")


def test_there_are_no_dates_in_it(folder: Path) -> None:
    text = (folder / "croissant.json").read_text()
    assert not re.search(r'"date(Published|Created|Modified)"\s*:\s*"\d', text)
    assert not re.search(r"20\d\d-\d\d-\d\d", text)


def test_the_same_facts_give_the_same_metadata(certified: Any) -> None:
    files = {"data/train.parquet": WrittenFile("data/train.parquet", "ab" * 32, 1, 1)}
    assert croissant(certified.facts, files) == croissant(certified.facts, files)


def test_there_are_no_metadata_without_an_audit(unaudited: Any) -> None:
    with pytest.raises(ReleaseError, match="no audit result"):
        croissant(unaudited.facts, {})
