"""Overlap with evaluation sets: how many inserted questions are found, how many texts falsely, and how fast.

    .venv/bin/python -m benchmarks.overlap --data DIR --json FILE [--questions N] [--texts N]

DIR holds Parquet or CSV files with a column `text`. Some texts, drawn with a fixed seed and cut at 3 to 60 words, are
the questions, and the three words behind the cut their answers; they are put verbatim into some of the other texts,
with the answer behind. Beside it a plain Python set of runs of 13 words, as most do it, on the same texts. A text in
which no question was put counts as falsely found, also if the data holds the same sentence twice: an upper limit.
"""

import argparse
import json
import random
import re
import time
from pathlib import Path
from typing import Any

import pyarrow as pa

from benchmarks.new_file import new_file
from benchmarks.privacy import read_texts
from cupel.cleaning.overlap.index import LEAST_WITH_ANSWER, RUN, Index
from cupel.cleaning.overlap.references import Reference
from cupel.errors import SourceError
from cupel.store.files import put_file

SEED = 1202
ANSWER_WORDS = 3
MOST_SHARE = 0.5
_WORDS = re.compile(r"[^\W_]+")


def main() -> None:
    """Measure, print, and write the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--json", type=new_file)
    parser.add_argument("--questions", type=int, default=5_000)
    parser.add_argument("--texts", type=int, default=10_000)
    options = parser.parse_args()
    content = json.dumps(figures(read_texts(options.data), options.questions, options.texts), indent=1) + "\n"
    print(content, end="")
    if options.json:
        put_file(options.json, content.encode())


def figures(texts: list[str], questions: int, wanted: int) -> dict[str, Any]:
    """Return all figures of the benchmark.

    Raises:
        SourceError: There are too few texts.
    """
    rng = random.Random(SEED)
    texts = list(dict.fromkeys(texts))
    long = [text for text in texts if len(text.split()) > 8]
    if len(long) < 20 or len(texts) < 40:
        raise SourceError(f"found {len(texts)} texts, {len(long)} of them of more than 8 words; at least 40 are needed")
    questions = min(questions, len(long) // 2)
    rows = [_question(number, text, rng) for number, text in enumerate(rng.sample(long, questions))]
    # A question's own text holds it, and so may others that begin alike.
    used = {" ".join(row.text.split()[:3]) for row in rows}
    others = [text for text in texts if " ".join(text.split()[:3]) not in used][:wanted]
    inserted = rng.sample(range(len(others)), len(others) // 10)
    put = dict(zip(inserted, rng.choices(rows, k=len(inserted)), strict=True))
    documents = [_with(text, put[place], rng) if place in put else text for place, text in enumerate(others)]
    Index(rows[:1]).find(pa.array(documents[:2]))  # compiled before it is timed
    index = Index(rows)
    start = time.process_time()
    ours = [match is not None and match.share > MOST_SHARE for match in index.find(pa.array(documents))]
    seconds = time.process_time() - start
    theirs, their_seconds = _plain_set(rows, documents)
    lengths = {place: len(_WORDS.findall(row.text)) for place, row in put.items()}
    short = [place for place, length in lengths.items() if length < RUN]
    tiny = [place for place in short if lengths[place] + ANSWER_WORDS < LEAST_WITH_ANSWER]
    return {
        "questions": len(rows), "of_fewer_words_than_a_run": sum(len(_WORDS.findall(row.text)) < RUN for row in rows),
        "questions_not_looked_for": index.not_looked_for, "texts": len(documents), "inserted": len(put),
        "inserted_not_looked_for": len(tiny),
        **_scores("", ours, lengths, short), "documents_per_second": len(documents) / seconds,
        **_scores("plain_set_", theirs, lengths, short),
        "plain_set_documents_per_second": len(documents) / their_seconds,
    }  # fmt: skip


def _scores(prefix: str, found: list[bool], put: dict[int, int], short: list[int]) -> dict[str, float]:
    false = sum(is_found for place, is_found in enumerate(found) if place not in put)
    return {
        f"{prefix}recall": sum(found[place] for place in put) / len(put),
        f"{prefix}recall_of_short": sum(found[place] for place in short) / max(len(short), 1),
        f"{prefix}false_per_1000": 1000 * false / (len(found) - len(put)),
    }


def _question(number: int, text: str, rng: random.Random) -> Reference:
    words = text.split()
    cut = rng.randrange(3, min(60, len(words) - ANSWER_WORDS) + 1)
    return Reference(f"drawn, row {number + 1}", " ".join(words[:cut]), " ".join(words[cut : cut + ANSWER_WORDS]))


def _with(text: str, question: Reference, rng: random.Random) -> str:
    words = text.split()
    place = rng.randrange(len(words) + 1)
    return " ".join([*words[:place], question.text, question.answer, *words[place:]])


def _plain_set(rows: list[Reference], documents: list[str]) -> tuple[list[bool], float]:
    """Return which texts share a run of 13 words with a question, by sets of tuples, and the seconds it took."""

    def runs(text: str) -> set[tuple[str, ...]]:
        words = _WORDS.findall(text.lower())
        return {tuple(words[at : at + RUN]) for at in range(len(words) - RUN + 1)}

    known = set().union(*(runs(row.text) for row in rows))
    start = time.process_time()
    found = [not known.isdisjoint(runs(text)) for text in documents]
    return found, time.process_time() - start


if __name__ == "__main__":
    main()
