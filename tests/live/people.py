"""People who label on a real Label Studio server: each asks it for the next task, and answers with own errors."""

import random
from collections.abc import Callable
from typing import Any

import httpx

Answer = Callable[[dict[str, Any], random.Random], str]


class Person:
    """Somebody with a token who labels whatever the server gives next.

    `said` is what was answered, by text of the task: label and the group's project.
    """

    def __init__(self, url: str, token: str, answer: Answer, seed: int) -> None:
        self._http = httpx.Client(base_url=url, headers={"Authorization": f"Token {token}"}, timeout=60)
        self._answer, self._rng = answer, random.Random(seed)
        self.said: list[tuple[str, str]] = []

    def log_in(self, token: str) -> None:
        """Go on with another token."""
        self._http.headers["Authorization"] = f"Token {token}"

    def project(self, group: str) -> int | None:
        found = self._http.get("/api/projects/", params={"page_size": 100}).raise_for_status().json()["results"]
        return next((one["id"] for one in found if one["title"].endswith(f": {group}")), None)

    def work(self, group: str, most: int = 1_000_000) -> int:
        """Answer what the server gives, until it gives nothing; return how many."""
        project = self.project(group)
        for done in range(most):
            if project is None:
                return done
            reply = self._http.get(f"/api/projects/{project}/next")
            if reply.status_code == 404:
                return done
            task = reply.raise_for_status().json()
            label = self._answer(task, self._rng)
            result = [{"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": [label]}}]
            body = {"result": result, "lead_time": 2.5}
            self._http.post(f"/api/tasks/{task['id']}/annotations/", json=body).raise_for_status()
            self.said.append((task["data"]["text"], label))
        return most
