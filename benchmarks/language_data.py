"""What the model of languages is trained on: labelled texts from several folders, and what is held out of them."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from cupel.errors import SourceError

# Parallel sentences share an index_id. One in ten is measured only, one in ten was used to choose settings.
_PARTS = 10
_HELD_OUT, _CHOOSING = 0, 1
# Two labels of one language become one, whichever collection they come from.
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


def training_rows(files: Sequence[Path]) -> tuple[pa.Array, list[str]]:
    """Return texts and labels, without those held out or used to choose, in the order of the files.

    Args:
        files: Parquet with `lang` (language_Script) and `text`; where there is an `index_id` rows are left out by it.

    Raises:
        SourceError: Not one row can be trained on.
    """
    texts: list[str] = []
    labels: list[str] = []
    for file in files:
        table = pq.read_table(file)
        places = table["index_id"].to_pylist() if "index_id" in table.column_names else [None] * len(table)
        for code, text, place in zip(table["lang"].to_pylist(), table["text"].to_pylist(), places, strict=True):
            name = training_label(code or "")
            is_left_out = place is not None and (is_held_out(place) or is_for_choosing(place))
            if name and text and not is_left_out:
                texts.append(text)
                labels.append(name)
    if not texts:
        raise SourceError(f"{', '.join(map(str, files))}: no row with a language_Script and a text to train on")
    return pa.array(texts, pa.large_string()), labels
