"""Made-up private data in many forms and countries, and numbers that are none; made by Faker, so that what makes them
and what looks for them have nothing in common."""

import random
from collections.abc import Iterator
from typing import Any, NamedTuple

# The country of a locale is that whose phone numbers need no country code.
PHONES = (
    "en_US", "en_GB", "en_AU", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "pl_PL", "pt_BR", "sv_SE", "cs_CZ", "en_IN",
    "ja_JP", "ko_KR", "tr_TR", "uk_UA",
)  # fmt: skip
IBANS = (
    "en_GB",
    "de_DE",
    "fr_FR",
    "es_ES",
    "it_IT",
    "nl_NL",
    "pl_PL",
    "pt_PT",
    "fi_FI",
    "no_NO",
    "de_CH",
    "de_AT",
    "tr_TR",
)
# Streets are looked for as these write them, and no other.
ADDRESSES = ("en_US", "en_GB", "de_DE", "nl_NL", "fr_FR", "es_ES", "pt_BR", "it_IT", "pl_PL")
ADDRESSES_NOT_LOOKED_FOR = ("sv_SE", "cs_CZ", "ru_RU", "ja_JP")
_TAGS = ("shop", "news2", "list", "no-spam")
CARDS = ("visa16", "visa13", "mastercard", "amex", "discover", "jcb16", "diners")


class Value(NamedTuple):
    """A piece of private data: its kind, where it is from, how it is written, and the country of the text."""

    kind: str
    source: str
    form: str
    text: str
    region: str = "US"


def private_values(seed: int, each: int) -> Iterator[Value]:
    """Yield private values, `each` of them a kind, locale (or card scheme) and form."""
    from faker import Faker

    for locale in dict.fromkeys((*PHONES, *IBANS, *ADDRESSES, *ADDRESSES_NOT_LOOKED_FOR)):
        fake = Faker(locale)
        fake.seed_instance(f"{seed}/{locale}")
        draw = random.Random(f"{seed}/{locale}")
        for _ in range(each):
            yield from _of_locale(fake, locale, draw)
    fake = Faker("en_US")
    fake.seed_instance(f"{seed}/cards")
    for scheme in CARDS:
        for _ in range(each):
            number = fake.credit_card_number(scheme)
            yield Value("CARD", scheme, "in one piece", number)
            for name, sign in (("groups", " "), ("dashes", "-")):
                yield Value("CARD", scheme, name, sign.join(_card_groups(number)))


def public_values(seed: int, each: int) -> Iterator[Value]:
    """Yield numbers and words that are nobody's private data, `each` of them a form."""
    from faker import Faker

    fake = Faker("en_US")
    fake.seed_instance(f"{seed}/public")
    draw = random.Random(f"{seed}/public")
    for _ in range(each):
        card, iban = fake.credit_card_number("visa16"), fake.iban()
        forms = {
            "date": fake.date(), "date, US": fake.date("%m/%d/%Y"), "date, German": fake.date("%d.%m.%Y"),
            "date and time": fake.date("%Y-%m-%d %H:%M:%S"), "ISBN": fake.isbn13(), "ISBN-10": fake.isbn10(),
            "EAN": fake.ean13(), "price": fake.pricetag(), "IP address": fake.ipv4(), "IPv6 address": fake.ipv6(),
            "UUID": fake.uuid4(), "hash": fake.md5(), "place": f"{fake.latitude()}, {fake.longitude()}",
            "sum": f"{draw.randrange(10**9):,}", "order number": f"order {draw.randrange(10**8, 10**12)}",
            "score": f"{draw.randrange(120)}-{draw.randrange(120)}, {draw.randrange(9)}-{draw.randrange(9)}",
            "year and street": f"in {draw.randrange(1900, 2027)} {fake.last_name()} Street fell",
            "years": f"{draw.randrange(1900, 2000)}-{draw.randrange(2000, 2027)}",
            "handle": f"@{fake.user_name()}", "card, wrong digit": card[:-1] + str((int(card[-1]) + 1) % 10),
            "IBAN, wrong digits": iban[:2] + f"{(int(iban[2:4]) + draw.randrange(1, 97)) % 97 + 2:02}" + iban[4:],
            "version": f"{draw.randrange(20)}.{draw.randrange(30)}.{draw.randrange(90)}",
        }  # fmt: skip
        for form, text in forms.items():
            yield Value("none", "en_US", form, text)


def _of_locale(fake: Any, locale: str, draw: random.Random) -> Iterator[Value]:
    region = locale.partition("_")[2]
    if locale in PHONES:
        yield Value("PHONE", locale, "as written there", fake.phone_number(), region)
    if locale in IBANS:
        number = fake.iban()
        yield Value("IBAN", locale, "in one piece", number, region)
        yield Value("IBAN", locale, "groups", " ".join(number[at : at + 4] for at in range(0, len(number), 4)), region)
        yield Value("IBAN", locale, "small letters", number.lower(), region)
    if locale in (*ADDRESSES, *ADDRESSES_NOT_LOOKED_FOR):
        text = fake.street_address().replace("\n", ", ").strip()
        form = "street and number" if locale in ADDRESSES and any(map(str.isdigit, text)) else "not looked for"
        yield Value("ADDRESS", locale, form, text, region)
    if locale in ADDRESSES:
        local, _, domain = fake.ascii_email().partition("@")
        yield Value("EMAIL", locale, "as generated", f"{local}@{domain}", region)
        yield Value("EMAIL", locale, "tagged", f"{local}+{draw.choice(_TAGS)}@{domain}", region)
        yield Value("EMAIL", locale, "capitals", f"{local}@{domain}".upper(), region)
        yield Value("EMAIL", locale, "of a company", fake.company_email(), region)
        yield Value("EMAIL", locale, "underscores and digits", f"{draw.randrange(999)}_{local}@mail.{domain}", region)
        yield Value("EMAIL", locale, "in words", f"{local} at {domain.replace('.', ' dot ')}", region)


def _card_groups(number: str) -> list[str]:
    if len(number) in (14, 15):  # as American Express and Diners Club print them
        return [number[:4], number[4:10], number[10:]]
    return [number[at : at + 4] for at in range(0, len(number), 4)]
