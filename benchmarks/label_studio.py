"""Publishing to a real Label Studio server and collecting from it: seconds, requests, and what is read again.

A server of its own is started, with SQLite, in a folder that is removed; `make label-studio` must have made its
environment. Items are published to a group of one; answers are posted through the server's API by so many at a time,
each on a connection of its own, as an annotator's program would. Every collection says what it read.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
from rich.console import Console

from benchmarks.new_file import new_file
from cupel.config.project import Project
from cupel.contract.table import from_rows
from cupel.contract.tables.cleaning import CLEAN_ITEMS
from cupel.contract.tables.tasks import TASKS
from cupel.kinds.projects import make_project
from cupel.lake.lake import Lake
from cupel.people.answers.collect import collect
from cupel.people.label_studio import pull
from cupel.people.label_studio.client import Client, Reply
from cupel.people.label_studio.record import Records
from cupel.people.label_studio.workforce import LabelStudioWorkforce
from cupel.store.files import put_file
from samples.label_studio import PROGRAM, fresh
from samples.studio_server import Person, StudioServer, running, stop

ITEMS = 20_000
TEXT = "The plot is thin, the actors are not, and the last half hour is worth the first. Number {}."
Row = dict[str, Any]


class Counted:
    """What one collection cost: requests put, and tasks read."""

    def __init__(self) -> None:
        self.requests, self.rows = 0, 0


@contextmanager
def counting() -> Iterator[Counted]:
    """Count requests and the tasks in their replies."""
    counted, put, page = Counted(), Client._put, pull._page

    def counted_put(self: Client, *given: Any) -> Reply:
        counted.requests += 1
        return put(self, *given)

    def counted_page(*given: Any) -> Any:
        found = page(*given)
        counted.rows += len(found["tasks"])
        return found

    with patch.object(Client, "_put", counted_put), patch.object(pull, "_page", counted_page):
        yield counted


def measure(server: StudioServer, folder: Path, items: int, answers: int, threads: int) -> Iterator[Row]:
    """Publish and collect; yield a row a step, as it is done.

    Args:
        server: Runs, with nothing on it.
        folder: For the lake.
        items: How many are published.
        answers: How many are answered.
        threads: How many answer at once.
    """
    lake, project = _lake(folder, items), _project(server, items)
    token = {"CUPEL_LABEL_STUDIO_TOKEN": server.people["admin"].token}

    def timed(what: str, work: Callable[[], int]) -> Row:
        with counting() as counted:
            began, ours, theirs = time.monotonic(), time.process_time(), _processor_seconds(server)
            answered = work()
        return {
            "step": what, "answers": answered, "requests": counted.requests, "tasks read": counted.rows,
            "seconds": time.monotonic() - began, "processor seconds, Cupel": time.process_time() - ours,
            "processor seconds, server": _processor_seconds(server) - theirs,
        }  # fmt: skip

    def step(what: str) -> Row:
        return timed(what, lambda: collect(lake, LabelStudioWorkforce(project, lake, token), ["one"], []))

    yield step("publish")
    yield step("collect, all for the first time")
    yield step("collect, nothing new")
    yield timed(f"people answer, {threads} at once", lambda: _answer(server, lake, answers, threads))
    yield step("collect the answers")
    yield step("collect, nothing new")
    _answer(server, lake, 1, 1, skip=answers)
    yield step("collect one answer more")
    yield step("collect, nothing new")


def _lake(folder: Path, items: int) -> Lake:
    lake = Lake(folder / "lake", "p")
    item = {"batch": "one", "source_file": "f", "line": 1, "group_id": "g", "licence": "CC0-1.0", "language": "und"}
    rows = [{**item, "item_id": f"i{n:06d}", "text": TEXT.format(n)} for n in range(items)]
    lake.write("clean_items", "one", from_rows(rows, CLEAN_ITEMS))
    task = {
        "batch": "one", "purpose": "label", "slot": 1, "asked_of": "annotator", "reason": "", "is_answered": False,
    }  # fmt: skip
    asked = [{**task, "task_id": f"t{n:06d}", "item_id": f"i{n:06d}"} for n in range(items)]
    lake.write("tasks", "one", from_rows(asked, TASKS))
    return lake


def _project(server: StudioServer, items: int) -> Project:
    return make_project(
        {
            "project": "p", "title": "Speed", "owner": "team@example.org",
            "raw": {"deliveries": {"one": {"files": ["one.jsonl"], "licence": "CC0-1.0"}}},
            "labeling": {
                "question": "What does the writer feel?", "classes": ["negative", "neutral", "positive"],
                "workforce": "label_studio", "overlap": {"first": 1, "most": 1},
                "experts": {"answers": 1, "description": "one expert"},
            },
            "label_studio": {
                "url": server.url, "most_open": items, "annotators": {"ann": server.people["ann"].email},
                "experts": {"eve": server.people["eve"].email},
            },
            "release": {"error_budget": 0.05, "audit_size": 100, "max_experts_seen_share": 0.9},
        }
    )  # fmt: skip


def _answer(server: StudioServer, lake: Lake, count: int, threads: int, skip: int = 0) -> int:
    """Have `ann` answer so many of the tasks; return how many."""
    tasks = sorted(put.tool_task for put in Records(lake).read("annotators").puts.values())[skip : skip + count]
    ann: Person = server.people["ann"]
    headers = {"Authorization": f"Token {ann.token}", "Connection": "close"}
    value = {"choices": ["positive"]}
    body = {"result": [{"from_name": "label", "to_name": "text", "type": "choices", "value": value}], "lead_time": 3.0}
    with httpx.Client(base_url=server.url, headers=headers, timeout=120) as client, ThreadPoolExecutor(threads) as many:

        def post(task: int) -> None:
            client.post(f"/api/tasks/{task}/annotations/", json=body).raise_for_status()

        return len(list(many.map(post, tasks)))


def _processor_seconds(server: StudioServer) -> float:
    """Return the processor time that the server has used; 0 where the system does not tell."""
    found = running(server.folder)
    path = Path(f"/proc/{found.process if found else 'self'}/stat")
    if not path.is_file():
        return 0.0
    user, system = path.read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def main() -> int:
    """Measure, show, and write what was measured where --json says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=ITEMS)
    parser.add_argument("--answers", type=int, default=2000, help="how many of them are answered")
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--port", type=int, default=8178)
    parser.add_argument("--json", type=new_file)
    given, console, rows = parser.parse_args(), Console(), []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        shutil.copytree(fresh(), folder / "server")
        server = StudioServer(folder / "server", PROGRAM, given.port)
        try:
            server.start()
            for row in measure(server, folder, given.items, given.answers, given.threads):
                rows.append(row)
                console.print(
                    f"{row['step']:<32}{row['seconds']:7.1f} s (Cupel {row['processor seconds, Cupel']:.1f}, server "
                    f"{row['processor seconds, server']:.1f}){row['requests']:>6,} requests{row['tasks read']:>7,} read"
                    f"{row['answers']:>6,} answers", soft_wrap=True,
                )  # fmt: skip
        finally:
            stop(server.folder)
    if given.json:
        put_file(given.json, (json.dumps({"items": given.items, "steps": rows}, indent=1) + "\n").encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
