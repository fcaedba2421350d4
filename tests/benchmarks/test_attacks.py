"""The page of attacks and the code say the same; two cheap attacks are tried, and a harness that fails is an error."""

import re
import shutil
from pathlib import Path

import pytest

from benchmarks.attacks import released_files
from benchmarks.attacks.__main__ import ATTACKS, choose_attacks, try_attack
from benchmarks.attacks.attack import Attack, Finding, Outcome
from benchmarks.attacks.forged_files import verify
from benchmarks.attacks.target import Target
from cupel.release.folder import write_release
from cupel.show.release_documents import describe_release
from cupel.store.local import LocalStore
from made_releases import PROVENANCE, make_release

PAGE = Path(__file__).parents[2] / "docs" / "attacks.md"
ROW = re.compile(r"^\| `([a-z0-9-]+)` \| (passed|refused|counted|told|not caught) \| (.+) \|$", re.MULTILINE)


def find_attack(name: str) -> Attack:
    return choose_attacks([name])[0]


def test_every_attack_stands_on_the_page_with_its_outcome_and_no_other_does() -> None:
    rows = ROW.findall(PAGE.read_text())
    assert sorted((name, outcome) for name, outcome, _ in rows) == sorted(
        (attack.name, str(attack.expected)) for attack in ATTACKS
    )


def test_what_is_not_caught_stands_first_on_the_page_and_each_row_says_what_helps() -> None:
    rows = ROW.findall(PAGE.read_text())
    outcomes = [outcome for _, outcome, _ in rows]
    number = outcomes.count("not caught")
    assert number > 0
    assert set(outcomes[:number]) == {"not caught"}
    assert all(len(text.split(" | ")) == 2 and "" not in text.split(" | ") for _, _, text in rows[:number])


def test_a_name_stands_once_and_an_unknown_one_is_refused() -> None:
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS)
    with pytest.raises(SystemExit, match="no such attack"):
        choose_attacks(["lake-deleted", "nobody-knows"])


def test_exchanged_texts_are_refused_and_the_untouched_release_is_not(tmp_path: Path) -> None:
    made = make_release(tmp_path)
    assert made.tables is not None
    write_release(LocalStore(tmp_path), "movies-r1", made.facts, made.tables, PROVENANCE, describe_release)
    assert verify(tmp_path / "movies-r1").outcome == Outcome.NOT_CAUGHT
    doubled = Path(shutil.copytree(tmp_path / "movies-r1", tmp_path / "doubled"))
    released_files.repeat_column(doubled)
    assert verify(doubled).words.startswith("every table can be read")
    released_files.exchange_texts(tmp_path / "movies-r1")
    found = verify(tmp_path / "movies-r1")
    assert found.outcome == Outcome.REFUSED
    assert found.words.startswith("every content is the one that was frozen")


def test_a_delivery_that_comes_again_is_refused_and_a_new_one_is_not(tmp_path: Path) -> None:
    again = find_attack("accept-newlines-at-the-end").attempt(Target(tmp_path / "again"))
    assert again.outcome == Outcome.REFUSED
    assert "audited before" in again.words
    assert try_attack(find_attack("accept-other-items"), make_empty(tmp_path), tmp_path).is_as_said


def test_an_attack_that_cannot_be_tried_is_an_error_and_not_a_success(tmp_path: Path) -> None:
    def fail(target: Target) -> Finding:
        raise KeyError("nothing there")

    for expected in Outcome:
        tried = try_attack(Attack("broken", "a door", "Fail.", expected, fail), make_empty(tmp_path), tmp_path)
        assert not tried.is_as_said
        assert "KeyError" in tried.error


def test_an_outcome_that_the_page_does_not_name_is_told(tmp_path: Path) -> None:
    attack = Attack("quiet", "a door", "Nothing.", Outcome.REFUSED, lambda target: Finding(Outcome.NOT_CAUGHT, "fine"))
    assert not try_attack(attack, make_empty(tmp_path), tmp_path).is_as_said
    better = attack._replace(expected=Outcome.NOT_CAUGHT, attempt=lambda target: Finding(Outcome.REFUSED, "caught"))
    assert not try_attack(better, make_empty(tmp_path), tmp_path).is_as_said


def make_empty(folder: Path) -> Target:
    (folder / "empty").mkdir(exist_ok=True)
    return Target(folder / "empty")
