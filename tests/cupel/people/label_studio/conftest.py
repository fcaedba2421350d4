from collections.abc import Iterator
from pathlib import Path

import pytest

import label_studio_server
from cupel.lake.lake import Lake
from label_studio_server import LabelStudioServer
from live_lake import live_lake


@pytest.fixture
def server() -> Iterator[LabelStudioServer]:
    with label_studio_server.served() as there:
        yield there


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return live_lake(tmp_path)
