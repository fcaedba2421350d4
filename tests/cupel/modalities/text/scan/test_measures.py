"""Every measure is held to a few lines of plain Python that say the same."""

import re
from collections import Counter

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupel.contract.tables.scan_columns import SCAN_MEASURES
from cupel.modalities.text.scan.classes import SENTENCE_ENDS
from cupel.modalities.text.scan.lines import PHRASES
from cupel.modalities.text.scan.measures import LONGEST_BYTES, measures
from cupel.modalities.text.scan.rules import ENGLISH_STOP_WORDS, RULES, reasons
from cupel.modalities.text.scan.tokens import tokenise

WORDS = [
    "the",
    "of",
    "cat",
    "Cat",
    "don't",
    "#",
    "...",
    "\u2026",
    "well-known",
    "U.S.",
    "a,b",
    "\u4e2d\u6587",
    "\u4e2d\u6587\u4e2d\u3002",
    "\u0964",
    "caf\u00e9",
    "-",
    "\u2022 x",
    "{",
]
PIECES = [
    *WORDS,
    " ",
    "  ",
    "\n",
    "\n\n",
    "\n\n\n",
    ". ",
    "! ",
    "?\n",
    "[12]",
    "[edit]",
    *PHRASES,
    "JavaScript",
    "\r\n",
    "\u2028",
    "\u00a0",
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)


def one(text: str) -> dict[str, int]:
    found = measures(pa.array([text]), ENGLISH_STOP_WORDS).to_pylist()[0]
    return {name: found[name] for name in SCAN_MEASURES}


def duplicates(pieces: list[str]) -> tuple[int, int]:
    again = [piece for place, piece in enumerate(pieces) if piece in pieces[:place]]
    return len(again), sum(map(len, again))


def top(words: list[str], size: int) -> int:
    grams = [tuple(words[place : place + size]) for place in range(len(words) - size + 1)]
    if not grams:
        return 0
    gram, times = Counter(grams).most_common(1)[0]
    return len(" ".join(gram)) * times


def repeated(words: list[str], size: int) -> int:
    seen: set[tuple[str, ...]] = set()
    place = characters = 0
    while place + size <= len(words):
        gram = tuple(words[place : place + size])
        characters += len("".join(gram)) if gram in seen else 0
        place += size if gram in seen else 1
        seen.add(gram)
    return characters


def c4(text: str) -> Counter[str]:
    """Return what the C4 rules make of the lines, sentences aside."""
    kinds: Counter[str] = Counter()
    for line in text.splitlines():
        runs = line.split()
        kept = re.sub(r"(?:\[\d*\]|\[edit\]|\[citation needed\])+$", "", line.strip())
        said = [flag for phrase, flag in PHRASES.items() if phrase in kept.lower()]
        if not kept.endswith((".", "?", "!", '"', "'", "\u3002", "\u0964")) or kept.endswith("..."):
            continue
        if len(runs) < 3 and len(re.findall("[\u4e2d\u6587]", kept)) < 3:
            continue
        if any(len(run) > 1_000 and not re.search("[\u4e2d\u6587]", run) for run in runs):
            continue
        kinds[
            "lorem"
            if 1 in said
            else "script"
            if 2 in said
            else "brace"
            if "{" in kept
            else "policy"
            if said
            else "kept"
        ] += 1
    return kinds


def expected(text: str) -> dict[str, int]:
    words = tokenise(text)
    lines, hard = text.splitlines(), re.split("\n+", text)
    filled = [line for line in text.split("\n") if line.strip()]
    plain = [word for word in words if any(sign.isalnum() for sign in word)]
    kinds = c4(text)
    line_pieces, paragraphs = duplicates(hard), re.split("\n{2,}", text.strip())
    return {
        "lines": len(lines),
        "bullet_lines": sum(line.lstrip().startswith(("-", "\u2022")) for line in lines),
        "ellipsis_lines": sum(line.rstrip().endswith(("...", "\u2026")) for line in lines),
        "filled_lines": len(filled),
        "ended_lines": sum(line[-1] in SENTENCE_ENDS and line[-1] != "\u2026" for line in filled),
        "short_lines": sum(len(line) <= 30 for line in filled),
        "line_feeds": text.count("\n"),
        "kept_lines": kinds["kept"],
        "lorem_lines": kinds["lorem"],
        "brace_lines": kinds["brace"],
        "characters": len(text),
        "visible_characters": sum(not sign.isspace() for sign in text),
        "letters": sum(sign.isalpha() for sign in text),
        "words": len(words),
        "plain_words": len(plain),
        "plain_word_characters": sum(map(len, plain)),
        "lettered_words": sum(any(sign.isalpha() for sign in word) for word in words),
        "stop_words": len(set(words) & set(ENGLISH_STOP_WORDS)),
        "hashes": text.count("#"),
        "ellipses": text.count("...") + text.count("\u2026"),
        "commonest_word_times": max(Counter(words).values(), default=0),
        "pieces": len(hard),
        "repeated_pieces": line_pieces[0],
        "repeated_piece_characters": line_pieces[1],
        "repeated_line_characters": duplicates(filled)[1],
        "paragraphs": len(paragraphs),
        "repeated_paragraphs": duplicates(paragraphs)[0],
        "repeated_paragraph_characters": duplicates(paragraphs)[1],
        **{f"top_{size}_gram_characters": top(words, size) for size in range(2, 5)},
        **{f"repeated_{size}_gram_characters": repeated(words, size) for size in range(5, 11)},
    }


@pytest.mark.parametrize("length", [1, 1_023, 1_024, 1_025, 5_000])
def test_lines_of_any_length_are_told_apart(length: int) -> None:
    line = ("abc " * length)[:length]
    text = "\n".join([line, line, line + "x", "x" + line, line])
    assert one(text)["repeated_pieces"] == 2


@pytest.mark.parametrize("phrase", PHRASES)
def test_a_phrase_is_found_in_any_case_and_wherever_it_stands(phrase: str) -> None:
    for said in (phrase, phrase.upper(), phrase.title()):
        for line in (f"{said} is said here.", f"Here is said {said}.", f"Here x{said}x is said."):
            assert one(line)["kept_lines"] == 0


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_every_measure_is_what_plain_python_says(text: str) -> None:
    found, wanted = one(text), expected(text)
    assert {name: found[name] for name in wanted} == wanted


@pytest.mark.parametrize(
    ("line", "sentences"),
    [
        ("One two three. Four five!", 2),
        ("One two three? (Four) five.", 2),
        ("Just one two three.", 1),
        ("no end here", 0),
    ],
)
def test_sentences_are_counted_in_lines_that_c4_keeps(line: str, sentences: int) -> None:
    assert one(line)["kept_sentences"] == sentences


@given(st.lists(st.binary(max_size=40), max_size=5))
def test_any_bytes_are_measured(contents: list[bytes]) -> None:
    found = measures(pa.array(contents, pa.binary()))
    decoded = [content.decode("utf-8", "replace") for content in contents]
    for row, content, text in zip(found.to_pylist(), contents, decoded, strict=True):
        # Python writes one mark for several wrong bytes; there are never fewer characters, never more than bytes.
        assert len(text) <= row["characters"] <= len(content) or not content


def test_null_and_too_long_are_null_and_rejected() -> None:
    texts = pa.array(["a", None, "b" * (LONGEST_BYTES + 1)])
    found = measures(texts)
    assert found["words"].to_pylist() == [1, None, None]
    for name in RULES:
        assert reasons(name, found).to_pylist()[1:] == ["not measured"] * 2


def test_rows_stand_for_themselves_whatever_the_order_slice_or_threads() -> None:
    texts = pa.array([f"{word} the cat. " * count for count, word in enumerate(WORDS * 30)])
    whole = measures(texts, ENGLISH_STOP_WORDS, threads=1)
    assert measures(texts, ENGLISH_STOP_WORDS, threads=4).equals(whole)
    assert measures(texts.slice(100, 77), ENGLISH_STOP_WORDS).equals(whole.slice(100, 77))
    assert measures(pa.chunked_array([texts[:5], texts[5:]]), ENGLISH_STOP_WORDS).equals(whole)


def test_one_word_again_and_again_is_measured() -> None:
    found = one("spam " * 200_000)
    assert found["commonest_word_times"] == 200_000
    assert found["repeated_10_gram_characters"] == 4 * (200_000 - 10 - (200_000 - 10) % 10)


def test_an_empty_column_gives_an_empty_table() -> None:
    assert measures(pa.array([], pa.string())).num_rows == 0
