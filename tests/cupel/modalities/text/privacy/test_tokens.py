"""Tokens in place of private data: stable, secret, and nothing that is measured."""

import pytest

from cupel.modalities.text.privacy.mask import mask
from cupel.modalities.text.privacy.tokens import KINDS, token, without_keyed

ONE, OTHER = bytes(range(32)), bytes(range(1, 33))


def test_the_same_value_has_the_same_token_however_it_is_written() -> None:
    text = mask("A.B@Example.org a.b@example.org, 4111 1111 1111 1111 4111111111111111", key=ONE).text
    first, second, card, again = text.replace(",", "").split()
    assert (first, card) == (second, again)
    assert mask("+44 20 7946 0958", "US", ONE).text == mask("020 7946 0958", "GB", ONE).text
    assert mask("de89 3704 0044 0532 0130 00", key=ONE).text == mask("DE89370400440532013000", key=ONE).text


def test_other_values_kinds_and_keys_have_other_tokens() -> None:
    tokens = {token(kind, value, key) for kind in KINDS for value in ("a", "b") for key in (ONE, OTHER)}
    assert len(tokens) == 4 * len(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_no_token_is_private_data_and_without_its_letters_it_is_the_kind(kind: str) -> None:
    tokens = " ".join(token(kind, str(number), ONE) for number in range(2_000))
    assert mask(tokens).text == tokens
    assert set(without_keyed(tokens).split()) == {f"<{kind}>"}
    assert without_keyed("<EMAIL-abc> <NAME-abcdefghij>") == "<EMAIL-abc> <NAME-abcdefghij>"
