"""What the model of languages is trained on: labelled texts from several folders, and what is held out of them."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.language_scripts import script_of
from benchmarks.language_variants import variants
from cupel.errors import SourceError
from cupel.modalities.text.languages.codes import UNDETERMINED, Label, label

Rows = list[tuple[str, str]]
# Parallel sentences share an index_id. One in ten is measured only, one in ten was used to choose settings.
_PARTS = 10
# A text of running text counts as one. Strings are few, and as short as what is asked about; of words there are many.
# Variants would else draw as many visits as the languages that they are of.
STRING_WEIGHT, WORD_WEIGHT, VARIANT_WEIGHT = 8.0, 0.1, 0.4
_HELD_OUT, _CHOOSING = 0, 1
# Two labels of one language become one, whichever collection they come from.
# A code for what other labels tell apart teaches nothing: Serbo-Croatian.
_SEVERAL = ("hbs", "sh")
_SAME = {"ekk": "est", "zlm": "zsm", "gug": "grn", "pbu": "pbt"}


def is_held_out(index_id: str | int) -> bool:
    """Return whether rows of this sentence are never trained on, only measured.

    >>> is_held_out("120"), is_held_out(121)
    (True, False)
    """
    return int(index_id) % _PARTS == _HELD_OUT


def is_for_choosing(index_id: str | int) -> bool:
    """Return whether rows of this sentence chose settings; the shipped model is not trained on them either."""
    return int(index_id) % _PARTS == _CHOOSING


def training_label(code: str) -> str | None:
    """Return the label to train under; None where the language is not told, or Chinese letters' kind is not.

    >>> training_label("ekk_Latn"), training_label("yue_Hani"), training_label("und_Latn")
    ('est_Latn', 'yue_Hant', None)
    """
    language, _, script = code.partition("_")
    if language == "und" or not script or code == "cmn_Hani":
        return None
    return f"{_SAME.get(language, language)}_{'Hant' if code == 'yue_Hani' else script}"


class TaughtTexts(NamedTuple):
    """What a model is trained on: texts, the label of each, and how much it counts."""

    texts: pa.Array
    languages: list[str]
    weights: list[float]


def read_taught(running: Sequence[Path], strings: Sequence[Path] = (), words: Sequence[Path] = ()) -> TaughtTexts:
    """Return what files hold to train on, without what is held out or was used to choose, in the order of the files.

    Args:
        running: Running text; Parquet with `lang` (language_Script; or a code without a script, see `with_scripts`)
            and `text`; where there is an `index_id` rows are left out by it.
        strings: Interface strings, the same columns.
        words: Lists of words, the same columns.

    Raises:
        SourceError: Not one row can be trained on.
    """
    kinds = ([row for file in files for row in labelled_rows(file)] for files in (running, strings, words))
    return taught_texts(*kinds)


def taught_texts(running: Rows, strings: Rows, words: Rows) -> TaughtTexts:
    """Return rows of code and text as they are taught, and variants of running text and strings.

    Raises:
        SourceError: Not one row can be trained on.
    """
    named = with_scripts([*running, *strings])
    if not named:
        raise SourceError("found no row with a language and a text to train on; expected columns 'lang' and 'text'")
    is_string = {text for _, text in strings}
    weights = [STRING_WEIGHT if text in is_string else 1.0 for _, text in named]
    more = variants(named)
    known = {name for name, _ in named}
    listed = [row for row in with_scripts([*named, *words])[len(named) :] if row[0] in known]
    weights += [VARIANT_WEIGHT] * len(more) + [WORD_WEIGHT] * len(listed)
    named += more + listed
    return TaughtTexts(pa.array([text for _, text in named], pa.large_string()), [name for name, _ in named], weights)


def labelled_rows(file: Path) -> list[tuple[str, str]]:
    """Return code and text of a file's rows, without those held out or used to choose, or without one of the two."""
    table = pq.read_table(file)
    places = table["index_id"].to_pylist() if "index_id" in table.column_names else [None] * len(table)
    rows = []
    for code, text, place in zip(table["lang"].to_pylist(), table["text"].to_pylist(), places, strict=True):
        is_left_out = place is not None and (is_held_out(place) or is_for_choosing(place))
        if code and text and not is_left_out:
            rows.append((code, text))
    return rows


def with_scripts(rows: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return rows of label and text under the labels to train under, without those that have none.

    A code without a script (`az`, `sr`) gets the script of its text, and the label that rows with a script have for
    that language, if there is one: its macro-language's standard (`azj_Latn`), by most rows if there are several.

    >>> with_scripts([("azj_Latn", "Sənəd yoxdur"), ("az", "Yadda saxla"), ("sh", "Snimi"), ("chm_Cyrl", "Мутер")])
    [('azj_Latn', 'Sənəd yoxdur'), ('azj_Latn', 'Yadda saxla'), ('chm_Cyrl', 'Мутер')]
    """
    scripted = Counter(name for code, _ in rows if "_" in code and (name := training_label(code)))
    standard: dict[Label, str] = {}
    for name, _ in sorted(scripted.items(), key=lambda one: (-one[1], one[0])):
        standard.setdefault(label(name), name)
    named = []
    for code, text in rows:
        name = training_label(code) if "_" in code else _by_text(code, text, standard)
        if name:
            named.append((name, text))
    return named


def _by_text(code: str, text: str, standard: dict[Label, str]) -> str | None:
    language, script = label(code).language, script_of(text)
    if language == UNDETERMINED or code in _SEVERAL or not script:
        return None
    return standard.get(Label(language, script), f"{language}_{script}")
