"""E-mail addresses, phone numbers and payment cards, masked."""

import time

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupel.modalities.text.privacy.mask import mask
from cupel.modalities.text.privacy.phones import MOST_JUDGED_CHARACTERS

EMAIL, IBAN, CARD, PHONE, ADDRESS = "<EMAIL>", "<IBAN>", "<CARD>", "<PHONE>", "<ADDRESS>"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Write to jane.doe+list@mail.example.co.uk.", f"Write to {EMAIL}."),
        ("<a@b.cd>,c@d.ef", f"<{EMAIL}>,{EMAIL}"),
        ("j\u00f6rg@ex\u00e4mple.de", EMAIL),
        ("\u043f\u043e\u0447\u0442\u0430@\u043f\u0440\u0438\u043c\u0435\u0440.\u0440\u0444", EMAIL),
        ("\u8bf7\u8054\u7cfbfoo@example.com\u8c22\u8c22", f"\u8bf7\u8054\u7cfb{EMAIL}\u8c22\u8c22"),
        ("a@xn--e1afmkfd.xn--p1ai", EMAIL),
        ("a" * 70 + "@example.com", "a" * 6 + EMAIL),
        ('"kim lee"@example.net', EMAIL),
        ("kim.lee@[192.0.2.9]", EMAIL),
        ("kim (at) example (dot) net or lee[at]example.net", f"{EMAIL} or {EMAIL}"),
        ("kim.lee at example dot net; KIM AT EXAMPLE DOT NET", f"{EMAIL}; {EMAIL}"),
        ("shop at example dot com, look at the dot com boom", "shop at example dot com, look at the dot com boom"),
        ("git@host.example:a/b.git, kim@host.example:/srv", "git@host.example:a/b.git, kim@host.example:/srv"),
        ("10@4.99 each, @handle, user@localhost, a @ b.com", "10@4.99 each, @handle, user@localhost, a @ b.com"),
    ],
)
def test_email_addresses(text: str, masked: str) -> None:
    assert mask(text).text == masked
    assert mask(text).emails == masked.count(EMAIL)


@pytest.mark.parametrize(
    ("text", "masked", "region"),
    [
        ("call (415) 555-2671 now", f"call {PHONE} now", "US"),
        ("call 415.555.2671 or 1-800-748-7751", f"call {PHONE} or {PHONE}", "US"),
        ("ring +44 20 7946 0958", f"ring {PHONE}", "US"),
        ("ring 020 7946 0958", f"ring {PHONE}", "GB"),
        ("ring 020 7946 0958", "ring 020 7946 0958", "US"),
        ("\u0627\u062a\u0635\u0644 +\u0664\u0664 \u0662\u0660 \u0667\u0669\u0664\u0666 \u0660\u0669\u0665\u0668",
         f"\u0627\u062a\u0635\u0644 {PHONE}", "US"),
        ("ring 0044 (0)20 7946 0958", f"ring {PHONE}", "US"),
        ("ring 011 44 20 7946 0958", f"ring {PHONE}", "FR"),
        ("ring 212-555-0187 ext. 12, 212-555-0187-12", f"ring {PHONE}, {PHONE}", "US"),
        ("mobile2125550187or +12125550187now", f"mobile{PHONE}or {PHONE}now", "US"),
        ("212-555-0187 #12, 212-555-0187, #39;s", f"{PHONE}, {PHONE}, #39;s", "US"),
        ("1-800-MY-APPLE", PHONE, "DE"),
        ("on 2002-08-22 17:46:31 of 1,000,000", "on 2002-08-22 17:46:31 of 1,000,000", "US"),
        ("order 12345", "order 12345", "US"),
        ("order 123456789012345678901234", "order 123456789012345678901234", "US"),
    ],
)  # fmt: skip
def test_phone_numbers(text: str, masked: str, region: str) -> None:
    assert mask(text, region).text == masked
    assert mask(text, region).phones == masked.count(PHONE)


def test_numbers_of_several_countries_are_found_at_once() -> None:
    assert mask("030 901820, 020 7946 0958", ("DE", "GB")).text == f"{PHONE}, {PHONE}"
    assert mask("020 7946 0958", ("US", "GB"), bytes(32)) == mask("020 7946 0958", "GB", bytes(32))


# Numbers that the card schemes publish for tests.
CARDS = [
    "4111111111111111", "4222222222222", "5555555555554444", "2223003122003222", "378282246310005",
    "6011111111111117", "3530111333300000", "30569309025904", "6304000000000000", "6200000000000005",
]  # fmt: skip


@pytest.mark.parametrize("number", CARDS)
@pytest.mark.parametrize("separator", ["", " ", "-"])
def test_payment_cards(number: str, separator: str) -> None:
    grouped = separator.join(number[place : place + 4] for place in range(0, len(number), 4))
    found = mask(f"card {grouped}, thanks")
    assert (found.text, found.cards) == (f"card {CARD}, thanks", 1)


def test_values_glued_to_letters_are_found() -> None:
    assert mask("visa5105105105105100exp").text == f"visa{CARD}exp"
    assert mask("IBANGB82WEST12345698765432bic").text == f"IBAN{IBAN}bic"


def test_a_card_is_found_behind_other_digits() -> None:
    assert mask("2024-01-02 4111 1111 1111 1111").text == f"2024-01-02 {CARD}"
    assert mask("pay 12 4111 1111 1111 1111 34").text == f"pay 12 {CARD} 34"


def test_a_wrong_check_digit_an_unknown_scheme_or_a_longer_number_is_no_card() -> None:
    for number in ("4111111111111112", "9111111111111111", "41111111111111111111", "1234 5678 1234 5670"):
        assert mask(number).cards == 0


@settings(deadline=None)
@given(st.text(alphabet=st.sampled_from("0123456789 -().+/@ax,\n<>"), max_size=80))
def test_masking_twice_changes_nothing(text: str) -> None:
    once = mask(text)
    assert mask(once.text) == (once.text, 0, 0, 0, 0, 0, 0)


@settings(deadline=None)
@given(st.text(max_size=60), st.sampled_from(["a.b@example.org", "+1 415 555 2671", "4111 1111 1111 1111"]))
def test_private_data_is_masked_whatever_stands_around(text: str, private: str) -> None:
    assert private not in mask(f"{text}\n{private}\n{text}").text


@pytest.mark.parametrize("region", ["US", "DE", "IN", "BR"])
def test_example_numbers_of_the_library_are_masked(region: str) -> None:
    for kind in (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE):
        number = phonenumbers.example_number_for_type(region, kind)
        for form in (phonenumbers.PhoneNumberFormat.INTERNATIONAL, phonenumbers.PhoneNumberFormat.NATIONAL):
            text = f"Call {phonenumbers.format_number(number, form)} today"
            assert mask(text, region).text == f"Call {PHONE} today"


def test_beyond_the_digits_that_are_judged_whatever_may_be_a_number_is_masked() -> None:
    number = "415-555-0000 "
    text = "x " + (number[:-1] + ", ") * (MOST_JUDGED_CHARACTERS // len(number) + 100)
    assert "415" not in mask(text).text
    assert mask("1 " * MOST_JUDGED_CHARACTERS).text == f"{PHONE} "


@pytest.mark.parametrize("unit", ["1", "1 ", "4111 ", "a@", "@a.", "1-", "+1(", "415-555-2671 ", "a.", "4-4 "])
def test_hostile_text_takes_linear_time(unit: str) -> None:
    text = unit * (300_000 // len(unit))
    begin = time.process_time()
    mask(text)
    # Takes up to a second; a search that starts anew at each character would take an hour.
    assert time.process_time() - begin < 20
