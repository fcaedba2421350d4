"""Groups and tags: by what the page finds assets. A group is one project's stage; a stage of all projects is a tag."""

import dagster as dg

from cupel.config.project import Project

PROJECT, STAGE, KIND, MODALITY = "cupel/project", "cupel/stage", "cupel/kind", "cupel/modality"
MOST_OF_A_TAG = 63


def group_name(project: str, stage: str) -> str:
    """Return the page's group of a project's stage.

    >>> group_name("sentiment-2026", "release")
    'sentiment_2026_release'
    """
    return f"{project}_{stage}".replace("-", "_")


def project_tags(project: Project, stage: str) -> dict[str, str]:
    """Return the tags by which the page finds assets: of a project, a stage, a kind of label, a kind of item."""
    tags = {PROJECT: project.project, STAGE: stage, KIND: project.kind.name, MODALITY: project.modality.name}
    return {name: value[:MOST_OF_A_TAG] for name, value in tags.items()}


def asset_stage(asset: dg.AssetsDefinition) -> str:
    """Return the stage of an asset: it stands in the tags of its tables, whose group is the project's alone."""
    return next(iter(asset.tags_by_key.values()))[STAGE]
