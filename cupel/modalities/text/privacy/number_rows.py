"""Numbers that count or name things and are no phone number: rows of page numbers, dates, invoices and orders."""

import re

_GROUPS = re.compile(r"[0-9]+")
# So many numbers in a row, each one more (or one less) than the last, are counted; of short ones that only rise or
# fall so many. No country writes a phone number so without a nought before it.
_LEAST_COUNTED, _LEAST_ASCENDING, _MOST_DIGITS = 4, 5, 3
# A number behind such a word names a thing. Written in one piece it is no phone number, whatever the numbering plan.
_NAMED = re.compile(
    r"(?i)(?<!\w)(?:invoice|order|ticket|case|claim|item|part|serial|article|account|acct|batch|lot|sku|isbn|issn|doi|"
    r"pmid|ref|reference|id|tracking|shipment|policy|contract|commit|page|pages|pp|"
    r"rechnung(?:snummer|s-?nr)?|bestellung|bestell-?(?:nr|nummer)|auftrag(?:snummer|s-?nr)?|artikel(?:nummer|-?nr)?|"
    r"kunden-?(?:nr|nummer)|vorgang|vertrag(?:snummer)?|seriennummer|aktenzeichen|facture|commande|dossier|article|"
    r"factura|pedido|fattura|ordine|factuur|bestelling|faktura|zam\u00f3wienie)"
    r"[.:]?(?: ?(?:numbers?|nummer|num[e\u00e9]ro|n[u\u00fa]mero|nro?|no|n[\u00b0\u00ba]|num|ids?|is|#)\.?){0,2}"
    r" ?[:#]? ?$"
)
_BEFORE = 48
_DECIMAL = re.compile(r"(?<![0-9.,/-])0\.[0-9]{4,}(?![0-9.])")
_DATE = re.compile(
    r"(?<![0-9])(?:(?:0?[1-9]|[12][0-9]|3[01])(?P<one>[./-])(?:0?[1-9]|[12][0-9]|3[01])(?P=one)(?:19|20)[0-9]{2}"
    r"|(?:19|20)[0-9]{2}(?P<two>[./-])(?:0[1-9]|1[0-2])(?P=two)(?:0[1-9]|[12][0-9]|3[01]))(?![0-9]|[./-][0-9])"
)


def blank_rows(text: str) -> str:
    """Return the text with dates, decimal numbers below 1, and numbers that stand in a row and count, as commas.

    Args:
        text: Digits and what stands between them.

    >>> blank_rows("12 13 14 15 16 020 7946 0958")
    ',, ,, ,, ,, ,, 020 7946 0958'
    """
    for pattern in (_DATE, _DECIMAL):
        text = pattern.sub(lambda number: "," * len(number[0]), text)
    groups = [group.span() for group in _GROUPS.finditer(text)]
    if len(groups) < _LEAST_COUNTED:
        return text
    pieces, last = [], 0
    for first, end in _find_rows([text[start:end] for start, end in groups]):
        for start, stop in groups[first:end]:
            pieces += [text[last:start], "," * (stop - start)]
            last = stop
    return "".join([*pieces, text[last:]])


def is_row(groups: list[str]) -> bool:
    """Tell whether numbers stand in a row and count, all of them.

    >>> is_row(["40", "52", "86", "109", "151"]), is_row(["4111", "1111", "1111", "1111"])
    (True, False)
    """
    return any(_row_end(groups, 0, step) == len(groups) for step in (1, -1))


def is_named_number(text: str, start: int) -> bool:
    """Tell whether the number at a place stands behind a word that says of what it is the number, such as invoice."""
    return _NAMED.search(text[max(0, start - _BEFORE) : start]) is not None


def _find_rows(groups: list[str]) -> list[tuple[int, int]]:
    """Return where rows begin and end, as places in the groups."""
    rows, first = [], 0
    while first < len(groups):
        end = max(_row_end(groups, first, step) for step in (1, -1))
        if end > first:
            rows.append((first, end))
        first = max(end, first + 1)
    return rows


def _row_end(groups: list[str], first: int, step: int) -> int:
    """Return where the row of one direction that begins at a group ends; the group itself where there is none."""
    counted = ascending = first + 1
    while ascending < len(groups) and _goes_on(groups[ascending - 1], groups[ascending], step, _MOST_DIGITS):
        ascending += 1
    while counted < len(groups) and _goes_on(groups[counted - 1], groups[counted], step, 2 * _MOST_DIGITS, True):
        counted += 1
    found = [first]
    found += [ascending] if ascending - first >= _LEAST_ASCENDING else []
    found += [counted] if counted - first >= _LEAST_COUNTED else []
    return max(found)


def _goes_on(one: str, other: str, step: int, most_digits: int, is_next: bool = False) -> bool:
    """Tell whether a number follows another in a row of one direction, and as the very next one."""
    if max(len(one), len(other)) > most_digits or one.startswith("0") or other.startswith("0"):
        return False
    difference = (int(other) - int(one)) * step
    return difference == 1 if is_next else difference > 0
