"""A small project of kind preference: made-up answers to prompts, better the more good words they hold."""

import json
import random
from itertools import combinations
from pathlib import Path
from typing import Any

import yaml

from orchestration.deployment import Deployment

GOOD = ["clear", "kind", "true", "short", "warm", "calm", "fair", "wise"]
BAD = ["vague", "rude", "false", "endless", "cold", "loud", "odd", "dull"]
FILLER = ["the", "of", "and", "a", "was", "near", "under", "over", "with", "some", "many", "few", "old", "new"]


def response(goodness: int, rng: random.Random) -> str:
    """Return a text with as many good words, of eight, as its goodness says."""
    words = [rng.choice(GOOD if place < goodness else BAD) for place in range(8)]
    words += [*rng.choices(FILLER, k=6), f"w{rng.randrange(100_000)}"]
    rng.shuffle(words)
    return " ".join(words)


def verdict(first: int, second: int) -> str:
    return "tie" if abs(first - second) < 1 else "first" if first > second else "second"


def write_project(folder: Path, prompts: int = 60, responses: int = 4, seed: int = 1, **changes: Any) -> Deployment:
    """Write a project of one batch, all pairs of each prompt's responses, answered by a crew that errs and an expert.

    The crew of three errs on one in ten, and one of them prefers what stands first more often than is right.
    """
    rng = random.Random(seed)
    data = folder / "data" / "pairs"
    data.mkdir(parents=True)
    (folder / "projects").mkdir(parents=True, exist_ok=True)
    lines, answers = [], ["batch,item_id,purpose,annotator,label"]
    for prompt in range(prompts):
        texts = [(goodness := rng.randrange(9), response(goodness, rng)) for _ in range(responses)]
        for pair in combinations(texts, 2):
            (first, said_first), (second, said_second) = rng.sample(pair, 2)
            item, truth = f"i{len(lines)}", verdict(first, second)
            row = {"id": item, "prompt": f"Tell me about w{prompt}.", "a": said_first, "b": said_second}
            lines.append(json.dumps(row))
            for annotator, error in (("ann", 0.1), ("bob", 0.1), ("cy", 0.15)):
                wrong = "first" if annotator == "cy" else rng.choice(["first", "second", "tie"])
                said = wrong if rng.random() < error else truth
                answers.append(f"one,{item},label,{annotator},{said}")
            answers.append(f"one,{item},expert,eve,{truth}")
    (data / "one.jsonl").write_text("\n".join(lines) + "\n")
    (data / "answers.csv").write_text("\n".join(answers) + "\n")
    delivery = {
        "files": ["pairs/one.jsonl"], "licence": "CC0-1.0", "prompt_field": "prompt", "first_field": "a",
        "second_field": "b",
    }  # fmt: skip
    project = {
        "project": "pairs",
        "title": "Which answer is better?",
        "owner": "team@example.org",
        "raw": {"deliveries": {"one": delivery}},
        "cleaning": {"duplicate_similarity": None},
        "labeling": {
            "kind": "preference",
            "question": "Which answer is better?",
            "classes": ["first", "second", "tie"],
            "overlap": {"first": 2, "most": 3},
            "answers": ["pairs/answers.csv"],
            "experts": {"answers": 1, "description": "one expert"},
        },
        "release": {
            "error_budget": 0.05,
            "audit_size": 120,
            "max_experts_seen_share": 0.95,
            "certificate": {"max_undecided_share": 0.2},
        },
    }
    for section, content in changes.items():
        project[section] = {**project.get(section, {}), **content} if isinstance(content, dict) else content
    # Drawn by what the project file says: the same audit each time.
    project["release"]["certificate"] = {"nonce": "made for a test", **project["release"].get("certificate", {})}
    (folder / "projects" / "pairs.yaml").write_text(yaml.safe_dump(project))
    return Deployment(folder / "projects", folder / "data", str(folder / "lake"))
