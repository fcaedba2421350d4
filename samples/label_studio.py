"""`make label-studio`: a Label Studio server on this machine, and people who label the project `live` there.

The first call makes database, people and project, starts the server, and publishes. Each later one takes in what was
answered and asks what is asked next. Everything lies in `.label-studio/`; removing that folder begins anew.
"""

import gzip
import os
import shutil
import subprocess
import sys
from itertools import islice
from pathlib import Path

import yaml

from cupel.kinds.projects import load_project
from cupel.lake.lake import Lake
from cupel.people.label_studio.waiting import waiting
from cupel.store.files import put_file
from samples.studio_server import StudioError, StudioServer, make_fresh, running, stop

REPOSITORY = Path(__file__).resolve().parent.parent
FOLDER = REPOSITORY / ".label-studio"
PROGRAM = FOLDER / "env" / "bin" / "label-studio"
TEXTS = REPOSITORY / "data" / "sentiment" / "movies.jsonl.gz"
ITEMS = 200
PORT = 8080
PAGE = 3000
ANNOTATORS, EXPERTS = ("ann", "bob", "cy"), ("eve",)
# The live test has more annotators, and begins with a copy of the same database.
MORE = ("dee", "fay", "gus")
PEOPLE = ("admin", *ANNOTATORS, *EXPERTS, *MORE)


def fresh() -> Path:
    """Return the folder of a server that was never started, with the sample's people; made where there is none."""
    folder = FOLDER / "fresh"
    make_fresh(folder, PROGRAM, PEOPLE)
    return folder


def prepared(port: int = PORT) -> StudioServer:
    """Return the sample's server, not started; its folder is made where there is none."""
    folder = FOLDER / "server"
    if not folder.exists():
        begun = FOLDER / "server.begun"
        shutil.rmtree(begun, ignore_errors=True)
        shutil.copytree(fresh(), begun)
        begun.rename(folder)
    return StudioServer(folder, PROGRAM, port)


def write_project(folder: Path, server: StudioServer, texts: Path = TEXTS, items: int = ITEMS) -> None:
    """Write the project `live`, and its delivery where there is none yet."""
    delivery = folder / "files" / "live" / "movies.jsonl"
    if not delivery.is_file():
        delivery.parent.mkdir(parents=True, exist_ok=True)
        with gzip.open(texts, "rb") as lines:
            put_file(delivery, b"".join(islice(lines, items)))
    emails = {name: person.email for name, person in server.people.items()}
    project = {
        "project": "live", "title": "Live", "owner": "data@cupel.example",
        "raw": {"deliveries": {"movies": {"files": ["live/movies.jsonl"], "licence": "MIT"}}},
        "labeling": {
            "question": "What does the writer feel?", "classes": ["negative", "neutral", "positive"],
            "overlap": {"first": 2, "most": 3}, "workforce": "label_studio",
            "policies": {"guessing": "remove", "constant": "remove"},
            "experts": {"answers": 1, "description": "one expert"},
        },
        "label_studio": {
            "url": server.url, "annotators": {name: emails[name] for name in ANNOTATORS},
            "experts": {name: emails[name] for name in EXPERTS},
        },
        # So small an audit shows little of what experts leave undecided, even where they leave nothing.
        "release": {"error_budget": 0.05, "audit_size": 100, "max_experts_seen_share": 0.9,
                    "certificate": {"max_undecided_share": 0.2}},
        "operation": {"collect": "* * * * *"},
    }  # fmt: skip
    (folder / "projects").mkdir(exist_ok=True)
    written = "# Written by `make label-studio`, each time anew.\n" + yaml.safe_dump(project, sort_keys=False)
    put_file(folder / "projects" / "live.yaml", written.encode())


def environment(folder: Path, server: StudioServer) -> dict[str, str]:
    """Return the environment in which commands work on the project `live`; the token is nowhere else."""
    places = {"PROJECTS": "projects", "DATA": "files", "LAKE": "lake", "INBOX": "inbox"}
    home = folder / "dagster"
    home.mkdir(exist_ok=True)
    put_file(home / "dagster.yaml", (REPOSITORY / "orchestration" / "dagster.yaml").read_bytes())
    return os.environ | {f"CUPEL_{name}": str(folder / place) for name, place in places.items()} | {
        "DAGSTER_HOME": str(home), "CUPEL_LABEL_STUDIO_TOKEN": server.people["admin"].token,
    }  # fmt: skip


def up(port: int) -> int:
    """Start the server unless it runs, collect, publish, and say who logs in where; 0 where that worked."""
    server = prepared(port)
    if running(server.folder) is None:
        print("Label Studio starts: some ten seconds", flush=True)
    server.start()
    write_project(FOLDER, server)
    status = _module(["orchestration.run", "live"], environment(FOLDER, server))
    if status == 0:
        print(_told(server))
    return status


def page(port: int, page_port: int) -> int:
    """Start Dagster's page and daemon on the project `live`: it collects and publishes every minute."""
    server = prepared(port)
    server.start()
    write_project(FOLDER, server)
    return _module(["orchestration.service", "up"], environment(FOLDER, server) | {"PORT": str(page_port)})


def down() -> int:
    """Stop page, daemon and server."""
    home = {"DAGSTER_HOME": str(FOLDER / "dagster")}
    status = _module(["orchestration.service", "down"], os.environ | home) if (FOLDER / "dagster").is_dir() else 0
    print("Label Studio: stopped" if stop(FOLDER / "server") else "Label Studio: does not run")
    return status


def _told(server: StudioServer) -> str:
    lines = [f"\nLabel Studio  {server.url}", "", "who    logs in with          password"]
    lines += [
        f"{person.name:<7}{person.email:<22}{person.password}"
        for person in server.people.values() if person.name not in MORE
    ]  # fmt: skip
    project = load_project(FOLDER / "projects" / "live.yaml")
    for row in waiting(project, Lake(str(FOLDER / "lake"), "live")):
        lines.append(f"\nAwaited of {row.group}: {row.answers:,} answers to {row.items:,} items")
    return "\n".join(
        [
            *lines,
            "\nOpen the project of your group, and there `Label All Tasks`. Then:",
            "  make label-studio        takes in what was answered, and asks what is asked next",
            "  make label-studio-page   shows it in Dagster, and does so every minute",
            "  make label-studio-down   stops all of it",
        ]
    )


def _module(command: list[str], variables: dict[str, str]) -> int:
    return subprocess.run([sys.executable, "-m", *command], env=variables, cwd=REPOSITORY, check=False).returncode


def main() -> int:
    """Do what the command line says: fresh, up [PORT], page [PORT PAGE'S PORT] or down."""
    what, *rest = sys.argv[1:] or ["up"]
    ports = [int(port) for port in rest]
    try:
        match what:
            case "fresh":
                fresh()
                return 0
            case "up":
                return up(*ports)
            case "page":
                return page(*ports or (PORT, PAGE))
            case "down":
                return down()
    except StudioError as error:
        print(error, file=sys.stderr)
        return 1
    print("usage: python -m samples.label_studio fresh|up|page|down", file=sys.stderr)
    return 2


if __name__ == "__main__":
    raise SystemExit(main())
