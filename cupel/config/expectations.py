"""The project file's section `expectations`: a team's own column expectations, on any table."""

from typing import Any, Literal

from pydantic import Field

from cupel.config.base import Section


class ColumnExpectation(Section):
    """A stock Great Expectations column expectation of the team's own, on any table."""

    table: str
    """Table of the lake."""
    expectation: str = Field(pattern="^Expect[A-Za-z0-9]+$")
    """Name of a stock Great Expectations column expectation."""
    arguments: dict[str, Any]
    """Its arguments; the column among them."""
    severity: Literal["critical", "warning"] = "critical"
    """critical blocks, warning tells."""
    reason: str = Field(min_length=1)
    """Why it is expected."""
