from pathlib import Path

import pytest
import yaml

from cupel.config.base import check_slug
from cupel.errors import ProjectError
from cupel.kinds.projects import load_project, load_projects

SMALL = {
    "project": "small",
    "title": "A small one",
    "owner": "team@example.org",
    "raw": {"deliveries": {"one": {"files": ["one.jsonl"], "licence": "CC0-1.0"}}},
    "labeling": {
        "question": "Which?",
        "classes": ["a", "b"],
        "answers": ["answers.csv"],
        "experts": {"description": "two experts"},
    },
    "release": {"error_budget": 0.05, "audit_size": 10, "max_experts_seen_share": 1.0},
}


PAIRS = {
    "raw": {"deliveries": {"one": {"files": ["a"], "licence": "MIT", "first_field": "a", "second_field": "b"}}},
    "cleaning": {"duplicate_similarity": None},
    "labeling": {**SMALL["labeling"], "kind": "preference", "classes": ["first", "second"]},
}


def write(folder: Path, **changes: object) -> Path:
    path = folder / "small.yaml"
    path.write_text(yaml.safe_dump({**SMALL, **changes}))
    return path


def test_a_project_of_only_the_required_keys_loads(tmp_path: Path) -> None:
    project = load_project(write(tmp_path))
    assert project.labeling.overlap.most == 3
    assert project.release.splits.train == 8 / 10


def test_the_projects_of_this_repository_load() -> None:
    names = [project.project for project in load_projects(Path(__file__).parents[3] / "projects")]
    assert "sentiment" in names


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"labeling": {**SMALL["labeling"], "kind": "preference"}}, "the classes of kind preference are first and"),
        (PAIRS | {"raw": SMALL["raw"]}, "raw, one: labeling.kind preference names first_field and second_field"),
        (PAIRS | {"cleaning": {}}, "cleaning.duplicate_similarity: comparisons share prompts and responses"),
        ({"raw": PAIRS["raw"]}, "raw, one: labeling.kind category names neither"),
        ({"colour": "red"}, "key colour: not known; remove it or mend its name. Allowed: project, title"),
        ({"release": {**SMALL["release"], "budget": 1}}, "key release.budget: not known in release"),
        ({"release": {**SMALL["release"], "error_budget": 1.5}}, "key release.error_budget: found 1.5"),
        ({"release": {**SMALL["release"], "error_budget": "1%"}}, "key release.error_budget: found '1%'"),
        ({"title": None}, "key title: found None"),
        ({"project": "other"}, "found 'other', expected 'small', the file's name"),
        ({"raw": {"deliveries": {"../x": SMALL["raw"]["deliveries"]["one"]}}}, "'../x' is not a slug"),
        ({"labeling": {**SMALL["labeling"], "classes": ["a", "a"]}}, "classes must differ"),
        ({"labeling": {**SMALL["labeling"], "overlap": {"first": 3, "most": 2}}}, "first must not be above most"),
    ],
)
def test_a_wrong_value_is_named_with_file_key_and_what_is_allowed(
    tmp_path: Path, change: dict[str, object], said: str
) -> None:
    path = write(tmp_path, **change)
    with pytest.raises(ProjectError) as error:
        load_project(path)
    assert str(path) in str(error.value)
    assert said in str(error.value)


def test_what_keys_have_to_do_with_each_other_is_told_without_the_rest_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, labeling={**SMALL["labeling"], "kind": "categori"})
    with pytest.raises(ProjectError) as error:
        load_project(path)
    assert str(error.value).startswith(f"{path}: labeling.kind: found 'categori'; allowed: category")


def test_every_problem_of_a_file_is_told_at_once(tmp_path: Path) -> None:
    path = write(tmp_path, colour=1, shape=2)
    with pytest.raises(ProjectError) as error:
        load_project(path)
    assert len(str(error.value).splitlines()) == 2


@pytest.mark.parametrize("content", ["a: [1", "- 1\n- 2", "\x00", ""])
def test_what_is_no_project_file_is_one_clear_error(tmp_path: Path, content: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(content)
    with pytest.raises(ProjectError, match=r"bad\.yaml"):
        load_project(path)


def test_a_missing_file_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="no such project file"):
        load_project(tmp_path / "none.yaml")


@pytest.mark.parametrize("name", ["", "a/b", "..", "A", "-a", "a b", "a'; DROP TABLE x", "é", "a" * 101])
def test_a_name_that_could_leave_its_folder_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not a slug"):
        check_slug(name)
