"""How page, daemon and code location are: asked of the page, which knows of all three."""

import json
import time
import urllib.error
import urllib.request
from typing import Any, NamedTuple

from orchestration.clock import SECONDS_AHEAD

SECONDS_TO_ANSWER = 10
# The daemon says every 30 seconds that it lives; a busy machine may make it late.
SECONDS_OF_SILENCE = 120
QUERY = """{
  instance { daemonHealth { allDaemonStatuses { daemonType required lastHeartbeatTime } } }
  workspaceOrError { __typename
    ... on PythonError { message causes { className message } }
    ... on Workspace { locationEntries { name loadStatus locationOrLoadError { __typename
      ... on PythonError { message causes { className message } } } } } }
}"""
# No proxy is asked for what is on this machine.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Trouble(NamedTuple):
    """What does not answer, and why; `is_final` where waiting does not help."""

    part: str
    why: str
    is_final: bool = False


def find_trouble(port: int, since: float) -> list[Trouble]:
    """Return what of page, daemon and code location does not answer; nothing if all is well.

    Args:
        port: Where the page listens, on this machine.
        since: The daemon must have said after this time that it lives, in seconds since 1970.
    """
    try:
        answer = ask_page(port, QUERY)
    except (OSError, ValueError) as error:
        return [Trouble("page", f"no answer on 127.0.0.1:{port} ({error})")]
    if answer.get("errors"):
        return [Trouble("page", f"it refused what it was asked: {answer['errors'][0]['message']}")]
    return _daemon_trouble(answer["data"], since) + _code_trouble(answer["data"])


def ask_page(port: int, query: str) -> dict[str, Any]:
    """Ask the page something in GraphQL, and return its whole answer.

    Raises:
        OSError: It does not answer.
        ValueError: What answers is not the page.
    """
    content, kind = json.dumps({"query": query}).encode(), {"Content-Type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/graphql", content, kind)
    with _OPENER.open(request, timeout=SECONDS_TO_ANSWER) as answer:
        found = json.loads(answer.read())
    if not isinstance(found, dict):
        raise ValueError("what answers is not Dagster's page")
    return found


def _daemon_trouble(data: dict[str, Any], since: float) -> list[Trouble]:
    # A heartbeat may carry the error of one tick, such as a hook's that failed: the daemon is there all the same.
    required = [row for row in data["instance"]["daemonHealth"]["allDaemonStatuses"] if row["required"]]
    # One of the future is from before the clock was set back.
    latest = time.time() + SECONDS_AHEAD
    silent = sorted(row["daemonType"] for row in required if not since <= (row["lastHeartbeatTime"] or 0) <= latest)
    if silent or not required:
        last = max((row["lastHeartbeatTime"] or 0 for row in required), default=0)
        ago = f"the last one was {time.time() - last:.0f} s ago" if last else "there never was one"
        return [Trouble("daemon", f"no heartbeat of {', '.join(silent) or 'any kind'}; {ago}")]
    return []


def _code_trouble(data: dict[str, Any]) -> list[Trouble]:
    workspace = data["workspaceOrError"]
    if workspace["__typename"] == "PythonError":
        return [Trouble("code location", _innermost(workspace), is_final=True)]
    entries = workspace["locationEntries"]
    failed = [entry for entry in entries if (entry["locationOrLoadError"] or {}).get("__typename") == "PythonError"]
    if failed:
        return [Trouble("code location", _innermost(failed[0]["locationOrLoadError"]), is_final=True)]
    unready = [row["name"] for row in entries if row["loadStatus"] != "LOADED" or not row["locationOrLoadError"]]
    if unready or not entries:
        return [Trouble("code location", f"{', '.join(unready) or 'none is there, or it'} is not loaded yet")]
    return []


def _innermost(error: dict[str, Any]) -> str:
    """Return the message of the error that caused the others."""
    return str(([error, *error["causes"]])[-1]["message"]).strip()
