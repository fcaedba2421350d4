"""The section `images`, and what a project of images may not ask for."""

from typing import Any

import pytest
from pydantic import ValidationError

from cupel.config.images import Images
from cupel.kinds.projects import make_project

PROJECT: dict[str, Any] = {
    "project": "views",
    "title": "Views",
    "owner": "team@example.org",
    "raw": {"modality": "image", "deliveries": {"one": {"files": ["*.jpg"], "licence": "CC0-1.0"}}},
    "labeling": {
        "question": "Warm?", "classes": ["warm", "cold"], "answers": ["a.csv"],
        "experts": {"answers": 1, "description": "one expert"},
    },
    "release": {"error_budget": 0.05, "audit_size": 100, "max_experts_seen_share": 0.5},
}  # fmt: skip


def test_an_image_project_needs_no_section_of_its_own() -> None:
    project = make_project(PROJECT)
    assert project.modality.name == "image"
    assert project.images == Images()


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"checking": {"checker": "embedding"}}, "checking.checker: embedding reads texts"),
        (
            {"checking": {"checker": "llm", "llm": {"url": "http://localhost:1/v1", "model": "m"}}},
            "checking.checker: llm reads texts",
        ),
        ({"cleaning": {"contamination": {"what": "spam"}}}, "contamination and overlap look at texts"),
        ({"cleaning": {"overlap": [{"name": "sums", "path": "s.jsonl"}]}}, "contamination and overlap look at texts"),
        ({"images": {"group_bits": 3}}, "group_bits must not be below duplicate_bits"),
        ({"images": {"released": "references", "metadata": "strip"}}, "is stripped of copies only"),
        ({"images": {"hosts": ["https://x.org/"]}}, "images.hosts.0"),
        ({"images": {"max_pixels": 10**12}}, "images.max_pixels"),
    ],
)
def test_what_does_not_go_with_images_is_refused(section: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        make_project(PROJECT | section)
    assert said in str(caught.value)


def test_a_comparison_is_no_image() -> None:
    delivery = {"files": ["a.jsonl"], "licence": "CC0-1.0", "first_field": "a", "second_field": "b"}
    with pytest.raises(ValidationError, match="names neither first_field nor second_field"):
        make_project(PROJECT | {"raw": {"modality": "image", "deliveries": {"one": delivery}}})
