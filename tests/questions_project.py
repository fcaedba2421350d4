"""A small project of kind questions: what a made-up sentence is about, and how it is said, where that is asked."""

import json
import random
from pathlib import Path
from typing import Any

import yaml

from orchestration.deployment import Deployment
from small_project import FILLER

TOPICS = {
    "sport": ["ball", "team", "goal", "race", "coach", "score", "match", "league"],
    "politics": ["vote", "party", "law", "senate", "mayor", "treaty", "ballot", "cabinet"],
    "spam": ["offer", "cheap", "click", "winner", "pills", "prize", "loan", "casino"],
}
TONES = {
    "warm": ["lovely", "kind", "happy", "gentle", "tender", "cheerful"],
    "cold": ["bitter", "rude", "gloomy", "harsh", "bleak", "hostile"],
}


def label(topic: str, tone: str) -> str:
    """Return the label of a sentence: nobody is asked how spam is said."""
    given = {"topic": topic} | ({} if topic == "spam" else {"tone": tone})
    return json.dumps(given, separators=(",", ":"))


def sentence(topic: str, tone: str, rng: random.Random) -> str:
    words = rng.sample(TOPICS[topic], 2) + rng.sample(TONES[tone], 2) + rng.sample(FILLER, 6)
    words += [f"w{rng.randrange(10_000)}" for _ in range(4)]
    rng.shuffle(words)
    return " ".join(words)


def write_project(
    folder: Path, items: int = 300, crew_error: float = 0.08, seed: int = 1, **changes: Any
) -> Deployment:
    """Write a project of one batch: a crew that errs on each question, an expert who does not, and a spoilt answer."""
    rng = random.Random(seed)
    data = folder / "data" / "mail"
    data.mkdir(parents=True)
    (folder / "projects").mkdir(parents=True, exist_ok=True)
    lines, answers = [], []
    for number in range(items):
        topic, tone = rng.choice(list(TOPICS)), rng.choice(list(TONES))
        lines.append(json.dumps({"id": f"i{number}", "text": sentence(topic, tone, rng)}))
        for annotator in ("ann", "bob", "cy"):
            said = rng.choice(list(TOPICS)) if rng.random() < crew_error else topic
            how = rng.choice(list(TONES)) if rng.random() < crew_error else tone
            answers.append(("one", f"i{number}", "label", annotator, label(said, how)))
        answers.append(("one", f"i{number}", "expert", "eve", label(topic, tone)))
    # Spam has no tone: whoever gives it one has contradicted himself.
    answers.insert(0, ("one", "i0", "label", "dan", '{"topic":"spam","tone":"warm"}'))
    quoted = [",".join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in row) for row in answers]
    (data / "one.jsonl").write_text("\n".join(lines) + "\n")
    (data / "answers.csv").write_text("\n".join(["batch,item_id,purpose,annotator,label", *quoted]) + "\n")
    project = {
        "project": "mail",
        "title": "What is it about, and how is it said?",
        "owner": "team@example.org",
        "raw": {"deliveries": {"one": {"files": ["mail/one.jsonl"], "licence": "CC0-1.0"}}},
        "labeling": {
            "kind": "questions",
            "question": "Read the sentence.",
            "questions": [
                {"name": "topic", "question": "What is it about?", "classes": list(TOPICS)},
                {
                    "name": "tone", "question": "How is it said?", "classes": list(TONES),
                    "asked_if": {"topic": ["sport", "politics"]},
                },
            ],
            "overlap": {"first": 3, "most": 3},
            "answers": ["mail/answers.csv"],
            "experts": {"answers": 1, "description": "one expert"},
        },
        "release": {"error_budget": 0.05, "audit_size": 100, "max_experts_seen_share": 0.9,
            "certificate": {"max_undecided_share": 0.2}},
    }  # fmt: skip
    for section, content in changes.items():
        project[section] = {**project.get(section, {}), **content}  # type: ignore[dict-item]
    # Drawn by what the project file says: the same audit each time.
    project["release"]["certificate"] = {"nonce": "made for a test", **project["release"].get("certificate", {})}
    (folder / "projects" / "mail.yaml").write_text(yaml.safe_dump(project))
    return Deployment(folder / "projects", folder / "data", str(folder / "lake"))
