"""The project file's section `prices`: what people cost."""

from typing import Annotated

from pydantic import Field

from cupel.config.base import Section


class Prices(Section):
    """What an answer costs, and how long it takes where the source does not tell."""

    currency: str = "USD"
    """Currency of the prices."""
    annotator_answer: Annotated[float, Field(ge=0)] = 0.0
    """Price of an annotator's answer."""
    expert_answer: Annotated[float, Field(ge=0)] = 0.0
    """Price of an expert's answer."""
    expert_seconds: Annotated[float, Field(ge=0)] = 30.0
    """Working time of an expert's answer."""
