"""The made-up project: the same bytes each time, texts that can be told apart, people who err as they should."""

import hashlib
import json
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from benchmarks import synthetic
from benchmarks.synthetic import CLASSES, NAME, write_project
from cupel.kinds.projects import load_project


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_project(tmp_path_factory.mktemp("made"), 5_000, 3_000).data / NAME


def rows(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def items(path: Path) -> dict[str, str]:
    """Return the text of each item that can be read, the first where an id comes twice."""
    found: dict[str, str] = {}
    for line in rows(path):
        if line.endswith("}"):
            item = json.loads(line)
            found.setdefault(item["id"], item["text"])
    return found


def test_rows_beyond_a_delivery_are_further_deliveries_of_a_project_that_loads(data: Path) -> None:
    project = load_project(data.parent.parent / "projects" / f"{NAME}.yaml")
    assert list(project.raw.deliveries) == ["d001", "d002"]
    assert [len(rows(data / f"{batch}.jsonl")) for batch in ("d001", "d002")] == [3_000, 2_000]


def test_the_same_arguments_give_the_same_bytes(data: Path, tmp_path: Path) -> None:
    again = write_project(tmp_path, 5_000, 3_000).data / NAME
    for path in data.iterdir():
        assert hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256((again / path.name).read_bytes()).digest()


def test_texts_have_about_300_characters_and_some_come_twice_or_are_broken(data: Path) -> None:
    texts = items(data / "d001.jsonl")
    assert 200 < sum(map(len, texts.values())) / len(texts) < 400
    assert len(texts) < 3_000
    assert len({text.lower() for text in texts.values()}) < len(texts)
    shared = set(items(data / "d002.jsonl").values()) & set(texts.values())
    assert shared


def test_every_item_has_an_experts_answer_and_three_of_different_people_who_err_as_they_should(data: Path) -> None:
    texts = items(data / "d001.jsonl")
    truth = {row["item_id"]: row["label"] for row in pq.read_table(data / "d001.expert.parquet").to_pylist()}
    assert truth.keys() == texts.keys()
    assert set(truth.values()) == set(CLASSES)
    answers = pq.read_table(data / "d001.label.parquet").to_pylist()
    assert Counter(row["item_id"] for row in answers) == dict.fromkeys(truth, synthetic.ANSWERS_PER_ITEM)
    assert len({(row["item_id"], row["annotator"]) for row in answers}) == len(answers)
    wrong = sum(row["label"] != truth[row["item_id"]] for row in answers) / len(answers)
    assert wrong == pytest.approx((synthetic.LEAST_ERROR + synthetic.MOST_ERROR) / 2, abs=0.02)


def test_words_tell_the_classes_apart(data: Path) -> None:
    truth = {row["item_id"]: row["label"] for row in pq.read_table(data / "d001.expert.parquet").to_pylist()}
    words: dict[str, Counter[str]] = {}
    for item, text in items(data / "d001.jsonl").items():
        for word in text.lower().split():
            words.setdefault(word, Counter())[truth[item]] += 1
    telling = [
        counts for counts in words.values() if counts.total() >= 5 and max(counts.values()) > 0.9 * counts.total()
    ]
    assert len(telling) > len(CLASSES) * 100
