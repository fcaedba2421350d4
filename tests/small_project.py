"""A small project for tests of the whole chain: colours of made-up sentences, a crew of three, an expert."""

import json
import random
from pathlib import Path
from typing import Any

import yaml

from orchestration.deployment import Deployment

WORDS = {
    "warm": ["sun", "fire", "summer", "ember", "desert", "lava", "toast", "candle"],
    "cold": ["ice", "snow", "winter", "glacier", "frost", "arctic", "hail", "freezer"],
}
FILLER = [
    "the",
    "of",
    "and",
    "a",
    "was",
    "near",
    "under",
    "over",
    "with",
    "some",
    "many",
    "few",
    "old",
    "new",
    "bright",
    "dark",
    "small",
    "large",
    "one",
    "two",
    "three",
]

# A project's `operation`, by which releases are proposed on a Monday: until then it ends at its labels.
NO_RELEASE = {"release": "0 7 * * 1"}


def sentence(label: str, rng: random.Random) -> str:
    words = rng.sample(WORDS[label], 2) + rng.sample(FILLER, 8) + [f"w{rng.randrange(10_000)}" for _ in range(4)]
    rng.shuffle(words)
    return " ".join(words)


def write_project(
    folder: Path, name: str = "small", items: int = 300, crew_error: float = 0.1, seed: int = 1, **changes: Any
) -> Deployment:
    """Write a project of one batch with its delivery and recorded answers; return its deployment."""
    rng = random.Random(seed)
    data = folder / "data" / name
    data.mkdir(parents=True)
    (folder / "projects").mkdir(parents=True, exist_ok=True)
    lines, answers = [], ["batch,item_id,purpose,annotator,label"]
    for number in range(items):
        truth = rng.choice(["warm", "cold"])
        lines.append(json.dumps({"id": f"i{number}", "text": sentence(truth, rng)}))
        for annotator in ("ann", "bob", "cy"):
            wrong = {"warm": "cold", "cold": "warm"}[truth]
            said = wrong if rng.random() < crew_error else truth
            answers.append(f"one,i{number},label,{annotator},{said}")
        answers.append(f"one,i{number},expert,eve,{truth}")
    (data / "one.jsonl").write_text("\n".join(lines) + "\n")
    (data / "answers.csv").write_text("\n".join(answers) + "\n")
    project = {
        "project": name,
        "title": "Warm or cold",
        "owner": "team@example.org",
        "raw": {"deliveries": {"one": {"files": [f"{name}/one.jsonl"], "licence": "CC0-1.0"}}},
        "labeling": {
            "question": "Warm or cold?",
            "classes": ["warm", "cold"],
            "overlap": {"first": 2, "most": 3},
            "answers": [f"{name}/answers.csv"],
            "experts": {"answers": 1, "description": "one expert"},
        },
        "release": {"error_budget": 0.05, "audit_size": 100, "max_experts_seen_share": 0.9},
    }
    for section, content in changes.items():
        project[section] = {**project.get(section, {}), **content} if isinstance(content, dict) else content
    # So small an audit shows little of what experts leave undecided, even where they leave nothing. It is drawn by what
    # the project file says: the same audit each time.
    usual = {"nonce": "made for a test", "max_undecided_share": 0.2}
    project["release"]["certificate"] = usual | project["release"].get("certificate", {})
    (folder / "projects" / f"{name}.yaml").write_text(yaml.safe_dump(project))
    return Deployment(folder / "projects", folder / "data", str(folder / "lake"))
