"""The suites, in the order of the chain, and those that a project adds."""

from cupel.config.project import Project
from cupel.tables import TABLES
from expectations import checking, cleaning, gold, labeling, preference, raw, release
from expectations.suite import Suite
from expectations.team import team_checks

STAGE_SUITES: tuple[Suite, ...] = (raw.SUITE, cleaning.SUITE, labeling.SUITE, checking.SUITE, release.SUITE)
SUITES: tuple[Suite, ...] = (*STAGE_SUITES[:3], gold.SUITE, preference.SUITE, *STAGE_SUITES[3:])


def project_suites(project: Project) -> list[Suite]:
    """Return all suites of a project: one a stage, and one for each further table that is judged.

    Raises:
        ProjectError: An expectation of the project cannot be asked.
    """
    teams = team_checks(project)
    suites = [suite for suite in SUITES if suite.asked(project) or suite.table in teams]
    judged = {suite.table for suite in suites}
    return suites + [Suite(TABLES[table].stage, table) for table in teams if table not in judged]
