"""What the page shows of a project's tables: groups, tags, owners, code, lineage, and metadata in a reader's order."""

import json
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from assets.asset_tags import project_tags
from assets.page_links import report_link
from assets.spec import CODE_URL, SHOWN_INLINE, code_reference
from cupel.contract.tables import TABLES
from cupel.kinds.projects import load_project
from cupel.lake.lake import Lake
from orchestration.rounds import Rounds
from orchestration.wiring import deployment_definitions, project_definitions
from small_project import write_project


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A small project, what Dagster knows of its assets, and what the runs of it said."""
    deployment = write_project(tmp_path_factory.mktemp("page"))
    project = load_project(deployment.projects / "small.yaml")
    with dg.DagsterInstance.ephemeral() as instance:
        Rounds(project, deployment, instance).run()
        said = {}
        for key in instance.all_asset_keys():
            event = instance.get_latest_materialization_event(key)
            if event is not None and event.asset_materialization is not None:
                said[key.path[-1]] = event.asset_materialization.metadata
    return {
        "project": project,
        "deployment": deployment,
        "graph": deployment_definitions([project], deployment).resolve_asset_graph(),
        "said": said,
        "lake": Lake(deployment.lake, "small"),
    }


def test_a_group_is_one_projects_stage_and_a_tag_is_the_stage_of_all(page: dict[str, Any]) -> None:
    for key in page["graph"].materializable_asset_keys:
        node = page["graph"].get(key)
        assert node.group_name == f"small_{node.tags['cupel/stage']}"
        assert project_tags(page["project"], node.tags["cupel/stage"]).items() <= node.tags.items()
    selected = dg.AssetSelection.from_string("tag:cupel/stage=cleaning").resolve(page["graph"])
    assert dg.AssetKey(["small", "clean_items"]) in selected
    assert selected == dg.AssetSelection.from_string("group:small_cleaning").resolve(page["graph"])


def test_every_asset_has_an_owner_and_its_code(page: dict[str, Any]) -> None:
    for key in page["graph"].materializable_asset_keys:
        node = page["graph"].get(key)
        assert node.owners == [page["project"].owner]
        (place,) = node.metadata["dagster/code_references"].code_references
        assert Path(place.file_path).parent.name == "assets"


def test_code_is_a_link_where_it_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CODE_URL, "https://git.example/cupel/blob/main/")
    (place,) = code_reference(code_reference).code_references
    assert isinstance(place, dg.UrlCodeReference)
    assert place.url.startswith("https://git.example/cupel/blob/main/assets/spec.py#L")


def test_lineage_names_columns_of_tables_that_the_project_has(page: dict[str, Any]) -> None:
    graph, lineages = page["graph"], {}
    for table, metadata in page["said"].items():
        if table in TABLES and "dagster/column_lineage" in metadata:
            lineages[table] = metadata["dagster/column_lineage"].value.deps_by_column
            for source in (source for sources in lineages[table].values() for source in sources):
                assert source.asset_key in graph.get(dg.AssetKey(["small", table])).parent_keys
                assert source.column_name in {column.name for column in TABLES[source.asset_key.path[-1]].columns}
    assert {source.asset_key.path[-1] for source in lineages["labels"]["label"]} == {
        "consensus", "predictions", "routes"
    }  # fmt: skip
    assert [source.column_name for source in lineages["clean_items"]["source_file"]] == ["source_file"]


def test_readers_come_first_and_hashes_last(page: dict[str, Any]) -> None:
    for table, metadata in page["said"].items():
        shown = [name for name in metadata if not name.startswith("dagster/")]
        if "content hash" in shown:
            assert shown[-2:] == ["made from", "content hash"]
            assert sorted(shown)[-2:] == ["content hash", "made from"], table
            assert len(metadata["Preview"].value) <= SHOWN_INLINE
            assert all(name[0].isupper() for name in shown[:-2])
    assert next(iter(page["said"]["certificate"])) == "Verdict"


def test_the_report_is_a_link_and_its_plots_are_pictures_that_are_there(page: dict[str, Any]) -> None:
    said = page["said"]["report"]
    assert said["Report"].value == report_link("small", "one-r1")
    assert isinstance(said["Report"], dg.UrlMetadataValue)
    assert page["lake"].store.stat("reports/one-r1/report.html") is not None
    plots = {name: value.value for name, value in said.items() if isinstance(value, dg.MarkdownMetadataValue)}
    assert plots
    for text in plots.values():
        link = text.rpartition("](")[2].removesuffix(")")
        assert page["lake"].store.read(link.removeprefix("/cupel/small/")).startswith(b"<svg")


def test_no_metadata_of_a_table_holds_a_picture_itself(page: dict[str, Any]) -> None:
    for metadata in page["said"].values():
        assert "data:image" not in json.dumps([str(value.value) for value in metadata.values()])


def test_of_two_projects_no_group_is_shared(page: dict[str, Any]) -> None:
    project = page["project"]
    other = project.model_copy(update={"project": "small_two"})
    groups = [
        {spec.group_name for asset in project_definitions(one).assets or [] for spec in asset.specs}  # type: ignore[union-attr]
        for one in (project, other)
    ]
    assert not groups[0] & groups[1]
