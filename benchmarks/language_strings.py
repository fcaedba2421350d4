"""Interface strings of a program as a file to measure languages on, from its compiled translations.

    .venv/bin/python -m benchmarks.language_strings --folder FOLDER --parquet FILE [--characters N]

FOLDER holds translations as gettext lays them, `locale/CODE/LC_MESSAGES/*.mo`, at any depth: those of the installed
package `django`, for one. Left out are strings that are the same as the message that they translate or as a string of
another language, and those of English.
"""

import argparse
import gettext
from collections import defaultdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.new_file import new_file
from cupel.errors import SourceError
from cupel.modalities.text.languages.codes import label
from cupel.store.files import new_file as whole_file


def main() -> None:
    """Write the file, with columns `lang` and `text`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--parquet", type=new_file, required=True)
    parser.add_argument("--characters", type=int, default=60, help="only strings at least so long")
    options = parser.parse_args()
    rows = strings(options.folder, options.characters)
    with whole_file(options.parquet) as file:
        pq.write_table(pa.table({"lang": [code for code, _ in rows], "text": [text for _, text in rows]}), file)
    print(f"{options.parquet}: {len(rows)} strings, {len({code for code, _ in rows})} codes")


def strings(folder: Path, characters: int) -> list[tuple[str, str]]:
    """Return code and text of a folder's translations, in order, each once.

    Raises:
        SourceError: There are none.
    """
    languages: dict[str, set[str]] = defaultdict(set)
    rows: set[tuple[str, str]] = set()
    for file in sorted(folder.rglob("locale/*/LC_MESSAGES/*.mo")):
        code = file.parts[-3].replace("_", "-")
        for text in _translated(file):
            languages[text].add(label(code).language)
            rows.add((code, text))
    kept = sorted(
        (code, text) for code, text in rows
        if len(text) >= characters and len(languages[text]) == 1 and label(code).language != "eng"
    )  # fmt: skip
    if not kept:
        raise SourceError(
            f"{folder}: no translations of {characters} characters; expected locale/CODE/LC_MESSAGES/*.mo"
        )
    return kept


def _translated(file: Path) -> list[str]:
    with file.open("rb") as content:
        catalog = gettext.GNUTranslations(content)._catalog  # type: ignore[attr-defined]
    found = []
    for key, text in catalog.items():
        message = key[0] if isinstance(key, tuple) else key
        if message and isinstance(text, str) and text.strip() and text != message:
            found.append(text)
    return found


if __name__ == "__main__":
    main()
