"""The layout of a release's folder: which files it holds, their columns, and how they are hashed."""

import hashlib
import json
import re
from collections.abc import Collection, Container
from typing import Any

from cupel.contract.table import Table
from cupel.contract.tables.contamination import CONTAMINATION_ANSWERS, CONTAMINATION_ITEMS, CONTAMINATION_PLAN
from cupel.contract.tables.gates import GATE_RESULTS
from cupel.contract.tables.release import (
    ADJUDICATIONS,
    AUDIT,
    CUTS,
    EXPERT_ANSWERS,
    LEFT_OUT_ITEMS,
    PLANTED_ITEMS,
    PLANTED_VERDICTS,
    RELEASE_IMAGES,
    RELEASE_ITEMS,
    RELEASE_OVERLAPS,
    SLICE_BOUNDS,
    TRAINING_SET,
    WITHHELD_ITEMS,
)
from cupel.store.store import Store

SPLITS = ("train", "validation", "test")
MANIFEST_FILE = "manifest.json"
CERTIFICATE_FILE = "certificate.json"
# Manifests name a dozen files, certificates each stratum and round: more is no release's.
MOST_JSON_BYTES = 1 << 26
CARD_FILE = "README.md"
CROISSANT_FILE = "croissant.json"
REPORT_FILE = "report.html"
# Added later, because it holds seconds: the hash does not cover it.
RUN_FILE = "run.json"
NOT_COVERED = (RUN_FILE,)
# It shows names of annotators, and nothing rests on it: a copy for others may be without it, and still verifies.
MAY_BE_LEFT_OUT = (REPORT_FILE,)
# Added later, too, by whoever signs the release: files named after keys, and nothing else.
SIGNATURES_FOLDER = "signatures"
_SIGNATURE = re.compile(rf"{SIGNATURES_FOLDER}/[0-9a-f]{{64}}\.dsse\.json")
# Of certificate.json, the draw of what another expert judged again, where adjudicators are audited.
SECOND_DRAW = "second_draw"
# The draws that a witness gave the number of, by part: receipts, and the freezes that they are of.
WITNESSED = "witnessed_draws"

# Texts are in the training set only: what was withheld stays withheld. The folded hash is for the lake alone.
_LEFT_IN_THE_LAKE = ("text", "text_sha256")
FROZEN_ITEMS = RELEASE_ITEMS._replace(
    columns=tuple(column for column in RELEASE_ITEMS.columns if column.name not in _LEFT_IN_THE_LAKE)
)
# Checks of several stages and batches lie in one file, so a check's name alone is no key.
JUDGED = GATE_RESULTS._replace(key=("partition", "stage", "check"))

DATA_FILES: dict[str, Table] = {f"data/{split}.parquet": TRAINING_SET for split in SPLITS}
WITHHELD_FILE = "withheld.parquet"
EVIDENCE_FILES: dict[str, Table] = {
    "evidence/release_items.parquet": FROZEN_ITEMS,
    "evidence/audit.parquet": AUDIT,
    "evidence/adjudications.parquet": ADJUDICATIONS,
    "evidence/cuts.parquet": CUTS,
    "evidence/gate_results.parquet": JUDGED,
}
# There where items of known label were planted in the audit.
PLANTED_FILES: dict[str, Table] = {
    "evidence/planted_items.parquet": PLANTED_ITEMS,
    "evidence/planted_verdicts.parquet": PLANTED_VERDICTS,
}
TABLE_FILES: dict[str, Table] = {**DATA_FILES, WITHHELD_FILE: WITHHELD_ITEMS, **EVIDENCE_FILES}
# What the bounds of unwanted items rest on, where a project declares any: rows of all deliveries, by delivery.
CONTAMINATION_FILES: dict[str, Table] = {
    f"evidence/{table.name}.parquet": table._replace(key=("batch", *(name for name in table.key if name != "batch")))
    for table in (CONTAMINATION_PLAN, CONTAMINATION_ITEMS, CONTAMINATION_ANSWERS)
}
# There where the project names licences.
LEFT_OUT_FILE = "evidence/left_out_items.parquet"
# There where it names evaluation sets.
OVERLAPS_FILE = "evidence/release_overlaps.parquet"
# There where classes and slices are bounded.
SLICE_BOUNDS_FILE = "evidence/slice_bounds.parquet"
# There where the plan names a label kind: what experts answered, without who did.
ANSWERS_FILE = "evidence/expert_answers.parquet"
NAMELESS_ANSWERS = EXPERT_ANSWERS._replace(columns=tuple(c for c in EXPERT_ANSWERS.columns if c.name != "annotator"))
# There where items are images; their copies, where the project wants them, are named by their hash.
IMAGES_FILE, IMAGES_FOLDER = "data/images.parquet", "images"
IMAGE_ENDINGS = {
    "JPEG": ".jpg", "PNG": ".png", "GIF": ".gif", "WEBP": ".webp", "BMP": ".bmp", "TIFF": ".tif", "AVIF": ".avif",
}  # fmt: skip
_IMAGE_COPY = re.compile(rf"{IMAGES_FOLDER}/[0-9a-f]{{64}}({'|'.join(map(re.escape, IMAGE_ENDINGS.values()))})")
OPTIONAL_FILES = {
    **PLANTED_FILES, ANSWERS_FILE: NAMELESS_ANSWERS, **CONTAMINATION_FILES, LEFT_OUT_FILE: LEFT_OUT_ITEMS,
    OVERLAPS_FILE: RELEASE_OVERLAPS, IMAGES_FILE: RELEASE_IMAGES,
    SLICE_BOUNDS_FILE: SLICE_BOUNDS,
}  # fmt: skip
# The text that people labelled by, where the project's guideline has versions; no table.
GUIDELINE_FILE = "guideline.md"
COVERED = (*TABLE_FILES, CERTIFICATE_FILE, CROISSANT_FILE, CARD_FILE, REPORT_FILE)


def table_files(named: Container[str] = ()) -> dict[str, Table]:
    """Return the tables of a release's folder by their path, those that may be there only if they are named."""
    return {**TABLE_FILES, **{name: table for name, table in OPTIONAL_FILES.items() if name in named}}


def covered(named: Collection[str]) -> tuple[str, ...]:
    """Return the files that a release's hash covers; of those that may be there, what is named."""
    copies = (name for name in named if IMAGES_FILE in named and is_image_copy(name))
    return (*COVERED, *(name for name in (*OPTIONAL_FILES, GUIDELINE_FILE) if name in named), *sorted(copies))


def is_image_copy(name: str) -> bool:
    """Tell whether a file of a release's folder is called as the copy of an image is."""
    return bool(_IMAGE_COPY.fullmatch(name))


def is_signature(name: str) -> bool:
    """Tell whether a file of a release's folder is called as a signature is."""
    return bool(_SIGNATURE.fullmatch(name))


def json_bytes(content: Any) -> bytes:
    """Return JSON with sorted keys and one final line feed: equal content, equal bytes.

    Raises:
        ValueError: The content holds NaN or an infinity, which JSON does not know.
    """
    return (json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode()


def release_sha256(manifest: dict[str, Any]) -> str:
    """Return the hash that stands for the whole release: of all that its manifest says but the hash itself."""
    rest = {key: value for key, value in manifest.items() if key != "release_sha256"}
    return hashlib.sha256(json_bytes(rest)).hexdigest()


def is_written(store: Store, folder: str) -> bool:
    """Tell whether there is a release in a folder: one that has no manifest was only begun."""
    return store.stat(f"{folder}/{MANIFEST_FILE}") is not None
