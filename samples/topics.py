"""The multilingual sample: what a sentence is about, in 205 varieties of language, from SIB-200 (CC BY-SA 4.0).

Adelani et al. (2024), SIB-200, EACL; the sentences are those of FLORES-200. The data are not part of the project and
are not fetched: they must be at hand. What they lack is people who answer item by item, so the crew is made up here,
wrong as often as stated, and the data set's own topic stands for the expert. The release shows how the chain handles
languages; of real annotators it shows nothing.

    .venv/bin/python -m samples.topics --data DIR

DIR holds Parquet files with the columns lang (language_Script), index_id, topic and text, or is one.
"""

import argparse
import random
import sys
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from cupel.errors import OutputError, SourceError
from cupel.store.files import put_file
from cupel.store.outputs import Output, check_outputs, is_table

COLUMNS = ("lang", "index_id", "topic", "text")
BATCH = "sentences"
CREW = 3
SEED = 2024
# The annotators who take turns, and how often each is wrong: two good ones, one middling, one poor in each four.
ANNOTATORS = 12
WRONG = (0.05, 0.08, 0.12, 0.25)
# The model that tells languages never saw sentences whose number ends so, in whatever language.
HELD_OUT = "0"
WHERE = (
    "The data are not part of the project. Get SIB-200 (github.com/dadelani/sib-200, data/annotated), write the rows "
    "of all languages to Parquet with the columns lang, index_id, topic and text, and name that folder: "
    "make languages SIB200=FOLDER"
)


def read(data: Path, is_all: bool = False) -> pa.Table:
    """Return the sentences, those held out from the language model only, or all.

    Args:
        data: A Parquet file, or a folder of them; files without the columns are passed over.
        is_all: Take the sentences that the language model was trained on, too.

    Raises:
        SourceError: There is no such file; says where to get the data.
    """
    files = [data] if data.is_file() else sorted(data.rglob("*.parquet"))
    found = [pq.read_table(file, columns=list(COLUMNS)) for file in files if _has_columns(file)]
    if not found:
        raise SourceError(f"{data}: no Parquet file with the columns {', '.join(COLUMNS)}. {WHERE}")
    table = pa.concat_tables(found).cast(pa.schema([(name, pa.string()) for name in COLUMNS])).drop_null()
    if not is_all:
        table = table.filter(pa.compute.ends_with(table["index_id"], HELD_OUT))
    return table.sort_by([("lang", "ascending"), ("index_id", "ascending"), ("text", "ascending")])


def delivery(table: pa.Table) -> pa.Table:
    """Return the sentences as they are delivered: id, text, the declared language, and the sentence's number.

    The number is the same in all languages: translations of one sentence stay in one split.
    """
    ids = [f"{lang}-{number}-{place}" for place, (lang, number) in enumerate(_pairs(table))]
    return pa.table({"id": ids, "text": table["text"], "lang": table["lang"], "sentence": table["index_id"]})


def answers(table: pa.Table) -> pa.Table:
    """Return the recorded answers: of a made-up crew of three an item, and of the expert, the data set's topic."""
    topics = sorted(set(table["topic"].to_pylist()))
    rows: list[dict[str, str]] = []
    for item_id, topic in zip(delivery(table)["id"].to_pylist(), table["topic"].to_pylist(), strict=True):
        rng = random.Random(f"{SEED}/{item_id}")
        key = {"batch": BATCH, "item_id": item_id}
        for annotator in sorted(rng.sample(range(ANNOTATORS), CREW)):
            is_wrong = rng.random() < WRONG[annotator % len(WRONG)]
            said = rng.choice([other for other in topics if other != topic]) if is_wrong else topic
            rows.append({**key, "purpose": "label", "annotator": f"made-up-{annotator:02}", "label": said})
        rows.append({**key, "purpose": "expert", "annotator": "sib-200", "label": topic})
    return pa.Table.from_pylist(rows)


def prepare(data: Path, inbox: Path, is_all: bool = False) -> int:
    """Put the sentences and the answers into the project's inbox, marked as whole; return how many sentences.

    Raises:
        SourceError: The data are not there.
        OutputError: Something else lies in the inbox under the names of the sample's files.
    """
    table = read(data, is_all)
    outputs = {inbox / "answers" / "answers.parquet": answers(table), inbox / f"{BATCH}.parquet": delivery(table)}
    inputs = data.rglob("*.parquet") if data.is_dir() else [data]
    check_outputs([Output("--inbox", path, is_table(made.column_names)) for path, made in outputs.items()], inputs)
    (inbox / "answers").mkdir(parents=True, exist_ok=True)
    for path, made in outputs.items():
        _put(path, made)
    return int(table.num_rows)


def _pairs(table: pa.Table) -> Iterable[tuple[str, str]]:
    return zip(table["lang"].to_pylist(), table["index_id"].to_pylist(), strict=True)


def _has_columns(file: Path) -> bool:
    return file.suffix == ".parquet" and set(COLUMNS) <= set(pq.read_schema(file).names)


def _put(path: Path, table: pa.Table) -> None:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    put_file(path, sink.getvalue().to_pybytes())
    path.with_name(path.name + ".done").touch()


def main() -> None:
    """Put the sample into the project's inbox."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with the data")
    parser.add_argument("--inbox", type=Path, default=Path("inbox/languages"))
    parser.add_argument("--all", action="store_true", help="take sentences that the language model was trained on, too")
    options = parser.parse_args()
    if options.data is None or not str(options.data) or not options.data.exists():
        sys.exit(
            f"languages: {'no folder was named' if options.data is None else f'{options.data} is not there'}. {WHERE}"
        )
    try:
        sentences = prepare(options.data, options.inbox, options.all)
    except (SourceError, OutputError) as error:
        sys.exit(str(error))
    print(f"{sentences:,} sentences lie in {options.inbox}")


if __name__ == "__main__":
    main()
