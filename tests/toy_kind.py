"""A label kind of the tests' own: a number on a line, where numbers within a tolerance are the same; and a project."""

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from cupel.checking.label_fusion import LabelFusion, fuse_parts
from cupel.config.labeling import Labeling
from cupel.config.project import Known
from cupel.consensus.chooser import chosen
from cupel.consensus.coding import code
from cupel.consensus.consensus import consensus
from cupel.contract.kind import ConsensusResult, Export, Kind, Labels, Light
from cupel.contract.ontology import Ontology
from cupel.kinds import KINDS, MODALITIES
from cupel.kinds.category import CATEGORY
from orchestration.deployment import Deployment
from small_project import FILLER

TOLERANCE = 1
WORDS = [
    ["ember", "lava", "toast"], ["sun", "summer", "desert"], ["spring", "meadow", "breeze"], ["rain", "mist", "fog"],
    ["autumn", "leaf", "wind"], ["winter", "frost", "hail"], ["ice", "glacier", "arctic"],
]  # fmt: skip


def parse(labels: Labels, ontology: Ontology) -> pa.Array:
    """Return numbers of the ontology in their shortest form, null where an answer is none: ` 4.0` is `4`."""

    def number(text: str | None) -> str | None:
        try:
            found = f"{float(text or ''):g}"
        except ValueError:
            return None
        return found if found in ontology.classes else None

    return pa.array([number(text) for text in labels.to_pylist()], pa.string())


def are_near(one: Labels, other: Labels, ontology: Ontology, tolerance: float = TOLERANCE) -> pa.Array:
    """Tell which numbers are near, by default at most one apart: being the same goes from no one to a third."""
    pairs = zip(one.to_pylist(), other.to_pylist(), strict=True)
    is_near = [None not in pair and abs(float(pair[0]) - float(pair[1])) <= tolerance for pair in pairs]
    return pa.array(is_near, pa.bool_())


def number_consensus(
    annotations: pa.Table, items: pa.Table, labeling: Labeling, light: Light, method: str | None = None
) -> ConsensusResult:
    """Return what annotators say together, as of a category."""
    choice = chosen(method or labeling.consensus, code(annotations, items["item_id"], labeling.classes))
    table = consensus(annotations, items["item_id"], labeling.classes, choice.method)
    return ConsensusResult({"consensus": table}, choice.why)


def fuse(
    consensus: pa.Table, predictions: pa.Table, ontology: Ontology, verdicts: Mapping[str, str] | None
) -> LabelFusion:
    """Return what people and checker believe together."""
    split, join = NUMBER.split, NUMBER.join
    return fuse_parts(
        consensus, predictions, NUMBER.parts(ontology), lambda labels: split(labels, ontology),
        lambda places: join(places, ontology), verdicts,
    )  # fmt: skip


def write_number(row: Mapping[str, Any], ontology: Ontology) -> Any:
    """Yield a line of a release with its label as a number."""
    yield {"text": row["text"], "number": float(row["label"])}


NUMBER: Kind = CATEGORY._replace(
    name="number",
    summary="a number on a line",
    parse=parse,
    is_same=are_near,
    consensus=number_consensus,
    fuse=fuse,
    vocabulary=lambda labels, ontology: ontology.classes,
    exports={"numbers": Export("JSON Lines of text and number", write_number)},
)
TOY = Known((*KINDS, NUMBER), MODALITIES)


def write_project(folder: Path, items: int = 200, seed: int = 1, **changes: Any) -> Deployment:
    """Write a project of numbers 0 to 6, answered by a crew that is often one off and sometimes far off, and experts.

    Of three experts two say what is true and one is one too high, in another way of writing it: right to the kind,
    wrong to whoever compares texts; where that one differs from the proposed label too, the third decides.
    """
    rng, data = random.Random(seed), folder / "data" / "line"
    data.mkdir(parents=True)
    (folder / "projects").mkdir(parents=True, exist_ok=True)
    lines, answers, gold = [], ["batch,item_id,purpose,annotator,label"], ["batch,item_id,label"]
    for number in range(items):
        truth = rng.randrange(len(WORDS))
        words = [rng.choice(WORDS[truth]) for _ in range(2)] + rng.sample(FILLER, 8)
        words += [f"w{rng.randrange(10_000)}" for _ in range(4)]
        rng.shuffle(words)
        lines.append(json.dumps({"id": f"i{number}", "text": " ".join(words)}))
        for annotator in ("ann", "bob", "cy"):
            said = rng.randrange(len(WORDS)) if rng.random() < 0.12 else truth + rng.choice([0, 0, 0, 1, -1])
            if number % 40 == 0:  # all of them are far off
                said = (truth + 3) % len(WORDS)
            answers.append(f"one,i{number},label,{annotator},{min(max(said, 0), len(WORDS) - 1)}")
        answers.append(f"one,i{number},expert,eve,{truth}")
        answers.append(f"one,i{number},expert,flo, {min(truth + 1, len(WORDS) - 1)}.0")
        answers.append(f"one,i{number},expert,gus,{truth}")
        if number % 3 == 0:
            gold.append(f"one,i{number}, {truth}.0")
    (data / "one.jsonl").write_text("\n".join(lines) + "\n")
    (data / "answers.csv").write_text("\n".join(answers) + "\n")
    (data / "gold.csv").write_text("\n".join(gold) + "\n")
    project = {
        "project": "line",
        "title": "How cold?",
        "owner": "team@example.org",
        "raw": {"deliveries": {"one": {"files": ["line/one.jsonl"], "licence": "CC0-1.0"}}},
        "labeling": {
            "kind": "number",
            "question": "How cold, from 0 to 6?",
            "classes": [str(number) for number in range(len(WORDS))],
            "overlap": {"first": 3, "most": 3},
            "answers": ["line/answers.csv"],
            "experts": {"answers": 2, "description": "three experts"},
            "gold": "line/gold.csv",
        },
        "release": {
            "error_budget": 0.15, "audit_size": 100, "max_experts_seen_share": 0.95,
            "certificate": {"planted_errors": 20, "max_undecided_share": 0.2},
        },
    }  # fmt: skip
    for section, content in changes.items():
        project[section] = {**project.get(section, {}), **content} if isinstance(content, dict) else content  # type: ignore[dict-item]
    # Drawn by what the project file says: the same audit each time.
    project["release"]["certificate"] = {"nonce": "made for a test", **project["release"].get("certificate", {})}
    (folder / "projects" / "line.yaml").write_text(yaml.safe_dump(project))
    return Deployment(folder / "projects", folder / "data", str(folder / "lake"), known=TOY)
