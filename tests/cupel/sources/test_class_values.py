"""A value is the name of a class, or told."""

import json
import unicodedata
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cupel.sources.class_values import MISSING_WORDS, NoClassError, plain_spelling, read_class, spelling_key, value_text


def reason(value: object) -> str:
    with pytest.raises(NoClassError) as raised:
        read_class(value)
    return raised.value.reason


@pytest.mark.parametrize("value", [1, 1.0, "1", "1.0", " 1.00 ", Decimal(1), "+1.0"])
def test_whole_numbers_are_integers_however_they_are_written(value: object) -> None:
    assert read_class(value) == "1"


@pytest.mark.parametrize("value", [None, float("nan"), "", "  ", "\u200b", *sorted(MISSING_WORDS)])
def test_missing_values_are_no_class(value: object) -> None:
    assert reason(value) == "no_answer"


def test_what_pandas_reads_as_missing_is_missing() -> None:
    from pandas._libs.parsers import STR_NA_VALUES

    assert STR_NA_VALUES - {""} <= MISSING_WORDS
    assert value_text(pd.NA) in MISSING_WORDS


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"value": "cat"}, "unexpected_shape"),
        (["cat"], "unexpected_shape"),
        ('{"choices": ["a", "b"]}', "unexpected_shape"),
        ("{'choices': ['a']}", "unexpected_shape"),
        ("[1, 2]", "unexpected_shape"),
        ("https://x.org/a", "address_label"),
        ("s3://bucket/a.png", "address_label"),
        ("data:image/png;base64,AAAA", "address_label"),
        ("a\nb", "text_label"),
        ("so " * 100, "text_label"),
    ],
)
def test_objects_addresses_and_texts_are_no_classes(value: object, expected: str) -> None:
    assert reason(value) == expected


@pytest.mark.parametrize("name", ["[odd", "{curly}", "v1.10", "none", "Nan", "a: b", "1.5", "-1", "C#", "TRUE"])
def test_odd_names_are_classes_as_they_are_written(name: str) -> None:
    assert read_class(name) == name


@given(
    st.recursive(
        st.none() | st.booleans() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_no_structure_is_a_class(value: object) -> None:
    if isinstance(value, dict | list):
        for written in (value, json.dumps(value)):
            with pytest.raises(NoClassError):
                read_class(written)


@pytest.mark.parametrize(
    ("first", "second"), [("m²", "m2"), ("①", "1"), ("H₂O", "H2O"), ("½", "1/2")]
)  # fmt: skip
def test_signs_that_mean_another_thing_than_their_letters_are_other_classes(first: str, second: str) -> None:
    assert spelling_key(first) != spelling_key(second)
    assert plain_spelling(first) == first


def test_a_sign_drawn_as_text_and_in_colours_is_one_class() -> None:
    assert spelling_key("\u2764") == spelling_key("\u2764\ufe0f")
    assert spelling_key("1") != spelling_key("1\ufe0f\u20e3")


@given(st.text(min_size=1))
def test_a_spelling_key_is_the_same_in_any_unicode_form(name: str) -> None:
    assert spelling_key(unicodedata.normalize("NFD", name)) == spelling_key(unicodedata.normalize("NFC", name))
    assert spelling_key(f" {name}\u200b") == spelling_key(name)
