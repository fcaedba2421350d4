"""People who label on a real Label Studio server: each asks it for the next task, and answers with own errors."""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, NamedTuple

import httpx

Confusion = Mapping[str, Mapping[str, float]]


class Said(NamedTuple):
    """What somebody answered: which annotation of which task on the server, to which text, what."""

    annotation_id: int
    tool_task: int
    text: str
    label: str


class Person:
    """Somebody with a token who labels whatever the server gives next, and notes what was said.

    Args:
        url: The server.
        token: The person's own.
        truth: Returns the right label of a text.
        confusion: Chance of each answer, by right label.
        seed: Of the errors.
    """

    def __init__(self, url: str, token: str, truth: Callable[[str], str], confusion: Confusion, seed: int) -> None:
        # A connection each: on one that is kept, half of every request would wait for the other half's receipt.
        headers = {"Authorization": f"Token {token}", "Connection": "close"}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=60)
        self._truth, self._confusion, self._rng = truth, confusion, random.Random(seed)
        self.said: list[Said] = []

    def work(self, project: int, most: int = 1_000_000) -> int:
        """Answer what the server gives, until it gives nothing; return how many."""
        for done in range(most):
            reply = self._patiently("GET", f"/api/projects/{project}/next")
            if reply.status_code == 404:
                return done
            self._answer(reply.raise_for_status().json())
        return most

    def _answer(self, task: dict[str, Any]) -> None:
        text = task["data"]["text"]
        label = self._label(text)
        result = [{"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": [label]}}]
        path, body = f"/api/tasks/{task['id']}/annotations/", {"result": result, "lead_time": self._rng.uniform(2, 6)}
        try:
            given = _served(self._http.post(path, json=body)).raise_for_status().json()
        except httpx.TransportError:
            # The server died of it, or its database was busy: only the server knows whether it was saved.
            notes = self._patiently("GET", path).raise_for_status().json()
            mine = [note for note in notes if note["completed_by"] == self._number()]
            if not mine:
                return
            (given,) = mine
        self.said.append(Said(given["id"], task["id"], text, label))

    def _label(self, text: str) -> str:
        chances = self._confusion[self._truth(text)]
        (label,) = self._rng.choices(list(chances), list(chances.values()))
        return label

    def _number(self) -> int:
        return int(self._patiently("GET", "/api/current-user/whoami").raise_for_status().json()["id"])

    def _patiently(self, method: str, path: str) -> httpx.Response:
        """Ask until there is an answer, for two minutes at most."""
        ends_at = time.monotonic() + 120
        while True:
            try:
                return _served(self._http.request(method, path))
            except httpx.TransportError:
                if time.monotonic() > ends_at:
                    raise
                time.sleep(0.5)


class Alternating(Person):
    """A spammer whose answers are right as often as chance has it, to the letter: each in its turn, of each class.

    Of those who draw lots one in fifty is right so often that nobody can tell; a test must not hang on that.
    """

    def _label(self, text: str) -> str:
        right = self._truth(text)
        answers = list(self._confusion[right])
        return answers[sum(self._truth(one.text) == right for one in self.said) % len(answers)]


def _served(reply: httpx.Response) -> httpx.Response:
    if reply.status_code >= 500:
        raise httpx.TransportError(f"status {reply.status_code}")
    return reply


@contextmanager
def at_once(people: Mapping[str, Person], project: int) -> Iterator[None]:
    """Let people work at the same time until the server gives them nothing, beside what is done here meanwhile."""
    with ThreadPoolExecutor(len(people)) as threads:
        working = [threads.submit(person.work, project) for person in people.values()]
        yield
        for one in working:
            one.result()
