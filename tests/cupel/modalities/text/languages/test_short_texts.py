"""Short texts as people write them: few letters, capitals, Latin letters for other scripts, code, noise."""

import numpy as np
import pyarrow as pa
import pytest

from cupel.modalities.text.languages.identify import UNDETERMINED, identify
from cupel.modalities.text.languages.model import Model
from cupel.modalities.text.languages.training import Settings, train


def language_of(text: str) -> str:
    return str(identify(pa.array([text]))["language"][0].as_py())


@pytest.mark.parametrize(
    ("word", "language"),
    [("나무", "kor_Hang"), ("ねこ", "jpn_Jpan"), ("コーヒー", "jpn_Jpan"), ("ψωμί", "ell_Grek"), ("น้ำ", "tha_Thai"),
     ("ದಾರಿ", "kan_Knda"), ("ఇల్లు", "tel_Telu"), ("வீடு", "tam_Taml"), ("ઘર", "guj_Gujr")],
)  # fmt: skip
def test_two_letters_tell_a_language_that_alone_is_written_in_them(word: str, language: str) -> None:
    assert language_of(word) == language


@pytest.mark.parametrize("text", ["나", "ψ", "น", "1 나 2"])
def test_one_letter_tells_nothing(text: str) -> None:
    assert language_of(text) == UNDETERMINED


@pytest.mark.parametrize("text", ["haus", "hotel", "шесть", "из", "كتاب"])
def test_a_word_of_an_alphabet_that_many_share_tells_nothing(text: str) -> None:
    assert language_of(text) == UNDETERMINED


def test_foreign_words_and_addresses_do_not_change_the_alphabet() -> None:
    assert language_of("새로운 iPhone 사진을 보내 주세요 https://photos.example.org/a/b") == "kor_Hang"


@pytest.mark.parametrize(
    "text",
    ["while not done: count += step(count)", "const total = items.reduce((a, b) => a + b.price, 0);",
     "SELECT name, price FROM products WHERE price > 10 ORDER BY price;", '{"id": 17, "tags": ["a", "b"], "ok": true}',
     "if (node === null) { return cache.get(key); }", "pip install numpy && python setup.py build",
     "https://shop.example.com/cart?item=12", "anna.muster@example.org", "/usr/local/lib/python3/site-packages",
     "VGhpcyBpcyBhIHRlc3Qgb2YgYmFzZTY0IGVuY29kaW5n", "3f786850e387550fdab836ed7e6dc881de23001b",
     "at com.example.app.Main.run(Main.java:42)"],
)  # fmt: skip
def test_code_addresses_and_keys_are_no_language(text: str) -> None:
    assert language_of(text) == UNDETERMINED


@pytest.mark.parametrize(
    "text", ["aaaaaaaaaaaaaaaa", "hahahahahahaha", "lol lol lol lol", "asdfasdfasdfasdf", "нононононо", "......!!!!??"]
)
def test_repeats_are_no_language(text: str) -> None:
    assert language_of(text) == UNDETERMINED


@pytest.mark.parametrize("text", ["sdkfjh wlekrj qpwoei zmxncb", "qwertyuiop asdfghjkl", "xkcvj qzwpt mnbgh"])
def test_keys_pressed_at_random_are_no_language(text: str) -> None:
    assert language_of(text) == UNDETERMINED


@pytest.mark.parametrize(
    ("text", "language"),
    [("mere bhai ko kal naya kaam mila hai", "hin_Latn"), ("aap kahan ja rahe ho, jaldi batao", "hin_Latn"),
     ("WIR TREFFEN UNS MORGEN VOR DEM BAHNHOF", "deu_Latn"), ("PLEASE CALL ME WHEN YOU ARE HOME", "eng_Latn"),
     ("МЫ ВСТРЕТИМСЯ ЗАВТРА У ВОКЗАЛА", "rus_Cyrl"), ("YARIN AKŞAM BİZE GELİR MİSİNİZ", "tur_Latn")],
)  # fmt: skip
def test_latin_letters_for_another_script_and_capitals_are_told(text: str, language: str) -> None:
    assert language_of(text) == language


@pytest.fixture(scope="module")
def varieties() -> Model:
    """A model of two varieties of Serbo-Croatian that it was taught the same words of, and of German."""
    rng = np.random.default_rng(3)

    def texts(letters: str) -> list[str]:
        return [" ".join("".join(rng.choice(list(letters), 5)) for _ in range(8)) for _ in range(60)]

    same, other = texts("abcde"), texts("vwxyz")
    languages = ["hrv_Latn"] * 60 + ["srp_Latn"] * 60 + ["deu_Latn"] * 60
    return train(pa.array([*same, *same, *other]), languages, Settings(bits=12, dimensions=8, visits=3000))


def test_where_varieties_compete_their_macrolanguage_is_told_with_the_likeliest(varieties: Model) -> None:
    texts = pa.array(["dabce abcde ecdab", "wxyzv zyxwv vvxyw"])
    varieties_apart = identify(texts, least_confidence=0, model=varieties)["confidence"].to_pylist()
    between = (1 + varieties_apart[0]) / 2
    found = identify(texts, least_confidence=between, model=varieties).to_pylist()
    assert (found[0]["language"], found[0]["variety"] in ("hrv_Latn", "srp_Latn")) == ("hbs_Latn", True)
    assert found[0]["confidence"] >= between > varieties_apart[0]
    assert (found[1]["language"], found[1]["variety"]) == ("deu_Latn", None)


def test_a_variety_that_is_likely_enough_by_itself_is_told(varieties: Model) -> None:
    (found,) = identify(pa.array(["dabce abcde ecdab"]), least_confidence=0.3, model=varieties).to_pylist()
    assert (found["language"] in ("hrv_Latn", "srp_Latn"), found["variety"]) == (True, None)
