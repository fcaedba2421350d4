"""The table of F1 per language in docs/reference/languages_f1.md, from the files that `benchmarks.languages` wrote.

.venv/bin/python -m benchmarks.language_card TITLE=FILE [TITLE=FILE ...]
"""

import argparse
import json
from pathlib import Path

from cupel.modalities.text.languages.codes import label
from cupel.modalities.text.languages.model import load
from cupel.store.files import put_file

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "languages_f1.md"
_HEAD = """# F1 per language
Made by `benchmarks.language_card`; what the columns are is told in [Languages](languages.md). A language of several
codes stands under the code of its macro-language; an empty field: the data hold none. Where data tell no script, the
language has a row without one.
"""


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", metavar="TITLE=FILE")
    options = parser.parse_args()
    named = dict(one.split("=", 1) for one in options.files)
    found = {title: json.loads(Path(file).read_text())["f1"] for title, file in named.items()}
    put_file(PAGE, page(found, [str(label(name)) for name in load().languages]).encode())


def page(found: dict[str, dict[str, float]], taught: list[str]) -> str:
    """Return the page: a row a language, those that were not taught among them."""
    languages = sorted({*taught, *(name for each in found.values() for name in each)})
    lines = [f"| language | taught | {' | '.join(found)} |", "|---|---" + "|---" * len(found) + "|"]
    for name in languages:
        values = [f"{each[name]:.3f}" if name in each else "" for each in found.values()]
        is_taught = name in taught or any(one.split("_")[0] == name for one in taught)
        lines.append(f"| {name} | {'yes' if is_taught else 'no'} | {' | '.join(values)} |")
    return _HEAD + "\n" + "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
