"""The wiring: every project's assets, gates and jobs, bound to its partitions and its bench."""

from collections.abc import Sequence

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

MODULES = (assets.raw, assets.cleaning, assets.labeling, assets.checking, assets.release, assets.report)


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
    work = _bound(project, batches, releases)
    checks = gates(project, batches, releases)
    bound = dg.with_resources([*work, *checks], {"bench": bench(project, deployment)})
    return dg.Definitions(
        assets=[*bound[: len(work)], *_outside(project)],
        asset_checks=bound[len(work) :],
        jobs=[
            dg.define_asset_job(batch_job(name), _selection(work, batches)),
            dg.define_asset_job(release_job(name), _selection(work, releases) - _report(project)),
            dg.define_asset_job(report_job(name), _report(project)),
        ],
    )


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
    project: Project, batches: dg.PartitionsDefinition[str], releases: dg.PartitionsDefinition[str]
) -> list[dg.AssetsDefinition]:
    """Return the assets under the project's name, with its owner and the partitions of their stage."""

    def own(spec: dg.AssetSpec) -> dg.AssetSpec:
        partitions_def = releases if spec.group_name == "release" else batches
        return spec.replace_attributes(partitions_def=partitions_def, owners=[project.owner])

    return [asset.map_asset_specs(own) for asset in _loaded(project) if isinstance(asset, dg.AssetsDefinition)]


def _outside(project: Project) -> list[dg.AssetSpec]:
    """Return what is written outside the graph, which the page shows as external: the answers log."""
    specs = [asset for asset in _loaded(project) if isinstance(asset, dg.AssetSpec)]
    return [
        spec.replace_attributes(key=dg.AssetKey([project.project, spec.key.path[-1]]), owners=[project.owner])
        for spec in specs
    ]


def _loaded(project: Project) -> Sequence[object]:
    return dg.load_assets_from_modules(MODULES, key_prefix=[project.project], include_specs=True)


def _selection(work: list[dg.AssetsDefinition], partitions_def: dg.PartitionsDefinition[str]) -> dg.AssetSelection:
    return dg.AssetSelection.assets(*(asset for asset in work if asset.partitions_def == partitions_def))


def _report(project: Project) -> dg.AssetSelection:
    return dg.AssetSelection.keys(dg.AssetKey([project.project, "report"]))


defs = build_definitions()
