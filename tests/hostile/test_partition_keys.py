"""Names that become paths: batches, releases, partitions, what is dropped in the inbox. None leads out of the lake."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hostile.cases import cases, is_clear
from hostile.nonsense import any_texts
from hypothesis import example, given
from hypothesis import strategies as st

from cupel.config.base import check_batch_name, check_slug
from cupel.config.project import Project
from cupel.config.raw import Inbox
from cupel.contract.table import empty
from cupel.contract.tables import TABLES
from cupel.errors import LakeError, ReleaseError
from cupel.kinds.projects import load_project
from cupel.lake.lake import Lake
from cupel.release.folder import add_uncovered
from cupel.release.layout import NOT_COVERED
from cupel.release.places import release_folder, report_folder
from cupel.release.plan import batches_of, release_name
from cupel.sources.inbox import arrivals, take
from cupel.sources.register import batch_for
from cupel.store.local import LocalStore
from small_project import write_project

INBOX = Inbox(licence="MIT")
NAMES = st.one_of(
    any_texts(12),
    st.text(st.sampled_from("ab1_-./\\ \n\0A"), max_size=12),
    st.sampled_from(
        ["a" * 100, "a" * 101, "a" * 300, "one", "one\n", "one/", "../one", "one/../..", "con", "ONE", "öne", "1"]
    ),
)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return Lake(tmp_path_factory.mktemp("lake") / "lake", "small")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("project")
    return load_project(write_project(folder, "small", items=1).projects / "small.yaml")


def is_inside(folder: Path, lake: Lake) -> bool:
    inner, root = Path(str(folder)).resolve(), Path(str(lake.folder)).resolve()
    return inner.is_relative_to(root) and inner != root


@cases(800)
@given(st.one_of(st.sampled_from(sorted(TABLES)), NAMES), NAMES)
@example("raw_items", "one\n")
def test_a_partition_lies_in_the_lake_or_may_not_be_named_so(lake: Lake, table: str, partition: str) -> None:
    try:
        folder = lake.partition_folder(table, partition)
    except LakeError as error:
        is_clear(error)
    else:
        assert is_inside(folder, lake)
        assert Path(str(folder)).name == partition
        assert Path(str(folder)).parent.name == table


@cases(150)
@given(NAMES)
def test_what_is_written_is_found_under_its_name_and_nowhere_else(lake: Lake, partition: str) -> None:
    top = Path(str(lake.root)).parent
    try:
        lake.write("rejected_rows", partition, empty(TABLES["rejected_rows"]))
    except LakeError as error:
        is_clear(error)
        assert partition not in lake.partitions("rejected_rows")
    else:
        assert partition in lake.partitions("rejected_rows")
    assert [path.name for path in top.iterdir()] in ([], ["lake"])


@cases(300)
@given(NAMES)
def test_a_project_of_any_name_has_its_own_folder_or_none(tmp_path: Path, name: str) -> None:
    try:
        lake = Lake(tmp_path, name)
    except LakeError as error:
        is_clear(error)
    else:
        assert Path(str(lake.folder)).resolve() == tmp_path.resolve() / name


@cases(400)
@given(NAMES)
def test_a_release_and_its_report_lie_in_the_lake(lake: Lake, release: str) -> None:
    for place in (release_folder, report_folder):
        try:
            folder = place(lake, release)
        except LakeError as error:
            is_clear(error)
        else:
            assert is_inside(Path(str(folder)), lake)


@cases(400)
@given(st.one_of(NAMES, st.builds(release_name, NAMES, st.integers(-1, 10**30)), st.sampled_from(["one-r1", "all-r2"])))
@example("one-r1\n")
@example("one-r" + "9" * 5_000)
def test_a_release_holds_batches_of_the_project_or_is_none(project: Project, release: str) -> None:
    try:
        held = batches_of(release, project)
    except ReleaseError as error:
        is_clear(error)
    else:
        assert held == ["one"]
        assert release.startswith(("one-r", "all-r"))
        assert release.isascii()
        assert release.isprintable()


@cases(300)
@given(NAMES)
def test_only_two_files_can_be_added_to_a_release(tmp_path: Path, name: str) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    try:
        add_uncovered(LocalStore(tmp_path.parent), tmp_path.name, name, b"")
    except ReleaseError as error:
        is_clear(error)
    else:
        assert name in NOT_COVERED
    assert {path.name for path in tmp_path.iterdir()} <= {"manifest.json", *NOT_COVERED}


@cases(600)
@given(NAMES, st.sets(st.sampled_from(["delivery", "one", "a", "delivery-2"])))
@example("all", set())
@example("x-r1.csv", set())
@example("x" * 60 + "-r1.csv", {"x" * 48})
@example("-r1", {"r1"})
def test_whatever_is_dropped_gets_a_name_of_its_own_that_is_safe(name: str, taken: set[str]) -> None:
    made = batch_for(name, taken)
    assert check_slug(made) == check_batch_name(made) == made
    assert made not in taken
    assert len(made) <= 64


@cases(80)
@given(
    st.one_of(any_texts(12), st.sampled_from(["deliv.jsonl", "all", "x-r1"])),
    st.sampled_from(["file", "folder", "link", "inner link", "answers"]),
)
def test_what_is_dropped_in_the_inbox_is_taken_whole_or_refused(
    tmp_path_factory: pytest.TempPathFactory, project: Project, name: str, kind: str
) -> None:
    top = tmp_path_factory.mktemp("inbox")
    lake, inbox, outside = Lake(top / "lake", "small"), top / "inbox", top / "outside"
    (inbox / "answers").mkdir(parents=True)
    outside.mkdir()
    (outside / "secret.jsonl").write_text('{"id": 1, "text": "a secret"}\n')
    path = (inbox / "answers" if kind == "answers" else inbox) / f"{name}.jsonl"
    if "/" in name or "\0" in name:
        return
    try:
        if kind == "folder":
            path.mkdir()
            (path / "in.jsonl").write_text("{}")
        elif kind == "inner link":
            path.mkdir()
            (path / "in.jsonl").symlink_to(outside / "secret.jsonl")
        elif kind == "link":
            path.symlink_to(outside / "secret.jsonl")
        else:
            path.write_text("{}")
    except (OSError, UnicodeEncodeError):
        return
    inboxed = project.model_copy(update={"raw": project.raw.model_copy(update={"inbox": INBOX})})
    for arrival in arrivals(inbox):
        taken = take(arrival, inboxed, lake, datetime(2026, 1, 1, tzinfo=UTC))
        if "link" in kind:
            assert taken.outcome == "refused"
        assert taken.batch is None or check_slug(taken.batch)
    assert (outside / "secret.jsonl").exists()
    assert {path.name for path in top.iterdir()} <= {"lake", "inbox", "outside"}
    for found in Path(str(lake.folder)).rglob("*"):
        assert not found.is_symlink()
