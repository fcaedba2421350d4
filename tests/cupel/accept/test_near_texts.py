import random

import numpy as np
import pytest

from cupel.accept.near_texts import SketchedTexts, find_alike, pack_sketches, sketch_texts, unpack_sketches

RNG = random.Random(4)
LETTERS = "abcdefghijklmnopqrstuvwxyz"
TEXTS = ["".join(RNG.choices(LETTERS, k=RNG.randint(60, 140))) for _ in range(300)]


def sketched(texts: list[str], first: int = 0) -> SketchedTexts:
    keys = np.stack([np.arange(first, first + len(texts)), np.zeros(len(texts))], axis=1).astype(np.uint64)
    return sketch_texts(keys, texts)


def similarity(one: str, other: str) -> float:
    runs, others = ({text[n : n + 5] for n in range(len(text) - 4)} for text in (one, other))
    return len(runs & others) / len(runs | others)


@pytest.mark.parametrize("change", [lambda t: t + "!", lambda t: "x" + t, lambda t: t[:30] + "q" + t[30:],
                                    lambda t: t + "word"])  # fmt: skip
def test_a_character_or_word_more_makes_no_other_text(change: object) -> None:
    changed = [change(text) for text in TEXTS]  # type: ignore[operator]
    found = find_alike(sketched(changed), sketched(TEXTS))
    assert (found == np.arange(len(TEXTS))).mean() > 0.95
    assert all(similarity(*pair) > 0.8 for pair in zip(TEXTS, changed, strict=True))


def test_other_texts_are_not_alike_nor_are_those_of_half_the_runs() -> None:
    others = ["".join(RNG.choices(LETTERS, k=100)) for _ in range(300)]
    halves = [text[: len(text) * 2 // 3] + other[: len(text) // 3] for text, other in zip(TEXTS, others, strict=True)]
    assert np.mean([similarity(*pair) for pair in zip(TEXTS, halves, strict=True)]) == pytest.approx(0.46, abs=0.05)
    assert (find_alike(sketched(others), sketched(TEXTS)) < 0).all()
    assert (find_alike(sketched(halves), sketched(TEXTS)) < 0).mean() > 0.99


def test_the_share_of_numbers_that_agree_is_the_similarity() -> None:
    changed = [text[: len(text) // 2] + "#" + text[len(text) // 2 + 3 :] for text in TEXTS]
    agreeing = (sketched(TEXTS).sketches == sketched(changed).sketches).mean(axis=1)
    true = np.array([similarity(*pair) for pair in zip(TEXTS, changed, strict=True)])
    assert abs((agreeing - true).mean()) < 0.01


def test_sketches_are_read_back_and_do_not_depend_on_the_texts_beside() -> None:
    found = sketched(TEXTS)
    back = unpack_sketches(pack_sketches(found))
    assert (back.keys == found.keys).all()
    assert (back.sketches == found.sketches).all()
    assert (sketched(TEXTS[7:8]).sketches == found.sketches[7]).all()


def test_without_texts_nothing_is_alike() -> None:
    empty = sketch_texts(np.zeros((3, 2), np.uint64), [None, "", "abc"])
    assert len(empty.keys) == 0
    assert len(find_alike(empty, sketched(TEXTS))) == 0
    assert (find_alike(sketched(TEXTS), unpack_sketches(pack_sketches(empty))) < 0).all()
