import gzip
import json
from pathlib import Path

import pytest

from cupel.kinds.projects import load_project
from samples.label_studio import PEOPLE, environment, main, write_project
from samples.studio_server import StudioServer


@pytest.fixture
def server(tmp_path: Path) -> StudioServer:
    folder = tmp_path / "server"
    folder.mkdir()
    people = [
        {"name": name, "email": f"{name}@cupel.example", "password": f"p-{name}", "token": f"t-{name}"}
        for name in PEOPLE
    ]
    (folder / "people.json").write_text(json.dumps(people))
    return StudioServer(folder, tmp_path / "label-studio", 8123)


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    path = tmp_path / "texts.jsonl.gz"
    with gzip.open(path, "wt") as lines:
        lines.writelines(json.dumps({"id": f"m{number}", "text": f"film {number}"}) + "\n" for number in range(9))
    return path


def test_the_project_has_three_annotators_an_expert_and_so_many_sentences(
    tmp_path: Path, server: StudioServer, texts: Path
) -> None:
    write_project(tmp_path, server, texts, items=5)
    project = load_project(tmp_path / "projects" / "live.yaml")
    assert project.label_studio is not None
    assert project.label_studio.url == "http://127.0.0.1:8123"
    assert list(project.label_studio.annotators) == ["ann", "bob", "cy"]
    assert list(project.label_studio.experts) == ["eve"]
    assert len((tmp_path / "files" / "live" / "movies.jsonl").read_text().splitlines()) == 5


def test_writing_it_again_for_another_port_changes_the_address_and_not_the_delivery(
    tmp_path: Path, server: StudioServer, texts: Path
) -> None:
    write_project(tmp_path, server, texts, items=5)
    server.url = "http://127.0.0.1:9000"
    write_project(tmp_path, server, texts, items=7)
    project = load_project(tmp_path / "projects" / "live.yaml")
    assert project.label_studio is not None
    assert project.label_studio.url == "http://127.0.0.1:9000"
    assert len((tmp_path / "files" / "live" / "movies.jsonl").read_text().splitlines()) == 5


def test_passwords_and_tokens_are_in_the_environment_and_in_no_file_of_the_project(
    tmp_path: Path, server: StudioServer, texts: Path
) -> None:
    write_project(tmp_path, server, texts, items=5)
    found = environment(tmp_path, server)
    assert found["CUPEL_LABEL_STUDIO_TOKEN"] == "t-admin"
    for path in (*tmp_path.glob("projects/*"), *tmp_path.glob("files/**/*.jsonl"), *tmp_path.glob("dagster/*")):
        assert "t-admin" not in path.read_text()
        assert "p-ann" not in path.read_text()


def test_a_word_that_it_does_not_know_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["label_studio", "sideways"])
    assert main() == 2
    assert "usage" in capsys.readouterr().err
