"""A thousand rounds with late answers: do lake, Dagster's record and the time of a round level off?

A small project is finished; then, round after round, a few late answers come in, the batch is made anew and
everything is judged again, as under `make run` or the daemon. The same rounds are gone through twice: with
`cupel prune` every so many rounds, and without. Times are processor time, without imports.

    .venv/bin/python -m benchmarks.growth --json FILE [--rounds 1000] [--items 120] [--prune-every 25]
"""

import argparse
import json
import logging
import os
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

# What each round would have to import.
import dagster as dg
import great_expectations  # noqa: F401
import jinja2  # noqa: F401
import matplotlib.backends.backend_svg
import matplotlib.figure  # noqa: F401
import pyarrow as pa
import sklearn.feature_extraction.text
import sklearn.linear_model  # noqa: F401
import yaml

from benchmarks.new_file import new_file
from cupel.contract.tables.answers import ANSWERS
from cupel.kinds.projects import load_project
from cupel.lake.answer_chain import GIVEN
from cupel.lake.answers_log import AnswersLog
from cupel.lake.lake import Lake
from cupel.store.files import put_file
from cupel.store.local import LocalStore
from expectations import judge
from orchestration.dagster_internals import LOGGER_OF_SKIPPED_STEPS
from orchestration.deployment import REPOSITORY, Deployment
from orchestration.prune import prune
from orchestration.rounds import Rounds

NAME, BATCH = "small", "one"
LATE = 2
RIGHT = 0.9
SECONDS_A_DAY = 86_400
RUNS_KEPT = 50
WORDS = {"warm": "sun fire summer ember desert lava toast candle", "cold": "ice snow winter glacier frost arctic hail"}


def main() -> None:
    """Measure, print, and write the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=new_file)
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--items", type=int, default=120)
    parser.add_argument("--every", type=int, default=50, help="Rounds between two measurements.")
    parser.add_argument("--prune-every", type=int, default=25, help="Rounds between two prunes.")
    parser.add_argument("--log", type=int, help="Only read a log of so many small segments, with merged copies or not.")
    parser.add_argument("--only", choices=["with", "without"])
    options = parser.parse_args()
    judge._context()  # made once here, not in every process
    logging.getLogger(LOGGER_OF_SKIPPED_STEPS).setLevel(logging.ERROR)
    if options.log:
        print(json.dumps(measure_log(options.log)))
        return
    figures: dict[str, Any] = {"items": options.items, "rounds": options.rounds, "prune_every": options.prune_every}
    with tempfile.TemporaryDirectory() as scratch:
        for kind in [options.only] if options.only else ["without", "with"]:
            trial = Trial(Path(scratch) / kind, options.items)
            prune_every = options.prune_every if kind == "with" else None
            figures[kind] = list(trial.measure(options.rounds, options.every, prune_every))
    print(json.dumps(figures, indent=1))
    if options.json:
        put_file(options.json, (json.dumps(figures, indent=1) + "\n").encode())


class Trial:
    """A small project that late answers come in to, on a record of its own.

    Args:
        folder: Where it is made.
        items: Its items.
    """

    def __init__(self, folder: Path, items: int) -> None:
        self.items = [f"i{number}" for number in range(items)]
        self.home = folder / "home"
        self.deployment = write_deployment(folder, self.items)
        self.home.mkdir(parents=True)
        shutil.copy(REPOSITORY / "orchestration" / "dagster.yaml", self.home)
        self.project = load_project(self.deployment.projects / f"{NAME}.yaml")

    def measure(self, rounds: int, every: int, prune_every: int | None) -> Iterator[dict[str, Any]]:
        """Go through rounds; yield sizes and the time of a round every so many.

        So many rounds are one process, as under the daemon; then one round, and one in which nothing has changed, are
        a process each, which remembers nothing.
        """
        in_process(self.run)
        for number in range(every, rounds + 1, every):
            numbers = range(number - every + 1, number)
            seconds = in_process(partial(self.go_through, numbers, prune_every))["seconds"]
            in_process(partial(self.append_late, number))
            figures = {
                "round": number,
                "round_cpu_seconds": round(statistics.median(seconds), 2),
                "round_in_new_process_cpu_seconds": round(in_process(self.run)["cpu_seconds"], 2),
                "nothing_changed_cpu_seconds": round(in_process(self.run)["cpu_seconds"], 2),
            }
            if prune_every:
                figures["prune_cpu_seconds"] = round(in_process(self.prune)["cpu_seconds"], 2)
            figures |= {f"{place}_mb": round(size / 1e6, 2) for place, size in self.sizes().items()}
            print(json.dumps(figures), flush=True)
            yield figures

    def go_through(self, numbers: Iterable[int], prune_every: int | None) -> dict[str, Any]:
        """Go through rounds in this process; return the processor time of each."""
        seconds = []
        for number in numbers:
            self.append_late(number)
            began = time.process_time()
            self.run()
            seconds.append(time.process_time() - began)
            if prune_every and number % prune_every == 0:
                in_process(self.prune)
        return {"seconds": seconds}

    def run(self) -> None:
        """Do what `make run` does."""
        with dg.DagsterInstance.from_config(str(self.home)) as instance:
            done = Rounds(self.project, self.deployment, instance).run()
            # What it tells when answers were collected.
            key, head = dg.AssetKey([NAME, "answers"]), Lake(self.deployment.lake, NAME).answers.head()
            metadata = {"dagster/row_count": head.sequence}
            instance.report_runless_asset_event(dg.AssetMaterialization(key, metadata=metadata))
        if done.broken:
            raise SystemExit(str(done.broken[0].error))

    def prune(self) -> None:
        """Do what `cupel prune` does two days later: nothing of today is removed."""
        real = time.time
        time.time = lambda: real() + 2 * SECONDS_A_DAY
        with dg.DagsterInstance.from_config(str(self.home)) as instance:
            found = prune([self.project], Path(self.deployment.lake), instance, self.home)
        if found.notes:
            raise SystemExit(str(found.notes))

    def append_late(self, number: int) -> None:
        """Append a few answers that nobody asked for now."""
        Lake(self.deployment.lake, NAME).answers.append(late_answers(number, self.items))

    def sizes(self) -> dict[str, int]:
        """Return the bytes of the lake, of its tables, of the answers log and of Dagster's record."""
        lake = Path(self.deployment.lake)
        places = {
            "lake": lake, "tables": lake / NAME / "tables", "answers": lake / NAME / "answers", "dagster": self.home
        }  # fmt: skip
        return {name: sum(f.stat().st_size for f in place.rglob("*") if f.is_file()) for name, place in places.items()}


def in_process(work: Callable[[], object]) -> dict[str, Any]:
    """Do something in a fork; return its seconds of processor time, and what it returns, if that is a dict."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            found = work()
            os.write(writing, json.dumps(found if isinstance(found, dict) else {}).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    _, status, used = os.wait4(child, 0)
    with os.fdopen(reading, "rb") as file:
        said = file.read()
    if status:
        raise SystemExit(f"a process ended with {os.waitstatus_to_exitcode(status)}")
    return {**json.loads(said), "cpu_seconds": used.ru_utime + used.ru_stime}


def measure_log(segments: int) -> dict[str, Any]:
    """Return what a new process takes for a log of small segments, with merged copies and without."""
    with tempfile.TemporaryDirectory() as scratch:
        log = AnswersLog(LocalStore(Path(scratch)))
        in_process(lambda: [log.append(late_answers(number, ["i0", "i1"])) for number in range(segments)])
        works: dict[str, Callable[[], object]] = {
            "version": lambda: log.version(BATCH, ["label"]),
            "read": lambda: log.read(BATCH, ["label"]),
            "append": lambda: log.append(late_answers(segments, ["i0"])),
            "verify": log.verify,
        }
        in_process(log.verify)
        found = {}
        for kind in ("merged copies", "segments alone"):
            found[kind] = {name: round(in_process(work)["cpu_seconds"], 3) for name, work in works.items()}
            shutil.rmtree(str(log.folder / "merged"), ignore_errors=True)
            (Path(scratch) / "answers" / "merged").write_text("no copies are made")
        return found


def late_answers(number: int, items: list[str]) -> pa.Table:
    """Return a few answers that nobody asked for now: one person after the other goes through all items."""
    rows = []
    for place in range(number * LATE, (number + 1) * LATE):
        item, rng = items[place % len(items)], random.Random(place)
        rows.append(
            dict.fromkeys(GIVEN)
            | {
                "answer_id": f"late-{place}", "batch": BATCH, "item_id": item, "purpose": "label", "source": "late",
                "annotator": f"late{place // len(items)}",
                "label": truth_of(item) if rng.random() < RIGHT else rng.choice(list(WORDS)),
            }
        )  # fmt: skip
    schema = pa.schema([ANSWERS.schema.field(name).with_nullable(True) for name in GIVEN])
    return pa.Table.from_pylist(rows, schema=schema)


def truth_of(item: str) -> str:
    """Return the right label of an item."""
    return list(WORDS)[int(item[1:]) % len(WORDS)]


def write_deployment(folder: Path, items: list[str]) -> Deployment:
    """Write a project of one batch, with recorded answers that are mostly right."""
    deployment = Deployment(folder / "projects", folder / "data", str(folder / "lake"))
    data = deployment.data / NAME
    data.mkdir(parents=True)
    deployment.projects.mkdir(parents=True)
    rng = random.Random(3)
    texts, answers = [], ["batch,item_id,purpose,annotator,label"]
    for item in items:
        truth = truth_of(item)
        words = rng.sample(WORDS[truth].split(), 3) + ["".join(rng.choices("abcdefghij", k=6)) for _ in range(8)]
        texts.append(json.dumps({"id": item, "text": " ".join(words)}))
        answers += [f"{BATCH},{item},label,{who},{truth}" for who in ("ann", "bob", "cy")]
        answers.append(f"{BATCH},{item},expert,eve,{truth}")
    (data / "one.jsonl").write_text("\n".join(texts) + "\n")
    (data / "answers.csv").write_text("\n".join(answers) + "\n")
    project = {
        "project": NAME, "title": NAME, "owner": "team@example.org",
        "raw": {"deliveries": {BATCH: {"files": [f"{NAME}/one.jsonl"], "licence": "CC0-1.0"}}},
        "labeling": {
            "question": "Warm or cold?", "classes": list(WORDS), "overlap": {"first": 2, "most": 3},
            "answers": [f"{NAME}/answers.csv"], "experts": {"answers": 1, "description": "one"},
        },
        "release": {"error_budget": 0.2, "audit_size": 40, "max_experts_seen_share": 0.9},
        "operation": {"prune": {"runs_kept": RUNS_KEPT}},
    }  # fmt: skip
    (deployment.projects / f"{NAME}.yaml").write_text(yaml.safe_dump(project, sort_keys=False))
    return deployment


if __name__ == "__main__":
    main()
