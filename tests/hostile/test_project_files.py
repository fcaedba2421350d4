"""Project files: read, or refused with file and key; nothing in them is run, and none grows in memory."""

import copy
import random
import resource
from pathlib import Path
from typing import Any

import pytest
import yaml
from hostile.cases import cases, is_clear
from hostile.nonsense import HOSTILE, any_texts, damaged, texts
from hypothesis import example, given
from hypothesis import strategies as st

from cupel.config.project import Project
from cupel.contract.stages import STAGES
from cupel.errors import ProjectError
from cupel.kinds.projects import load_project
from cupel.versions.code_version import code_version, gate_version

PROJECT: dict[str, Any] = {
    "project": "small",
    "title": "A small one",
    "owner": "team@example.org",
    "raw": {"deliveries": {"one": {"files": ["one.jsonl"], "licence": "CC0-1.0"}}},
    "cleaning": {"min_words": 2, "max_symbol_word_share": 0.5},
    "labeling": {
        "question": "Which?",
        "classes": ["a", "b"],
        "answers": ["answers.csv"],
        "are_annotators_known": {"one": True},
        "experts": {"description": "two experts"},
    },
    "release": {"error_budget": 0.05, "audit_size": 10, "max_experts_seen_share": 1.0},
    "operation": {"collect": "0 6 * * *", "timezone": "UTC", "alerts": {"command": ["true"]}},
    "thresholds": {"kept_share": {"value": 0.5, "reason": "a test"}},
    "expectations": [
        {"table": "labels", "expectation": "ExpectColumnToExist", "arguments": {"column": "label"}, "reason": "a test"}
    ],
}
GOOD = yaml.safe_dump(PROJECT, sort_keys=False)
TAGS = [
    "!!python/object/apply:pathlib.Path.touch [!!python/object/apply:pathlib.Path ['{0}']]",
    "!!python/object/new:os.system ['touch {0}']", "!!python/name:os.system", "!!python/module:os", "!!binary 'YQ=='",
    "!!set {{a, b}}", "!!omap [a: 1]", "!!pairs [a: 1, a: 2]", "!!int ''", "!!float x", "!!bool x", "!!timestamp x",
    "!!null x", "!own x", "!!merge x", "!!value x", "!!str [a]", "!!map x", "!!seq x", "! x",
    "!<tag:yaml.org,2002:int> x",
]  # fmt: skip
PIECES = [
    "- ", "? ", ": ", "[", "{", "]", "}", ",", "&a ", "*a", "<<: ", "| \n", "> \n", "\n", "  ", "\t", "# ", "---\n",
    "...\n", "%YAML 1.1\n", "!!", "'", '"', "0x", "1:2", "2020-13-45", "~", "=", "@", "`",
]  # fmt: skip
FORMS = ["[{0}]", "{{<<: [{0}]}}", "{{a: [{0}]}}"]
ODD_VALUES = [
    None, True, 0, -1, 2**63 - 1, 2**64, 10**4000, 1.5, float("nan"), float("inf"), -float("inf"), 1e308, "", " ", "0",
    "1e9", "x" * 5_000, [], [[]], {}, {"a": {"b": [None]}}, [1, "a", None], {"": ""}, {None: None}, {1: 2}, {True: 1},
]  # fmt: skip


def load(folder: Path, content: bytes) -> Project | None:
    """Read a project file; what cannot be read is one clear error. What can be read can be used."""
    path = folder / "small.yaml"
    path.write_bytes(content)
    try:
        project = load_project(path)
    except ProjectError as error:
        is_clear(error, str(path))
        return None
    for stage in STAGES.values():
        for table in (step.tables[0] for step in stage.steps if step.when(project)):
            code_version(project, table)
        gate_version(project, stage.name)
    project.model_dump_json().encode()
    return project


def places(found: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the way to each value of a document."""
    inner = found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ()
    return [above] * bool(above) + [place for key, value in inner for place in places(value, (*above, key))]


def at(found: Any, place: tuple[Any, ...]) -> Any:
    for key in place:
        found = found[key]
    return found


PLACES = places(PROJECT)


@cases(500)
@given(st.sampled_from(PLACES), st.one_of(st.sampled_from(ODD_VALUES), any_texts()))
@example(("title",), "\x1b]0;owned\x07")
@example(("labeling", "classes", 0), "\ud800")
@example(("raw", "deliveries", "one", "files", 0), "a\0b")
@example(("release", "seed"), 2**70)
@example(("thresholds", "kept_share", "value"), float("nan"))
def test_a_value_of_any_kind_is_taken_or_refused_by_its_key(tmp_path: Path, place: tuple[Any, ...], value: Any) -> None:
    changed = copy.deepcopy(PROJECT)
    at(changed, place[:-1])[place[-1]] = value
    project = load(tmp_path, yaml.safe_dump(changed).encode())
    if isinstance(value, float) and value - value != 0:
        assert project is None or "arguments" in place


@cases(300)
@given(st.sampled_from([place for place in PLACES if isinstance(place[-1], str)]), any_texts(12))
def test_a_key_of_any_name_is_known_or_refused(tmp_path: Path, place: tuple[Any, ...], name: str) -> None:
    changed = copy.deepcopy(PROJECT)
    above = at(changed, place[:-1])
    above[name] = above.pop(place[-1])
    project = load(tmp_path, yaml.safe_dump(changed).encode())
    free = ("deliveries", "thresholds", "arguments", "are_annotators_known")
    assert project is None or name == place[-1] or place[-2] in free


@cases(500)
@given(st.integers(0, 2**32))
def test_a_damaged_file_is_read_or_refused(tmp_path: Path, seed: int) -> None:
    load(tmp_path, damaged(GOOD.encode(), seed))


@cases(500)
@given(st.lists(st.one_of(st.sampled_from(PIECES), texts(5)), max_size=25).map("".join))
@example("a: 2020-13-45")
@example("a: !!int ''")
@example("&a [*a]")
@example("? [a]\n: b")
def test_any_text_is_read_or_refused(tmp_path: Path, text: str) -> None:
    load(tmp_path, text.encode())


@cases(200)
@given(st.sampled_from(TAGS), st.sampled_from(PLACES))
def test_no_tag_makes_an_object(tmp_path: Path, tag: str, place: tuple[Any, ...]) -> None:
    changed, witness = copy.deepcopy(PROJECT), tmp_path / "touched"
    at(changed, place[:-1])[place[-1]] = "MARK"
    text = yaml.safe_dump(changed, sort_keys=False).replace("MARK", tag.format(witness))
    project = load(tmp_path, text.encode())
    assert project is None or not tag.startswith("!!python")
    assert not witness.exists()


@cases(150)
@given(st.sampled_from(PLACES), st.sampled_from(HOSTILE))
def test_a_key_that_stands_twice_is_refused(tmp_path: Path, place: tuple[Any, ...], value: str) -> None:
    names = [key for key in place if isinstance(key, str)]
    lines = GOOD.split("\n")
    number = next(n for n, line in enumerate(lines) if line.strip(" -").startswith(f"{names[-1]}:"))
    indent = len(lines[number]) - len(lines[number].lstrip(" -"))
    block = [" " * indent + lines[number].lstrip(" -")]
    for line in lines[number + 1 :]:
        if not line.strip() or len(line) - len(line.lstrip()) < indent or (
            len(line) - len(line.lstrip()) == indent and not line.lstrip().startswith("- ")
        ):  # fmt: skip
            break
        block.append(line)
    lines.insert(number + len(block), " " * indent + f"{names[-1]}: {value!a}")
    path = tmp_path / "small.yaml"
    path.write_text("\n".join(lines))
    with pytest.raises(ProjectError, match=r"stands twice|not a project's YAML"):
        load_project(path)


@cases(120)
@given(st.integers(2, 40), st.integers(2, 12), st.sampled_from(FORMS), st.sampled_from(PLACES))
def test_aliases_do_not_grow(tmp_path: Path, depth: int, width: int, form: str, place: tuple[Any, ...]) -> None:
    rng = random.Random(depth)
    lines = ["x0: &x0 {k: [1, 2]}"]
    for level in range(1, depth):
        earlier = f"*x{level - rng.choice((1, 1, 1, min(2, level)))}"
        lines.append(f"x{level}: &x{level} " + form.format(", ".join([earlier] * width)))
    changed = copy.deepcopy(PROJECT)
    at(changed, place[:-1])[place[-1]] = "MARK"
    text = "\n".join(lines) + "\n" + yaml.safe_dump(changed, sort_keys=False).replace("MARK", f"*x{depth - 1}")
    before = resource.getrusage(resource.RUSAGE_SELF)
    assert load(tmp_path, text.encode()) is None
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert after.ru_utime - before.ru_utime < 5
    assert after.ru_maxrss - before.ru_maxrss < 256 << 10


@pytest.mark.parametrize(
    "content",
    ["[" * 1_000_000, "- " * 400_000, f"a: &a [*a]\n{GOOD}", "a: " + "[" * 400 + "]" * 400, "x" * (1 << 21),
     "{" * 9_999],
    ids=["open lists", "open blocks", "circle", "deep", "long", "open maps"],
)  # fmt: skip
def test_what_is_too_much_is_refused_soon(tmp_path: Path, content: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    assert load(tmp_path, content.encode()) is None
    assert resource.getrusage(resource.RUSAGE_SELF).ru_utime - before < 20


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"\x80", GOOD.encode("utf-16"), b"", b"\0", b"~", b"1"])
def test_what_is_no_text_is_refused(tmp_path: Path, content: bytes) -> None:
    assert load(tmp_path, content) is None


def test_a_folder_is_no_project_file(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").mkdir()
    with pytest.raises(ProjectError, match=r"small\.yaml: cannot be read"):
        load_project(tmp_path / "small.yaml")


def test_the_file_that_the_others_are_made_of_is_good(tmp_path: Path) -> None:
    assert load(tmp_path, GOOD.encode()) is not None
