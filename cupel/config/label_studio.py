"""The project file's section `label_studio`: where the server is, and who labels there."""

from itertools import pairwise
from typing import Annotated

from pydantic import Field, model_validator

from cupel.config.base import Count, Positive, Section

Person = Annotated[str, Field(pattern="^[a-z0-9][a-z0-9_-]{0,63}$")]
Address = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254)]
People = dict[Person, Address]


class Calibration(Section):
    """The batch that annotators answer before their answers count: items of known label, in a project of their own."""

    items: Positive = 20
    """Known items, drawn from `labeling.gold`, that everybody answers first; they are no hidden gold any more."""
    least_right: Annotated[float, Field(gt=0, le=1)] = 0.8
    """Share of them that must be right; who has fewer is asked nothing else."""


class LabelStudio(Section):
    """A Label Studio server, and the people who answer there; their e-mail addresses stay in the project file."""

    url: str = Field(pattern=r"^https?://[^\s/?#@]+(/[^\s?#@]*)?$")
    """Address of the server, such as http://localhost:8080. No name, password or query in it."""
    token_env: str = Field("CUPEL_LABEL_STUDIO_TOKEN", pattern="^[A-Z][A-Z0-9_]*$")
    """Environment variable that holds the token of an administrator: a personal or a legacy one."""
    annotators: People = Field(min_length=1)
    """Annotators: what Cupel calls each of them, and the e-mail address that they log in with."""
    experts: People = Field(min_length=1)
    """Experts, likewise."""
    auditors: People = {}
    """Auditors, likewise, where they are other people than the experts; empty: the experts audit."""
    flag: Annotated[str, Field(min_length=1, max_length=200)] | None = "Something is wrong with this task"
    """A box that people tick beside their answer, which then is a skip, and an event; null: no such box."""
    calibration: Calibration | None = None
    """What annotators must show before their answers count; null: nothing."""
    prediction_share: Annotated[float, Field(gt=0, le=1)] | None = None
    """Share of annotators' ordinary tasks that show the checker's opinion; null: none does, which is the honest way. At
    1 no task is blind, and how far people follow what they see (`labeling.pre_labels`) stays unproven."""
    shows_disagreement: bool = False
    """Show adjudicators what annotators and checker said, without names; only where auditors are other people."""
    files: str | None = Field(None, pattern=r"^(https?://[^\s@]+|/[^\s@]*)$")
    """Where items are files, what stands before a file's path in its address: of another server, or of the server's
    own local files, as /data/local-files/?d=; {batch} in it is the batch. Null: a task holds a preview."""
    most_open: Positive = 1000
    """Items that lie open before each group at a time, at most."""
    snapshot_hours: Annotated[float, Field(gt=0)] = 24.0
    """Hours after which everything is read once more, which finds what was deleted."""
    timeout_seconds: Annotated[float, Field(gt=0)] = 60.0
    """Time for a whole reply, until the request counts as failed."""
    retries: Count = 5
    """How often a request is put again after a timeout, status 429 or 5xx, or a reply that cannot be read."""

    @model_validator(mode="after")
    def _everybody_is_in_one_group(self) -> "LabelStudio":
        people = (self.annotators, self.experts, self.auditors)
        for what, found in (
            ("name", sorted(name for group in people for name in group)),
            ("e-mail address", sorted(address.lower() for group in people for address in group.values())),
        ):
            if twice := next((one for one, other in pairwise(found) if one == other), None):
                raise ValueError(f"the {what} {twice!r} stands twice; nobody judges the own work: keep one")
        return self
