"""Models that are measured on a collection never saw the texts that they answer for."""

import numpy as np
import pytest

from benchmarks import language_parts
from benchmarks.language_data import Rows, TaughtTexts
from benchmarks.language_parts import PARTS, figures, part_of
from cupel.modalities.text.languages.training import Settings

SMALL = Settings(bits=12, dimensions=8, visits=1500)


def sentences(letters: str, count: int, seed: int) -> list[str]:
    rng = np.random.default_rng(seed)
    return [" ".join("".join(rng.choice(list(letters), 5)) for _ in range(8)) for _ in range(count)]


def test_a_language_of_the_collection_alone_is_told_only_by_models_that_were_taught_it() -> None:
    base = [("deu_Latn", text) for text in sentences("abcde", 40, 1)]
    rows = [("pl", text) for text in sentences("vwxyz", 40, 2)] + [("", "of no language at all")]
    found = figures(base, rows, 10, SMALL, threads=2)
    assert found["never_taught"]["f1"] == {"pol": 0.0}
    assert found["other_parts_taught"]["f1"] == {"pol": 1.0}
    assert found["never_taught"]["documents"] == found["other_parts_taught"]["documents"] == 40


def test_no_model_is_shown_the_texts_that_it_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [("pl", text) for text in sentences("vwxyz", 30, 3)]
    seen: list[tuple[set[tuple[str, str]], set[tuple[str, str]]]] = []

    def answers(shown: TaughtTexts, asked: Rows, settings: Settings) -> Rows:
        texts = [("pl", text) for text in shown.texts.to_pylist()]
        seen.append((set(texts), set(asked)))
        return [(code, "pol_Latn") for code, _ in asked]

    monkeypatch.setattr(language_parts, "_answers", answers)
    figures([("deu_Latn", "Das Haus")], rows, 0, SMALL)
    assert len(seen) == PARTS + 1
    assert all(not shown & asked for shown, asked in seen)
    assert set.union(*(asked for _, asked in seen[1:])) == set(rows)


def test_equal_texts_lie_in_one_part() -> None:
    assert part_of("Save") == part_of("Sa" + "ve")
    assert {part_of(text) for text in sentences("abcde", 200, 4)} == set(range(PARTS))
