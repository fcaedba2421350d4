"""What a push refuses before it talks to any hub; tests/handover pushes to one."""

import builtins
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cupel.cli import main
from cupel.errors import ReleaseError
from cupel.exchange import hub
from cupel.exchange.hub import files_to_push, push_release
from cupel.release.folder import write_release
from cupel.release.verify import verify_release
from cupel.show.release_documents import describe_release
from cupel.store.local import LocalStore
from made_releases import PROVENANCE, Made, make_release


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_release(tmp_path_factory.mktemp("lake"))


@pytest.fixture
def release(made: Made, tmp_path: Path) -> Path:
    assert made.tables is not None
    write_release(LocalStore(tmp_path), "r", made.facts, made.tables, PROVENANCE, describe_release)
    return tmp_path / "r"


class SilentHub:
    """A hub that fails the test where anything is asked of it."""

    endpoint = "http://hub.example"

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"the hub was asked for {name}")


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "_connect", lambda endpoint: (SilentHub(), (OSError,)))


def test_a_release_that_does_not_verify_is_not_pushed(release: Path, silent: None) -> None:
    (release / "README.md").write_text("mine")
    with pytest.raises(
        ReleaseError, match=r"not pushed: every file has its hash: changed .*README\.md; see `cupel ver"
    ):
        push_release(release, "team/movies")


def test_a_folder_with_a_file_too_many_is_not_pushed(release: Path, silent: None) -> None:
    (release / "notes.txt").write_text("person 01 guesses")
    with pytest.raises(ReleaseError, match=r"no part of the release: notes\.txt"):
        push_release(release, "team/movies")


def test_report_and_record_of_the_run_stay(release: Path) -> None:
    (release / "run.json").write_text("{}")
    names = files_to_push(release, verify_release(release))
    assert not {"report.html", "run.json"} & set(names)
    assert {"README.md", "manifest.json", "data/train.parquet", "evidence/audit.parquet"} <= set(names)


def test_an_older_release_whose_report_is_covered_is_not_pushed_without_it(release: Path) -> None:
    older = verify_release(release)._replace(format=5)
    with pytest.raises(
        ReleaseError, match=r"of format 5, which does not verify without report\.html; the report names"
    ):
        files_to_push(release, older)


def test_without_the_package_one_sentence_says_what_to_install(release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def refuse(name: str, *more: Any, **named: Any) -> Any:
        if name.startswith("huggingface_hub"):
            raise ImportError(name)
        return real(name, *more, **named)

    monkeypatch.setattr(builtins, "__import__", refuse)
    done = CliRunner().invoke(main, ["push", str(release), "--to", "team/movies"])
    assert done.exit_code == 1
    assert done.output == (
        "Error: the package huggingface_hub is not installed; `pip install 'cupel[hub]'` brings it\n"
    )


def test_a_copy_without_its_report_verifies_and_one_with_another_report_does_not(release: Path) -> None:
    (release / "report.html").unlink()
    assert verify_release(release).is_passed
    (release / "report.html").write_text("mine")
    assert not verify_release(release).is_passed
