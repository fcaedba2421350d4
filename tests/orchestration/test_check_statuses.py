"""A check of several releases on Dagster's page: the failed one is the latest that is shown, wherever it is shown."""

import warnings
from collections.abc import Iterator

import dagster as dg
import pytest

from orchestration.check_statuses import report_failed_partitions

PARTITIONS = ["movies-r1", "newspaper-r1"]
KEY = dg.AssetCheckKey(dg.AssetKey(["small", "certificate"]), "error_bound")


def definitions(failing: set[str]) -> dg.Definitions:
    """Return one table with one check, which fails for some partitions, told as gates tell it."""
    releases = dg.StaticPartitionsDefinition(PARTITIONS)

    @dg.asset(key=["small", "certificate"], partitions_def=releases)
    def certificate() -> None: ...

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)
        spec = dg.AssetCheckSpec("error_bound", asset=["small", "certificate"], partitions_def=releases)

    @dg.multi_asset_check(specs=[spec])
    def judge(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        passed = context.partition_key not in failing
        yield dg.AssetCheckResult(
            asset_key=KEY.asset_key, check_name="error_bound", passed=passed, metadata={"of": context.partition_key}
        )
        report_failed_partitions(context.instance, {KEY}, context.partition_key, PARTITIONS)

    return dg.Definitions(assets=[certificate], asset_checks=[judge])


def run(instance: dg.DagsterInstance, partition: str, failing: set[str]) -> None:
    job = definitions(failing).resolve_implicit_global_asset_job_def()
    assert job.execute_in_process(instance=instance, partition_key=partition).success


def shown(instance: dg.DagsterInstance) -> tuple[str | None, bool]:
    """Return what pane, overview and graph show: partition and outcome of the latest result."""
    (latest,) = instance.event_log_storage.get_asset_check_execution_history(KEY, limit=1)
    assert latest.evaluation is not None
    assert latest.evaluation.metadata["of"].value == latest.evaluation.partition
    return latest.evaluation.partition, latest.evaluation.passed


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as made:
        yield made


def test_a_partition_that_passes_last_does_not_hide_one_that_failed(instance: dg.DagsterInstance) -> None:
    run(instance, "newspaper-r1", {"newspaper-r1"})
    run(instance, "movies-r1", {"newspaper-r1"})
    assert shown(instance) == ("newspaper-r1", False)


def test_once_it_passes_nothing_is_shown_as_failed(instance: dg.DagsterInstance) -> None:
    run(instance, "newspaper-r1", {"newspaper-r1"})
    run(instance, "newspaper-r1", set())
    run(instance, "movies-r1", set())
    assert shown(instance) == ("movies-r1", True)


def test_where_the_judged_partition_failed_too_its_own_result_is_shown(instance: dg.DagsterInstance) -> None:
    run(instance, "newspaper-r1", {"newspaper-r1", "movies-r1"})
    run(instance, "movies-r1", {"newspaper-r1", "movies-r1"})
    assert shown(instance) == ("movies-r1", False)


def test_a_partition_that_is_no_more_is_not_spoken_of(instance: dg.DagsterInstance) -> None:
    run(instance, "newspaper-r1", {"newspaper-r1"})
    assert report_failed_partitions(instance, {KEY}, "movies-r1", ["movies-r1"]) == 0


def test_a_refused_partition_is_shown_however_often_others_pass(instance: dg.DagsterInstance) -> None:
    run(instance, "newspaper-r1", {"newspaper-r1"})
    for _ in range(3):
        run(instance, "movies-r1", {"newspaper-r1"})
        assert shown(instance) == ("newspaper-r1", False)
