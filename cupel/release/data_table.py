"""The table that a release's data files hold: its columns by format, label kind and project."""

from cupel.contract.format_numbers import LAST_CHOSEN_SEED, LAST_WITHOUT_SLICES, RELEASE
from cupel.contract.table import Table
from cupel.release.facts import ReleaseFacts
from cupel.release.frozen_terms import FrozenTerms
from cupel.release.kind_columns import table_of

_CARRIED_SINCE = 6


def format_of(terms: FrozenTerms) -> int:
    """Return the format of a release by what it was frozen with, which may be by an older version."""
    if terms.freeze_sha256 is None:
        return LAST_CHOSEN_SEED
    return RELEASE if terms.bounds_slices else LAST_WITHOUT_SLICES


def carried_names(facts: ReleaseFacts) -> tuple[str, ...]:
    """Return the columns of the deliveries that a release hands over; one of an older format has none."""
    return facts.project.release.carry if format_of(facts.terms) >= _CARRIED_SINCE else ()


def data_table(facts: ReleaseFacts) -> Table:
    """Return the table that the data files of a release hold."""
    project = facts.project
    return table_of(project.kind, project.labeling.ontology, format_of(facts.terms), carried_names(facts))
