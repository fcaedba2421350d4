"""The suites, in the order of the chain, and those that a project adds."""

from importlib import import_module

from cupel.config.project import Project
from cupel.contract.stages import STAGES, stage_of
from expectations.suite import Suite
from expectations.team import team_checks


def all_suites() -> list[Suite]:
    """Return the suites that the stages' records name, in the order of the chain."""
    return [_load(place) for stage in STAGES.values() for place in stage.suites.values()]


def project_suites(project: Project) -> list[Suite]:
    """Return all suites of a project: one a stage, and one for each further table that is judged.

    Raises:
        ProjectError: An expectation of the project cannot be asked.
    """
    teams = team_checks(project)
    suites = [suite for suite in all_suites() if suite.asked(project) or suite.table in teams]
    judged = {suite.table for suite in suites}
    return suites + [Suite(stage_of(table).name, table) for table in teams if table not in judged]


def _load(place: str) -> Suite:
    module, _, name = place.partition(":")
    suite: Suite = getattr(import_module(module), name)
    return suite
