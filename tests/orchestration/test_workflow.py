"""The workflow that is ready for use: it asks for little, and calls what there is."""

import re
from typing import Any

import pytest
import yaml

from orchestration.deployment import REPOSITORY


@pytest.fixture
def workflow() -> dict[Any, Any]:
    found = yaml.safe_load((REPOSITORY / ".github" / "workflows" / "gate.yaml").read_text())
    assert isinstance(found, dict)
    return found


def test_it_may_only_read_and_needs_no_secret(workflow: dict[Any, Any]) -> None:
    assert workflow["permissions"] == {"contents": "read"}
    assert "secrets." not in yaml.safe_dump(workflow)


def test_it_runs_on_pull_requests_and_after_a_merge(workflow: dict[Any, Any]) -> None:
    triggers = workflow[True]  # YAML 1.1 reads `on` as true
    assert set(triggers) == {"pull_request", "push"}
    assert triggers["push"] == {"branches": ["main"]}


def test_every_action_is_pinned_and_the_history_is_whole(workflow: dict[Any, Any]) -> None:
    used = {step["uses"]: step.get("with", {}) for step in workflow["jobs"]["gate"]["steps"] if "uses" in step}
    assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", name) for name in used)
    checkout = next(settings for name, settings in used.items() if "checkout" in name)
    assert checkout["fetch-depth"] == 0
    assert checkout["persist-credentials"] is False


def test_it_makes_what_there_is_to_make_and_keeps_the_file_that_the_gate_writes(workflow: dict[Any, Any]) -> None:
    job = workflow["jobs"]["gate"]
    targets = [step["run"].removeprefix("make ") for step in job["steps"] if "run" in step]
    assert targets == ["setup", "run", "gate"]
    makefile = (REPOSITORY / "Makefile").read_text()
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)
    upload = job["steps"][-1]
    assert upload["if"] == "always()"
    assert upload["with"]["path"] == job["env"]["JUNIT"]
