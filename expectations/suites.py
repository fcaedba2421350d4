"""The suites, in the order of the chain, and those that a project adds."""

from collections.abc import Iterable
from importlib import import_module

from cupel.config.project import Project
from cupel.contract.kind import Kind
from cupel.contract.stages import STAGES, stage_of
from cupel.kinds import KINDS
from expectations.kind_tables import kind_suite
from expectations.suite import Suite
from expectations.team import team_checks


def all_suites(kinds: Iterable[Kind] = KINDS) -> list[Suite]:
    """Return the suites that the stages' records name, in the order of the chain, and those of label kinds."""
    found = [_load(place) for stage in STAGES.values() for place in stage.suites.values()]
    return found + [suite for suite in map(kind_suite, kinds) if suite is not None]


def project_suites(project: Project) -> list[Suite]:
    """Return all suites of a project: one a stage, and one for each further table that is judged.

    Raises:
        ProjectError: An expectation of the project cannot be asked.
    """
    teams = team_checks(project)
    known = all_suites((project.kind,))
    suites = [suite for suite in known if suite.asked(project) or suite.table in teams]
    judged = {suite.table for suite in suites}
    return suites + [Suite(stage_of(table).name, table) for table in teams if table not in judged]


def _load(place: str) -> Suite:
    module, _, name = place.partition(":")
    suite: Suite = getattr(import_module(module), name)
    return suite
