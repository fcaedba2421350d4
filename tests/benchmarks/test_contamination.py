from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.contamination import figures, mix, read
from cupel.cleaning.contamination.learning import LearningSettings
from cupel.cleaning.contamination.purify import Purity
from cupel.errors import SourceError


def write(folder: Path, documents: int = 1_200) -> Path:
    rng = np.random.default_rng(1)
    words = {"ham": ["meeting", "report", "lunch", "notes"], "spam": ["winner", "prize", "cash", "click"]}
    labels = rng.choice(["ham", "spam"], documents, p=[0.7, 0.3])
    texts = [" ".join(rng.choice(words[label], 6)) + f" w{n}" for n, label in enumerate(labels)]
    pq.write_table(pa.table({"text": texts, "label": labels}), folder / "data.parquet")
    return folder


def test_every_figure_that_is_promised_is_there(tmp_path: Path) -> None:
    purity = Purity(0.03, 400, learning=LearningSettings(answers=160))
    found = figures(write(tmp_path), ["spam"], 0.15, purity, seeds=3)
    assert found["pass_share"] == 1.0
    assert found["good_kept"]["mean"] > 0.95
    assert found["residual"] <= found["bound"] <= 0.03
    assert found["most_answers_used"] <= 400
    assert len(found["good_kept"]["quartiles"]) == 3


def test_a_mix_has_the_share_asked_for() -> None:
    for bad in (10, 500):
        is_junk = np.arange(1_000) < bad
        found = is_junk[mix(is_junk, 0.15, np.random.default_rng(1))]
        assert found.mean() == pytest.approx(0.15, abs=0.02)


@pytest.mark.parametrize("bad", [["other"], ["ham", "spam"]])
def test_labels_that_part_nothing_are_an_error(tmp_path: Path, bad: list[str]) -> None:
    with pytest.raises(SourceError, match="labels"):
        read(write(tmp_path), bad)
