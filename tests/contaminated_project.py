"""The small project with spam among its items, which an expert knows on sight."""

import json
import random
from pathlib import Path
from typing import Any

import yaml

from orchestration.deployment import Deployment
from small_project import write_project

SPAM = ["win", "cash", "prize", "click", "offer", "free", "winner", "bonus"]
SETTINGS = {"what": "spam", "at_most": 0.05, "answers": {"train": 80, "audit": 150, "pilot": 60, "step": 20}}


def spam(rng: random.Random) -> str:
    return " ".join([*rng.sample(SPAM, 4), *(f"w{rng.randrange(10_000)}" for _ in range(8))])


def write_contaminated(
    folder: Path, name: str = "spammy", items: int = 700, share: float = 0.15, seed: int = 3, **changes: Any
) -> tuple[Deployment, set[str]]:
    """Write the project, its recorded answers on what is wanted among them; return also which items are spam."""
    deployment = write_project(folder, name, items=items, seed=seed)
    rng, data = random.Random(seed), folder / "data" / name
    rows = [json.loads(line) for line in (data / "one.jsonl").read_text().splitlines()]
    answers, unwanted = (data / "answers.csv").read_text().splitlines(), set()
    for row in rows:
        if rng.random() < share:
            row["text"] = spam(rng)
            unwanted.add(row["id"])
        answers.append(f"one,{row['id']},contamination,eve,{'spam' if row['id'] in unwanted else 'good'}")
    halves = rows[: len(rows) // 2], rows[len(rows) // 2 :]
    for half, content in zip(("one.jsonl", "two.jsonl"), halves, strict=True):
        (data / half).write_text("\n".join(map(json.dumps, content)) + "\n")
    (data / "answers.csv").write_text("\n".join(answers) + "\n")
    path = folder / "projects" / f"{name}.yaml"
    project = yaml.safe_load(path.read_text())
    project["raw"]["deliveries"]["one"]["files"] = [f"{name}/one.jsonl", f"{name}/two.jsonl"]
    project["cleaning"] = {"min_letter_share": None, "contamination": SETTINGS | changes}
    path.write_text(yaml.safe_dump(project))
    return deployment, unwanted


def change(deployment: Deployment, name: str, **changes: Any) -> None:
    """Change what the project says of contamination."""
    path = deployment.projects / f"{name}.yaml"
    project = yaml.safe_load(path.read_text())
    project["cleaning"]["contamination"] |= changes
    path.write_text(yaml.safe_dump(project))
