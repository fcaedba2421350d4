"""How well the languages of a collection are told by models that were taught other texts of it, and by one taught none.

    .venv/bin/python -m benchmarks.language_parts --train FILE [FILE ...] --texts FILE --json FILE [--words FILE ...]
        [--characters N]

The texts of --texts are split into five parts by their hash. Six models are trained as the shipped one is: one on
--train and --words, which answers for all texts; and five on these and four of the parts, each of which answers for the
fifth. Six times the time of `benchmarks.train_languages`; no model answers for a text that it saw.
"""

import argparse
import json
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa

from benchmarks.language_data import Rows, TaughtTexts, labelled_rows, taught_texts
from benchmarks.languages import scores
from benchmarks.new_file import new_file
from cupel.modalities.text.languages.codes import UNDETERMINED, label
from cupel.modalities.text.languages.identify import identify
from cupel.modalities.text.languages.training import Settings, train
from cupel.store.files import put_file

PARTS = 5


def main() -> None:
    """Train, measure, print, and write the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=Path, nargs="+", required=True)
    parser.add_argument("--words", type=Path, nargs="*", default=[], help="of benchmarks.language_words")
    parser.add_argument("--texts", type=Path, required=True)
    parser.add_argument("--json", type=new_file)
    parser.add_argument("--characters", type=int, default=0, help="only texts at least so long are measured")
    parser.add_argument("--threads", type=int, default=1, help="models trained at a time")
    options = parser.parse_args()
    base = [row for file in options.train for row in labelled_rows(file)]
    words = [row for file in options.words for row in labelled_rows(file)]
    found = figures(base, labelled_rows(options.texts), options.characters, Settings(), options.threads, words)
    print(json.dumps({name: {**one, "f1": None} for name, one in found.items()}, indent=1))
    if options.json:
        put_file(options.json, (json.dumps(found, indent=1, ensure_ascii=False) + "\n").encode())


def part_of(text: str) -> int:
    """Return the part of a text, 0 to `PARTS` less 1: equal texts lie in one part.

    >>> part_of("Save changes")
    1
    """
    return zlib.crc32(text.encode()) % PARTS


def figures(
    base: Rows, rows: Rows, characters: int, settings: Settings, threads: int = 1, words: Rows | None = None
) -> dict[str, Any]:
    """Return what `scores` does of both kinds of model, and how many texts were measured.

    Args:
        base: Code and text, taught to all models.
        rows: Code and text, measured; those whose code tells no language are left out.
        characters: Only texts at least so long are measured; shorter ones are taught.
        settings: Of training.
        threads: Models trained at a time.
        words: Lists of words, taught to all models.
    """
    asked = [row for row in rows if len(row[1]) >= characters and label(row[0]).language != UNDETERMINED]
    runs: list[tuple[Rows, Rows]] = [([], asked)]
    for part in range(PARTS):
        others = [row for row in rows if part_of(row[1]) != part]
        runs.append((others, [row for row in asked if part_of(row[1]) == part]))
    with ThreadPoolExecutor(threads) as pool:
        untaught, *taught = pool.map(
            lambda run: _answers(taught_texts(base, run[0], words or []), run[1], settings), runs
        )
    return {"never_taught": _scores(untaught), "other_parts_taught": _scores([one for each in taught for one in each])}


def _answers(shown: TaughtTexts, asked: Rows, settings: Settings) -> Rows:
    """Train on some texts; return the code of each row that is asked, and what the model tells of its text."""
    model = train(shown.texts, shown.languages, settings, shown.weights)
    told = identify(pa.array([text for _, text in asked], pa.large_string()), model=model)["language"].to_pylist()
    return [(code, answer) for (code, _), answer in zip(asked, told, strict=True)]


def _scores(answers: Rows) -> dict[str, Any]:
    truth, given = [label(code) for code, _ in answers], [label(answer) for _, answer in answers]
    return {"documents": len(answers), **scores(truth, given)}


if __name__ == "__main__":
    main()
