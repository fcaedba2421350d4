"""The project file's section `cleaning.contamination`: what a project does not want, and what proof may cost."""

from typing import Annotated

from pydantic import Field, model_validator

from cupel.config.base import OpenShare, Positive, Section

Word = Annotated[str, Field(min_length=1, max_length=64)]


class ContaminationAnswers(Section):
    """How many answers a batch is worth: those that the model learns from, and those that vouch for it."""

    train: Positive = 400
    """Answers that the model learns from."""
    audit: Positive = 600
    """Answers on items drawn at random after scores and cuts are frozen; none of them trains the same batch."""
    pilot: Positive = 150
    """Of the training answers, those first ones on items drawn at random; the cuts are chosen by them."""
    step: Positive = 50
    """Training answers asked for at a time thereafter, where the model doubts."""

    @model_validator(mode="after")
    def _pilot_is_part_of_training(self) -> "ContaminationAnswers":
        if self.pilot > self.train:
            raise ValueError("pilot must not be above train")
        return self


class Contamination(Section):
    """What a project does not want among its items, and how little of it there must be."""

    what: Word
    """The answer that says that an item is unwanted, such as spam, social or machine_text."""
    good: Word = "good"
    """The answer that says that it is wanted."""
    description: str = ""
    """What counts as unwanted, for the people who answer; the report quotes it."""
    at_most: OpenShare = 0.02
    """Largest share of unwanted items among those kept; the bound of an audit is held to it."""
    confidence: OpenShare = 0.95
    """1 less the chance that the bound is wrong, over all attempts at a batch."""
    answers: ContaminationAnswers = ContaminationAnswers()
    """How many answers a batch is worth."""
    seed: int = 1895
    """Enters the draws."""

    @model_validator(mode="after")
    def _words_differ(self) -> "Contamination":
        if self.what == self.good:
            raise ValueError("what and good must be different words")
        return self
