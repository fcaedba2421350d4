import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from cupel.config.project import load_projects
from cupel.step import PACKAGES
from orchestration.deployment import REPOSITORY, Deployment
from orchestration.touched import (
    EVERYTHING,
    STAGES,
    SinceError,
    Touch,
    stages_of_code,
    stages_of_sections,
    touched,
    touched_stages,
)
from small_project import write_project

FROM = {stage: set(STAGES[place:]) for place, stage in enumerate(STAGES)}


class Repository:
    """A git repository that holds projects, deliveries and Cupel's code."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.deployment = write_project(folder, "small", items=2)
        write_project(folder, "other", items=2)
        (folder / "code" / "cupel").mkdir(parents=True)
        self.git("init", "-q", "-b", "main")
        self.commit()

    def git(self, *words: str) -> None:
        names = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        subprocess.run(["git", "-C", str(self.folder), *names, *words], check=True, capture_output=True)

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "a change")

    def touched(self, since: str = "main") -> list[Touch]:
        projects = load_projects(self.deployment.projects)
        return touched(projects, self.deployment, since, self.folder / "code")

    def change(self, project: str, **sections: Any) -> None:
        path = self.deployment.projects / f"{project}.yaml"
        path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | sections))


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def test_a_section_touches_the_stages_of_its_project_and_those_after(repository: Repository) -> None:
    assert repository.touched() == []
    repository.change("small", checking={"seed": 8})
    touches = repository.touched()
    assert [(touch.path, touch.project, touch.why) for touch in touches] == [
        ("projects/small.yaml", "small", "section checking")
    ]
    assert touched_stages(touches, "small") == FROM["checking"]
    assert touched_stages(touches, "other") == set()


def test_only_what_came_after_the_branches_parted_counts(repository: Repository) -> None:
    repository.git("checkout", "-q", "-b", "feature")
    repository.change("small", prices={"currency": "EUR"})
    repository.commit()
    repository.git("checkout", "-q", "main")
    repository.change("other", cleaning={"min_words": 5})
    repository.commit()
    repository.git("checkout", "-q", "feature")
    assert [touch.path for touch in repository.touched()] == ["projects/small.yaml"]
    assert touched_stages(repository.touched(), "small") == {"release"}


def test_a_new_project_is_touched_whole_before_it_is_committed_too(repository: Repository) -> None:
    write_project(repository.folder, "young", items=2)
    touches = repository.touched()
    assert touched_stages(touches, "young") == EVERYTHING
    assert touched_stages(touches, "small") == set()


def test_a_project_that_could_not_be_read_before_is_touched_whole(repository: Repository) -> None:
    path = repository.deployment.projects / "small.yaml"
    good = path.read_text()
    path.write_text("[")
    repository.commit()
    path.write_text(good)
    assert touched_stages(repository.touched(), "small") == EVERYTHING


def test_comments_and_layout_touch_nothing_and_neither_does_a_project_that_went(repository: Repository) -> None:
    path = repository.deployment.projects / "small.yaml"
    path.write_text("# a comment\n" + path.read_text())
    (repository.deployment.projects / "other.yaml").unlink()
    touches = repository.touched()
    assert [touch.stages for touch in touches] == [set(), set()]
    assert "comments" in touches[1].why


def test_files_of_a_delivery_and_of_answers_touch_the_project_that_names_them(repository: Repository) -> None:
    data = repository.deployment.data
    (data / "other" / "answers.csv").write_text("batch,item_id,purpose,annotator,label\n")
    (data / "nobody.csv").write_text("")
    assert touched_stages(repository.touched(), "other") == FROM["labeling"]
    (data / "other" / "one.jsonl").write_text("")
    assert touched_stages(repository.touched(), "other") == EVERYTHING
    assert touched_stages(repository.touched(), "small") == set()


def test_predictions_of_a_teams_own_model_touch_the_checking(repository: Repository) -> None:
    repository.change("other", checking={"checker": "predictions", "predictions": {"file": "other/model.csv"}})
    repository.commit()
    repository.git("checkout", "-q", "-b", "newer")
    (repository.deployment.data / "other" / "model.csv").write_text("item_id,label\n")
    assert touched_stages(repository.touched(), "other") == FROM["checking"]
    assert touched_stages(repository.touched(), "small") == set()


def test_code_touches_every_project_and_files_beside_it_none(repository: Repository) -> None:
    (repository.folder / "code" / "cupel" / "lake.py").write_text("")
    (repository.folder / "odd name\n.txt").write_text("")
    touches = repository.touched()
    assert {touch.path for touch in touches} == {"code/cupel/lake.py", "odd name\n.txt"}
    assert touched_stages(touches, "small") == touched_stages(touches, "other") == EVERYTHING


@pytest.mark.parametrize("ref", ["nowhere", "--output=/tmp/x", ""])
def test_a_commit_that_is_not_there_is_one_clear_error(repository: Repository, ref: str) -> None:
    with pytest.raises(SinceError, match="git knows no such commit"):
        repository.touched(ref)


def test_a_branch_without_a_common_commit_is_one_clear_error(repository: Repository) -> None:
    repository.git("checkout", "-q", "--orphan", "alone")
    repository.git("commit", "-q", "-m", "a beginning of its own")
    with pytest.raises(SinceError, match="no commit in common"):
        repository.touched("main")


def test_a_folder_without_git_is_one_clear_error(tmp_path: Path) -> None:
    deployment: Deployment = write_project(tmp_path, "small", items=2)
    with pytest.raises(SinceError, match="rev-parse"):
        touched(load_projects(deployment.projects), deployment, "main")


@pytest.mark.parametrize(
    ("path", "stages"),
    [
        ("cupel/sources/files.py", EVERYTHING),
        ("cupel/cleaning/privacy.py", FROM["cleaning"]),
        ("cupel/consensus/consensus.py", FROM["labeling"]),
        ("cupel/checking/linear.py", FROM["checking"]),
        ("cupel/certificate/hypergeometric.py", FROM["release"]),
        ("cupel/accept/plan.py", set()),
        ("cupel/tables.py", EVERYTHING),
        ("cupel/young/thing.py", EVERYTHING),
        ("assets/labeling.py", FROM["labeling"]),
        ("assets/contamination.py", FROM["cleaning"]),
        ("expectations/contamination.py", {"cleaning"}),
        ("assets/bench.py", EVERYTHING),
        ("expectations/labeling.py", {"labeling"}),
        ("expectations/gold.py", {"labeling"}),
        ("expectations/release.py", {"release"}),
        ("expectations/thresholds.py", EVERYTHING),
        ("expectations/judge.py", EVERYTHING),
        ("orchestration/gates.py", EVERYTHING),
        ("requirements.lock", EVERYTHING),
        ("requirements-dev.lock", set()),
        ("docs/tutorial.md", set()),
        ("tests/small_project.py", set()),
        ("benchmarks/chain.py", set()),
        ("README.md", set()),
        ("never_seen.toml", EVERYTHING),
    ],
)
def test_each_part_of_the_code_touches_what_is_made_of_it(path: str, stages: set[str]) -> None:
    assert stages_of_code(path)[0] == stages


def test_every_package_that_decides_a_stage_touches_it() -> None:
    for stage in set(STAGES) - {"contamination"}:
        for package in PACKAGES[stage]:
            assert stage in stages_of_code(f"cupel/{package}/module.py")[0]


@pytest.mark.parametrize("package", PACKAGES["contamination"])
def test_code_of_contamination_touches_the_cleaning_of_projects_that_declare_it(
    repository: Repository, package: str
) -> None:
    repository.change("other", cleaning={"contamination": {"what": "spam"}})
    repository.commit()
    module = repository.folder / "code" / "cupel" / package / "young.py"
    module.parent.mkdir(parents=True, exist_ok=True)
    module.write_text("")
    assert touched_stages(repository.touched(), "other") == FROM["cleaning"]
    assert ("cleaning" in touched_stages(repository.touched(), "small")) == (package == "cleaning")


def test_every_module_of_the_expectations_touches_a_gate() -> None:
    for path in (REPOSITORY / "expectations").glob("*.py"):
        if path.name != "reference.py":
            assert stages_of_code(f"expectations/{path.name}")[0], path


@pytest.mark.parametrize(
    ("section", "before", "now", "stages"),
    [
        ("title", "a", "b", set()),
        ("owner", "a", "b", set()),
        ("raw", {}, {"inbox": None}, EVERYTHING),
        ("cleaning", None, {"min_words": 3}, FROM["cleaning"]),
        ("labeling", {"question": "a"}, {"question": "b"}, FROM["labeling"]),
        ("prices", {}, {"currency": "EUR"}, {"release"}),
        ("thresholds", {}, {"kept_share": {"value": 0.1}}, {"cleaning"}),
        ("thresholds", {"kept_share": 1, "agreement": 1}, {"kept_share": 1}, {"labeling"}),
        ("expectations", None, [{"table": "raw_items"}], {"raw"}),
        ("expectations", [{"table": "labels"}], [], {"checking"}),
        # What experts may see is what the checking gate holds the routes to.
        ("release", {"max_experts_seen_share": 0.1}, {"max_experts_seen_share": 0.2}, {"checking", "release"}),
    ],
)
def test_a_section_touches_what_is_made_or_judged_with_it(
    section: str, before: Any, now: Any, stages: set[str]
) -> None:
    assert stages_of_sections({section: before}, {section: now})[0] == stages
