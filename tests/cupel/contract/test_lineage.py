"""Where columns come from: every one is explained, and every source is one that some project has."""

import pytest

from cupel.contract.lineage import DERIVED, REST, ColumnSource, is_explained, trace_columns
from cupel.contract.stages import STAGES
from cupel.contract.tables import TABLES

WAYS = [(table, step.made_from) for stage in STAGES.values() for step in stage.steps for table in step.tables]


@pytest.mark.parametrize(("table", "made_from"), WAYS)
def test_every_column_passes_through_or_is_declared(table: str, made_from: tuple[str, ...]) -> None:
    unexplained = [c.name for c in TABLES[table].columns if not is_explained(table, c, made_from)]
    assert unexplained == []


@pytest.mark.parametrize("table", DERIVED)
def test_every_declared_source_is_a_column_of_what_the_table_is_made_from(table: str) -> None:
    made_from = {other for written, others in WAYS if written == table for other in others}
    for name, sources in DERIVED[table].items():
        assert name == REST or name in {column.name for column in TABLES[table].columns}
        for source in sources:
            other, column = source.split(".")
            assert other in made_from
            assert column in {one.name for one in TABLES[other].columns}


@pytest.mark.parametrize("table", DERIVED)
def test_what_is_declared_of_a_table_is_not_lost_in_every_project(table: str) -> None:
    ways = [made_from for written, made_from in WAYS if written == table]
    for name, sources in DERIVED[table].items():
        if sources and name != REST:
            assert any(trace_columns(table, made_from).get(name) for made_from in ways)


def test_a_column_that_two_tables_share_passes_through() -> None:
    assert trace_columns("clean_items", ("raw_items", "item_signals"))["source_file"] == (
        ColumnSource("raw_items", "source_file"),
    )


def test_a_label_comes_from_people_and_checker() -> None:
    sources = {source.table for source in trace_columns("labels", ("consensus", "predictions", "routes"))["label"]}
    assert sources == {"consensus", "predictions", "routes"}


def test_a_source_that_a_project_does_not_have_is_left_out() -> None:
    with_models = trace_columns("predictions", ("clean_items", "people_consensus"))["posterior"]
    assert {source.table for source in with_models} == {"clean_items", "people_consensus"}


def test_what_is_read_from_files_comes_from_no_table() -> None:
    assert trace_columns("raw_items", ()) == {}
