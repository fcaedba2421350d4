"""The script that a text is written in, ISO 15924, for labels that tell none."""

import unicodedata
from collections import Counter

# First words of the names of letters in Unicode; scripts that are not here have no label to be told by.
_SCRIPTS = {
    "ARABIC": "Arab", "ARMENIAN": "Armn", "BENGALI": "Beng", "CYRILLIC": "Cyrl", "DEVANAGARI": "Deva",
    "ETHIOPIC": "Ethi", "GEORGIAN": "Geor", "GREEK": "Grek", "GUJARATI": "Gujr", "GURMUKHI": "Guru", "HANGUL": "Hang",
    "HEBREW": "Hebr", "HIRAGANA": "Jpan", "KATAKANA": "Jpan", "KANNADA": "Knda", "KHMER": "Khmr", "LAO": "Laoo",
    "LATIN": "Latn", "MALAYALAM": "Mlym", "MEETEI": "Mtei", "MYANMAR": "Mymr", "NKO": "Nkoo", "OL": "Olck",
    "ORIYA": "Orya", "SINHALA": "Sinh", "TAI": "Tale", "TAMIL": "Taml", "TELUGU": "Telu", "THAANA": "Thaa",
    "THAI": "Thai", "TIBETAN": "Tibt", "TIFINAGH": "Tfng",
}  # fmt: skip


def script_of(text: str) -> str:
    """Return the script of most of a text's letters; "" where it has none that is known, and for Chinese.

    Chinese letters alone do not tell whose or which kind they are; with kana they are Japanese.

    >>> script_of("Сервер 2.0 OK"), script_of("設定を保存"), script_of("设定"), script_of("12")
    ('Cyrl', 'Jpan', '', '')
    """
    names = Counter(unicodedata.name(sign, "").split(" ")[0] for sign in text if unicodedata.category(sign)[0] == "L")
    if "HIRAGANA" in names or "KATAKANA" in names:
        return "Jpan"
    return _SCRIPTS.get(names.most_common(1)[0][0], "") if names else ""
