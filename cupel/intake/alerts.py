"""Alerts: what a person must do, written beside the lake's tables and told through the project's own hook.

What was told once is not told again while it stands; it stands until a line of the kind `over` says that it does not.
"""

import json
import os
import subprocess
import urllib.request
from collections.abc import Collection
from datetime import UTC, datetime
from typing import NamedTuple

from cupel.config.operation import AlertKind, Alerts
from cupel.lake.lake import Lake

FILE = "alerts.jsonl"
LOCK = "locks/.alerts"
SECONDS = 30
OVER = "over"
NEEDED = {"partition", "kind", "happened", "at"}


class Alert(NamedTuple):
    """Something that a person should know: what happened to which batch or release, and what to do about it.

    Args:
        project: The project.
        partition: The batch or release; for what was not taken from the inbox, the name that it has there.
        kind: What kind of thing it is.
        happened: What happened.
        to_do: What to do about it.
        run_id: The run that it happened in.
        where: The step, gate or file.
        why: The reason, as far as it is known.
        command: The command that helps, or shows more.
        cause: The same for what is the same cause; "" where `happened` says it.
    """

    project: str
    partition: str
    kind: AlertKind
    happened: str
    to_do: str
    run_id: str
    where: str = ""
    why: str = ""
    command: str = ""
    cause: str = ""


def alert(lake: Lake, settings: Alerts, about: Alert) -> list[str]:
    """Write an alert into the project's record, and hand it to the project's command and webhook, if asked for.

    An alert that stands, of the same batch or release and for the same cause, is neither written nor told again.

    Args:
        lake: The project's lake; the record is its `alerts.jsonl`.
        settings: Whom to tell, and what.
        about: What is told; it holds ids and numbers, never a text of the data.

    Returns:
        What went wrong in telling; the alert is in the record all the same.
    """
    told = _line(about._asdict())
    with lake.store.lock(LOCK):
        if any(_is_same(row, about) for row in standing_alerts(lake)):
            return []
        _write(lake, told)
    if about.kind not in settings.kinds:
        return []
    return [problem for problem in (_run(settings, told), _post(settings, told)) if problem]


def end_alerts(lake: Lake, partition: str, kinds: Collection[AlertKind], why: str) -> None:
    """Say in the record that the alerts of some kinds about a batch or release stand no longer, where there are any.

    Args:
        lake: The project's lake.
        partition: The batch or release.
        kinds: Kinds of the alerts that are over.
        why: What ended them.
    """
    with lake.store.lock(LOCK):
        standing = {row["kind"] for row in standing_alerts(lake) if row["partition"] == partition}
        for kind in sorted(standing.intersection(kinds)):
            over = {"project": lake.project, "partition": partition, "kind": OVER, "of": kind, "happened": why}
            _write(lake, _line(over))


def standing_alerts(lake: Lake) -> list[dict[str, str]]:
    """Return the alerts of a project that stand, the earliest first: those that nothing has ended."""
    standing: list[dict[str, str]] = []
    for row in read_alerts(lake):
        if row["kind"] == OVER:
            ended = (row["partition"], row["of"])
            standing = [other for other in standing if (other["partition"], other["kind"]) != ended]
        else:
            standing.append(row)
    return standing


def read_alerts(lake: Lake) -> list[dict[str, str]]:
    """Return all alerts of a project, the earliest first; a line that was cut short or altered is left out."""
    found = []
    for line in _read(lake).split(b"\n"):
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict) and row.keys() >= ({"partition", "of"} if row.get("kind") == OVER else NEEDED):
            found.append(row)
    return found


def _is_same(row: dict[str, str], about: Alert) -> bool:
    is_about = (row["partition"], row["kind"]) == (about.partition, about.kind)
    return is_about and (row.get("cause") or row["happened"]) == (about.cause or about.happened)


def _line(content: dict[str, str]) -> str:
    return json.dumps(content | {"at": datetime.now(UTC).isoformat(timespec="seconds")}, ensure_ascii=False)


def _write(lake: Lake, line: str) -> None:
    before = _read(lake)
    is_cut = before[-1:] not in (b"", b"\n")  # by a kill of an earlier version; it must not get more to its line
    lake.store.put(FILE, before + b"\n" * is_cut + f"{line}\n".encode())


def _read(lake: Lake) -> bytes:
    return b"" if lake.store.stat(FILE) is None else lake.store.read(FILE)


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
