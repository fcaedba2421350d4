"""What happens in the live test: six annotators and an expert label on a real server, which is killed in the middle."""

import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import dagster as dg
import httpx

from browser import Clicker, browser
from cupel.config.project import Project
from cupel.kinds.projects import load_project
from cupel.lake.lake import Lake
from cupel.people.label_studio.record import Records
from orchestration.rounds import Done, Rounds
from people import Alternating, Confusion, Person, Said, at_once
from samples.studio_server import StudioServer, stop
from small_project import WORDS, write_project

ITEMS = 200
CLICKS = 12
KILLED_AFTER = 60
# How long the server keeps a task for somebody who was given it and has not answered.
LOCK_SECONDS = 15
MOST_TURNS = 12
SPAMMER, CLICKER, EXPERT = "fay", "gus", "eve"
# The chance of each answer by the right one: careful, careful with a habit each way, and one who is hasty.
CONFUSIONS: dict[str, Confusion] = {
    "ann": {"warm": {"warm": 0.98, "cold": 0.02}, "cold": {"warm": 0.02, "cold": 0.98}},
    "bob": {"warm": {"warm": 0.99, "cold": 0.01}, "cold": {"warm": 0.10, "cold": 0.90}},
    "cy": {"warm": {"warm": 0.91, "cold": 0.09}, "cold": {"warm": 0.01, "cold": 0.99}},
    "dee": {"warm": {"warm": 0.90, "cold": 0.10}, "cold": {"warm": 0.10, "cold": 0.90}},
    SPAMMER: {"warm": {"warm": 0.5, "cold": 0.5}, "cold": {"warm": 0.5, "cold": 0.5}},
    EXPERT: {"warm": {"warm": 1.0}, "cold": {"cold": 1.0}},
}
ANNOTATORS = [*(name for name in CONFUSIONS if name != EXPERT), CLICKER]


def truth(text: str) -> str:
    """Return the right label of a sentence."""
    return "warm" if set(text.split()) & set(WORDS["warm"]) else "cold"


class Told(NamedTuple):
    """How it ended: the lake, what everybody said, what the server holds, its users, and how far each turn got."""

    project: Project
    lake: Lake
    done: Done
    said: dict[str, list[Said]]
    on_server: list[dict[str, Any]]
    emails: dict[str, str]
    users: dict[int, str]
    turns: list[str]


class Story:
    """The people, the server and the chain, one turn after the other.

    Args:
        server: Runs.
        folder: For project, data and lake.
    """

    def __init__(self, server: StudioServer, folder: Path) -> None:
        self.server = server
        emails = {name: person.email for name, person in server.people.items()}
        self.emails = emails
        self.deployment = write_project(
            folder, items=ITEMS,
            labeling={
                "workforce": "label_studio", "answers": [],
                "policies": {"guessing": "remove", "constant": "remove"},
            },
            label_studio={
                "url": server.url, "annotators": {name: emails[name] for name in ANNOTATORS},
                "experts": {EXPERT: emails[EXPERT]}, "retries": 8,
            },
        )  # fmt: skip
        self.instance = dg.DagsterInstance.ephemeral()
        self.people = {
            name: (Alternating if name == SPAMMER else Person)(
                server.url, server.people[name].token, truth, confusion, seed
            )
            for seed, (name, confusion) in enumerate(CONFUSIONS.items())
        }
        self.turns: list[str] = []

    def tell(self) -> Told:
        """Let it happen."""
        with browser() as page:
            clicker = Clicker(page, self.server.url, truth)
            self._round()
            clicker.log_in(*self.server.people[CLICKER][1:3])
            self._first_turn(clicker)
            for _ in range(MOST_TURNS):
                done = self._round()
                has_answers = self._turn(clicker) > 0
                if not has_answers and not done.tasks_open:
                    break
                # On a busy machine an answer may get lost; its task is given to others when the time is over.
                time.sleep(0 if has_answers else LOCK_SECONDS)
            assert done.tasks_open == 0, self.turns
            said = {name: person.said for name, person in self.people.items()} | {CLICKER: clicker.said}
        notes, users = self._on_server()
        return Told(self.project, self.lake, done, said, notes, self.emails, users, self.turns)

    @property
    def project(self) -> Project:
        """The project, as its file has it."""
        return load_project(self.deployment.projects / "small.yaml")

    @property
    def lake(self) -> Lake:
        """The project's lake."""
        return Lake(self.deployment.lake, "small")

    def _first_turn(self, clicker: Clicker) -> None:
        """All at once, one of them in the browser; the server is killed under them, and a round begins meanwhile."""
        project = self._studio_project("annotators")
        assert project is not None
        with at_once({name: self.people[name] for name in ANNOTATORS if name != CLICKER}, project):
            clicker.work(project, CLICKS)
            self._until_said(KILLED_AFTER)
            stop(self.server.folder, signal.SIGKILL)
            again = threading.Thread(target=self.server.start)
            again.start()
            self._round()
            again.join()
        clicker.work(project)
        self._note("first turn")

    def _turn(self, clicker: Clicker) -> int:
        """Everybody but whom a policy removed answers what the server gives; return how many answers."""
        before = self._count() + len(clicker.said)
        gone = self.lake.actions.in_force("one")
        annotators, experts = self._studio_project("annotators"), self._studio_project("experts")
        if annotators is not None:
            names = [name for name in ANNOTATORS if name not in gone and name != CLICKER]
            with at_once({name: self.people[name] for name in names}, annotators):
                pass
            clicker.work(annotators)
        if experts is not None:
            self.people[EXPERT].work(experts)
        self._note("turn")
        return self._count() + len(clicker.said) - before

    def _round(self) -> Done:
        # In a thread: the browser's loop runs in this one, and Dagster has one of its own.
        with ThreadPoolExecutor(1) as thread:
            done = thread.submit(Rounds(self.project, self.deployment, self.instance).run).result()
        assert done.broken == [], done.broken
        self._note("round")
        return done

    def _note(self, what: str) -> None:
        """Remember how far it got, and when: the test prints it where it fails."""
        self.turns.append(f"{time.monotonic():.0f} {what} {self._count()}")
        print(self.turns[-1], flush=True)

    def _count(self) -> int:
        return sum(len(person.said) for person in self.people.values())

    def _until_said(self, count: int) -> None:
        while self._count() < count:
            time.sleep(0.05)

    def _studio_project(self, group: str) -> int | None:
        return Records(self.lake).read(group).project_id

    def _on_server(self) -> tuple[list[dict[str, Any]], dict[int, str]]:
        """Return every annotation that the server holds, and its users, read without the code under test."""
        headers = {"Authorization": f"Token {self.server.people['admin'].token}"}
        found = []
        with httpx.Client(base_url=self.server.url, headers=headers, timeout=120) as client:
            for group in ("annotators", "experts"):
                path = f"/api/projects/{self._studio_project(group)}/export"
                tasks = client.get(path, params={"exportType": "JSON"}).raise_for_status().json()
                found += [{**note, "text": task["data"]["text"]} for task in tasks for note in task["annotations"]]
            users = client.get("/api/users/").raise_for_status().json()
        return found, {user["id"]: user["email"] for user in users}
