"""Suspicious items read by the tools that they are written for.

FiftyOne keeps data sets in MongoDB and pins other versions than these tools: its own importer is tried where the
environment variable FIFTYONE_PYTHON names a Python that has it.
"""

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from cupel.cli import main
from cupel.contract.table import from_rows
from cupel.contract.tables import TABLES
from cupel.contract.tables.checking import PREDICTIONS
from cupel.exchange.suspicious_items import find_suspicious, write_for_fiftyone
from cupel.kinds import KINDS
from made_releases import CLASSES, Made, make_release

pytestmark = pytest.mark.handover


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    made = make_release(tmp_path_factory.mktemp("lake"))
    rows = []
    for place, item in enumerate(made.lake.read("release_items", "movies-r1").to_pylist()):
        chances = [0.9 if name == item["label"] else 0.05 for name in CLASSES]
        chances = chances[1:] + chances[:1] if place % 40 == 0 else chances
        rows.append({
            "item_id": item["item_id"], "predicted_label": CLASSES[int(np.argmax(chances))], "posterior": chances,
            "model": "made", "model_version": "1",
        })  # fmt: skip
    made.lake.write("predictions", "movies", from_rows(rows, PREDICTIONS))
    return made


def write(made: Made, name: str, folder: Path) -> Path:
    where = ["--lake", str(made.lake.root), "--to", str(folder), "--format", name]
    done = CliRunner().invoke(main, ["suspicious", made.lake.project, "movies-r1", *where])
    assert done.exit_code == 0, done.output
    return folder


def test_cleanlab_finds_its_label_issues_among_them(made: Made, tmp_path: Path) -> None:
    import pyarrow.parquet as pq
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    folder = write(made, "cleanlab", tmp_path / "c")
    labels, chances = np.load(folder / "labels.npy"), np.load(folder / "pred_probs.npy")
    ranked = find_label_issues(labels=labels, pred_probs=chances, return_indices_ranked_by="self_confidence")
    turned = np.flatnonzero(chances.argmax(axis=1) != labels)
    assert len(turned) == 10
    assert set(ranked) == set(turned)
    scores = get_label_quality_scores(labels, chances)
    assert scores[turned].max() < np.delete(scores, turned).min()
    issues = pq.read_table(folder / "issues.parquet").to_pylist()
    unjudged = [place for place in turned if issues[place]["label_score"] is not None]
    assert unjudged
    assert all(issues[place]["is_label_issue"] for place in unjudged)


class _Server(BaseHTTPRequestHandler):
    """So much of an Argilla server as its client asks before it reads anything: who I am."""

    def log_message(self, format: str, *args: object) -> None:
        """Be silent."""

    def do_GET(self) -> None:
        who = {"id": "3fa85f64-5717-4562-b3fc-2c963f66afa6", "username": "a", "first_name": "a", "role": "owner"}
        content = json.dumps({**who, "version": "2.8.0", "items": []}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def argilla_server() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_argilla_reads_settings_and_records(made: Made, tmp_path: Path, argilla_server: str) -> None:
    import argilla
    from argilla.records._io import JsonIO

    folder = write(made, "argilla", tmp_path / "a")
    client = argilla.Argilla(api_url=argilla_server, api_key="made up")
    argilla.Argilla._default_client = client
    settings = argilla.Settings.from_json(folder / ".argilla/settings.json")
    settings.validate()
    assert settings.questions["label"].labels == list(CLASSES)
    about = argilla.Dataset._load_dataset_model(folder / ".argilla/dataset.json")
    assert about.name == "movies-r1-suspicious"
    records = JsonIO._records_from_json(folder / "records.json")
    dataset = argilla.Dataset(name="here", settings=settings, client=client)
    kept = dataset.records._ingest_records(records=records)
    assert len(kept) == len(records) > 100
    assert {record.metadata["batch"] for record in records} == {"movies"}
    for record in kept:
        assert [(one.question_name, one.value in CLASSES) for one in record.suggestions] == [("label", True)]
        assert set(record.fields) == {"text", "reason"}


@pytest.mark.skipif(not os.environ.get("FIFTYONE_PYTHON"), reason="FIFTYONE_PYTHON names no Python with FiftyOne")
def test_fiftyones_importer_reads_the_images_labels(made: Made, tmp_path: Path) -> None:
    import pyarrow as pa
    from PIL import Image

    (tmp_path / "data/sub").mkdir(parents=True)
    for name in ("a.png", "sub/b.png"):
        Image.new("RGB", (4, 4)).save(tmp_path / "data" / name)
    made.lake.write("image_files", "movies", TABLES["image_files"].schema.empty_table())
    found = find_suspicious(made.lake, "movies-r1", KINDS, 2)
    found = found._replace(listed=found.listed.set_column(2, "text", pa.array(["a.png", "sub/b.png"])))
    write_for_fiftyone(found, made.lake, tmp_path / "f")
    one, other = found.listed.to_pylist()
    code = (
        "import fiftyone.utils.data as data; i = data.FiftyOneImageClassificationDatasetImporter("
        f"data_path={str(tmp_path / 'data')!r}, labels_path={str(tmp_path / 'f/labels.json')!r}); i.setup(); "
        "print([(p[-5:], c.label, c.confidence, c['reason']) for p, _, c in i])"
    )
    done = subprocess.run([os.environ["FIFTYONE_PYTHON"], "-c", code], capture_output=True, text=True, check=True)
    for name, row in (("a.png", one), ("b.png", other)):
        assert str((name, row["label"], row["probability"], row["reason"])) in done.stdout
