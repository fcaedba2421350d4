"""Where private data may be: no text is passed over in which masking finds anything."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupel.modalities.text.normalise import normalise
from cupel.modalities.text.privacy.hints import may_be_private
from cupel.modalities.text.privacy.mask import mask

PIECES = (
    "12", "5", "2008", "221b", "7/4", "0044 20 7946 0958", "+1 415 555 2671", "4111 1111 1111 1111", "GB82 WEST 1234",
    "5698 7654 32", "\u0664\u0664\u0662\u0660\u0667\u0669\u0664", "a@b.example", "\u043f@\u043f.\u0440\u0444", "@name",
    "Elm", "Elm Street", "St", "St.", "Apt", "apt", "sUITE", "Flat", "flat 3", "#", "No.", "n\u00ba", "rue de la",
    "Paix",
    "bis", "Calle", "C/", "via", "v\u0131a", "V\u0130a", "Roma", "ul.", "Polna", "Praça", "da", "Hauptstra\u00dfe",
    "Kerkstraat", "Am Weg", "-Ring", "boulevard", "Damm", "et al.", "x" * 41, "y" * 90, "\u00e9", ",", ".",
    "1-800-", "FLOWERS", " [at] ", "(AT)", " at ", " dot ", "a.b", "org", "\uff20", "\uff0e", "\u2013", "\u30fc",
    "IBAN", "\uff14\uff11\uff11", "\uff24\uff25", "89", "192.0.2.1", "::1", "fe80:", "@[", "]", '"', "\u3002",
    "-", "/", "_", " ", " ", " ", "\n", ", ", "(", ")",
)  # fmt: skip


def named(texts: list[str]) -> list[bool]:
    return may_be_private(pa.array(texts, pa.large_string())).tolist()


def changed(texts: list[str]) -> list[bool]:
    return [mask(text).text != text for text in texts]


@settings(deadline=None, max_examples=500)
@given(st.lists(st.sampled_from(PIECES), max_size=10).map("".join))
def test_a_text_that_is_passed_over_holds_no_ip_address(text: str) -> None:
    named_with_ips = may_be_private(pa.array([text], pa.large_string()), ips=True)[0]
    assert (mask(text, ips=True).text != text) <= named_with_ips


@settings(deadline=None, max_examples=2_000)
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_a_text_that_is_passed_over_holds_nothing(text: str) -> None:
    assert changed([text]) <= named([text])


@settings(deadline=None, max_examples=500)
@given(st.text(st.sampled_from("0123456789 -().+/@ax,\n<>") | st.characters(exclude_categories=["Cs"])))
def test_a_text_of_any_signs_that_is_passed_over_holds_nothing(text: str) -> None:
    assert changed([text]) <= named([text])


@pytest.mark.parametrize("length", range(30, 130))
def test_a_word_at_the_end_of_what_is_looked_at_is_looked_at_whole(length: int) -> None:
    name = "N" * length
    texts = [f"12 {name} Streeter x", f"12 {name} Street x", f"x{'o' * length}via Roma 7", f"via {name} 7 x"]
    found = zip(changed(texts), named(texts), strict=True)
    assert all(is_named for is_changed, is_named in found if is_changed)
    assert changed(texts)[0] is False


def test_generated_values_in_texts_are_not_passed_over() -> None:
    pytest.importorskip("faker", reason="Faker makes the values; make peers installs it")
    from benchmarks.private_values import private_values, public_values

    texts = [normalise(f"They said: {value.text}, today.") for value in private_values(3, 4)]
    texts += [normalise(f"They said: {value.text}, today.") for value in public_values(3, 4)]
    pairs = list(zip(changed(texts), named(texts), strict=True))
    assert sum(is_changed for is_changed, _ in pairs) > 300
    assert not [text for text, (is_changed, is_named) in zip(texts, pairs, strict=True) if is_changed and not is_named]


def test_most_prose_is_passed_over() -> None:
    prose = [
        "In 2008 the company sold 3,000 cars in 12 countries.",
        "He said so at 10:30 on 4 May.",
        "No digits at all",
    ]
    assert named(prose) == [False, False, False]
    assert named([]) == []
