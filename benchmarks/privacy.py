"""Private data: how much of what was put into texts is masked, how much that is none, and how fast.

    .venv/bin/python -m benchmarks.privacy --json FILE [--data DIR] [--each N]

Faker makes the values (`make peers` installs it): kinds, countries and forms that the masking does not know of. Each
is put into a text at a place drawn with a fixed seed, bare, in brackets, behind a word or on a line of its own. DIR
holds Parquet files with a column `text`, or CSV files; without it Faker writes the texts. A value counts as found if
no word and no digits of it are left, whatever it was taken for; as found exactly if the text around is whole too. What
the masking finds in the texts as they are is counted as well: an upper limit of what is masked falsely, as they may
hold private data of their own.
"""

import argparse
import json
import random
import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import phonenumbers
import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

from benchmarks.new_file import new_file
from benchmarks.private_values import Value, private_values, public_values
from cupel.errors import SourceError
from cupel.modalities.text.normalise import normalise
from cupel.modalities.text.privacy.mask import Masked, mask
from cupel.modalities.text.privacy.tokens import KINDS
from cupel.store.files import put_file

SEED = 1677
EACH = 100
MOST_TEXTS = 20_000
MOST_CHARACTERS = 320
HERE = "PLACEHOLDER"
CONTEXTS = (f"{HERE}", f"({HERE})", f"here: {HERE},", f"\n{HERE}\n", f"{HERE}.")
_WORDS = re.compile(r"[^\W\d_]{2,}|\d+")
KEY = bytes(range(32))


def main() -> None:
    """Measure, print, and write the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--json", type=new_file)
    parser.add_argument("--each", type=int, default=EACH, help="values a kind, country and form")
    options = parser.parse_args()
    texts = made_texts() if options.data is None else read_texts(options.data)
    content = json.dumps(figures(texts, options.each), indent=1) + "\n"
    print(content, end="")
    if options.json:
        put_file(options.json, content.encode())


def read_texts(data: Path) -> list[str]:
    """Return texts of the Parquet and CSV files of a folder, at most `MOST_TEXTS`, drawn with a fixed seed.

    Raises:
        SourceError: None has a column `text`.
    """
    texts: list[str] = []
    for file in [data] if data.is_file() else sorted(data.rglob("*")):
        if file.suffix == ".parquet" and "text" in pq.read_schema(file).names:
            texts += pq.read_table(file, columns=["text"])["text"].drop_null().cast(pa.string()).to_pylist()
        elif file.suffix == ".csv" and "text" in (table := pcsv.read_csv(file)).column_names:
            texts += table["text"].drop_null().cast(pa.string()).to_pylist()
    if not texts:
        raise SourceError(f"{data}: no Parquet or CSV file with a column 'text'; name a folder that holds one")
    random.Random(SEED).shuffle(texts)
    return [normalise(text, "NFC") for text in texts[:MOST_TEXTS]]


def made_texts() -> list[str]:
    """Return texts that Faker writes, of some hundred characters."""
    from faker import Faker

    fake = Faker("en_US")
    fake.seed_instance(SEED)
    return [fake.paragraph(5) for _ in range(5_000)]


def figures(texts: list[str], each: int) -> dict[str, Any]:
    """Return all figures of the benchmark.

    Args:
        texts: Normalised texts.
        each: Values a kind, country and form.
    """
    start = time.process_time()
    plain = [mask(text, key=KEY) for text in texts]
    seconds = time.process_time() - start
    counts = {name: sum(getattr(one, name) for one in plain) for name in Masked._fields[1:]}
    rng = random.Random(SEED)
    private, public = list(private_values(SEED, each)), list(public_values(SEED, each))
    found = [_found(value, texts, rng) for value in private]
    falsely = [_found(value, texts, rng).is_hidden for value in public]
    looked_for = [(v, f) for v, f in zip(private, found, strict=True) if v.form not in ("not looked for", "in words")]
    kinds = [kind for kind in KINDS if any(value.kind == kind for value, _ in looked_for)]
    return {
        "texts": len(texts),
        "mean_characters": sum(map(len, texts)) / len(texts),
        "documents_per_second": len(texts) / seconds,
        "masked_per_1000_texts_as_they_are": {name: 1000 * count / len(texts) for name, count in counts.items()},
        "values": len(private),
        "recall": {kind: _share(f.is_hidden for v, f in looked_for if v.kind == kind) for kind in kinds},
        "exact": {kind: _share(f.is_exact for v, f in looked_for if v.kind == kind) for kind in kinds},
        "recall_by": _by((f"{v.kind} {v.source}", f.is_hidden) for v, f in looked_for),
        "recall_by_form": _by((f"{v.kind}, {_form(v)}", f.is_hidden) for v, f in zip(private, found, strict=True)),
        "public_values": len(public),
        "masked_share_of_public_values": _share(falsely),
        "masked_share_of_public_values_by_form": _by((v.form, f) for v, f in zip(public, falsely, strict=True)),
        "precision": (hidden := sum(one.is_hidden for one in found)) / (hidden + sum(falsely)),
    }


class Outcome(NamedTuple):
    """What became of a value in a text: nothing of it is left (of one that is none: it was touched), and no more."""

    is_hidden: bool
    is_exact: bool


def _found(value: Value, texts: list[str], rng: random.Random) -> Outcome:
    words = rng.choice(texts)[:MOST_CHARACTERS].split(" ")
    place = rng.randrange(len(words) + 1)
    around = rng.choice(CONTEXTS)
    text = " ".join([*words[:place], around, *words[place:]])
    before, after = text.split(HERE)
    masked = mask(before + value.text + after, value.region).text
    without = mask(text, value.region).text
    if value.kind == "none":
        return Outcome(masked != without.replace(HERE, value.text), False)
    left = set(_WORDS.findall(masked)) & (set(_WORDS.findall(value.text)) - set(_WORDS.findall(text)))
    return Outcome(not left, masked in {without.replace(HERE, f"<{kind}>") for kind in KINDS})


def _form(value: Value) -> str:
    """Return how a value is written; of a phone number also whether it exists in its country's numbering plan."""
    if value.kind != "PHONE":
        return value.form
    try:
        is_valid = phonenumbers.is_valid_number(phonenumbers.parse(value.text, value.region))
    except phonenumbers.NumberParseException:
        is_valid = False
    return f"{value.form}, {'of' if is_valid else 'of no'} numbering plan"


def _share(found: Iterable[bool]) -> float:
    counted = Counter(found)
    return counted[True] / max(counted.total(), 1)


def _by(found: Iterable[tuple[str, bool]]) -> dict[str, float]:
    groups: dict[str, list[bool]] = defaultdict(list)
    for name, one in found:
        groups[name].append(one)
    return {name: round(_share(ones), 4) for name, ones in sorted(groups.items())}


if __name__ == "__main__":
    main()
