"""The project file's section `thresholds`: a project's own thresholds for checks, with their reasons."""

from pydantic import Field

from cupel.config.base import Section


class Threshold(Section):
    """A project's own threshold for a check, with its reason."""

    value: float
    """The threshold."""
    reason: str = Field(min_length=1)
    """Why it differs from the house's."""
