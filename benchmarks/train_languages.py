"""Train the model of languages that ships with the project.

    .venv/bin/python -m benchmarks.train_languages --data FILE [FILE ...] [--strings FILE ...] [--words FILE ...]
        [--model FILE]

--data is running text, --strings interface strings, --words what `benchmarks.language_words` makes. Each FILE is
Parquet with columns `lang` (language_Script, or a code whose script its texts tell) and `text`, and only of rows that
may be trained on; of a file with an `index_id` two in ten sentences are left out besides, in all languages. The same
files, the same bytes.
"""

import argparse
from pathlib import Path

from benchmarks.language_data import read_taught
from cupel.modalities.text.languages.model import SHIPPED, content, load
from cupel.modalities.text.languages.training import Settings, train
from cupel.store.files import put_file
from cupel.store.outputs import Output, check_outputs


def _is_model(path: Path) -> bool:
    return bool(load(path).languages)


def main() -> None:
    """Train, and put the model in place."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, nargs="+", required=True)
    parser.add_argument("--strings", type=Path, nargs="*", default=[])
    parser.add_argument("--words", type=Path, nargs="*", default=[])
    parser.add_argument("--model", type=Path, default=SHIPPED)
    parser.add_argument("--visits", type=int, default=Settings().visits, help="texts shown, in all")
    options = parser.parse_args()
    check_outputs([Output("--model", options.model, _is_model)], [*options.data, *options.strings, *options.words])
    taught = read_taught(options.data, options.strings, options.words)
    made = content(train(taught.texts, taught.languages, Settings(visits=options.visits), taught.weights))
    put_file(options.model, made)
    count = len(set(taught.languages))
    print(f"{options.model}: {count} languages from {len(taught.texts)} texts, {len(made) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
