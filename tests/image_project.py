"""A small project of images for tests of the whole chain: warm and cold pictures, a crew of three, an expert."""

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from PIL import Image

from orchestration.deployment import Deployment
from pictures import encoded, personal_exif

CLASSES = ("warm", "cold")


def colours(label: str, seed: int) -> Image.Image:
    """Return a picture of warm or cold colours, another one for each seed."""
    random_ = np.random.default_rng([seed, CLASSES.index(label)])
    low = random_.integers(0, 150, (5, 6, 3), dtype=np.uint8)
    low[..., 0 if label == "warm" else 2] += 100
    return Image.fromarray(low).resize((60, 48), Image.Resampling.BICUBIC)


def bad_images(folder: Path) -> dict[str, bytes]:
    """Return images, by name, that cleaning rejects; two of them resemble others in a folder."""
    whole = encoded(colours("warm", 9_999), "JPEG")
    larger = colours("cold", 9_998).resize((240, 192), Image.Resampling.BICUBIC)
    return {
        "y-larger.png": encoded(larger),
        "z-copy.png": (folder / "0001.png").read_bytes(),
        "z-cut.jpg": whole[: len(whole) // 2],
        "z-empty.png": b"",
        "z-near.jpg": encoded(larger.resize((120, 96), Image.Resampling.BICUBIC), "JPEG", quality=60),
        "z-text.png": b"This is no picture.",
        "z-tiny.png": encoded(colours("warm", 9_997).resize((12, 12))),
        "z-uniform.png": encoded(Image.new("RGB", (64, 64), "white")),
    }


def write_project(
    folder: Path, name: str = "views", items: int = 240, crew_error: float = 0.1, as_table: bool = False, **changes: Any
) -> Deployment:
    """Write a project of one batch with its images and recorded answers; return its deployment.

    Args:
        folder: Where projects, data and lake are.
        name: Name of the project.
        items: How many images.
        crew_error: How often an annotator errs.
        as_table: Name the images in a table; else the folder of images is the delivery.
        **changes: Sections of the project file, and what is other in them.
    """
    rng = random.Random(7)
    data = folder / "data" / name
    (data / "img").mkdir(parents=True)
    (folder / "projects").mkdir(parents=True, exist_ok=True)
    rows, answers = [], ["batch,item_id,purpose,annotator,label"]
    for number in range(items):
        truth = rng.choice(CLASSES)
        ending = ".JPG" if number % 3 == 0 else ".png"
        path = f"{name}/img/{number:04}{ending}"
        options: dict[str, Any] = {"exif": personal_exif()} if number % 3 == 0 else {}
        content = encoded(colours(truth, number), "JPEG" if number % 3 == 0 else "PNG", **options)
        (folder / "data" / path).write_bytes(content)
        item_id = f"i{number}" if as_table else path
        rows.append({"id": item_id, "image": path})
        for annotator in ("ann", "bob", "cy"):
            said = rng.choice(CLASSES) if rng.random() < 2 * crew_error else truth
            answers.append(f"one,{item_id},label,{annotator},{said}")
        answers.append(f"one,{item_id},expert,eve,{truth}")
    for bad, content in bad_images(folder / "data" / name / "img").items():
        (folder / "data" / name / "img" / bad).write_bytes(content)
        rows.append({"id": bad, "image": f"{name}/img/{bad}"})
        item_id = bad if as_table else f"{name}/img/{bad}"
        answers += [f"one,{item_id},label,{annotator},cold" for annotator in ("ann", "bob", "cy")]
        answers.append(f"one,{item_id},expert,eve,cold")
    (data / "one.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (data / "answers.csv").write_text("\n".join(answers) + "\n")
    files = {"files": [f"{name}/one.jsonl"], "text_field": "image"} if as_table else {"files": [f"{name}/img/*"]}
    project = {
        "project": name,
        "title": "Warm or cold",
        "owner": "team@example.org",
        "raw": {"modality": "image", "deliveries": {"one": {**files, "licence": "CC0-1.0"}}},
        "labeling": {
            "question": "Warm or cold?",
            "classes": list(CLASSES),
            "overlap": {"first": 2, "most": 3},
            "answers": [f"{name}/answers.csv"],
            "experts": {"answers": 1, "description": "one expert"},
        },
        "release": {
            "error_budget": 0.05,
            "audit_size": 100,
            "max_experts_seen_share": 0.9,
            "certificate": {"max_undecided_share": 0.2},
        },
    }
    for section, content in changes.items():
        project[section] = {**project.get(section, {}), **content} if isinstance(content, dict) else content
    # Drawn by what the project file says: the same audit each time.
    project["release"]["certificate"] = {"nonce": "made for a test", **project["release"].get("certificate", {})}
    (folder / "projects" / f"{name}.yaml").write_text(yaml.safe_dump(project))
    return Deployment(folder / "projects", folder / "data", str(folder / "lake"))
