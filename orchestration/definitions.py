"""The wiring: every project's assets, gates and jobs, bound to its partitions and its bench."""

import dagster as dg

import assets.checking
import assets.cleaning
import assets.labeling
import assets.raw
import assets.release
import assets.report
from cupel.project import Project, load_projects
from orchestration import partitions
from orchestration.deployment import Deployment
from orchestration.gates import gates
from orchestration.resources import bench

BATCH_MODULES = (assets.raw, assets.cleaning, assets.labeling, assets.checking)
RELEASE_MODULES = (assets.release,)
REPORT_MODULES = (assets.report,)


def batch_job(project: str) -> str:
    """Return the name of the job that takes a batch through raw, cleaning, labeling and checking."""
    return f"{project}_batch"


def release_job(project: str) -> str:
    """Return the name of the job that freezes, audits and releases."""
    return f"{project}_release"


def report_job(project: str) -> str:
    """Return the name of the job that writes a release's report, whatever its gates said."""
    return f"{project}_report"


def project_definitions(project: Project, deployment: Deployment) -> dg.Definitions:
    """Return one project's assets, gates and jobs."""
    name = project.project
    batches, releases = partitions.batches(name), partitions.releases(name)
    work = _bound(project, BATCH_MODULES, batches)
    release = _bound(project, RELEASE_MODULES, releases)
    report = _bound(project, REPORT_MODULES, releases)
    jobs = [
        dg.define_asset_job(batch_job(name), dg.AssetSelection.assets(*work)),
        dg.define_asset_job(release_job(name), dg.AssetSelection.assets(*release)),
        dg.define_asset_job(report_job(name), dg.AssetSelection.assets(*report)),
    ]
    checks = gates(project, batches, releases)
    resources = {"bench": bench(project, deployment)}
    bound = dg.with_resources([*work, *release, *report, *checks], resources)
    return dg.Definitions(assets=[*bound[: -len(checks)]], asset_checks=bound[-len(checks) :], jobs=jobs)


def build_definitions(deployment: Deployment | None = None) -> dg.Definitions:
    """Return the definitions of all projects of a deployment.

    Args:
        deployment: Where projects, data and lake are; None for the environment's.

    Raises:
        ProjectError: A project file is wrong.
    """
    deployment = deployment or Deployment.from_environment()
    executor = dg.Definitions(executor=dg.in_process_executor)
    return dg.Definitions.merge(
        executor, *(project_definitions(project, deployment) for project in load_projects(deployment.projects))
    )


def _bound(
    project: Project, modules: tuple[object, ...], partitions_def: dg.PartitionsDefinition[str]
) -> list[dg.AssetsDefinition]:
    """Return the modules' assets under the project's name, with its partitions and owner."""
    loaded = dg.load_assets_from_modules(modules, key_prefix=[project.project])
    return [
        asset.map_asset_specs(
            lambda spec: spec.replace_attributes(partitions_def=partitions_def, owners=[project.owner])
        )
        for asset in loaded
    ]


defs = build_definitions()
