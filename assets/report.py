"""Report: what people keep of a release, whether it was certified or refused."""

import dagster as dg

from assets.bench import Bench
from cupel.config.project import Project
from cupel.lake.stage_seconds import read_cpu, read_seconds
from cupel.release.facts import release_facts
from cupel.release.folder import add_uncovered
from cupel.release.layout import is_written
from cupel.release.places import release_place, report_file, report_folder
from cupel.release.relabel import as_csv
from cupel.release.reported import remember_reported
from cupel.show.report import render_report
from cupel.show.report_facts import report_facts


def report_asset(project: Project) -> dg.AssetsDefinition:
    """Return a project's report: no table, so no step of a stage."""
    deps = [[project.project, table] for table in ("release_plan", "audit_result", "stage_errors")]
    return dg.asset(key=[project.project, "report"], group_name="release", kinds={"html"}, deps=deps)(report)


def report(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Write the report as one page that stands alone, and what to relabel next as CSV.

    It is made after the gates have spoken and whatever they said, so it is no part of the release's
    hash; it also holds the seconds that the stages took.
    """
    with bench.step(context) as step:
        facts = release_facts(step.lake, step.project, step.partition)
        seconds = read_seconds(step.lake, [*facts.terms.batches, step.partition])
        cpu = read_cpu(step.lake, [*facts.terms.batches, step.partition])
        more = report_facts(step.lake, facts)
        page = render_report(facts, seconds, more, cpu).encode()
        folder, store = report_folder(step.lake, step.partition), step.lake.store
        store.put(report_file(step.partition, "report.html"), page)
        store.put(report_file(step.partition, "relabel_next.csv"), as_csv(more.relabel).encode())
        if is_written(store, released := release_place(step.partition)):
            add_uncovered(store, released, "report.html", page)
        remember_reported(step.lake, step.partition)
    return dg.MaterializeResult(
        metadata={
            "verdict": facts.verdict,
            "why": facts.reason,
            "report": dg.MetadataValue.path(str(folder / "report.html")),
        }
    )
