"""Bad input through the whole chain: every row ends somewhere with a reason, and nothing breaks out."""

import gzip
import json
import random
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from cupel.kinds.projects import load_project
from cupel.lake.lake import Lake
from cupel.release.facts import batch_facts
from orchestration.deployment import Deployment
from orchestration.rounds import Done, Rounds
from small_project import sentence, write_project

HOSTILE_IDS = [
    "../../escape", "a/b", "C:\\x", "'; DROP TABLE raw_items; --", '"quoted"', "<script>alert(1)</script>", "{{7*7}}",
    "=cmd|' /C calc'!A0", "ид", "%00", "$(rm -rf x)", "`id`", "a,b", "a\tb",
]  # fmt: skip


def run(deployment: Deployment, name: str) -> tuple[Done, Lake]:
    rounds = Rounds(load_project(deployment.projects / f"{name}.yaml"), deployment, dg.DagsterInstance.ephemeral())
    return rounds.run(), rounds.lake


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Done, Lake]:
    folder = tmp_path_factory.mktemp("hostile")
    deployment = write_project(folder, "hostile", items=200)
    data, rng = deployment.data / "hostile", random.Random(9)
    lines, answers = [], []
    for item_id in HOSTILE_IDS:
        text = f"<img src=x onerror=alert(1)> {sentence('warm', rng)} <script>alert(2)</script>"
        lines.append(json.dumps({"id": item_id, "text": text, "extra": {"x": [1, None]}}))
        quoted = '"' + item_id.replace('"', '""') + '"'
        answers += [f'one,{quoted},label,"{who}<b>",warm' for who in ("ann", "bob", "cy")]
        answers.append(f"one,{quoted},expert,eve,warm")
    bad = [
        b"{broken", b"[1, 2]", b"", b'{"id": "no text"}', b'{"id": "nul", "text": "a\\u0000b c"}', b'\xff\xfe{"id": 1}',
        b'{"id": "i3", "text": "a second row with the id of the third"}', b'{"id": null, "text": "no id at all here"}',
        b'{"id": "lone", "text": "a lone \\ud800 surrogate"}', b'{"id": "long", "text": "' + b"x" * 12_000_000 + b'"}',
    ]  # fmt: skip
    path = data / "one.jsonl"
    content = path.read_bytes() + "\n".join(lines).encode() + b"\n" + b"\n".join(bad) + b"\n"
    with gzip.open(data / "one.jsonl.gz", "wb") as file:
        file.write(content)
    path.unlink()
    project = deployment.projects / "hostile.yaml"
    project.write_text(
        project.read_text().replace("one.jsonl", "one.jsonl.gz")
        + "thresholds: {unreadable_row_share: {value: 0.5, reason: a test}}\n"
    )
    answers_file = data / "answers.csv"
    answers_file.write_text(answers_file.read_text() + "\n".join(answers) + "\n")
    return folder, *run(deployment, "hostile")


def test_the_chain_runs_to_its_end(hostile: tuple[Path, Done, Lake]) -> None:
    _, done, lake = hostile
    assert done.broken == []
    assert lake.partitions("training_set") == ["one-r1"]


def test_every_row_is_an_item_or_rejected_with_a_reason(hostile: tuple[Path, Done, Lake]) -> None:
    _, _, lake = hostile
    facts = batch_facts(lake, "one")
    assert facts.rows_in == 200 + len(HOSTILE_IDS) + 10
    assert facts.rows_in == facts.items_clean + sum(facts.rejected.values())
    rejected = lake.read("rejected_rows", "one").to_pylist()
    assert len({row["reason"] for row in rejected}) >= 7
    assert all(len(row["evidence"]) <= 200 for row in rejected)
    # An id that a row at the end uses for another text is of neither.
    assert [row["reason"] for row in rejected if row["line"] <= 200] == ["one_id_two_items"]


def test_ids_are_data_and_are_released_as_they_came(hostile: tuple[Path, Done, Lake]) -> None:
    folder, _, lake = hostile
    kept = {*lake.read("training_set", "one-r1")["item_id"].to_pylist()}
    rejected = {*lake.read("rejected_rows", "one")["source_file"].to_pylist()}
    assert {item_id for item_id in HOSTILE_IDS if "\t" not in item_id} <= kept
    assert rejected == {"hostile/one.jsonl.gz"}
    assert sorted(path.name for path in folder.iterdir()) == ["data", "lake", "projects"]


def test_nothing_breaks_out_of_the_report(hostile: tuple[Path, Done, Lake]) -> None:
    _, _, lake = hostile
    page = (lake.folder / "reports" / "one-r1" / "report.html").read_text()
    for raw in ("<script>alert", "<img src=x", "ann<b>"):
        assert raw not in page
    csv = (lake.folder / "reports" / "one-r1" / "relabel_next.csv").read_text()
    assert not any(line.startswith("=") for line in csv.splitlines())


def test_the_catalog_can_be_asked_by_sql(hostile: tuple[Path, Done, Lake]) -> None:
    _, _, lake = hostile
    with duckdb.connect(str(lake.write_catalog()), read_only=True) as catalog:
        count = catalog.execute("SELECT count(*) FROM clean_items WHERE item_id = ?", [HOSTILE_IDS[3]]).fetchone()
        assert count == (1,)


def test_a_missing_delivery_is_one_clear_error_and_nothing_is_written(tmp_path: Path) -> None:
    deployment = write_project(tmp_path, "missing")
    (deployment.data / "missing" / "one.jsonl").unlink()
    done, lake = run(deployment, "missing")
    assert len(done.broken) == 1
    assert "one.jsonl" in (done.broken[0].error or "")
    assert lake.partitions("raw_items") == []
