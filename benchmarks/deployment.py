"""Many projects and batches in one deployment: do start-up, page and scheduling stay quick?

One small batch is taken through the chain; its tables are then written again under the names of all other
batches, so that the deployment looks as it would after months. Measured are the load of the definitions, a
tick of each sensor when nothing is to be done and when one delivery has changed, and the page's answers.

    .venv/bin/python -m benchmarks.deployment --json FILE [--projects 3] [--batches 50]
"""

import argparse
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import yaml

from benchmarks.new_file import new_file
from cupel.config.project import Project
from cupel.contract.stages import stage_of
from cupel.contract.tables import TABLES
from cupel.contract.tables.answers import ANSWERS
from cupel.kinds.projects import load_project
from cupel.lake.lake import Lake
from cupel.store.files import put_file
from cupel.versions.code_version import code_version
from orchestration.definitions import build_definitions
from orchestration.deployment import REPOSITORY, Deployment
from orchestration.rounds import Rounds

ITEMS = 60
REPEATS = 5
FIRST = "b000"
WORDS = {"warm": "sun fire summer ember desert lava toast candle", "cold": "ice snow winter glacier frost arctic hail"}
QUERIES = {
    "all assets": "{assetNodes {assetKey {path} groupName partitionDefinition {name}}}",
    "catalog": "{assetsOrError {... on AssetConnection {nodes {key {path}}}}}",
    "runs": "{runsOrError(limit: 50) {... on Runs {results {runId status}}}}",
    "partitions of one table": '{assetNodeOrError(assetKey: {path: ["p0", "labels"]}) {... on AssetNode '
    "{partitionKeys assetPartitionStatuses {__typename}}}}",
    "sensors": "{workspaceOrError {... on Workspace {locationEntries {name loadStatus}}}}",
}


def main() -> None:
    """Measure, print, and write the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=new_file)
    parser.add_argument("--projects", type=int, default=3)
    parser.add_argument("--batches", type=int, default=50)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        deployment = write_deployment(Path(scratch), options.projects, options.batches)
        figures: dict[str, Any] = {"projects": options.projects, "batches": options.batches}
        figures |= measure(deployment, Path(scratch) / "home")
    print(json.dumps(figures, indent=1))
    if options.json:
        put_file(options.json, (json.dumps(figures, indent=1) + "\n").encode())


def write_deployment(folder: Path, projects: int, batches: int) -> Deployment:
    """Write projects whose batches are all finished, in a lake; each batch of the same size."""
    deployment = Deployment(folder / "projects", folder / "data", str(folder / "lake"), folder / "inbox")
    deployment.projects.mkdir(parents=True)
    names = [f"b{number:03d}" for number in range(batches)]
    for number in range(projects):
        name = f"p{number}"
        _write_data(deployment.data / name, names)
        _write_project(deployment, name, [FIRST])
        with dg.DagsterInstance.ephemeral() as instance:
            done = Rounds(load_project(deployment.projects / f"{name}.yaml"), deployment, instance).run()
        if done.broken:
            raise SystemExit(f"{name}: {done.broken[0].error}")
        _write_project(deployment, name, names)
        project = load_project(deployment.projects / f"{name}.yaml")
        _copy_batches(Lake(deployment.lake, name), project, names[1:])
    return deployment


def measure(deployment: Deployment, home: Path) -> dict[str, Any]:
    """Return seconds of loading, of the sensors' ticks, and of the page."""
    began = time.perf_counter()
    definitions = build_definitions(deployment)
    repository = definitions.get_repository_def()
    figures: dict[str, Any] = {"definitions_seconds": round(time.perf_counter() - began, 3)}
    home.mkdir()
    (home / "dagster.yaml").write_text((REPOSITORY / "orchestration" / "dagster.yaml").read_text())
    with dg.DagsterInstance.from_config(str(home)) as instance:
        for path in deployment.projects.glob("*.yaml"):
            project = load_project(path)
            instance.add_dynamic_partitions(f"{project.project}_batches", list(project.raw.deliveries))
        cursors: dict[str, str | None] = {}

        def tick(sensor: str) -> int:
            context = dg.build_sensor_context(
                instance=instance, repository_def=repository, cursor=cursors.get(sensor)
            )  # fmt: skip
            result = repository.get_sensor_def(sensor).evaluate_tick(context)
            cursors[sensor] = result.cursor
            return len(result.run_requests or [])

        for sensor in ("p0_inbox", "p0_forward"):
            first, asked = _timed(partial(tick, sensor))
            figures[f"{sensor[3:]}_first_tick_seconds"] = first
            figures[f"{sensor[3:]}_first_tick_asks"] = asked
            figures[f"{sensor[3:]}_tick_seconds"] = statistics.median(
                _timed(partial(tick, sensor))[0] for _ in range(REPEATS)
            )
        path = deployment.data / "p0" / f"{FIRST}.jsonl"
        path.write_text(path.read_text() + json.dumps({"id": "late", "text": "some late words of fire and sun"}) + "\n")
        figures["forward_changed_tick_seconds"], figures["forward_changed_tick_asks"] = _timed(
            lambda: tick("p0_forward")
        )
    return figures | _page(deployment, home)


def _page(deployment: Deployment, home: Path) -> dict[str, Any]:
    """Start the page on the deployment, and time its start and its answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    places = {
        "CUPEL_PROJECTS": deployment.projects, "CUPEL_DATA": deployment.data, "CUPEL_LAKE": deployment.lake,
        "CUPEL_INBOX": deployment.inbox, "DAGSTER_HOME": home,
    }  # fmt: skip
    command = [str(Path(sys.executable).parent / "dagster-webserver"), "-h", "127.0.0.1", "-p", str(port)]
    began = time.perf_counter()
    process = subprocess.Popen(
        [*command, "-w", str(REPOSITORY / "workspace.yaml")],
        env={**os.environ, **{name: str(place) for name, place in places.items()}},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        while not _loaded(port):
            if process.poll() is not None or time.perf_counter() - began > 180:
                raise SystemExit("the page did not start")
            time.sleep(0.2)
        figures: dict[str, Any] = {"page_start_seconds": round(time.perf_counter() - began, 1)}
        for name, query in QUERIES.items():
            times = [_timed(partial(_ask, port, query))[0] for _ in range(REPEATS)]
            figures[f"page_{name.replace(' ', '_')}_seconds"] = statistics.median(times)
        return figures
    finally:
        process.terminate()
        process.wait()


def _loaded(port: int) -> bool:
    try:
        answer = _ask(port, QUERIES["all assets"])
    except OSError:
        return False
    return bool(answer["data"]["assetNodes"])


def _ask(port: int, query: str) -> dict[str, Any]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql", json.dumps({"query": query}).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        content: dict[str, Any] = json.loads(answer.read())
    if content.get("errors"):
        raise SystemExit(f"the page refused {query}: {content['errors'][0]['message']}")
    return content


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    result = work()
    return round(time.perf_counter() - began, 3), result


def _write_data(folder: Path, batches: list[str]) -> None:
    folder.mkdir(parents=True)
    rng = random.Random(3)
    rows, answers = [], ["batch,item_id,purpose,annotator,label"]
    for number in range(ITEMS):
        truth = rng.choice(list(WORDS))
        words = rng.sample(WORDS[truth].split(), 3) + ["".join(rng.choices("abcdefghij", k=6)) for _ in range(8)]
        rows.append(json.dumps({"id": f"i{number}", "text": " ".join(words)}))
        answers += [f"{FIRST},i{number},label,{who},{truth}" for who in ("ann", "bob", "cy")]
        answers.append(f"{FIRST},i{number},expert,eve,{truth}")
    for batch in batches:
        (folder / f"{batch}.jsonl").write_text("\n".join(rows) + "\n")
    (folder / "answers.csv").write_text("\n".join(answers) + "\n")


def _write_project(deployment: Deployment, name: str, batches: list[str]) -> None:
    project = {
        "project": name,
        "title": name,
        "owner": "team@example.org",
        "raw": {
            "inbox": {"licence": "CC0-1.0"},
            "deliveries": {batch: {"files": [f"{name}/{batch}.jsonl"], "licence": "CC0-1.0"} for batch in batches},
        },
        "labeling": {
            "question": "Warm or cold?", "classes": list(WORDS), "overlap": {"first": 2, "most": 3},
            "answers": [f"{name}/answers.csv"], "experts": {"answers": 1, "description": "one"},
        },
        "release": {"error_budget": 0.2, "audit_size": 40, "max_experts_seen_share": 0.9},
    }  # fmt: skip
    (deployment.projects / f"{name}.yaml").write_text(yaml.safe_dump(project, sort_keys=False))


def _copy_batches(lake: Lake, project: Project, batches: list[str]) -> None:
    """Write the first batch's tables and gate results again for other batches, with their own names in them."""
    answers = lake.answers.read(FIRST)
    for batch in batches:
        given = [column.name for column in ANSWERS.columns if column.name not in ("sequence", "hash")]
        rows = [
            row | {"batch": batch, "task_id": None, "answer_id": f"{batch}-{row['answer_id']}"}
            for row in answers.select(given).to_pylist()
        ]
        lake.answers.append(pa.Table.from_pylist(rows, schema=answers.select(given).schema))
        for table in TABLES:
            names = lake.partitions(table)
            for name in (name for name in names if name == FIRST or name.endswith(f"--{FIRST}")):
                _copy(lake, project, table, name, batch)


def _copy(lake: Lake, project: Project, table: str, partition: str, batch: str) -> None:
    commit = lake.commit(table, partition)
    if commit is None:
        raise SystemExit(f"{table}, {partition}: not there")
    rows = lake.read(table, partition)
    renamed = partition.replace(FIRST, batch)
    for column in ("batch", "partition"):
        if column in rows.column_names:
            values = pa.array([batch] * rows.num_rows, pa.string())
            rows = rows.set_column(rows.column_names.index(column), column, values)
    if table == "gate_results":
        hashes = [lake.version(f"{row['table_name']}@{batch}") if row["table_hash"] else "" for row in rows.to_pylist()]
        rows = rows.set_column(rows.column_names.index("table_hash"), "table_hash", pa.array(hashes, pa.string()))
    inputs = {}
    for name, value in commit.inputs.items():
        kind, _, where = name.rpartition("@")
        own = f"{kind}@{where.replace(FIRST, batch)}" if kind else name.replace(FIRST, batch)
        inputs[own] = value if not kind or name.startswith("file:") else lake.version(own)
    is_raw = stage_of(table).name == "raw"
    version = code_version(project, table, batch) if is_raw else commit.code_version
    lake.write(table, renamed, rows, inputs, version)


if __name__ == "__main__":
    main()
