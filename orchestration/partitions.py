"""Partitions: a project's batches, and its releases."""

import dagster as dg


def batches(project: str) -> dg.DynamicPartitionsDefinition:
    """Return the partitions of a project's per-batch tables: one a delivery."""
    return dg.DynamicPartitionsDefinition(name=f"{project}_batches")


def releases(project: str) -> dg.DynamicPartitionsDefinition:
    """Return the partitions of a project's per-release tables: one a release."""
    return dg.DynamicPartitionsDefinition(name=f"{project}_releases")
