"""A lake with open questions about three items, and one collection of the live workforce."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from cupel.config.project import Project
from cupel.contract.table import from_rows
from cupel.contract.tables.cleaning import CLEAN_ITEMS
from cupel.contract.tables.tasks import TASKS
from cupel.kinds.projects import make_project
from cupel.lake.lake import Lake
from cupel.people.answers.collect import collect
from cupel.people.label_studio.workforce import LabelStudioWorkforce
from label_studio_server import LEGACY, LabelStudioServer

CLASSES = ["warm", 'c"old & <wet>']
PEOPLE = {
    "annotators": {"ann": "ann@x.org", "bob": "Bob@x.org", "cy": "cy@x.org"},
    "experts": {"eve": "eve@x.org"},
}

ONE_EXPERT = {"answers": 1, "description": "one expert"}


def project(
    url: str, experts_are: Mapping[str, Any] = ONE_EXPERT, labeling: Mapping[str, Any] = {}, **settings: Any
) -> Project:
    return make_project(
        {
            "project": "p", "title": "Warm or cold", "owner": "team@example.org",
            "raw": {"deliveries": {"one": {"files": ["one.jsonl"], "licence": "CC0-1.0"}}},
            "labeling": {
                "question": "Warm & <cold>?", "classes": CLASSES, "workforce": "label_studio", "gold": "gold.csv",
                "overlap": {"first": 2, "most": 3}, "experts": dict(experts_are),
            } | dict(labeling),
            "label_studio": {"url": url, "timeout_seconds": 5, **PEOPLE, **settings},
            "release": {"error_budget": 0.05, "audit_size": 100, "max_experts_seen_share": 0.9,
                        "certificate": {"nonce": "made for a test", "max_undecided_share": 0.2}},
        }
    )  # fmt: skip


def task(item: int, slot: int, purpose: str = "label") -> dict[str, object]:
    return {
        "task_id": f"{purpose}-{item}-{slot}", "batch": "one", "item_id": f"i{item}", "purpose": purpose, "slot": slot,
        "asked_of": "annotator", "reason": "every item is asked", "is_answered": False,
    }  # fmt: skip


def ask(lake: Lake, slots: int = 2, items: int = 3) -> None:
    """Put so many questions about each item into the outbox."""
    rows = [task(item, slot) for item in range(items) for slot in range(1, slots + 1)]
    lake.write("tasks", "one", from_rows(rows, TASKS))


def live_lake(folder: Path) -> Lake:
    lake = Lake(folder / "lake", "p")
    item = {"batch": "one", "source_file": "f", "line": 1, "group_id": "g", "licence": "CC0-1.0", "language": "und"}
    rows = [{**item, "item_id": f"i{n}", "text": f"text {n}"} for n in range(3)]
    lake.write("clean_items", "one", from_rows(rows, CLEAN_ITEMS))
    ask(lake)
    return lake


def gather(
    lake: Lake, server: LabelStudioServer, releases: tuple[str, ...] = (), token: str = LEGACY,
    known: Mapping[tuple[str, str], str] = {}, hidden: Collection[str] = (), **settings: Any,
) -> int:  # fmt: skip
    """Collect once, as the daemon does, each time with a workforce of its own."""
    environment = {"CUPEL_LABEL_STUDIO_TOKEN": token}
    about = project(server.url, **settings)
    workforce = LabelStudioWorkforce(
        about, lake, environment, lambda seconds: None, lambda: known, lambda batch: hidden
    )
    return collect(lake, workforce, ["one"], releases)


def log(lake: Lake) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = lake.answers.read("one").to_pylist()
    return found
