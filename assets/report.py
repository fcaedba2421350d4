"""Report: what people keep of a release, whether it was certified or refused."""

import dagster as dg

from assets.bench import Bench
from cupel.config.project import Project
from cupel.release.facts import release_facts
from cupel.release.folder import add_uncovered
from cupel.release.places import release_folder, report_folder
from cupel.release.relabel import relabel_csv
from cupel.release.report import render_report
from cupel.release.report_facts import report_facts
from cupel.release.reported import remember_reported
from cupel.release.seconds import read_cpu, read_seconds
from cupel.store.files import put_file as replace_file


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
        seconds = read_seconds(step.lake, [*facts.plan["batches"], step.partition])
        cpu = read_cpu(step.lake, [*facts.plan["batches"], step.partition])
        page = render_report(facts, seconds, report_facts(step.lake, facts), cpu).encode()
        folder = report_folder(step.lake, step.partition)
        folder.mkdir(parents=True, exist_ok=True)
        replace_file(folder / "report.html", page)
        replace_file(folder / "relabel_next.csv", relabel_csv(step.lake, step.partition).encode())
        released = release_folder(step.lake, step.partition)
        if released.is_dir():
            add_uncovered(released, "report.html", page)
        remember_reported(step.lake, step.partition)
    return dg.MaterializeResult(
        metadata={
            "verdict": facts.verdict,
            "why": facts.reason,
            "report": dg.MetadataValue.path(str(folder / "report.html")),
        }
    )
