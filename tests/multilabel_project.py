"""A small project of kind multilabel: made-up sentences with words of some of three topics, or of none of them."""

import csv
import io
import json
import random
from pathlib import Path
from typing import Any

import yaml

from orchestration.deployment import Deployment

TOPICS = {
    "sport": ["ball", "goal", "match", "team", "race", "coach", "score", "league"],
    "money": ["bank", "loan", "price", "stock", "budget", "credit", "wage", "tax"],
    "weather": ["rain", "storm", "sun", "frost", "cloud", "wind", "snow", "hail"],
}
FILLER = ["the", "of", "and", "a", "was", "near", "under", "over", "with", "some", "many", "few", "old", "new"]
SHARES = {"sport": 0.5, "money": 0.35, "weather": 0.2}


def topics_of(text: str) -> str:
    """Return the canonical text of the topics whose words stand in a text."""
    words = set(text.split())
    return json.dumps([name for name, own in TOPICS.items() if words & set(own)], separators=(",", ":"))


def write_project(folder: Path, items: int = 300, error: float = 0.06, seed: int = 1, **changes: Any) -> Deployment:
    """Write a project of one batch, answered by a crew that errs in each class at times, and by an expert.

    Answers come in the forms that people's files hold: lists in any order, a class alone, an empty list; on the last
    item one of the crew leaves the cell empty, which is no answer.
    """
    rng = random.Random(seed)
    data = folder / "data" / "topics"
    data.mkdir(parents=True)
    (folder / "projects").mkdir(parents=True, exist_ok=True)
    lines, answers = [], io.StringIO()
    table = csv.writer(answers)
    table.writerow(["batch", "item_id", "purpose", "annotator", "label"])
    for number in range(items):
        item, truth = f"i{number:03d}", [name for name, share in SHARES.items() if rng.random() < share]
        words = [word for name in truth for word in rng.sample(TOPICS[name], 3)]
        words += [*rng.choices(FILLER, k=8), *(f"w{rng.randrange(10_000)}" for _ in range(4))]
        rng.shuffle(words)
        lines.append(json.dumps({"id": item, "text": " ".join(words)}))
        for annotator in ("ann", "bob", "cy"):
            said = [name for name in TOPICS if (name in truth) != (rng.random() < error)]
            rng.shuffle(said)
            text = said[0] if len(said) == 1 and rng.random() < 0.5 else json.dumps(said)
            table.writerow(
                ["one", item, "label", annotator, "" if number == items - 1 and annotator == "ann" else text]
            )
        table.writerow(["one", item, "expert", "eve", json.dumps(truth)])
    (data / "one.jsonl").write_text("\n".join(lines) + "\n")
    (data / "answers.csv").write_text(answers.getvalue())
    project = {
        "project": "topics",
        "title": "Topics of sentences",
        "owner": "team@example.org",
        "raw": {"deliveries": {"one": {"files": ["topics/one.jsonl"], "licence": "CC0-1.0"}}},
        "labeling": {
            "kind": "multilabel",
            "question": "Which topics does it speak of?",
            "classes": list(TOPICS),
            "consensus": "auto",
            "overlap": {"first": 2, "most": 3},
            "answers": ["topics/answers.csv"],
            "experts": {"answers": 1, "description": "one expert"},
        },
        "release": {
            "error_budget": 0.05,
            "audit_size": 100,
            "max_experts_seen_share": 0.95,
            "certificate": {"max_undecided_share": 0.2},
        },
    }
    for section, content in changes.items():
        project[section] = {**project.get(section, {}), **content} if isinstance(content, dict) else content
    # Drawn by what the project file says: the same audit each time.
    project["release"]["certificate"] = {"nonce": "made for a test", **project["release"].get("certificate", {})}
    (folder / "projects" / "topics.yaml").write_text(yaml.safe_dump(project))
    return Deployment(folder / "projects", folder / "data", str(folder / "lake"))
