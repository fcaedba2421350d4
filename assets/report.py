"""Report: what people keep of a release, whether it was certified or refused."""

import dagster as dg

from assets.asset_tags import group_name, project_tags
from assets.bench import BENCH, Bench, at_bench
from assets.page_links import report_link
from assets.spec import code_reference, kept_plots
from cupel.cleaning.images.measured import download_limits
from cupel.config.project import Project
from cupel.lake.step import Step
from cupel.modalities.image.contents import read_content
from cupel.modalities.image.problems import ImageProblem
from cupel.release.facts import ReleaseFacts, release_facts
from cupel.release.folder import add_uncovered, find_not_covered
from cupel.release.layout import REPORT_FILE, RUN_FILE, is_written, json_bytes
from cupel.release.places import release_place, report_file, report_folder
from cupel.release.relabel import as_csv
from cupel.release.reported import remember_reported
from cupel.release.run_record import run_record
from cupel.show.pictures import preview_images
from cupel.show.report import RELABEL_SHOWN, render_report
from cupel.show.report_facts import ReportFacts, report_facts
from cupel.sources.register import delivery_folder

# Shown beside the verdict where they have been made: by title the table and the plot's name.
PLOTS = {
    "Label error after each stage": ("stage_errors", "error after each stage"),
    "What experts would see": ("release_plan", "what experts would see"),
}


def report_asset(project: Project, bench: str = BENCH) -> dg.AssetsDefinition:
    """Return a project's report: no table, so no step of a stage."""
    deps = [[project.project, table] for table in ("release_plan", "audit_result", "stage_errors")]
    return dg.asset(
        key=[project.project, "report"],
        group_name=group_name(project.project, "release"),
        kinds={"html"},
        tags=project_tags(project, "release"),
        deps=deps,
        metadata={"dagster/code_references": code_reference(report)},
    )(at_bench(report, bench))


def report(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Write the report as one page that stands alone, and what to relabel next as CSV.

    It is made after the gates have spoken and whatever they said, and again where something has changed since, such
    as the guideline in force. What the machine took stands beside it in `run.json`, and in the release's folder.
    """
    with bench.step(context) as step:
        facts = release_facts(step.lake, step.project, step.partition)
        more = report_facts(step.lake, facts)
        page = render_report(facts, more, read_pictures(step, bench, facts, more)).encode()
        record = run_record(step.lake, [*facts.terms.batches, step.partition])
        added = {REPORT_FILE: page, RUN_FILE: json_bytes(record)}
        folder, store = report_folder(step.lake, step.partition), step.lake.store
        for name, content in (*added.items(), ("relabel_next.csv", as_csv(more.relabel).encode())):
            store.put(report_file(step.partition, name), content)
        if is_written(store, released := release_place(step.partition)):
            for name in find_not_covered(store, released):
                add_uncovered(store, released, name, added[name])
        remember_reported(step.lake, step.partition)
        plots = kept_plots(step, PLOTS)
    return dg.MaterializeResult(
        metadata={
            "Verdict": facts.verdict,
            "Why": facts.reason,
            "Report": dg.MetadataValue.url(report_link(step.project.project, step.partition)),
            **plots,
            "where it is": dg.MetadataValue.path(str(folder / REPORT_FILE)),
            "what the machine took": dg.MetadataValue.json(record),
        }
    )


def read_pictures(step: Step, bench: Bench, facts: ReleaseFacts, more: ReportFacts) -> dict[str, str]:
    """Return pictures of the images that the report speaks of; nothing where items are texts."""
    if step.project.modality.has_text:
        return {}
    limits = download_limits(step.project.images)
    shown = [(row["batch"], row["text"]) for row in (*facts.worst, *more.relabel.slice(0, RELABEL_SHOWN).to_pylist())]

    def read(batch: str, location: str) -> bytes | ImageProblem:
        return read_content(delivery_folder(step.lake, batch, bench.data), location, limits)

    return preview_images(shown, read, step.project.images.max_pixels)
