"""Two deliveries of real labels to try `cupel accept` on, and an auditor who fills in the sheet.

The sentences of the default sample on which its expert panel is settled: of movie reviews, labelled by a crew of three
(the most frequent of three ratings), and of a newspaper, labelled by one person each. The panel's verdicts play the
auditor; over all sentences they tell how wrong each delivery truly is, which `cupel accept` never sees.

    python -m samples.delivery               write data/delivery/crew.csv and one-rater.csv
    python -m samples.delivery fill SHEET    fill in a blind audit sheet by the panel's verdicts
    python -m samples.delivery truth FILE    say how many labels of a delivery are wrong by the panel
"""

import csv
import gzip
import io
import json
import sys
from collections import Counter
from pathlib import Path
from typing import TypeAlias

import pyarrow.parquet as pq

from samples.vader import prepare

SAMPLE, FOLDER = Path("data/sentiment"), Path("data/delivery")
Key: TypeAlias = tuple[str, str]


def write_deliveries(sample: Path = SAMPLE, folder: Path = FOLDER) -> list[Path]:
    """Write the two deliveries, and return their files.

    Args:
        sample: Folder of the default sample; it is fetched where it is not there.
        folder: Gets `crew.csv` and `one-rater.csv`: id, text, label.
    """
    if not (sample / "answers.parquet").exists():
        prepare(sample)
    texts, votes, verdicts = _read_sample(sample)
    labels: dict[str, dict[Key, str]] = {"crew.csv": {}, "one-rater.csv": {}}
    for key in (key for key in texts if verdicts[key] is not None):
        if key[0] == "movies":
            labels["crew.csv"][key] = Counter(sorted(votes[key])).most_common(1)[0][0]
        else:
            labels["one-rater.csv"][key] = votes[key][0]
    folder.mkdir(parents=True, exist_ok=True)
    for file, by_item in labels.items():
        _write(folder / file, ["id", "text", "label"], [[key[1], texts[key], label] for key, label in by_item.items()])
    return [folder / file for file in labels]


def fill_sheet(sheet: Path, sample: Path = SAMPLE) -> int:
    """Fill in a blind sheet by the panel's verdicts, and return how many rows there were.

    Args:
        sheet: The CSV file that `cupel accept` wrote.
        sample: Folder of the default sample.
    """
    texts, _, verdicts = _read_sample(sample)
    by_text = {text: verdicts[key] for key, text in texts.items() if verdicts[key] is not None}
    with sheet.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    filled = [row | {"label": by_text[row["text"]]} for row in rows]
    _write(sheet, list(rows[0]), [list(row.values()) for row in filled])
    return len(filled)


def count_wrong(delivery: Path, sample: Path = SAMPLE) -> tuple[int, int]:
    """Return how many labels of a delivery are wrong by the panel, and how many there are.

    Args:
        delivery: One of the deliveries.
        sample: Folder of the default sample.
    """
    texts, _, verdicts = _read_sample(sample)
    by_item = {(key[1], texts[key]): label for key, label in verdicts.items()}
    with delivery.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return sum(row["label"] != by_item[row["id"], row["text"]] for row in rows), len(rows)


def _read_sample(sample: Path) -> tuple[dict[Key, str], dict[Key, list[str]], dict[Key, str | None]]:
    """Return the texts, the crew's labels and the panel's verdicts, by batch and id."""
    lines = gzip.decompress((sample / "movies.jsonl.gz").read_bytes()).decode().splitlines()
    texts = {("movies", row["id"]): row["text"] for row in map(json.loads, lines)}
    with (sample / "newspaper.csv").open(encoding="utf-8", newline="") as file:
        texts |= {("newspaper", row["id"]): row["text"] for row in csv.DictReader(file)}
    votes: dict[Key, list[str]] = {}
    verdicts: dict[Key, str | None] = {}
    for row in pq.read_table(sample / "answers.parquet").to_pylist():
        key = row["batch"], row["item_id"]
        if row["purpose"] == "label":
            votes.setdefault(key, []).append(row["label"])
        else:
            verdicts[key] = row["label"]
    return texts, votes, verdicts


def _write(path: Path, names: list[str], rows: list[list[str]]) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(rows)
    temporary = path.with_name(f".{path.name}")
    temporary.write_bytes(buffer.getvalue().encode())
    temporary.replace(path)


def main() -> None:
    """Do what the command line asks for."""
    match sys.argv[1:]:
        case []:
            for path in write_deliveries():
                print(path)
        case ["fill", sheet]:
            print(f"{sheet}: {fill_sheet(Path(sheet)):,} rows filled in by the panel's verdicts")
        case ["truth", delivery]:
            wrong, labels = count_wrong(Path(delivery))
            print(f"{delivery}: {wrong:,} of {labels:,} labels are wrong by the panel: {wrong / labels:.1%}")
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
