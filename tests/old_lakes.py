"""Lakes and releases that older versions of Cupel made, unpacked for a test: see tests/old_releases/README.md."""

import hashlib
import json
import tarfile
from pathlib import Path
from typing import NamedTuple

from orchestration.deployment import Deployment

FOLDER = Path(__file__).parent / "old_releases"
PROJECT = "colours"


class OldRelease(NamedTuple):
    """A commit, the format that its releases are of, its certified release, and the checks that it knew."""

    commit: str
    format: int
    release: str
    checks: int


OLD = (
    OldRelease("c2cc23b", 1, "one-r1", 16),
    OldRelease("90b9784", 2, "one-r1", 17),
    OldRelease("344a62c", 3, "all-r1", 19),
)
COMMITS = {old.commit: old for old in OLD}


def unpack(commit: str, folder: Path) -> Deployment:
    """Unpack projects, data and lake of a commit; return their deployment."""
    with tarfile.open(FOLDER / f"{commit}.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return Deployment(folder / "projects", folder / "data", str(folder / "lake"))


def release_of(old: OldRelease, deployment: Deployment) -> Path:
    """Return the folder of the release of a commit."""
    return Path(deployment.lake) / PROJECT / "releases" / old.release


def write_logs_of_format_3(folder: Path) -> None:
    """Write one small log of each kind as the last version that wrote format 3 did, and the numbers beside them."""
    action = {
        "annotator": "ann", "answers_until": 9, "asked_by": "a policy", "batch": "one", "deed": "warn",
        "evidence": "so it is", "finding": "guessing", "items": 50, "log10_ratio": None, "p_value": 0.01,
        "value": 0.1, "weight": 1.0,
    }  # fmt: skip
    previous = "0" * 64
    for number, annotator in enumerate(("ann", "bob", "cy"), 1):
        content = action | {"annotator": annotator, "sequence": number, "previous": previous}
        if number == 1:
            del content["log10_ratio"]  # from before there were ratios
        raw = (json.dumps(content, indent=1, sort_keys=True) + "\n").encode()
        previous = hashlib.sha256(raw).hexdigest()
        _write(folder / "annotator_actions" / f"{number:06d}.json", raw)
    _write(folder / "annotator_actions" / "FORMAT", b"2\n")
    delivery = {"licence": "CC0-1.0", "text_field": "text", "id_field": "id"}
    for number, batch in enumerate(("two", "three"), 1):
        entry = {
            "batch": batch, "delivery": delivery, "files": {f"{batch}.jsonl": "0" * 64},
            "registered_at": "2026-01-01T00:00:00+00:00", "sequence": number, "sha256": "1" * 64,
        }  # fmt: skip
        _write(folder / "register" / f"{number:06d}.json", (json.dumps(entry, indent=1) + "\n").encode())
    _write(folder / "register" / "FORMAT", b"1\n")
    for release in ("one-r1", "one-r2", "one-r10"):
        proposal = json.dumps({"release": release, "asked_by": "the chain"})
        _write(folder / "proposals" / f"{release}.json", f"{proposal}\n".encode())
    for release in ("one-r1", "one-r2"):
        day = json.dumps({"day": "2026-01-31", "release": release})
        _write(folder / "days" / f"{release}.json", f"{day}\n".encode())
    event = {
        "annotation_id": 7, "batch": "one", "group": "annotators", "item_id": "i0", "kind": "deleted", "project_id": 1,
        "said": None, "tool_task": 3,
    }  # fmt: skip
    for number in (1, 2):
        lines = [json.dumps(event | {"name": f"deleted/annotators/1/{number}/{one}"}) for one in (7, 8)]
        _write(folder / "label_studio" / "events" / f"{number:06d}.jsonl", "".join(f"{x}\n" for x in lines).encode())
    reply = {"key": "0" * 64, "answer": "good", "log_probability": -0.1, "input_tokens": 9, "output_tokens": 1}
    failed = {"key": "1" * 64, "problem": "too late", "input_tokens": None, "output_tokens": None}
    lines = [json.dumps(one | {"charged": [9, 1]}) for one in (reply, failed)]
    _write(folder / "replies" / "one.jsonl", f"{lines[0]}\n{lines[1]}\n{lines[0][:20]}".encode())
    _write(folder / "FORMAT", b"3\n")


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
