"""The modalities: what an item is, a text, a comparison of two, or an image."""

from collections.abc import Iterator, Mapping

from cupel.checking import learned_images, linear
from cupel.config.project import Project
from cupel.config.raw import Inbox
from cupel.contract.modality import Modality, View
from cupel.kinds.preference import differences
from cupel.modalities.comparison import from_text
from cupel.sources.comparison_rows import read_comparison
from cupel.sources.items import read_text_field


def check_texts(project: Project) -> Iterator[str]:
    """Yield deliveries of which two responses are read, where an item is a text."""
    for name, delivery in deliveries(project):
        if delivery.first_field is not None:
            yield f"raw, {name}: labeling.kind {project.labeling.kind} names neither first_field nor second_field"


def check_comparisons(project: Project) -> Iterator[str]:
    """Yield deliveries of which no two responses are read, where an item is a comparison."""
    for name, delivery in deliveries(project):
        if delivery.first_field is None:
            yield f"raw, {name}: labeling.kind {project.labeling.kind} names first_field and second_field"


def check_images(project: Project) -> Iterator[str]:
    """Yield what asks for a text, where an item is an image."""
    for name, delivery in deliveries(project):
        if delivery.first_field is not None:
            yield f"raw, {name}: raw.modality image names neither first_field nor second_field"
    if project.checking.checker not in ("linear", "predictions"):
        yield (
            f"checking.checker: {project.checking.checker} reads texts, and items are images; choose linear, or "
            "predictions of a model of your own"
        )
    if project.cleaning.contamination is not None or project.cleaning.overlap:
        yield "cleaning: contamination and overlap look at texts, and items are images; leave them out"
    if project.labeling.models:
        yield "labeling.models: models of the crew answer texts, and items are images; leave them out"


def deliveries(project: Project) -> Iterator[tuple[str, Inbox]]:
    """Yield what says how a delivery is read, with its name."""
    yield from project.raw.deliveries.items()
    if project.raw.inbox is not None:
        yield "inbox", project.raw.inbox


def text_fields(content: str) -> Mapping[str, str]:
    """Return what is shown of a text."""
    return {"text": content}


def image_fields(content: str) -> Mapping[str, str]:
    """Return what is shown of an image: where it lies, a path or an address."""
    return {"image": content}


def comparison_fields(content: str) -> Mapping[str, str]:
    """Return what is shown of a comparison: prompt and responses."""
    return from_text(content)._asdict()


TEXT = Modality(
    name="text",
    check=check_texts,
    read_row=read_text_field,
    views=(View("Text", "text"),),
    about="text",
    fields=text_fields,
    learn=linear.learn,
)
COMPARISON = Modality(
    name="comparison",
    check=check_comparisons,
    read_row=read_comparison,
    views=(
        View("Text", "prompt"), View("Header", "first"), View("Text", "first"), View("Header", "second"),
        View("Text", "second"),
    ),
    about="first",
    fields=comparison_fields,
    learn=differences.learn,
)  # fmt: skip
IMAGE = Modality(
    name="image",
    check=check_images,
    read_row=read_text_field,
    views=(View("Image", "image"),),
    about="image",
    fields=image_fields,
    learn=learned_images.learn,
    has_text=False,
    endings=(".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".avif"),
)
