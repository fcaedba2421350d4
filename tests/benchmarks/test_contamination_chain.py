import argparse
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.contamination_chain import run, write


def test_a_set_goes_through_the_rounds_of_a_project_and_is_scored_by_labels_that_only_answers_told(
    tmp_path: Path,
) -> None:
    rng = np.random.default_rng(1)
    words = {"ham": ["meeting", "report", "lunch", "notes"], "spam": ["winner", "prize", "cash", "click"]}
    labels = rng.choice(["ham", "spam"], 500, p=[0.7, 0.3])
    texts = [" ".join(rng.choice(words[label], 6)) + f" w{n} w{n * 7} w{n * 11}" for n, label in enumerate(labels)]
    (tmp_path / "set").mkdir()
    pq.write_table(pa.table({"text": texts, "label": labels}), tmp_path / "set" / "data.parquet")
    options = argparse.Namespace(data=tmp_path / "set", bad="spam", share=0.15, answers=200, budget=0.1, seed=0)
    deployment, is_junk = write(tmp_path / "project", options)
    found = run(deployment, is_junk)
    assert found["status"] == "bounded"
    assert found["answers"] <= 200
    assert found["residual"] <= found["bound"] <= 0.1
    assert 0.9 < found["good_kept"] <= 1
