"""Alerts: what a person must do, written beside the lake's tables and told through the project's own hook."""

import json
import os
import subprocess
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple

from cupel.config.operation import Alerts
from cupel.lake import Lake

FILE = "alerts.jsonl"
SECONDS = 30
Kind = Literal["broken", "gate_failed", "refused", "certified"]


class Alert(NamedTuple):
    """Something that a person should know: what happened to which batch or release, and what to do about it."""

    project: str
    partition: str
    kind: Kind
    happened: str
    to_do: str
    run_id: str


def alert(lake: Lake, settings: Alerts, about: Alert) -> list[str]:
    """Write an alert into the project's record, and hand it to the project's command and webhook.

    Args:
        lake: The project's lake; the record is its `alerts.jsonl`.
        settings: Whom to tell.
        about: What is told; it holds ids and numbers, never a text of the data.

    Returns:
        What went wrong in telling; the alert is in the record all the same.
    """
    told = json.dumps(about._asdict() | {"at": datetime.now(UTC).isoformat(timespec="seconds")}, ensure_ascii=False)
    folder = Path(str(lake.folder))
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / FILE).open("a", encoding="utf-8") as file:
        file.write(told + "\n")
    return [problem for problem in (_run(settings, told), _post(settings, told)) if problem]


def read_alerts(lake: Lake) -> list[dict[str, str]]:
    """Return all alerts of a project, the earliest first; a line that a kill cut short is left out."""
    path = Path(str(lake.folder)) / FILE
    found = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else []:
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


def _run(settings: Alerts, told: str) -> str | None:
    if not settings.command:
        return None
    try:
        done = subprocess.run(
            settings.command, input=told, text=True, capture_output=True, timeout=SECONDS, check=False
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"alerts.command {settings.command[0]}: {error}"
    return f"alerts.command {settings.command[0]}: exit code {done.returncode}" if done.returncode else None


def _post(settings: Alerts, told: str) -> str | None:
    name = settings.webhook_env
    url = os.environ.get(name) if name else settings.webhook
    if url is None:
        return f"alerts.webhook_env: {name} is not set" if name else None
    request = urllib.request.Request(url, told.encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=SECONDS):
            return None
    except (OSError, ValueError) as error:
        return f"alerts.webhook: {type(error).__name__}"  # the URL may be a secret: it is not repeated
