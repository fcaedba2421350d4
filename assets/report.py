"""Report: what people keep of a release, whether it was certified or refused."""

import dagster as dg

from assets.bench import Bench
from cupel.cleaning.images.measured import download_limits
from cupel.config.project import Project
from cupel.lake.stage_seconds import read_cpu, read_seconds
from cupel.lake.step import Step
from cupel.modalities.image.contents import read_content
from cupel.modalities.image.problems import ImageProblem
from cupel.release.facts import ReleaseFacts, release_facts
from cupel.release.folder import add_uncovered
from cupel.release.layout import is_written
from cupel.release.places import release_place, report_file, report_folder
from cupel.release.relabel import as_csv
from cupel.release.reported import remember_reported
from cupel.show.pictures import preview_images
from cupel.show.report import RELABEL_SHOWN, render_report
from cupel.show.report_facts import ReportFacts, report_facts
from cupel.sources.register import delivery_folder


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
        pictures = _pictures(step, bench, facts, more)
        page = render_report(facts, seconds, more, cpu, pictures).encode()
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


def _pictures(step: Step, bench: Bench, facts: ReleaseFacts, more: ReportFacts) -> dict[str, str]:
    """Return pictures of the images that the report speaks of; nothing where items are texts."""
    if step.project.modality.has_text:
        return {}
    limits = download_limits(step.project.images)
    shown = [(row["batch"], row["text"]) for row in (*facts.worst, *more.relabel.slice(0, RELABEL_SHOWN).to_pylist())]

    def read(batch: str, location: str) -> bytes | ImageProblem:
        return read_content(delivery_folder(step.lake, batch, bench.data), location, limits)

    return preview_images(shown, read, step.project.images.max_pixels)
