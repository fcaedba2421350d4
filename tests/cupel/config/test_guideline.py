import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from cupel.config.guideline import MOST_CHARACTERS, Change, find_contradiction, read_guideline
from cupel.config.labeling import Labeling
from cupel.errors import ProjectError

START = "0123456789ab"
LABELING = {"question": "Which?", "classes": ["a", "b"], "experts": {"description": "one"}}


def change(**content: object) -> Change:
    return Change.model_validate({"from_version": START, **content})


def test_a_project_without_a_guideline_says_nothing_of_one() -> None:
    assert not {"guideline", "changes"} & set(Labeling.model_validate(LABELING).model_dump(mode="json"))


def test_a_guideline_is_its_text_or_names_a_file(tmp_path: Path) -> None:
    (tmp_path / "guide.md").write_text("Say a of what is a.\n")
    assert read_guideline("Say a.", tmp_path, "small") == "Say a."
    assert read_guideline("file:guide.md", tmp_path, "small") == "Say a of what is a.\n"


def test_a_file_that_is_gone_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"small: key labeling\.guideline: .*guide\.md: no such file; put the guid"):
        read_guideline("file:guide.md", tmp_path, "small")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"\xff\xfe\x00", "not a text in UTF-8"),
        (b" \n", "holds nothing"),
        (b"x" * (MOST_CHARACTERS + 1), "1,048,577 characters"),
    ],
)
def test_a_file_that_is_no_guideline_is_refused(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "guide.md").write_bytes(content)
    with pytest.raises(ProjectError, match=why):
        read_guideline("file:guide.md", tmp_path, "small")


def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "guide.md").mkdir()
    with pytest.raises(ProjectError, match="cannot be read"):
        read_guideline("file:guide.md", tmp_path, "small")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "guide.md").write_text("Say a.")
    (tmp_path / "guide.md").chmod(0)
    with pytest.raises(ProjectError, match="cannot be read: Permission denied"):
        read_guideline("file:guide.md", tmp_path, "small")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ({"classes": {"a": ["b"]}}, r"classes\.a: \['b'\]: a split names two classes or more"),
        ({"classes": {"a": ["b", "b"]}}, "names a class twice"),
        ({"classes": {"a": "b"}, "answers": {"ask_again": ["a"]}}, "'a' stands in classes too, as 'b'"),
        ({"answers": "maybe"}, "answers"),
        ({"answers": {"ask_again": []}}, "at least 1 item"),
        ({"from_version": "v1"}, "from_version"),
    ],
)
def test_a_change_that_contradicts_itself_is_refused_with_key_and_value(content: dict[str, object], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        change(**content)


def test_changes_need_a_guideline_and_start_each_from_another_version() -> None:
    with pytest.raises(ValidationError, match="changes: they are of a guideline"):
        Labeling.model_validate({**LABELING, "changes": [{"from_version": START}]})
    twice = [{"from_version": START}, {"from_version": START + "cd"}]
    with pytest.raises(ValidationError, match=f"two start from version {START}"):
        Labeling.model_validate({**LABELING, "guideline": "Say a.", "changes": twice})


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ({"classes": {"c": "a"}}, "classes: 'c' is no class of the version before; those are a, b"),
        ({"answers": {"ask_again": ["c"]}}, "answers.ask_again: 'c' is no class of the version before"),
        ({"classes": {"b": "d"}}, "classes.b: 'd' is no class of the version after; those are a, x"),
        ({"classes": {"b": ["a", "d"]}}, "classes.b: 'd' is no class of the version after"),
        ({"answers": "stay"}, "classes: 'b' is no class any more; say what became of it"),
        ({"classes": {"b": None}}, "answers: 'x' is a new class, which nobody could choose before"),
    ],
)
def test_a_mapping_that_does_not_lead_from_one_ontology_to_the_next_is_told(
    content: dict[str, object], why: str
) -> None:
    assert find_contradiction(change(**content), ("a", "b"), ("a", "x")).startswith(why)


def test_a_change_of_words_alone_says_what_becomes_of_the_answers() -> None:
    assert "only words changed" in find_contradiction(change(), ("a", "b"), ("a", "b"))
    for answers in ("stay", "ask_again", {"ask_again": ["a"]}):
        assert find_contradiction(change(answers=answers), ("a", "b"), ("a", "b")) == ""


def test_rename_merge_split_and_drop_lead_from_one_ontology_to_the_next() -> None:
    assert find_contradiction(change(classes={"b": "x"}), ("a", "b"), ("a", "x")) == ""
    assert find_contradiction(change(classes={"a": "x", "b": "x"}), ("a", "b", "c"), ("x", "c")) == ""
    assert find_contradiction(change(classes={"b": ["b", "x"]}), ("a", "b"), ("a", "b", "x")) == ""
    assert find_contradiction(change(classes={"c": None}), ("a", "b", "c"), ("a", "b")) == ""
