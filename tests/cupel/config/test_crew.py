from pathlib import Path
from typing import Any

import pytest
import yaml

from cupel.errors import ProjectError
from cupel.kinds.projects import load_project
from small_project import write_project

GPT = {"name": "gpt", "version": "1"}


def load(folder: Path, **changes: Any) -> Any:
    write_project(folder, items=1, **changes)
    return load_project(folder / "projects" / "small.yaml")


def test_a_project_has_no_models_unless_it_names_them(tmp_path: Path) -> None:
    labeling = load(tmp_path).labeling
    assert labeling.models == ()
    assert labeling.pre_labels is None


@pytest.mark.parametrize(
    ("labeling", "said"),
    [
        ({"models": [{"name": "gpt"}]}, r"key labeling.models.0.version: missing"),
        ({"models": [GPT, GPT | {"version": "2"}]}, r"'gpt' stands twice, as version '1' and '2'"),
        ({"models": [GPT], "vendors": {"firm": ["gpt"]}}, r"'gpt' is a person of the project"),
        ({"models": [GPT | {"price": -1}]}, r"key labeling.models.0.price"),
        ({"pre_labels": "gpt"}, r"pre_labels: found 'gpt'; one of checker"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_to_do(tmp_path: Path, labeling: dict[str, Any], said: str) -> None:
    with pytest.raises(ProjectError, match=said):
        load(tmp_path, labeling=labeling)


def test_rounds_of_experts_and_models_are_not_had_together(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"checking.rounds.*remove it, or models"):
        load(tmp_path, labeling={"models": [GPT]}, checking={"rounds": True})


def live(folder: Path, labeling: dict[str, Any], **changes: Any) -> Any:
    path = folder / "projects" / "small.yaml"
    write_project(folder, items=1, labeling=labeling)
    content = yaml.safe_load(path.read_text())
    content["labeling"] |= {"workforce": "label_studio"}
    content["label_studio"] = {
        "url": "http://localhost:1", "annotators": {"ann": "ann@example.org"}, "experts": {"eve": "eve@example.org"},
    } | changes  # fmt: skip
    path.write_text(yaml.safe_dump(content))
    return load_project(path)


def test_a_model_named_like_a_person_in_label_studio_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"'eve' is a person of the project"):
        live(tmp_path, {"models": [GPT | {"name": "eve"}]})


def test_every_task_may_show_an_opinion_but_beside_hidden_gold(tmp_path: Path) -> None:
    assert live(tmp_path / "a", {}, prediction_share=1).label_studio.prediction_share == 1
    with pytest.raises(ProjectError, match=r"prediction_share: at 1, a task without an opinion is hidden gold"):
        live(tmp_path / "b", {"gold": "gold.csv"}, prediction_share=1)
