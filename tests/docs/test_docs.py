import re
import shlex
from pathlib import Path

import click
import pytest
import yaml
from click.testing import CliRunner

from assets.asset_tags import KIND, MODALITY, PROJECT, STAGE, group_name
from assets.run_outcome import OUTCOME, REPORT, WHY
from cupel.cli import main
from cupel.contract.stages import STAGES
from cupel.kinds.projects import load_project
from docs.draw_architecture import read_rooms
from docs.generate import DOCS, pages
from orchestration.definitions import defs

ROOT = Path(__file__).parents[2]
ARCHITECTURE = ROOT / "docs" / "architecture.md"


@pytest.mark.parametrize("name", list(pages()))
def test_a_page_made_from_the_code_is_up_to_date(name: str) -> None:
    assert (DOCS / name).read_text() == pages()[name], "run `make docs`"


# Written like files of the code.
TAGS = {KIND, MODALITY, PROJECT, STAGE, OUTCOME, REPORT, WHY}


def test_every_arrow_of_the_map_goes_down() -> None:
    rooms = read_rooms()
    order = [room.name for room in rooms]
    assert {name for room in rooms for name in room.imports} <= set(order)
    for room in rooms:
        assert all(order.index(name) > order.index(room.name) for name in room.imports), room.name
        assert 0 < len(room.purpose) <= 100, room.name


def test_modules_and_functions_that_the_map_names_exist() -> None:
    named = re.findall(r"`((?:cupel|assets|expectations)/[\w/]+\.py)(?:: (\w+)(?:\.\w+)?)?`", ARCHITECTURE.read_text())
    assert len(named) > 20
    for path, function in named:
        text = (ROOT / path).read_text()
        assert not function or re.search(rf"^(?:def|class) {function}\b", text, re.MULTILINE), (path, function)
    for folder in re.findall(r"`((?:cupel|tests|assets|expectations)/[\w/]*)`", ARCHITECTURE.read_text()):
        assert (ROOT / folder).is_dir(), folder


def test_every_asset_has_a_description_an_owner_a_group_and_columns() -> None:
    graph = defs.resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.description, key
        assert node.owners, key
        stages = {group_name(key.path[0], stage) for stage in STAGES}
        assert node.group_name in stages, key
        assert key.path[-1] == "report" or "dagster/column_schema" in node.metadata, key


def test_every_table_of_a_stage_has_an_asset() -> None:
    # A label kind brings tables of its own, and so do images, contamination, and rounds with experts, where a project
    # has them.
    named = {key.path[-1] for key in defs.resolve_asset_graph().get_all_asset_keys()}
    sometimes = {table for stage in STAGES.values() for step in stage.steps for table in step.tables} - named
    assert sometimes == {
        "gate_results", "responses", "habits", "sifted_items", "round_answers", "rejected_round_answers", "round_items",
        "image_files", "image_signals", *STAGES["contamination"].tables, *STAGES["crew"].tables,
    }  # fmt: skip


def test_every_check_says_what_it_asks() -> None:
    for key in defs.resolve_asset_graph().asset_check_keys:
        check = defs.resolve_asset_graph().get(key)
        assert check.description, key


def documents() -> list[Path]:
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", path.read_text()):
        assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_files_and_folders_of_the_code_that_the_docs_name_are_there(path: Path) -> None:
    if path.name == "CHANGELOG.md" or path.parent.name == "decisions":
        pytest.skip("it tells what was there when it was written")
    for place in re.findall(
        r"`((?:cupel|assets|expectations|orchestration|tests|samples)/[\w/.-]+)`", path.read_text()
    ):
        assert (ROOT / place).exists() or place in TAGS, place


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_commands_named_in_the_docs_exist(path: Path) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    text = path.read_text()
    for target in re.findall(r"`make ([a-z-]+)`", text) + re.findall(r"^make ([a-z-]+)", text, re.MULTILINE):
        assert target in targets, target
    for command in re.findall(r"^(?:\.venv/bin/)?cupel [^\n]*", text, re.MULTILINE):
        words = shlex.split(command)
        named = words[1:3] if isinstance(main.commands.get(words[1]), click.Group) else words[1:2]
        shown = CliRunner().invoke(main, [*named, "--help"])
        assert shown.exit_code == 0, command
        for option in (word for word in words if word.startswith("--")):
            assert option in shown.output, command
    for module in re.findall(r"python -m benchmarks\.([a-z_]+)", text):
        places = (ROOT / "benchmarks" / f"{module}.py", ROOT / "benchmarks" / module / "__main__.py")
        assert any(place.exists() for place in places), module


def test_nothing_is_left_to_fill_in() -> None:
    for path in documents():
        assert "@@" not in path.read_text(), path


def test_the_project_that_the_tutorial_shows_can_be_loaded(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "tutorial.md").read_text()
    shown = re.search(r"```yaml\n# projects/([a-z]+)\.yaml\n(.*?)```", text, re.DOTALL)
    assert shown
    path = tmp_path / f"{shown.group(1)}.yaml"
    path.write_text(shown.group(2))
    assert load_project(path).labeling.classes


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "how-to").glob("*.md")), ids=lambda path: path.stem)
def test_what_a_page_shows_of_project_files_is_yaml(path: Path) -> None:
    for shown in re.findall(r"```yaml\n(.*?)```", path.read_text(), re.DOTALL):
        yaml.safe_load(shown)
