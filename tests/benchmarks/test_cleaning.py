from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.cleaning import figures, read_texts
from cupel.errors import SourceError
from cupel.modalities.text.scan.rules import RULES


def test_all_parquet_files_with_a_text_are_read_and_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.cleaning.REPEATS", 1)
    pq.write_table(pa.table({"text": ["one two three", None]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"text": ["four five six."], "label": [1]}), tmp_path / "b.parquet")
    pq.write_table(pa.table({"id": [1]}), tmp_path / "c.parquet")
    texts = read_texts(tmp_path)
    assert texts.to_pylist() == ["one two three", "four five six."]
    found = figures(texts, documents=2)
    assert found["documents"] == 2
    assert set(found["kept_share"]) == set(RULES)


def test_a_folder_without_texts_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no Parquet file with a column 'text'"):
        read_texts(tmp_path)
