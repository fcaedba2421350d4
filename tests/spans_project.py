"""A small project of kind spans: made-up notes in which drugs and doses are marked by a crew, and by experts."""

import csv
import io
import json
import random
from pathlib import Path
from typing import Any

import yaml

from cupel.marks.canonical_text import SPANS, write_marks
from orchestration.deployment import Deployment

DRUGS = ["aspirin", "insulin", "heparin", "codeine", "warfarin", "morphine"]
DOSES = ["10 mg", "250 mg", "5 ml", "2 tablets", "one drop"]
FILLER = ["patient", "was", "given", "daily", "with", "water", "after", "meals", "for", "pain", "and", "slept", "well"]
Mark = dict[str, Any]


def write_note(rng: random.Random) -> tuple[str, list[Mark]]:
    """Return a text and its spans: up to two drugs, each perhaps with a dose behind it."""
    text, marks = "", []
    for _ in range(rng.choice([0, 1, 1, 2])):
        text += " ".join(rng.choices(FILLER, k=3)) + " "
        for name, words in (("drug", DRUGS), ("dose", DOSES)):
            if name == "drug" or rng.random() < 0.6:
                word = rng.choice(words)
                marks.append({"class": name, "start": len(text), "end": len(text) + len(word)})
                text += word + " "
    return text + " ".join(rng.choices(FILLER, k=5)) + f" w{rng.randrange(10_000)}", marks


def err(marks: list[Mark], length: int, rng: random.Random, error: float) -> list[Mark]:
    """Return marks as somebody makes them: some are missed, some misplaced by a character or two, some invented."""
    found = []
    for mark in marks:
        if rng.random() >= error:
            shift = rng.choice([0, 0, 0, 1, -1])
            found.append({**mark, "end": min(length, max(mark["start"] + 2, mark["end"] + shift))})
    if rng.random() < error:
        start = rng.randrange(length - 8)
        found.append({"class": rng.choice(["drug", "dose"]), "start": start, "end": start + 6})
    return found


def write_project(folder: Path, items: int = 200, error: float = 0.08, seed: int = 1, **changes: Any) -> Deployment:
    """Write a project of one batch of notes, marked by a crew of three and by experts.

    Of three experts one marks what is there, one a character more, and one nothing else than the first; that is the
    same to the kind. On the last item one of the crew leaves a mark that ends before it starts, on the one
    before one that ends behind the text: no answers; a fourth stands in there.
    """
    rng, data = random.Random(seed), folder / "data" / "notes"
    data.mkdir(parents=True)
    (folder / "projects").mkdir(parents=True, exist_ok=True)
    lines, answers = [], io.StringIO()
    table = csv.writer(answers)
    table.writerow(["batch", "item_id", "purpose", "annotator", "label"])
    for number in range(items):
        item, (text, truth) = f"i{number:03d}", write_note(rng)
        lines.append(json.dumps({"id": item, "text": text}))
        for annotator in ("ann", "bob", "cy", *(["dee"] if number >= items - 2 else [])):
            said = json.dumps(err(truth, len(text), rng, error))
            if number == items - 1 and annotator == "ann":
                said = '[{"class":"drug","start":9,"end":3}]'
            if number == items - 2 and annotator == "ann":
                said = '[{"class":"drug","start":9,"end":9999}]'
            table.writerow(["one", item, "label", annotator, said])
        for expert, more in (("eve", 0), ("flo", 1), ("gus", 0)):
            marks = [{**mark, "end": min(len(text), mark["end"] + more)} for mark in truth]
            table.writerow(["one", item, "expert", expert, write_marks(marks, SPANS)])
    (data / "one.jsonl").write_text("\n".join(lines) + "\n")
    (data / "answers.csv").write_text(answers.getvalue())
    project: dict[str, Any] = {
        "project": "notes",
        "title": "Drugs and doses in notes",
        "owner": "team@example.org",
        "raw": {"deliveries": {"one": {"files": ["notes/one.jsonl"], "licence": "CC0-1.0"}}},
        "labeling": {
            "kind": "spans",
            "question": "Where is a drug named, and where a dose?",
            "classes": ["drug", "dose"],
            "least_overlap": 0.5,
            "overlap": {"first": 2, "most": 3},
            "answers": ["notes/answers.csv"],
            "experts": {"answers": 2, "description": "three experts"},
        },
        "release": {
            "error_budget": 0.15, "audit_size": 100, "max_experts_seen_share": 0.95,
            "certificate": {"max_undecided_share": 0.2},
        },
    }  # fmt: skip
    for section, content in changes.items():
        project[section] = {**project.get(section, {}), **content} if isinstance(content, dict) else content
    # Drawn by what the project file says: the same audit each time.
    project["release"]["certificate"] = {"nonce": "made for a test", **project["release"].get("certificate", {})}
    (folder / "projects" / "notes.yaml").write_text(yaml.safe_dump(project))
    return Deployment(folder / "projects", folder / "data", str(folder / "lake"))
