"""Inbox: deliveries are taken, releases proposed, and answers collected. The world comes in here and nowhere else."""

import dagster as dg

from assets.bench import Bench
from cupel.people.label_studio.waiting import waiting_table


def collect_answers(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Take what lies whole in the inbox, ask the workforce all open questions, and append what it answers."""
    project = bench.project_name(context)
    came, problems = bench.collect(project, context.instance, context.run.run_id)
    for problem in problems:
        context.log.error(problem)
    for taken in came.taken:
        context.log.info(f"{taken.name}: {taken.outcome}: {taken.reason}")
    head, awaited = came.head, came.waiting
    waits = {"awaited of people": dg.MetadataValue.md(waiting_table(awaited))} if awaited else {}
    if came.calibration:
        far = "; ".join(f"{name}: {standing.words}" for name, standing in came.calibration.items())
        waits["calibration"] = dg.MetadataValue.md(far)
    return dg.MaterializeResult(
        asset_key=dg.AssetKey([project, "answers"]),
        data_version=dg.DataVersion(head.hash),
        metadata={
            "dagster/row_count": head.sequence,
            "new answers": came.written,
            "deliveries taken": sum(taken.outcome == "registered" for taken in came.taken),
            "releases proposed": came.proposed,
            **waits,
        },
    )
