"""Bank account numbers: country, length and check digits."""

import pytest

from cupel.modalities.text.privacy.ibans import LENGTHS, ibans, is_iban
from cupel.modalities.text.privacy.mask import mask

# The examples of the registry.
EXAMPLES = [
    "DE89370400440532013000", "GB29NWBK60161331926819", "FR1420041010050500013M02606", "NO9386011117947",
    "MT84MALT011000012345MTLCAST001S", "BR1800360305000010009795493C1", "NL91ABNA0417164300",
    "ES9121000418450200051332", "IT60X0542811101000000123456", "PL61109010140000071219812874",
    "SE4550000000058398257466", "CH9300762011623852957", "AT611904300234573201", "BE68539007547034",
    "KZ86125KZT5004100100", "SC18SSCB11010000000000001497USD", "LC55HEMM000100010012001200023015",
]  # fmt: skip


@pytest.mark.parametrize("number", EXAMPLES)
def test_the_registrys_examples_are_found_in_every_writing(number: str) -> None:
    groups = [number[place : place + 4] for place in range(0, len(number), 4)]
    for written in (number, " ".join(groups), "-".join(groups), number.lower()):
        found = mask(f"to {written}, please")
        assert (found.text, found.ibans) == ("to <IBAN>, please", 1)


@pytest.mark.parametrize("number", EXAMPLES)
def test_a_number_with_wrong_check_digits_is_not_masked_as_one(number: str) -> None:
    wrong = f"{number[:2]}{(int(number[2:4]) + 1) % 100:02}{number[4:]}"
    assert mask(f"to {wrong}, please").ibans == 0
    assert not is_iban(wrong)


@pytest.mark.parametrize("number", EXAMPLES)
def test_a_number_too_long_too_short_or_inside_a_word_is_none(number: str) -> None:
    for wrong in (f"{number}7", number[:-1], f"X{number}"):
        assert ibans(wrong) == []


def test_an_unknown_country_is_none() -> None:
    assert "ZZ" not in LENGTHS
    assert ibans("ZZ89370400440532013000") == []


def test_words_behind_a_number_in_groups_are_left() -> None:
    assert mask("DE89 3704 0044 0532 0130 00 and more").text == "<IBAN> and more"
