"""A folder is there whole or not at all, and secrets are their owner's."""

import stat
from pathlib import Path

import pytest

from cupel.store.files import (
    append_to,
    empty_file,
    new_folder,
    put_secret,
    stat_files,
)


def test_a_folder_has_its_name_when_all_is_in_it(tmp_path: Path) -> None:
    target = tmp_path / "made"
    with new_folder(target) as begun:
        (begun / "a").write_text("a")
        assert not target.exists()
    assert [path.name for path in target.iterdir()] == ["a"]
    assert list(tmp_path.iterdir()) == [target]


def test_of_a_folder_that_could_not_be_filled_nothing_is_left(tmp_path: Path) -> None:
    def fill() -> None:
        with new_folder(tmp_path / "made") as begun:
            (begun / "a").write_text("a")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_does_not_take_the_name_of_another(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "a").write_text("a")
    with pytest.raises(OSError, match="taken"), new_folder(tmp_path / "taken"):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_a_secret_is_its_owners_and_is_never_replaced(tmp_path: Path) -> None:
    put_secret(tmp_path / "key", b"first")
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        put_secret(tmp_path / "key", b"second")
    assert (tmp_path / "key").read_bytes() == b"first"


def test_a_log_that_was_emptied_is_added_to_at_its_new_end(tmp_path: Path) -> None:
    path = tmp_path / "page.log"
    with append_to(path) as log:
        log.write(b"before\n")
        log.flush()
        empty_file(path)
        log.write(b"after\n")
    assert path.read_bytes() == b"after\n"


def test_files_of_an_ending_are_found_at_any_depth(tmp_path: Path) -> None:
    for name in ("a.py", "in/b.py", "in/c.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    assert {(path, stat.size) for path, stat in stat_files(tmp_path, ".py")} == {
        (str(tmp_path / "a.py"), 4),
        (str(tmp_path / "in" / "b.py"), 7),
    }
