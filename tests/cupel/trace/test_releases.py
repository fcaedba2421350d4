import json
from pathlib import Path

import pytest

from cupel.lake.lake import Lake
from cupel.release import layout
from cupel.release.places import release_folder
from cupel.trace.reading import Reader
from cupel.trace.releases import _folder


@pytest.mark.parametrize("split", ["../../secret", "/etc/secret", "train/../../../secret", "other"])
def test_a_split_that_names_no_file_of_a_release_is_told_and_nothing_is_opened(tmp_path: Path, split: str) -> None:
    lake = Lake(tmp_path, "small")
    folder = Path(str(release_folder(lake, "one-r1")))
    folder.mkdir(parents=True)
    manifest: dict[str, object] = {"files": []}
    manifest["release_sha256"] = layout.release_sha256(manifest)
    (folder / layout.MANIFEST_FILE).write_text(json.dumps(manifest))
    reader = Reader(lake)
    found = _folder(reader, "one-r1", {"split": split}, None)
    assert found is not None
    assert found.file is None
    assert any(repr(split) in problem for problem in reader.problems)
