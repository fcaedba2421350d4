"""Numbers that count or name things are no phone numbers."""

import pytest

from cupel.modalities.text.privacy.mask import mask
from cupel.modalities.text.privacy.number_rows import blank_rows


@pytest.mark.parametrize(
    "text",
    [
        "see pages 31 32 33 34 35 36 37", "1. 2. 3. 4. 5. 6. 7. 8.", "9 8 7 6 5 4 3 2 1", "7 19 28 56 83 92 110",
        "order no. 2125550187", "Ticket #2125550187", "0.30901820", "on 05-03-2024 1030", "2024/05/03 10",
    ],
)  # fmt: skip
def test_rows_names_dates_and_decimal_numbers_stay(text: str) -> None:
    for region in ("US", "DE", "IN"):
        assert mask(text, region).text == text


def test_a_phone_number_beside_a_row_is_found() -> None:
    assert mask("rooms 12 13 14 15 020 7946 0958", "GB").text == "rooms 12 13 14 15 <PHONE>"
    assert blank_rows("1 2 4") == "1 2 4"


def test_a_word_of_a_phone_before_a_number_says_that_it_is_one() -> None:
    assert mask("order by phone 2125550187").text == "order by phone <PHONE>"
