from pathlib import Path

import pytest
import yaml

from cupel.config.project import Project
from cupel.contract.stages import find_step
from cupel.contract.tables import TABLES
from cupel.errors import ProjectError
from cupel.kinds.projects import load_project
from cupel.versions.code_version import code_version
from live_lake import PEOPLE, project


def refused(tmp_path: Path, **changes: object) -> str:
    content = project("http://127.0.0.1:9").model_dump(mode="json", exclude_defaults=True)
    for name, value in changes.items():
        content[name] = {**content.get(name, {}), **value} if isinstance(value, dict) else value
    (tmp_path / "p.yaml").write_text(yaml.safe_dump(content))
    with pytest.raises(ProjectError) as told:
        load_project(tmp_path / "p.yaml")
    return str(told.value)


def test_the_section_is_required_where_label_studio_is_the_workforce(tmp_path: Path) -> None:
    assert "add a section label_studio" in refused(tmp_path, label_studio=None)


def test_nobody_is_in_two_groups(tmp_path: Path) -> None:
    twice = {"experts": {"eva": "ANN@x.org"}}
    assert "the e-mail address 'ann@x.org' stands twice" in refused(tmp_path, label_studio=twice)
    assert "the name 'ann' stands twice" in refused(tmp_path, label_studio={"experts": {"ann": "eve@x.org"}})


def test_auditors_are_named_where_they_are_other_people_and_only_there(tmp_path: Path) -> None:
    assert "label_studio.auditors" in refused(tmp_path, label_studio={"auditors": {"una": "una@x.org"}})


@pytest.mark.parametrize("url", ["ftp://x", "http://me:secret@x", "http://x?token=1"])
def test_an_address_holds_no_secret(tmp_path: Path, url: str) -> None:
    assert "key label_studio.url" in refused(tmp_path, label_studio={"url": url})


def test_settings_of_the_server_make_no_table_anew() -> None:
    one, other = project("http://a"), project("http://b", most_open=5)
    for table in TABLES:
        if find_step(one, table) is not None:
            assert code_version(one, table) == code_version(other, table), table
    assert isinstance(one, Project)
    assert set(PEOPLE) == {"annotators", "experts"}
