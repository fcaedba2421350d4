"""Postal addresses, as eight languages write them."""

import time

import pytest

from cupel.modalities.text.privacy.addresses import addresses
from cupel.modalities.text.privacy.mask import mask


@pytest.mark.parametrize(
    "street",
    [
        "12 Elm Street", "1605 W. Elizabeth Ave.", "742 Evergreen Terrace", "10 DOWNING STREET", "350 5th Avenue",
        "221b Baker Street", "12 Main St, Apt. 4B", "Flat 3, 17 Acacia Avenue", "5950 Heidi Gateway",
        "Hauptstraße 5", "Rosenweg 12a", "Karl-Marx-Allee 3", "Berliner Platz 10", "Am-Alten-Ring 7", "Hauptstr. 5",
        "Kerkstraat 12", "Prinsengracht 263", "8, rue de la Paix", "12 bis avenue Foch", "Calle Mayor 3",
        "C/ Gran Vía, 28", "Avenida de la Constitución 7", "Rua Augusta, 93", "Praça da Figueira 2", "via Roma 7",
        "Viale dei Mille, 15", "ul. Polna 4/5", "al. Jerozolimskie 12",
    ],
)  # fmt: skip
def test_streets_with_a_number_are_masked(street: str) -> None:
    found = mask(f"(at {street}, they said)")
    assert (found.text, found.addresses) == ("(at <ADDRESS>, they said)", 1)


@pytest.mark.parametrize(
    "text",
    [
        "In 2008 Wall Street fell", "on Oct. 1, Wall Street rose", "2 Paris St Germain", "injuring 25 people",
        "Spring 2005 came", "scoring 30 points", "via email 24 hours a day", "the 9th Circuit Court",
        "20 million people in the street", "Main Street", "Hauptstraße", "call me at 5 on the way", "Kirchhof 50%",
        "Platz 1.5 Millionen", "a 1995 road movie", "Disney's 1950 Treasure Island", "10 Golden Keys",
    ],
)  # fmt: skip
def test_numbers_beside_such_words_are_left(text: str) -> None:
    assert addresses(text) == []


@pytest.mark.parametrize(
    "unit", ["1 A ", "via A", "Aweg ", "1", "Weg 1 ", "A 1 via ", "12 Elm Street ", "str. ", "a.a-"]
)
def test_hostile_text_takes_linear_time(unit: str) -> None:
    text = unit * (100_000 // len(unit))
    begin = time.process_time()
    addresses(text)
    # Takes up to a second; a search that starts anew at each character would take an hour.
    assert time.process_time() - begin < 20
