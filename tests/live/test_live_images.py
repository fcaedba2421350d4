"""People label pictures at a real Label Studio server, and nothing that a picture says of place and person is there."""

import base64
import io
import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import pytest
from PIL import Image

from cupel.kinds.projects import load_project
from cupel.people.label_studio.record import Records
from cupel.release.facts import release_facts
from cupel.release.verify import verify_release
from image_project import write_project
from orchestration.deployment import Deployment
from orchestration.rounds import Rounds
from samples.label_studio import PROGRAM, fresh
from samples.studio_server import StudioServer, stop

PORT = int(os.environ.get("CUPEL_LIVE_PORT", "8179"))
ITEMS, MOST_TURNS = 60, 8
ANNOTATORS, EXPERT = ("ann", "bob", "cy"), "eve"

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StudioServer]:
    folder = tmp_path_factory.mktemp("live_images")
    shutil.copytree(fresh(), folder / "server")
    server = StudioServer(folder / "server", PROGRAM, PORT)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("CUPEL_LABEL_STUDIO_TOKEN", server.people["admin"].token)
        try:
            server.start()
            yield server
        finally:
            stop(server.folder)


def shown(task: dict[str, Any]) -> Image.Image:
    """Return the picture that a task shows; it lies in the task itself."""
    head, _, content = task["data"]["image"].partition(",")
    assert head.startswith("data:image/")
    return Image.open(io.BytesIO(base64.b64decode(content)))


def label(picture: Image.Image) -> str:
    red, _, blue = picture.convert("RGB").resize((1, 1)).getpixel((0, 0))  # type: ignore[misc]
    return "warm" if red > blue else "cold"


def work(server: StudioServer, name: str, project: int, error: float, rng: random.Random) -> list[Image.Image]:
    """Answer what the server gives next, until it gives nothing, with some errors; return the pictures seen."""
    headers, seen = {"Authorization": f"Token {server.people[name].token}", "Connection": "close"}, []
    with httpx.Client(base_url=server.url, headers=headers, timeout=120) as client:
        while (reply := client.get(f"/api/projects/{project}/next")).status_code != 404:
            task = reply.raise_for_status().json()
            seen.append(shown(task))
            right = label(seen[-1])
            said = {"warm": "cold", "cold": "warm"}[right] if rng.random() < error else right
            value = {"choices": [said]}
            result = {"from_name": "label", "to_name": "image", "type": "choices", "value": value}
            body = {"result": [result], "lead_time": 3.0}
            client.post(f"/api/tasks/{task['id']}/annotations/", json=body).raise_for_status()
    return seen


def test_people_see_pictures_and_their_answers_end_in_a_certified_release(server: StudioServer, tmp_path: Path) -> None:
    emails = {name: person.email for name, person in server.people.items()}
    deployment: Deployment = write_project(
        tmp_path, items=ITEMS,
        labeling={"workforce": "label_studio", "answers": []},
        label_studio={
            "url": server.url, "annotators": {name: emails[name] for name in ANNOTATORS},
            "experts": {EXPERT: emails[EXPERT]},
        },
        release={"audit_size": 40, "error_budget": 0.1, "max_experts_seen_share": 1.0},
    )  # fmt: skip
    project, instance = load_project(deployment.projects / "views.yaml"), dg.DagsterInstance.ephemeral()
    rng, seen = random.Random(5), list[Image.Image]()
    for _ in range(MOST_TURNS):
        rounds = Rounds(project, deployment, instance)
        assert rounds.run().broken == []
        before = len(seen)
        for name in (*ANNOTATORS, EXPERT):
            group = Records(rounds.lake).read("experts" if name == EXPERT else "annotators").project_id
            if group is not None:
                seen += work(server, name, group, 0.0 if name == EXPERT else 0.05, rng)
        if len(seen) == before:
            break
    facts = release_facts(rounds.lake, project, "one-r1")
    assert facts.verdict == "PASS"
    assert verify_release(Path(rounds.lake.folder) / "releases" / "one-r1").is_passed
    assert len(seen) >= 2 * ITEMS
    assert all(max(picture.size) <= 640 and not picture.getexif() for picture in seen)
