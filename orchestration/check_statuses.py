"""One word on a check of several batches or releases, wherever Dagster's page says it.

Dagster lists a check as failed while any partition's latest result failed, but shows as its latest result, in the pane,
on the asset and in the graph, that of the partition that was judged last. So the result of a partition that failed is
reported once more when another one has been judged: it names its partition, and all places say the same.
"""

from collections.abc import Collection, Iterable

import dagster as dg

from orchestration.dagster_internals import (
    RUNLESS_RUN_ID,
    AssetCheckExecutionRecordStatus,
    AssetCheckExecutionsTable,
    AssetCheckPartitionInfo,
    PartitionKeyFilter,
    SqlEventLogStorage,
)

FAILED = AssetCheckExecutionRecordStatus.FAILED


def report_failed_partitions(
    instance: dg.DagsterInstance, checks: Collection[dg.AssetCheckKey], judged: str, partitions: Collection[str]
) -> int:
    """Report the failed result of another partition again, of each check that one fails and the judged one does not.

    Args:
        instance: Where results are recorded.
        checks: Checks that have just been evaluated.
        judged: The partition that they were evaluated on; what it came to is recorded already.
        partitions: Those that there are.

    Returns:
        How many results were reported.
    """
    storage, count = instance.event_log_storage, 0
    infos = storage.get_asset_check_partition_info(list(checks))
    for check in sorted(checks):
        failed = [info for info in infos if info.check_key == check and _is_failed(info, partitions)]
        if not failed or any(info.partition_key == judged for info in failed):
            continue
        latest = max(failed, key=lambda info: info.latest_check_event_storage_id or 0)
        history = storage.get_asset_check_execution_history(
            check, limit=1, status={FAILED}, partition_filter=PartitionKeyFilter(key=latest.partition_key)
        )
        for evaluation in _evaluations(record.evaluation for record in history):
            _forget_reported(storage, check, latest.partition_key)
            instance.report_runless_asset_event(evaluation)
            count += 1
    return count


def _forget_reported(storage: object, check: dg.AssetCheckKey, partition: str | None) -> None:
    """Remove the result of a partition that was reported without a run before: Dagster keeps one, and raises."""
    if not isinstance(storage, SqlEventLogStorage):
        return
    table = AssetCheckExecutionsTable.c
    reported = (table.asset_key == check.asset_key.to_string()) & (table.check_name == check.name)
    reported &= (table.run_id == RUNLESS_RUN_ID) & (table.partition == partition)
    with storage.index_connection() as connection:
        connection.execute(AssetCheckExecutionsTable.delete().where(reported))


def _is_failed(info: AssetCheckPartitionInfo, partitions: Collection[str]) -> bool:
    """Tell whether a partition that there is has failed, as it is now."""
    return info.latest_execution_status == FAILED and info.is_current and info.partition_key in partitions


def _evaluations(found: Iterable[dg.AssetCheckEvaluation | None]) -> list[dg.AssetCheckEvaluation]:
    return [evaluation for evaluation in found if evaluation is not None]
