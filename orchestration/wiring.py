"""The wiring: every project's assets, gates and jobs, bound to its partitions, and the bench that all work at."""

from collections.abc import Sequence

import dagster as dg

import assets.checking
import assets.cleaning
import assets.labeling
import assets.raw
import assets.release
import assets.report
from cupel.project import Project
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


def project_definitions(project: Project) -> dg.Definitions:
    """Return one project's assets, gates and jobs, without what they work at."""
    name = project.project
    batches, releases = partitions.batches(name), partitions.releases(name)
    work = _bound(project, batches, releases)
    checks = gates(project, batches, releases)
    return dg.Definitions(
        assets=[*work, *_outside(project)],
        asset_checks=checks,
        jobs=[
            dg.define_asset_job(batch_job(name), _selection(work, batches)),
            dg.define_asset_job(release_job(name), _selection(work, releases) - _report(project)),
            dg.define_asset_job(report_job(name), _report(project)),
        ],
    )


def deployment_definitions(projects: Sequence[Project], deployment: Deployment) -> dg.Definitions:
    """Return the definitions of some projects, at one bench and in one process.

    Args:
        projects: The projects.
        deployment: Where projects, data and lake are.
    """
    shared = dg.Definitions(resources={"bench": bench(deployment)}, executor=dg.in_process_executor)
    return dg.Definitions.merge(shared, *(project_definitions(project) for project in projects))


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
