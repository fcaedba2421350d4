"""The multilingual sample: laid out of data at hand, the same every time, and a plain word where there are none."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cupel.errors import SourceError
from cupel.kinds.projects import load_project
from samples.topics import ANNOTATORS, BATCH, CREW, WRONG, answers, delivery, prepare, read

REPOSITORY = Path(__file__).parents[2]
TOPICS = ["entertainment", "geography", "health", "politics", "science/technology", "sports", "travel"]


def sentences(folder: Path, languages: int = 4, numbers: int = 70) -> Path:
    rows = [
        {
            "lang": f"l{language:02}a_Latn",
            "index_id": str(number),
            "topic": TOPICS[number % 7],
            "text": f"text {number}",
        }
        for language in range(languages)
        for number in range(numbers)
    ]
    pq.write_table(pa.Table.from_pylist(rows), folder / "train.parquet")
    return folder


def test_only_sentences_that_the_language_model_never_saw_are_taken_unless_asked(tmp_path: Path) -> None:
    data = sentences(tmp_path)
    assert {number[-1] for number in read(data)["index_id"].to_pylist()} == {"0"}
    assert (read(data).num_rows, read(data, is_all=True).num_rows) == (4 * 7, 4 * 70)


def test_translations_of_a_sentence_share_a_group_and_no_id(tmp_path: Path) -> None:
    table = delivery(read(sentences(tmp_path)))
    assert len(set(table["id"].to_pylist())) == table.num_rows
    assert len(set(table["sentence"].to_pylist())) == 7


def test_the_made_up_crew_is_wrong_as_often_as_stated_and_the_expert_is_the_data_set(tmp_path: Path) -> None:
    table = read(sentences(tmp_path, languages=10, numbers=400), is_all=True)
    topics = dict(zip(delivery(table)["id"].to_pylist(), table["topic"].to_pylist(), strict=True))
    rows = answers(table).to_pylist()
    crew = [row for row in rows if row["purpose"] == "label"]
    assert len(crew) == CREW * table.num_rows
    for number in range(ANNOTATORS):
        own = [row for row in crew if row["annotator"].endswith(f"{number:02}")]
        wrong = sum(row["label"] != topics[row["item_id"]] for row in own) / len(own)
        assert wrong == pytest.approx(WRONG[number % len(WRONG)], abs=0.05)
    assert all(row["label"] == topics[row["item_id"]] for row in rows if row["purpose"] == "expert")


def test_the_inbox_gets_the_same_bytes_every_time(tmp_path: Path) -> None:
    data = sentences(tmp_path)
    for inbox in ("one", "two"):
        assert prepare(data, tmp_path / inbox) == 28
    for name in (f"{BATCH}.parquet", "answers/answers.parquet"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
        assert (tmp_path / "one" / f"{name}.done").exists()


def test_without_the_data_it_says_where_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="Get SIB-200"):
        read(tmp_path / "nowhere")


def test_the_project_knows_the_topics() -> None:
    assert list(load_project(REPOSITORY / "projects" / "languages.yaml").labeling.classes) == TOPICS
