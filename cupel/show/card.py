"""The dataset card: the release's README.md, with the front matter that dataset hubs read."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import yaml

from cupel.contract.columns import TEXT
from cupel.contract.kind import Kind
from cupel.contract.ontology import Ontology
from cupel.errors import ReleaseError
from cupel.figures import bound, count, percent, plural, setting
from cupel.printable import printable
from cupel.release.data_table import data_table
from cupel.release.dataset_features import front_matter_features
from cupel.release.facts import ReleaseFacts
from cupel.release.layout import SPLITS
from cupel.release.overlaps import overlaps_in_words
from cupel.release.terms import house_rules, licence_rows
from cupel.show.contamination_views import batches_in_words, bounds_in_words
from cupel.show.language_views import language_lead, language_rows, promised_languages
from cupel.show.slice_views import MOST_SHOWN, slice_lead, slice_rows
from cupel.show.templating import environment
from cupel.show.wording import error_lines, limits, protocol, steps

# Upper ends of the size categories that dataset hubs use.
_SIZES = (
    (1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"), (100_000_000, "10M<n<100M"), (1_000_000_000, "100M<n<1B"),
)  # fmt: skip
# What Markdown or HTML would take for markup inside a line.
_MARKUP = re.compile(r"[\\`*_\[\]<>|&~#!]")


def size_category(items: int) -> str:
    """Return the size category of a data set as dataset hubs name it.

    >>> size_category(10_341), size_category(3)
    ('10K<n<100K', 'n<1K')
    """
    return next((name for most, name in _SIZES if items < most), "n>1B")


def licences(facts: ReleaseFacts) -> list[str]:
    """Return the licences of the released items, by name."""
    return sorted(facts.licences)


def count_classes(kind: Kind, ontology: Ontology, labels: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return how many labels say each class, in the ontology's order; of several parts each with its name.

    Args:
        kind: Says what a label is.
        ontology: What labels may say.
        labels: How often each label stands there; what is none is not counted.
    """
    parts, texts = kind.parts(ontology), list(labels)
    if not parts:
        known = pa.array(texts, TEXT).filter(kind.parse(pa.array(texts, TEXT), ontology).is_valid())
        named = {text: kind.classes_of(text, ontology) for text in known.to_pylist()}
        return [(name, sum(labels[text] for text in named if name in named[text])) for name in ontology.classes]
    places = kind.split(pa.array(texts, TEXT), ontology)
    counted = []
    for part, place in zip(parts, places.T, strict=True):
        votes = np.bincount(place[place >= 0], np.array(list(labels.values()))[place >= 0], len(part.classes))
        names = part.classes if len(parts) == 1 else [f"{part.name}: {name}" for name in part.classes]
        counted += list(zip(names, map(int, votes), strict=True))
    return counted


# What the column `text` holds where an item is no text.
LOCATION = "Path or address of the image, as it was delivered."


def render_card(facts: ReleaseFacts) -> str:
    """Return the card as Markdown with YAML front matter.

    Args:
        facts: The facts of a certified release.

    Raises:
        ReleaseError: The release has no certificate yet.
    """
    result, certificate = facts.result, facts.certificate
    if result is None or certificate is None:
        raise ReleaseError(f"release {facts.release}: no certificate, so no card")
    project = facts.project
    kind, ontology = project.kind, project.labeling.ontology
    table, has_images = data_table(facts), not project.modality.has_text
    return environment().get_template("card.md.j2").render(
        front_matter=yaml.safe_dump(front_matter(facts), sort_keys=False, allow_unicode=True, width=1_000),
        title=_plain(project.title),
        description=(project.release.description or project.description).strip(),
        release=facts.release,
        project=project.project,
        released=count(facts.released),
        steps=[_plain(step) for step in steps(facts)],
        protocol=_plain(protocol(facts)),
        wording=_plain(certificate["wording"]),
        bound=bound(result["error_bound"]),
        bound_with_contested=bound(result["error_bound_with_contested"]),
        budget=setting(result["error_budget"]),
        confidence=setting(result["confidence"]),
        experts_seen=percent(result["experts_seen_share"]),
        attempt=result["attempt"],
        errors=error_lines(facts),
        languages=language_rows(facts),
        overlaps=[_plain(said) for said in overlaps_in_words(facts.overlaps)],
        contamination=[_plain(said) for said in batches_in_words(facts)],
        contamination_bounds=_plain(bounds_in_words(facts) or ""),
        language_lead=language_lead(facts),
        slices=[{**row, "value": _plain(row["value"])} for row in slice_rows(facts)[:MOST_SHOWN]],
        slice_lead=slice_lead(facts),
        limits=[_plain(limit) for limit in limits(facts)],
        has_images=has_images,
        copies=project.images.released == "files",
        strips=project.images.metadata == "strip",
        columns=[
            (column.name, LOCATION if column.name == "text" and has_images else _cell(column.meaning))
            for column in table.columns
        ],
        splits=[(split, count(facts.splits.get(split, 0))) for split in SPLITS],
        labels=[(_plain(name), count(number)) for name, number in count_classes(kind, ontology, facts.labels)],
        withheld=plural(facts.withheld, "item"),
        deliveries=[_delivery(row) for batch in facts.batches for row in batch.deliveries],
        licences=[
            (_plain(row.name), count(row.items), _plain(row.terms))
            for row in licence_rows(facts.terms.licence_terms, facts.licences)
        ],
        house_rules=[_plain(rule) for rule in house_rules(facts.terms.licence_terms, facts.licences)],
        left_out=plural(facts.left_out, "item") if facts.left_out else None,
        guideline=_guideline(facts),
        citation=project.release.citation.strip(),
        owner=_plain(project.owner),
    )  # fmt: skip


def front_matter(facts: ReleaseFacts) -> dict[str, Any]:
    """Return what dataset hubs read at the head of the card."""
    known = [printable(licence.lower()) for licence in licences(facts)]
    return {
        "pretty_name": printable(facts.project.title),
        "license": known[0] if len(known) == 1 else known,
        "language": promised_languages(facts),
        "task_categories": _task_categories(facts),
        "size_categories": [size_category(facts.released)],
        "annotations_creators": ["crowdsourced", "expert-generated", "machine-generated"],
        "tags": ["cupel", "certified-labels"],
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": split, "path": f"data/{split}.parquet"} for split in SPLITS],
            }
        ],
        "dataset_info": {
            "config_name": "default",
            "features": front_matter_features(data_table(facts), facts.project.kind, facts.project.labeling.ontology),
        },
    }


def _task_categories(facts: ReleaseFacts) -> list[str]:
    """Return what dataset hubs call the task; theirs of images are named as those of texts are."""
    named = facts.project.kind.task_categories
    return list(named) if facts.project.modality.has_text else [name.replace("text-", "image-", 1) for name in named]


def _guideline(facts: ReleaseFacts) -> dict[str, str] | None:
    """Return the guideline as the card tells it: its version, the hash of its text, and the text as it stands."""
    if facts.guideline is None:
        return None
    about = facts.guideline.version
    text = printable(about.text or "").strip("\n")
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return {"version": about.version, "text_sha256": str(about.text_sha256), "text": f"{fence}text\n{text}\n{fence}"}


def _delivery(row: dict[str, Any]) -> dict[str, str]:
    return {
        "batch": _plain(row["batch"]),
        "licence": _plain(row["licence"]),
        "source_file": _code(row["source_file"]),
        "rows": count(row["rows_in"]),
    }


def _plain(text: str) -> str:
    """Return a text on one line of which Markdown makes nothing: no markup, no HTML, no cell of a table."""
    return _MARKUP.sub(r"\\\g<0>", printable(" ".join(text.split())))


def _code(text: str) -> str:
    """Return a text as code in a cell of a Markdown table, in as many backticks as it takes."""
    text = printable(" ".join(text.split())).replace("|", "\\|")
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence} {text} {fence}" if text[:1] == "`" or text[-1:] == "`" else f"{fence}{text}{fence}"


def _cell(text: str) -> str:
    """Return a meaning of ours as it keeps to its cell."""
    return " ".join(text.split()).replace("|", "\\|")
