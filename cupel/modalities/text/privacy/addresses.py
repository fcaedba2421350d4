"""Postal addresses in a text: a street and the number of a house, as eight languages write them.

English and French put the number first (`12 Elm Street`, `8, rue de la Paix`); German and Dutch have it behind a word
that ends in the kind of street (`Hauptstrasse 5`, `Kerkstraat 12b`); Spanish, Portuguese, Italian and Polish begin with
the kind (`Calle Mayor 3`, `Rua Augusta, 93`, `via Roma 7`, `ul. Polna 4/5`). Town and postal code are left.
"""

import re

from cupel.modalities.text.privacy.tokens import Found

# Behind a number, and before one, an address reaches no further.
_WINDOW = 80
_MOST_DIGITS = 5
# As Python has it.
_CASES_OF_I = "[i\u0130\u0131]"
_REST_OF_WORD = re.compile(r"\w{0,40}")
_WORD = re.compile(r"\w{1,80}")
_DIGITS = re.compile(r"[0-9]+")
_CAPITALS = "A-ZÀ-ÖØ-ÞĄĆĘŁŃŚŹŻŠŽČŘ"
_NAME = rf"(?:[{_CAPITALS}][\w'\u2019.-]*)"
# Suffixes of streets, those that nearly always are one and those that often are something else; the latter count only
# where a flat is named too. Source: USPS Publication 28, appendix C1; the British ones are common knowledge.
_SURE_WORDS = "Street|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Terrace|Parkway|Pkwy|Highway|Hwy|Crescent|Mews"
_SURE = rf"St(?!\.? (?!Apt|Suite|Ste|Unit|[NSEW]{{1,2}}\b)[A-Z])|{_SURE_WORDS}"
_SURE_CAPITALS = "STREET|ST|AVENUE|AVE|ROAD|RD|LANE|LN|DRIVE|DR|BOULEVARD|BLVD|PARKWAY|PKWY|HIGHWAY|HWY"
_UNSURE = (
    "Alley|Annex|Arcade|Bayou|Beach|Bend|Bluffs?|Bottom|Branch|Bridge|Brooks?|Burgs?|Bypass|Camp|Canyon|Cape|Causeway|"
    "Centers?|Circles?|Cliffs?|Close|Club|Commons?|Corners?|Course|Courts?|Ct|Coves?|Creek|Crest|Cross(?:ing|road)s?|"
    "Curve|Dale|Dam|Divide|Drives|Estates?|Expressway|Extensions?|Falls?|Ferry|Fields?|Flats?|Fords?|Forest|Forges?|"
    "Forks?|Fort|Freeway|Gardens?|Gateway|Glens?|Greens?|Groves?|Harbors?|Haven|Heights|Hills?|Hollow|Inlet|Islands?|"
    "Isle|Junctions?|Keys?|Knolls?|Lakes?|Land|Landing|Lights?|Loaf|Locks?|Lodge|Loop|Mall|Manors?|Meadows?|Mills?|"
    "Mission|Motorway|Mount|Mountains?|Neck|Orchard|Oval|Overpass|Parks?|Parkways|Pass|Passage|Path|Pike|Pines?|Pl|"
    "Place|Plains?|Plaza|Points?|Ports?|Prairie|Radial|Ramp|Ranch|Rapids?|Rest|Ridges?|River|Roads|Route|Row|Rue|Run|"
    "Shoals?|Shores?|Skyway|Springs?|Spurs?|Squares?|Sq|Station|Stravenue|Stream|Streets|Summit|Throughway|Trace|Track|"
    "Trafficway|Trail|Trl|Tunnel|Turnpike|Underpass|Unions?|Valleys?|Viaduct|Views?|Villages?|Ville|Vista|Walks?|Wall|"
    "Ways?|Wells?"
)
_SMALL_SURE = "street|avenue|road|lane|drive|boulevard"
_UNIT_WORDS = "apt|apartment|suite|ste|unit|flat|floor|room"
_UNIT = rf"(?:,? (?i:{_UNIT_WORDS})\.? ?#?[A-Z]?[0-9]{{1,5}}[A-Z]?\b)"
_ENGLISH_NAME = rf"(?:(?:{_NAME}|[1-9][0-9]{{0,2}}(?:st|nd|rd|th)) ){{1,4}}?"
_ENGLISH = re.compile(
    rf"[0-9]+(?:-[0-9]{{1,4}})?[A-Za-z]?,? (?:{_ENGLISH_NAME}"
    rf"(?:{_SURE}|{_SURE_CAPITALS}|{_SMALL_SURE})\b(?:\.(?= ?[,\n]))?{_UNIT}?"
    rf"|{_ENGLISH_NAME}(?:{_UNSURE})\b{_UNIT}"
    rf"|(?<=[0-9]{{3}} )(?<!1[5-9][0-9]{{2}} )(?<!20[0-9]{{2}} ){_NAME} (?:{_NAME} )?(?:{_UNSURE})\b(?! ?[A-Z])"
    rf"|{_NAME}{_UNIT})"
)
_FLAT = re.compile(
    r"(?<!\w)(?:Flat|Studio|Unit|Apartment|Suite) #?[0-9]{1,5}[A-Z]?,? "
    rf"(?:[0-9]{{1,5}}[A-Za-z]? )?{_ENGLISH_NAME}(?:{_SURE}|{_UNSURE})\b"
)
_FLATS = ("flat", "studio", "unit", "apartment", "suite")
_FRENCH_WORDS = (
    "rue", "avenue", "boulevard", "bd", "place", "chemin", "allée", "allee", "impasse", "quai", "route", "ruelle",
    "faubourg", "passage", "voie", "bis", "ter", "quater",
)  # fmt: skip
_FRENCH_KINDS = "rue|avenue|boulevard|bd|place|chemin|all[ée]e|impasse|quai|route|ruelle|faubourg|passage|voie"
_FRENCH = re.compile(
    rf"[0-9]+(?: ?(?:bis|ter|quater))?,? (?i:{_FRENCH_KINDS}) "
    r"(?:(?:de la|de l['\u2019]|des|du|de|d['\u2019]|la|le|les|l['\u2019]) ?)?"
    rf"(?=...){_NAME}(?:[ -]{_NAME}){{0,3}}"
)
_ENDINGS = (
    "straße", "strasse", "str.", "weg", "platz", "allee", "gasse", "damm", "ufer", "steig", "chaussee", "ring",
    "straat", "laan", "plein", "gracht", "kade", "singel", "dreef", "steeg", "dijk", "baan", "hof", "pad", "boulevard",
)  # fmt: skip
_SMALL = ("straße", "strasse", "straat")
_IN_WORD = (
    r"straße|strasse|STRASSE|str\.|weg|platz|allee|gasse|damm|ufer|steig|chaussee|-[Rr]ing|"
    "straat|laan|plein|gracht|kade|singel|dreef|steeg|dijk|baan|hof|pad"
)
_IN_SMALL_WORD = "stra(?:ße|sse|at)"
_OWN_WORD = r"Straße|Strasse|Str\.|Weg|Platz|Allee|Gasse|Damm|Ufer|[Bb]oulevard"
_ENDED = re.compile(
    rf"(?<!\w)(?:(?:{_NAME}[ -]){{0,3}}?(?:[A-ZÀ-Þ][\w.-]{{1,40}}?(?:{_IN_WORD})|[^\W\d_]{{3,40}}?{_IN_SMALL_WORD})"
    rf"|(?:{_NAME}[ -]){{1,3}}(?:{_OWN_WORD})) $"
)
_KINDS = frozenset({
    "calle", "c/", "avenida", "avda.", "avda", "av.", "plaza", "paseo", "camino", "carretera", "ctra.", "ronda",
    "travesía", "glorieta", "alameda", "rambla", "callejón", "cuesta", "pasaje", "rua", "travessa", "praça", "largo",
    "pasadizo", "urbanización", "estrada", "beco", "rodovia", "viela", "ladeira", "via", "viale", "piazza", "piazzale",
    "piazzetta", "corso", "vicolo", "strada", "contrada", "borgo", "rotonda", "ul.", "ulica", "aleja", "al.", "plac",
    "pl.", "os.", "osiedle",
})  # fmt: skip
_OF = r"(?:(?:de las?|de los|de|del|do|da|dos|das|di|della|delle|dei|degli) |(?:de l|dell|d)['\u2019])?"
_KIND = "|".join(map(re.escape, sorted(_KINDS, reverse=True)))
_NUMBER_SIGN = r"(?:(?:n[º°.]|nr\.?|núm\.?|No\.?) ?)?"
_BEGUN = re.compile(rf"(?<![\w/])(?i:{_KIND})(?: |(?<=[./])){_OF}{_NAME}(?: {_OF}{_NAME}){{0,4}},? {_NUMBER_SIGN}$")
_BEHIND = re.compile(
    r"(?:[/-][0-9]{1,4})?[a-zA-Z]?(?![\w%°$€£]|[.,:][0-9])"
    r"(?:,? (?i:apt|apto|piso|puerta|piano|appartamento|interno|int|scala|bloco|lok|m)\.? ?[0-9]{1,4}\b)*"
)
_BEHIND_ENDED = re.compile(r"(?:[/-][0-9]{1,4})?(?: ?[a-h])?(?![\w%°$€£]|[.,:][0-9])")
# A year before a street's name is no number of a house: "In 2008 Wall Street fell".
_YEAR = re.compile(r"(?:1[5-9]|20)[0-9]{2}")
_BEFORE_DAY = re.compile(r"(?i)\b(?:jan|feb|mar|apr|may|june?|july?|aug|sep|oct|nov|dec)[a-z]*\.? $")
_BEFORE_YEAR = re.compile(
    r"(?i)\b(?:in|since|by|of|from|until|till|during|the|early|late|mid|after|before|and|to|between|year|jan\w*|feb\w*|"
    r"mar\w*|apr\w*|may|june?|july?|aug\w*|sep\w*|oct\w*|nov\w*|dec\w*|[0-9]{1,2}),? $"
)


def addresses(text: str) -> list[Found]:
    """Return the streets with a number of a text, in order.

    Every number is looked at once, with what stands around it: time is linear in the text's length.

    >>> [text.value for text in addresses("From 12 Elm Street to via Roma 7, in 2008 Wall Street")]
    ['12 elm street', 'via roma 7']
    """
    found: list[Found] = []
    last = 0
    for house in _DIGITS.finditer(text):
        start, end = house.span()
        if start < last or end - start > _MOST_DIGITS or _is_in_number(text, start):
            continue
        span = _number_first(text, start, end) if _may_be_first(text, start, end) else None
        if span is None and _may_be_last(text, start):
            span = _number_last(text, start, end, last)
        if span is not None:
            last = span[1]
            found.append(Found(*span, " ".join(re.findall(r"\w+", text[span[0] : last].lower()))))
    return found


def wider_patterns() -> tuple[str, ...]:
    """Return patterns that need no looking back or ahead; a text with an address matches one of them."""
    first = rf"[0-9](?:-[0-9]{{1,4}})?[A-Za-z]?,? (?:[{_CAPITALS}0-9][^ ]* )+"
    words = rf"(?:St|{_SURE_WORDS}|{_SURE_CAPITALS}|{_SMALL_SURE}|{_UNSURE})\b"
    french = rf"[0-9](?: ?(?:bis|ter|quater))?,? {_any_case(_FRENCH_KINDS)} "
    ended = rf"(?:{_IN_WORD}|{_IN_SMALL_WORD}|{_OWN_WORD}) \n?[0-9]"
    begun = rf"(?:\A|\W){_any_case(_KIND)} ?{_OF}[{_CAPITALS}][^ ]*(?: {_OF}[{_CAPITALS}][^ ]*)* {_NUMBER_SIGN}\n?[0-9]"
    return rf"{first}(?:{words}|{_any_case(_UNIT_WORDS)}\.? ?#?[A-Z]?[0-9])", french, ended, begun


def _any_case(words: str) -> str:
    return f"(?i:{words.replace('i', _CASES_OF_I)})"


def _is_in_number(text: str, start: int) -> bool:
    """Tell whether digits are the rest of a word, a date, a time or a sum."""
    before = text[max(0, start - 2) : start]
    return before[-1:].isalnum() or (before[-1:] in "_.,:/-" and before[:1].isdigit())


def _may_be_first(text: str, start: int, end: int) -> bool:
    """Tell in no time whether a number may begin an address: a name, a number or a kind of street follows."""
    behind = text[end : end + 16].lstrip("-, ")
    return (
        behind[:1].isupper()
        or behind[:1].isdigit()
        or behind[1:2] in ("", " ", ",")
        or behind.lower().startswith(_FRENCH_WORDS)
    )


def _may_be_last(text: str, start: int) -> bool:
    """Tell in no time whether a number may end an address: the word before it is a name or a street."""
    words = text[max(0, start - _WINDOW) : start].split()
    word = words[-1].lstrip("([\"'\u201c") if words else ""
    return word[:1].isupper() or word[:1] == "n" or word.endswith(_SMALL)


def _number_first(text: str, start: int, end: int) -> tuple[int, int] | None:
    # No word is cut, so that none that goes on is taken for a kind of street.
    before, limit = text[max(0, start - _WINDOW) : start], _end(_REST_OF_WORD, text, end + _WINDOW)
    if before.lower().rstrip(" #").endswith(_FLATS):
        flat = _FLAT.search(text, start - min(len(before), len("apartment #")), limit)
        if flat is not None and flat.start() < start < flat.end():
            return flat.span()
    match = _ENGLISH.match(text, start, limit) or _FRENCH.match(text, start, limit)
    if match is None:
        return None
    is_date = _BEFORE_DAY.search(before) or (_YEAR.fullmatch(text, start, end) and _BEFORE_YEAR.search(before))
    return None if is_date else match.span()


def _end(pattern: re.Pattern[str], text: str, place: int) -> int:
    """Return where what matches at a place ends; the place itself, no further than the text, where nothing does."""
    found = pattern.match(text, place)
    return min(place, len(text)) if found is None else found.end()


def _number_last(text: str, start: int, end: int, last: int) -> tuple[int, int] | None:
    first = max(last, start - _WINDOW)
    if first:
        first = max(first, _end(_WORD, text, first - 1))
    before = text[first:start]
    lowered = before.lower()
    street, rest = None, _BEHIND
    if lowered[:-1].endswith(_ENDINGS):
        street, rest = _ENDED.search(before), _BEHIND_ENDED
    elif "c/" in lowered or not _KINDS.isdisjoint(lowered.replace(".", ". ").replace("(", " ").split()):
        street = _BEGUN.search(before)
    behind = None if street is None else rest.match(text, end)
    return None if street is None or behind is None else (first + street.start(), behind.end())
