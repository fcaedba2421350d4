"""The project file's key `labeling.models`: models that answer beside people, with version and price."""

from collections.abc import Collection, Sequence
from typing import Annotated

from pydantic import Field

from cupel.config.base import Section


class CrewModel(Section):
    """A model of the crew: its answers count beside people's, and are counted apart from theirs."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    """What the model is called; where `file` is null, the annotator's name that its recorded answers bear."""
    version: Annotated[str, Field(min_length=1, max_length=200)]
    """Version of the model; another version is another model, so give it another name."""
    price: Annotated[float, Field(ge=0)] = 0.0
    """Price of an answer, in `prices.currency`."""
    file: Annotated[str, Field(min_length=1)] | None = None
    """Its answers, relative to the data folder, as a file of predictions; null: they are among the recorded answers."""


def check_models(models: Sequence[CrewModel], people: Collection[str]) -> None:
    """Check that no two models bear one name, and none bears a person's.

    Args:
        models: The project's models.
        people: Names of people that the project file knows.

    Raises:
        ValueError: A name stands twice.
    """
    versions: dict[str, str] = {}
    for model in models:
        if model.name in versions:
            raise ValueError(
                f"models: {model.name!r} stands twice, as version {versions[model.name]!r} and {model.version!r}; one "
                "answer of a model counts: remove one, or give each version a name of its own"
            )
        if model.name in people:
            raise ValueError(
                f"models: {model.name!r} is a person of the project, too; nobody is judged as a model: rename the model"
            )
        versions[model.name] = model.version
