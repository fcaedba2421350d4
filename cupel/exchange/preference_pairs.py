"""A release of comparisons as files that preference trainers read: a prompt, the chosen and the rejected response."""

import json
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq

from cupel.errors import ReleaseError
from cupel.modalities.comparison import FIRST, SECOND, TIE, from_text
from cupel.release import layout
from cupel.release.older_formats import read_manifest
from cupel.store.local import LocalStore
from cupel.store.outputs import Output, check_outputs, is_json_lines, write_output

KEYS = ("prompt", "chosen", "rejected", "batch", "item_id")


class Exported(NamedTuple):
    """What was written of one split: the file, its pairs, and the comparisons left out because they are ties."""

    file: Path
    pairs: int
    ties: int


def export_preferences(release: Path, folder: Path) -> list[Exported]:
    """Write a release's comparisons as JSON Lines, one file a split.

    A line has `prompt`, `chosen` and `rejected`, as trainers by direct preference optimisation read them, and
    `batch` and `item_id`, by which a label can be traced. A tie prefers nothing; ties are left out and counted.

    Args:
        release: The release's folder.
        folder: Where the files go; those of an earlier export are replaced, others never.

    Returns:
        What was written, split by split.

    Raises:
        ReleaseError: There is no release, or it holds something else than comparisons.
        OutputError: The folder lies in a release, or something else lies where a file goes.
        FormatError: A newer version of Cupel wrote it.
    """
    read_manifest(release)
    files = {name: folder / f"{Path(name).stem}.jsonl" for name in layout.DATA_FILES}
    outputs = [Output("--to", file, is_json_lines(*KEYS)) for file in files.values()]
    check_outputs(outputs, [release / name for name in layout.DATA_FILES], [release])
    store, done = LocalStore(release), []
    for name in layout.DATA_FILES:
        with store.open(name) as source:
            rows = pq.read_table(source, columns=["batch", "item_id", "text", "label"]).to_pylist()
        lines = [_line(name, row) for row in rows if row["label"] != TIE]
        file = files[name]
        write_output("--to", file, "".join(f"{line}\n" for line in lines).encode())
        done.append(Exported(file, len(lines), len(rows) - len(lines)))
    return done


def _line(name: str, row: dict[str, str]) -> str:
    where = f"{name}, batch {row['batch']}, item_id {row['item_id']!r}"
    try:
        prompt, first, second = from_text(row["text"])
    except ValueError as error:
        raise ReleaseError(f"{where}: {error}; only releases of label kind preference can be exported so") from None
    if row["label"] not in (FIRST, SECOND):
        raise ReleaseError(f"{where}: label {row['label']!r}; expected first, second or tie")
    chosen, rejected = (first, second) if row["label"] == FIRST else (second, first)
    pair = {"prompt": prompt, "chosen": chosen, "rejected": rejected}
    return json.dumps(pair | {"batch": row["batch"], "item_id": row["item_id"]}, ensure_ascii=False)
