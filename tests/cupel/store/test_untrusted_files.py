"""What a name really is: no link is followed that somebody put there."""

from pathlib import Path

import pytest

from cupel.store.files import link
from cupel.store.untrusted_files import open_below, stat_entry


def test_no_link_on_the_way_to_a_file_is_followed(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "in").mkdir(parents=True)
    (root / "in" / "a").write_text("a")
    with open_below(root, root / "in" / "a") as file:
        assert file.read() == b"a"
    link(root / "out", tmp_path)
    link(root / "b", root / "in" / "a")
    (tmp_path / "secret").write_text("s")
    for path in (root / "out" / "secret", root / "b"):
        with pytest.raises(OSError, match=r"\w"):
            open_below(root, path)
    assert (stat_entry(root / "b").kind, stat_entry(root / "in").kind) == ("link", "folder")
