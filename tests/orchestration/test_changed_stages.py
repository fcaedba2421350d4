import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

import preference_project
from cupel.kinds.projects import load_project, load_projects, make_project
from cupel.versions.code_version import LOCKS
from orchestration.changed_code import CodeChange, is_aside
from orchestration.changed_stages import (
    ChangedFile,
    SinceError,
    changed_stages,
    find_changes,
    partitioned_names,
    stages_of_sections,
)
from orchestration.deployment import REPOSITORY, Deployment
from small_project import write_project

STAGES = partitioned_names()
EVERYTHING = set(STAGES)
FROM = {stage: set(STAGES[place:]) for place, stage in enumerate(STAGES)}


SETTINGS: dict[str, Any] = {
    "project": "tiny",
    "title": "Tiny",
    "owner": "team@example.org",
    "raw": {"deliveries": {"one": {"files": ["one.jsonl"], "licence": "MIT"}}},
    "labeling": {
        "question": "Which?",
        "classes": ["a", "b"],
        "overlap": {"first": 2, "most": 3},
        "answers": ["answers.csv"],
        "experts": {"answers": 1, "description": "one expert"},
    },
    "release": {
        "error_budget": 0.05,
        "audit_size": 100,
        "max_experts_seen_share": 0.9,
        "certificate": {"nonce": "made for a test", "max_undecided_share": 0.2},
    },
}


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

    def changes(self, since: str = "main") -> list[ChangedFile]:
        projects = load_projects(self.deployment.projects)
        return find_changes(projects, self.deployment, since, self.folder / "code")

    def change(self, project: str, **sections: Any) -> None:
        path = self.deployment.projects / f"{project}.yaml"
        path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | sections))


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def test_a_section_touches_the_stages_of_its_project_and_those_after(repository: Repository) -> None:
    assert repository.changes() == []
    repository.change("small", checking={"seed": 8})
    changes = repository.changes()
    assert [(change.path, change.project, change.why) for change in changes] == [
        ("projects/small.yaml", "small", "section checking")
    ]
    assert changed_stages(changes, "small") == FROM["checking"]
    assert changed_stages(changes, "other") == set()


def test_only_what_came_after_the_branches_parted_counts(repository: Repository) -> None:
    repository.git("checkout", "-q", "-b", "feature")
    repository.change("small", prices={"currency": "EUR"})
    repository.commit()
    repository.git("checkout", "-q", "main")
    repository.change("other", cleaning={"min_words": 5})
    repository.commit()
    repository.git("checkout", "-q", "feature")
    assert [change.path for change in repository.changes()] == ["projects/small.yaml"]
    assert changed_stages(repository.changes(), "small") == {"release"}


def test_a_new_project_is_touched_whole_before_it_is_committed_too(repository: Repository) -> None:
    write_project(repository.folder, "young", items=2)
    changes = repository.changes()
    assert changed_stages(changes, "young") == EVERYTHING
    assert changed_stages(changes, "small") == set()


def test_a_project_that_could_not_be_read_before_is_touched_whole(repository: Repository) -> None:
    path = repository.deployment.projects / "small.yaml"
    good = path.read_text()
    path.write_text("[")
    repository.commit()
    path.write_text(good)
    assert changed_stages(repository.changes(), "small") == EVERYTHING


def test_comments_and_layout_touch_nothing_and_neither_does_a_project_that_went(repository: Repository) -> None:
    path = repository.deployment.projects / "small.yaml"
    path.write_text("# a comment\n" + path.read_text())
    (repository.deployment.projects / "other.yaml").unlink()
    changes = repository.changes()
    assert [change.stages for change in changes] == [set(), set()]
    assert "comments" in changes[1].why


def test_files_of_a_delivery_and_of_answers_touch_the_project_that_names_them(repository: Repository) -> None:
    data = repository.deployment.data
    (data / "other" / "answers.csv").write_text("batch,item_id,purpose,annotator,label\n")
    (data / "nobody.csv").write_text("")
    assert changed_stages(repository.changes(), "other") == FROM["labeling"]
    (data / "other" / "one.jsonl").write_text("")
    assert changed_stages(repository.changes(), "other") == EVERYTHING
    assert changed_stages(repository.changes(), "small") == set()


def test_predictions_of_a_teams_own_model_touch_the_checking(repository: Repository) -> None:
    repository.change("other", checking={"checker": "predictions", "predictions": {"file": "other/model.csv"}})
    repository.commit()
    repository.git("checkout", "-q", "-b", "newer")
    (repository.deployment.data / "other" / "model.csv").write_text("item_id,label\n")
    assert changed_stages(repository.changes(), "other") == FROM["checking"]
    assert changed_stages(repository.changes(), "small") == set()


def test_code_touches_every_project_and_files_beside_it_none(repository: Repository) -> None:
    (repository.folder / "code" / "cupel" / "lake.py").write_text("")
    (repository.folder / "odd name\n.txt").write_text("")
    changes = repository.changes()
    assert {change.path for change in changes} == {"code/cupel/lake.py", "odd name\n.txt"}
    assert changed_stages(changes, "small") == changed_stages(changes, "other") == EVERYTHING


@pytest.mark.parametrize("ref", ["nowhere", "--output=/tmp/x", ""])
def test_a_commit_that_is_not_there_is_one_clear_error(repository: Repository, ref: str) -> None:
    with pytest.raises(SinceError, match="git knows no such commit"):
        repository.changes(ref)


def test_a_branch_without_a_common_commit_is_one_clear_error(repository: Repository) -> None:
    repository.git("checkout", "-q", "--orphan", "alone")
    repository.git("commit", "-q", "-m", "a beginning of its own")
    with pytest.raises(SinceError, match="no commit in common"):
        repository.changes("main")


def test_a_folder_without_git_is_one_clear_error(tmp_path: Path) -> None:
    deployment: Deployment = write_project(tmp_path, "small", items=2)
    with pytest.raises(SinceError, match="rev-parse"):
        find_changes(load_projects(deployment.projects), deployment, "main")


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return Cupel's code as it was: the same as now, but for what a test changes in it."""
    folder = tmp_path_factory.mktemp("before")
    for name in ("cupel", "assets", "expectations"):
        shutil.copytree(REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in LOCKS:
        shutil.copy(REPOSITORY / name, folder)
    return folder


@pytest.mark.parametrize(
    ("path", "old", "new", "made", "asked"),
    [
        ("cupel/sources/items.py", "MOST_ID_CHARACTERS = 512", "MOST_ID_CHARACTERS = 513", {"raw"}, set()),
        ("cupel/consensus/dawid_skene.py", "smoothing: float = 16.0", "smoothing: float = 8.0", {"labeling"}, set()),
        ("cupel/checking/linear.py", "def learn(", "def learn(*, ", {"checking"}, set()),
        ("cupel/accept/plan.py", "def ", "def _", set(), set()),
        ("cupel/people/label_studio/publish.py", "def ", "def _", set(), set()),
        ("cupel/lake/lake.py", "ROWS_PER_GROUP = 65_536", "ROWS_PER_GROUP = 65_537", EVERYTHING, EVERYTHING),
        ("cupel/kinds/category/consensus.py", "choice.method", "'ibcc'", {"labeling"}, set()),
        ("assets/contamination.py", "PURPOSES = (", "PURPOSES = ('a', ", set(), set()),
        ("assets/bench.py", "RETRIES = 3", "RETRIES = 4", EVERYTHING, EVERYTHING),
        ("expectations/labeling.py", "SUITE = Suite(", "SUITE = Suite(*(), ", set(), {"labeling"}),
        ("expectations/raw.py", "SUITE = Suite(", "SUITE = Suite(*(), ", set(), {"raw"}),
        ("expectations/judge.py", "def judge(", "def judge(*, ", set(), EVERYTHING),
        ("requirements.lock", "scikit-learn==1", "scikit-learn==2", {"checking"}, set()),
        ("requirements.lock", "duckdb==1", "duckdb==2", EVERYTHING, EVERYTHING),
        ("requirements.lock", "dagster==1", "dagster==2", set(), set()),
        ("requirements.lock", "dagster-webserver==1", "dagster-webserver==2", set(), set()),
    ],
)
def test_each_part_of_the_code_touches_what_is_made_of_it(
    before: Path, path: str, old: str, new: str, made: set[str], asked: set[str], tmp_path: Path
) -> None:
    project = load_project(write_project(tmp_path, "small", items=2).projects / "small.yaml")
    with edited(before / path, old, new):
        found = CodeChange(before, REPOSITORY).find_stages(project, path)
    assert (set(found[0]), set(found[1])) == (made, asked), found[2]


@contextmanager
def edited(path: Path, old: str, new: str) -> Iterator[None]:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    try:
        yield
    finally:
        path.write_text(text, "utf-8")


def test_a_file_that_no_table_is_made_of_touches_nothing() -> None:
    for path in ("docs/tutorial.md", "tests/small_project.py", "benchmarks/chain.py", "README.md", "Makefile"):
        assert is_aside(path), path
    for path in ("cupel/lake/lake.py", "orchestration/gates.py", "requirements.lock", "never_seen.toml"):
        assert not is_aside(path), path


def test_a_comment_in_the_code_touches_nothing(before: Path, tmp_path: Path) -> None:
    project = load_project(write_project(tmp_path, "small", items=2).projects / "small.yaml")
    path = "cupel/certificate/hypergeometric.py"
    with edited(before / path, '"""', '# before\n"""'):
        assert CodeChange(before, REPOSITORY).find_stages(project, path)[:2] == (set(), set())


def test_code_that_was_built_in_another_way_before_touches_everything(tmp_path: Path) -> None:
    deployment = write_project(tmp_path, "small", items=2)
    (tmp_path / "cupel").mkdir()
    project = load_project(deployment.projects / "small.yaml")
    made, asked, why = CodeChange(tmp_path, REPOSITORY).find_stages(project, "cupel/consensus/majority.py")
    assert (made, asked, why) == (EVERYTHING, EVERYTHING, "the code was built in another way before")


def test_a_kinds_code_touches_the_projects_of_that_kind(before: Path, tmp_path: Path) -> None:
    plain = load_project(write_project(tmp_path, "small", items=2).projects / "small.yaml")
    deployment = preference_project.write_project(tmp_path, prompts=2, responses=2)
    pairs, path = load_project(deployment.projects / "pairs.yaml"), "cupel/kinds/preference/consensus.py"
    with edited(before / path, "_Z = 1.96", "_Z = 1.97"):
        change = CodeChange(before, REPOSITORY)
        assert [set(change.find_stages(of, path)[0]) for of in (plain, pairs)] == [set(), {"labeling"}]


@pytest.mark.parametrize(
    ("section", "before", "now", "stages"),
    [
        ("title", "a", "b", set()),
        ("owner", "a", "b", set()),
        ("raw", {}, {"deliveries": {"one": {}}}, EVERYTHING),
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
    assert stages_of_sections({section: before}, {section: now}, make_project(SETTINGS))[0] == stages
