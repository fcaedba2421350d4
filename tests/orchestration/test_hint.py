from pathlib import Path

import dagster as dg
import pytest

from cupel.lake.lake import Lake
from cupel.people.label_studio.hint import leave
from label_studio_server import LEGACY
from orchestration.definitions import build_definitions
from small_project import write_project


def test_a_hint_starts_one_collection_and_the_same_hint_no_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUPEL_LABEL_STUDIO_TOKEN", LEGACY)
    people = {"annotators": {"ann": "ann@x.org"}, "experts": {"eve": "eve@x.org"}}
    deployment = write_project(
        tmp_path, items=1, labeling={"workforce": "label_studio", "answers": []},
        label_studio={"url": "http://127.0.0.1:9", **people},
    )  # fmt: skip
    repository, instance = build_definitions(deployment).get_repository_def(), dg.DagsterInstance.ephemeral()

    def asked() -> str | None:
        with dg.build_sensor_context(instance=instance, repository_def=repository) as context:
            (request,) = repository.get_sensor_def("small_inbox").evaluate_tick(context).run_requests or []
        return request.run_key

    before = asked()
    assert asked() == before  # Dagster starts no second run under a key that it has seen
    leave(Lake(deployment.lake, "small"))
    after = asked()
    assert after != before
    assert asked() == after
