"""The benchmark of near-duplicates: its texts, and that its figures can be bad."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks import duplicate_tools
from benchmarks.duplicate_texts import LEAST_WORDS, Folder, Reported, Shingled, edited_copies, grown, read_folder
from benchmarks.duplicate_tools import Ran
from benchmarks.duplicates import edited, figures, quality, speed
from cupel.errors import SourceError

RNG = np.random.default_rng(6)
WORDS = ["".join(RNG.choice(list("abcdefghij"), 6)) for _ in range(3_000)]
TEXTS = [" ".join(RNG.choice(WORDS, 30)) for _ in range(80)]


def write(folder: Path, ids: list, texts: list, a: list, b: list) -> Path:
    pq.write_table(pa.table({"id": ids, "text": texts}), folder / "docs.parquet")
    pq.write_table(pa.table({"a": a, "b": b}), folder / "truth.parquet")
    return folder


def test_the_whole_benchmark_runs_on_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.duplicates.installed", lambda: ["characters", "words"])
    monkeypatch.setattr("benchmarks.duplicates.run", duplicate_tools._timed)
    near = " ".join(TEXTS[0].split()[1:])
    ids = [f"d{place}" for place in range(81)]
    found = figures(read_folder(write(tmp_path, ids, [*TEXTS, near], ["d80"], ["d0"])), [120])
    assert (found["documents"], found["truth_pairs"]) == (81, 1)
    assert found["quality"]["characters"]["recall"] == found["quality"]["characters"]["precision"] == 1
    assert found["edited"]["0.05"]["copies"] == 81
    assert found["edited"]["0.05"]["characters"] > found["edited"]["0.05"]["words"]
    assert found["speed"]["120"]["words"]["documents_per_second"] > 0


def ran(pairs: list[tuple[int, int]]) -> Ran:
    return Ran(1.0, 1.0, 0, np.array(pairs, np.int64).reshape(-1, 2))


def test_what_is_missed_or_wrongly_reported_lowers_the_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Folder([*TEXTS, TEXTS[0] + " more", TEXTS[1] + " more"], [(80, 0), (81, 1), (3, 2)])
    monkeypatch.setattr("benchmarks.duplicates.run", lambda name, file: ran([(80, 0), (5, 4)]))
    found = quality(folder, ["characters"])["characters"]
    assert (found["truth_pairs_similar"], found["recall_similar"]) == (2, 1 / 2)
    assert found["recall"] == 1 / 3
    assert found["precision"] == 1 / 2
    monkeypatch.setattr("benchmarks.duplicates.run", lambda name, file: ran([(81, 1), (5, 4)]))
    assert edited(TEXTS, 0.05, ["characters"])["characters"] == 1 / 80


def test_speed_is_compared_with_the_fastest_peer_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = {"characters": 2.0, "words": 1.0, "gaoya": 6.0, "rensa_flags": 3.0}
    monkeypatch.setattr(
        "benchmarks.duplicates.run", lambda name, file: Ran(seconds[name], 2 * seconds[name], 400, None)
    )
    found = speed(TEXTS, list(seconds))
    assert [found[name]["times_as_fast_seconds"] for name in ("characters", "words")] == [1.5, 3]
    assert found["gaoya"]["peak_memory_bytes_per_document"] == 5


def test_copies_are_edited_at_the_rate_and_the_same_each_time() -> None:
    folder = edited_copies(TEXTS, 0.1, 50)
    assert folder == edited_copies(TEXTS, 0.1, 50)
    assert len(folder.truth) == 50
    kept = [
        len(set(folder.texts[copy].split()) & set(folder.texts[row].split())) / len(set(folder.texts[row].split()))
        for copy, row in folder.truth
    ]
    assert all(folder.texts[copy] != folder.texts[row] for copy, row in folder.truth)
    assert 0.85 < np.mean(kept) < 0.95
    assert edited_copies(["short"] * LEAST_WORDS, 0.1, 50).truth == []


def test_grown_texts_are_the_folders_first_then_new_ones_of_which_a_tenth_are_copies() -> None:
    found = grown(TEXTS, 1_080)
    assert found == grown(TEXTS, 1_080)
    assert found[:80] == TEXTS
    assert grown(TEXTS, 10) == TEXTS[:10]
    exact = Shingled(found, 5, of_words=False)
    like_an_earlier_one = sum(
        any(exact.similarity(row, other) >= 0.4 for other in range(row)) for row in range(980, 1_080)
    )
    assert 2 <= like_an_earlier_one <= 30


def test_similarity_is_that_of_runs_of_characters_or_words() -> None:
    texts = ["abcdef", "ABCDE", "x"]
    assert Shingled(texts, 5, of_words=False).similarity(0, 1) == 1 / 2
    assert Shingled(["a b c", "a b d"], 1, of_words=True).similarity(0, 1) == 2 / 4
    assert Shingled(texts, 5, of_words=False).similarity(2, 0) == 0


def test_what_is_reported_of_a_text_is_true_of_its_exact_copies() -> None:
    texts = ["one", "two", "ONE", "Two", "three"]
    reported = Reported(texts, [(2, 0), (1, 0), (3, 1)])
    assert reported.holds(3, 2)
    assert reported.holds(0, 2)
    assert not reported.holds(4, 0)
    assert not Reported(texts, [(1, 0)]).holds(2, 1)


def test_a_tool_runs_in_a_process_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "texts.parquet"
    pq.write_table(pa.table({"text": [*TEXTS, TEXTS[3]]}), file)
    found = duplicate_tools.run("characters", file)
    assert found.pairs is not None
    assert found.pairs.tolist() == [[80, 3]]
    assert found.cpu_seconds > 0


@pytest.mark.parametrize("name", ["gaoya", "rensa", "rensa_flags", "rensa_rho"])
def test_peers_run_where_they_are_installed(name: str) -> None:
    pytest.importorskip(name.split("_")[0], reason="make peers installs it")
    tool = duplicate_tools.TOOLS[name]
    pairs = tool.run([*TEXTS, TEXTS[3]])
    assert (pairs is not None) == tool.tells_pairs
    assert pairs is None or pairs.tolist() == [[80, 3]]


@pytest.mark.parametrize(
    ("ids", "a", "message"),
    [([1, 1], [1], "an id stands twice"), ([1, 2], [7], "column a: 7 is no id")],
)
def test_a_folder_that_does_not_fit_is_an_error(tmp_path: Path, ids: list, a: list, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        read_folder(write(tmp_path, ids, ["x", "y"], a, [1]))


def test_a_missing_file_or_column_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="not there"):
        read_folder(tmp_path)
    pq.write_table(pa.table({"id": [1]}), tmp_path / "docs.parquet")
    with pytest.raises(SourceError, match="no column 'text'"):
        read_folder(tmp_path)
