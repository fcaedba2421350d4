"""Lists of words become short texts; what is of several languages or of no own script is left out."""

import gzip
import json
from pathlib import Path

import pytest

from benchmarks.language_words import TEXTS, drawn_texts, in_own_script, names_of_places, names_of_signs
from cupel.errors import SourceError


def put(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def test_words_are_drawn_by_their_frequency(tmp_path: Path) -> None:
    # MessagePack: [{"format": "cB", "version": 1}, ["und"], [] * 200, ["selten"]]
    words = b"\x91\xa3und" + b"\x90" * 200 + b"\x91\xa6selten"
    data = b"\xdc\x00\xcb\x82\xa6format\xa2cB\xa7version\x01" + words
    (tmp_path / "small_de.msgpack.gz").write_bytes(gzip.compress(data))
    (tmp_path / "small_sh.msgpack.gz").write_bytes(gzip.compress(data))
    rows = drawn_texts(tmp_path)
    assert len(rows) == TEXTS
    assert {code for code, _ in rows} == {"de"}
    counts = [sum(text.split().count(word) for _, text in rows) for word in ("und", "selten")]
    # 10^-2.01 as frequent, to the power of 0.6.
    assert 0.04 < counts[1] / counts[0] < 0.09
    assert drawn_texts(tmp_path) == rows


def test_a_list_in_another_form_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="small_CODE"):
        drawn_texts(tmp_path)
    (tmp_path / "small_de.msgpack.gz").write_bytes(gzip.compress(b"\x91\x91\xa3und"))
    with pytest.raises(SourceError, match="wordfreq 3"):
        drawn_texts(tmp_path)


def test_names_of_one_language_are_taken_and_those_of_regions_and_several_left_out(tmp_path: Path) -> None:
    for code, name in (("de", "Hund"), ("de-AT", "Hunderl"), ("nl", "hond"), ("af", "hond"), ("und", "x")):
        put(tmp_path / "a" / code / "annotations.json", {
            "annotations": {"annotations": {"d": {"default": [name, "Tier"], "tts": [name]}}},
        })  # fmt: skip
        for part in ("languages", "territories"):
            names = {"localeDisplayNames": {part: {"NL": f"{part} {code}"}}}
            put(tmp_path / "n" / code / f"{part}.json", {"main": {code: names}})
    assert names_of_signs(tmp_path / "a") == [("de", "Hund Tier")]
    assert ("nl", "territories nl") in names_of_places(tmp_path / "n")
    assert {code for code, _ in names_of_places(tmp_path / "n")} == {"af", "de", "nl"}
    with pytest.raises(SourceError, match="a folder a language"):
        names_of_places(tmp_path / "a")


def test_texts_in_another_script_than_most_of_their_language_are_left_out() -> None:
    rows = [("ko", "가나"), ("ko", "다라"), ("ko", "the"), ("de", "das")]
    assert in_own_script(rows) == [rows[0], rows[1], rows[3]]
