"""Small valid inputs of every format that commands read: what the fuzzer breaks."""

import gzip
import io
import json
import tarfile
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from cupel.signing.keys import make_key

REPOSITORY = Path(__file__).parents[1]
OLD_RELEASES = REPOSITORY / "tests" / "old_releases"
MOST_BYTES = 200_000
LS_TASK = {
    "id": 1, "data": {"text": "warm sun", "id": "a"}, "predictions": [], "annotations": [
        {"id": 3, "completed_by": {"id": 7, "email": "a@b.example"}, "lead_time": 1.5, "was_cancelled": False,
         "created_at": "2024-05-01T10:00:00Z", "ground_truth": False, "result": [
             {"id": "r", "from_name": "q", "to_name": "t", "type": "choices", "value": {"choices": ["warm"]}},
             {"id": "s", "from_name": "n", "type": "labels", "value": {"labels": ["PER"], "start": 0, "end": 3}}]}],
}  # fmt: skip
COCO = {
    "images": [{"id": 1, "file_name": "a.jpg", "width": 4, "height": 4}], "categories": [{"id": 3, "name": "cat"}],
    "annotations": [{"id": 8, "image_id": 1, "category_id": 3, "bbox": [0, 0, 1, 1], "iscrowd": 0}],
}  # fmt: skip
LABELBOX = {"data_row": {"id": "a", "external_id": "a", "row_data": "warm"}, "projects": {"p": {"labels": [
    {"label_details": {"created_by": "x", "created_at": "2024-05-01"}, "performance_details": {"seconds_to_create": 9},
     "annotations": {"objects": [{"feature_id": "f", "name": "car"}],
                     "classifications": [{"name": "q", "radio_answer": {"name": "Good"}}]}},
]}}}  # fmt: skip
SCALE = {"task_id": "t", "status": "completed", "params": {"attachment": "x"}, "completed_at": "2024-05-01",
         "response": {"category": "cat", "annotations": [{"label": "car", "uuid": "o"}]}}  # fmt: skip
DOCCANO = {"id": 1, "text": "warm", "label": ["good", [0, 1, "PER"]], "entities": [{"label": "X", "start_offset": 0}]}
PRODIGY = {"text": "warm", "label": "good", "answer": "accept", "_annotator_id": "ann", "_input_hash": 5}
CVAT = """<?xml version="1.0" encoding="utf-8"?><annotations><version>1.1</version><meta><task><name>t</name>
<assignee><username>ann</username></assignee></task></meta><image id="0" name="a.jpg" width="4" height="4">
<tag label="warm"><attribute name="x">y</attribute></tag><box label="car" xtl="0" ytl="0" xbr="1" ybr="1"/></image>
<track id="0" label="dog"><box frame="0" outside="0" xtl="0" ytl="0" xbr="1" ybr="1"/></track></annotations>"""
PROJECT: dict[str, Any] = {
    "project": "small", "title": "A small one", "raw": {
        "inbox": {"licence": "CC0-1.0"},
        "deliveries": {"one": {"files": ["one.jsonl"], "licence": "CC0-1.0"}}},
    "labeling": {"kind": "classification", "question": "Warm?", "classes": ["warm", "cold"], "answers": ["a.csv"],
                 "experts": {"description": "two experts"}},
    "prices": {"currency": "USD", "annotator_answer": 0.05}, "owner": "ann",
}  # fmt: skip
ROWS = [{"id": number, "text": f"warm sun {number}", "label": "warm" if number % 3 else "cold", "annotator": "ann"}
        for number in range(12)]  # fmt: skip


class FuzzInput(NamedTuple):
    """A valid file, or of a folder one of its files: name, bytes, which command reads it, the folder's other files."""

    name: str
    content: bytes
    door: str
    others: tuple[tuple[str, bytes], ...] = ()


def make_inputs() -> list[FuzzInput]:
    """Return an input of each format that can be made without a lake."""
    inputs = [FuzzInput(name, content, "table") for name, content in _make_tables().items()]
    tools = {
        "ls.json": [LS_TASK], "coco.json": COCO, "labelbox.json": [LABELBOX], "scale.json": {"docs": [SCALE]},
        "doccano.json": [DOCCANO], "prodigy.json": [PRODIGY],
    }  # fmt: skip
    inputs += [FuzzInput(name, json.dumps(document).encode(), "table") for name, document in tools.items()]
    inputs += [
        FuzzInput(f"{name}.jsonl", f"{json.dumps(row)}\n".encode() * 2, "table")
        for name, row in {"labelbox": LABELBOX, "scale": SCALE, "doccano": DOCCANO, "prodigy": PRODIGY}.items()
    ]
    inputs.append(FuzzInput("cvat.xml", CVAT.encode(), "table"))
    inputs.append(FuzzInput("small.yaml", json.dumps(PROJECT, indent=1).encode(), "project"))
    answers = "batch,item_id,purpose,annotator,label,seconds_spent\none,a,label,ann,warm,1.5\none,a,expert,bob,cold,\n"
    inputs.append(FuzzInput("answers.csv", answers.encode(), "answers"))
    row = {"batch": "one", "item_id": "a", "purpose": "label", "annotator": "ann", "label": "warm"}
    inputs.append(FuzzInput("answers.parquet", _parquet([row] * 3), "answers"))
    inputs.append(FuzzInput("sheet.csv", b"", "sheet"))
    key = make_key()
    inputs.append(FuzzInput("keys.pub", key.public.to_pem(), "key"))
    return inputs


def _make_tables() -> dict[str, bytes]:
    lines = ["id,text,label,annotator", *(f'{row["id"]},"{row["text"]}",{row["label"]},ann' for row in ROWS)]
    csv_text = "\n".join(lines) + "\n"
    json_lines = "".join(f"{json.dumps(row)}\n" for row in ROWS).encode()
    return {
        "t.csv": csv_text.encode(), "t.tsv": csv_text.replace(",", "\t").encode(), "t.jsonl": json_lines,
        "t.ndjson": json_lines, "t.json": json.dumps(ROWS).encode(), "t.parquet": _parquet(ROWS),
        "t.csv.gz": gzip.compress(csv_text.encode(), mtime=0), "t.jsonl.gz": gzip.compress(json_lines, mtime=0),
        "t.txt": csv_text.replace(",", ";").encode("cp1252"), "u.csv": csv_text.encode("utf-16"),
    }  # fmt: skip


def _parquet(rows: list[dict[str, Any]]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    return sink.getvalue()


def read_inputs(folder: Path) -> list[FuzzInput]:
    """Return the small files under a folder that end as tables and exports do."""
    endings = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".xml", ".parquet", ".gz")
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix.lower() in endings)
    return [FuzzInput(path.name, path.read_bytes(), "table") for path in paths if path.stat().st_size <= MOST_BYTES]


def read_releases(folder: Path = OLD_RELEASES) -> list[FuzzInput]:
    """Return the files of the releases that are kept in a folder as archives, each with the rest of its release."""
    found = []
    for path in sorted(folder.glob("*.tar.xz")):
        with tarfile.open(path) as archive:
            files = {
                Path(member.name): stream.read()
                for member in archive.getmembers()
                if member.isfile() and (stream := archive.extractfile(member)) is not None
            }
        roots = sorted({name.parent for name in files if name.name == "manifest.json"})
        for root in roots:
            inside = {str(name.relative_to(root)): content for name, content in files.items() if root in name.parents}
            found += [
                FuzzInput(name, content, "release", tuple((n, c) for n, c in inside.items() if n != name))
                for name, content in inside.items()
            ]
    return found
