"""The shipped model on texts that it was not trained on, and on what is no text."""

import numpy as np
import pyarrow as pa
import pytest

from cupel.modalities.text.languages.identify import MOST_BYTES, UNDETERMINED, identify
from cupel.modalities.text.languages.model import SHIPPED, load

# Written for this test.
SENTENCES = {
    "eng_Latn": "We wrote to the neighbours yesterday because their dog had been barking all night long.",
    "deu_Latn": "Gestern haben wir den Nachbarn geschrieben, weil ihr Hund die ganze Nacht gebellt hat.",
    "fra_Latn": "Hier nous avons écrit aux voisins parce que leur chien avait aboyé toute la nuit.",
    "spa_Latn": "Ayer escribimos a los vecinos porque su perro había ladrado durante toda la noche.",
    "pol_Latn": "Wczoraj napisaliśmy do sąsiadów, ponieważ ich pies szczekał przez całą noc.",
    "tur_Latn": "Dün komşulara yazdık çünkü köpekleri bütün gece boyunca havlamıştı.",
    "rus_Cyrl": "Вчера мы написали соседям, потому что их собака лаяла всю ночь напролёт.",
    "ukr_Cyrl": "Учора ми написали сусідам, бо їхній собака гавкав цілу ніч без упину.",
    "ell_Grek": "Χθες γράψαμε στους γείτονες γιατί ο σκύλος τους γάβγιζε όλη τη νύχτα.",
    "heb_Hebr": "אתמול כתבנו לשכנים כי הכלב שלהם נבח כל הלילה.",
    "hin_Deva": "कल हमने पड़ोसियों को लिखा क्योंकि उनका कुत्ता सारी रात भौंकता रहा था।",
    "tha_Thai": "เมื่อวานเราเขียนจดหมายถึงเพื่อนบ้านเพราะสุนัขของเขาเห่าตลอดทั้งคืน",
    "kor_Hang": "어제 이웃에게 편지를 썼는데 그 집 개가 밤새도록 짖었기 때문입니다.",
    "jpn_Jpan": "隣の家の犬が一晩中吠えていたので、昨日、隣の人に手紙を書きました。",
    "zho_Hans": "昨天我们给邻居写了信,因为他们的狗整夜都在叫个不停。",
}


@pytest.mark.parametrize("language", SENTENCES)
def test_a_plain_sentence_is_told(language: str) -> None:
    assert identify(pa.array([SENTENCES[language]]))["language"].to_pylist() == [language]


def test_capitals_digits_and_marks_of_direction_change_nothing() -> None:
    text = SENTENCES["pol_Latn"]
    changed = ["\u200f" + text.upper() + " 12345 !!!", text.replace(" ", " \u200b\n\t ")]
    found = identify(pa.array([text, *changed]))
    assert found["language"].to_pylist() == ["pol_Latn"] * 3
    np.testing.assert_allclose(found["confidence"].to_numpy(), found["confidence"][0].as_py(), atol=1e-6)


@pytest.mark.parametrize(
    "nothing", [None, "", "   \n", "12345 + 67890 = 80235", "🙂🙂🙂🙂🙂🙂🙂🙂", "----- !!!!! -----"]
)
def test_what_holds_no_letter_is_undetermined_with_no_confidence(nothing: str | None) -> None:
    found = identify(pa.array([nothing], pa.string()))
    assert found.to_pylist() == [{"language": UNDETERMINED, "confidence": 0.0, "variety": None}]


@pytest.mark.parametrize("short", ["ok", "hotel", "taxi", "Σ"])
def test_a_short_word_is_undetermined(short: str) -> None:
    assert identify(pa.array([short]))["language"].to_pylist() == [UNDETERMINED]


def test_of_a_text_in_two_languages_one_of_them_or_none_is_told() -> None:
    pairs = zip(SENTENCES["eng_Latn"].split(), SENTENCES["deu_Latn"].split(), strict=False)
    found = identify(pa.array([" ".join(f"{one} {other}" for one, other in pairs)]))
    assert found["language"][0].as_py() in ("eng_Latn", "deu_Latn", UNDETERMINED)


def test_what_is_less_sure_than_asked_is_undetermined() -> None:
    text = pa.array([SENTENCES["fra_Latn"]])
    confidence = identify(text)["confidence"][0].as_py()
    assert 0.5 < confidence <= 1
    assert identify(text, least_confidence=1.1)["language"].to_pylist() == [UNDETERMINED]


def test_bytes_that_are_no_utf8_are_passed_over() -> None:
    text = SENTENCES["rus_Cyrl"].encode()
    found = identify(pa.array([text + b"\xff\xfe\xed\xa0\x80", b"\xff" * 50], pa.binary()))
    assert found["language"].to_pylist() == ["rus_Cyrl", UNDETERMINED]


def test_a_long_text_is_told_by_its_start() -> None:
    long = SENTENCES["ell_Grek"] * 20
    found = identify(pa.array([long, long + SENTENCES["eng_Latn"] * 100_000, " " * MOST_BYTES + long]))
    assert found["language"].to_pylist() == ["ell_Grek", "ell_Grek", UNDETERMINED]
    assert found["confidence"][0] == found["confidence"][1]


def test_rows_threads_slices_and_chunks_do_not_change_what_is_told() -> None:
    texts = pa.array(list(SENTENCES.values()) * 200)
    once = identify(texts, threads=1)
    assert identify(texts, threads=2).equals(once)
    assert identify(texts[7:900], threads=2).equals(once.slice(7, 893))
    assert identify(pa.chunked_array([texts[:11], texts[11:]])).equals(once)
    assert len(identify(pa.array([], pa.string()))) == 0


def test_the_shipped_model_knows_enough_languages_in_little_room() -> None:
    assert len(set(load().languages)) >= 217
    assert all(len(name) in (7, 8) and name[3] == "_" for name in load().languages)
    assert SHIPPED.stat().st_size <= 12_000_000
