"""What the sections of a project file are made of: the frozen model, the kinds of number, and names."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")
MOST_NAME_CHARACTERS = 64


def check_slug(name: str) -> str:
    """Return the name if it is safe as a path and a partition key.

    Raises:
        ValueError: It is not 1 to 100 of a-z, 0-9, _ and -, starting with a letter or digit.

    >>> check_slug("movies-2026")
    'movies-2026'
    """
    if not SLUG.fullmatch(name):
        raise ValueError(f"{name!r} is not a slug: 1 to 100 of a-z, 0-9, _ and -, starting with a letter or digit")
    return name


def check_name(text: str) -> str:
    """Return the text if it is safe as a project's name: a slug without a dash.

    Raises:
        ValueError: It is not.
    """
    if "-" in check_slug(text):
        raise ValueError(f"{text!r} has a dash; use _ in a project's name")
    return text


def check_batch_name(text: str) -> str:
    """Return the text if it is safe as a batch's name: a slug that no release could have.

    Raises:
        ValueError: It is not.

    >>> check_batch_name("movies")
    'movies'
    """
    if check_slug(text) == "all" or re.fullmatch(r".*-r[0-9]+", text):
        raise ValueError(f"{text!r} is a release's name, or `all`; choose another for a delivery")
    return text


Slug = Annotated[str, Field(max_length=MOST_NAME_CHARACTERS), AfterValidator(check_slug)]
Name = Annotated[str, Field(max_length=MOST_NAME_CHARACTERS), AfterValidator(check_name)]
BatchName = Annotated[str, Field(max_length=MOST_NAME_CHARACTERS), AfterValidator(check_batch_name)]
ColumnName = Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,39}$")]
Share = Annotated[float, Field(ge=0, le=1)]
OpenShare = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]
Language = Annotated[str, Field(pattern="^([a-z]{3}_[A-Z][a-z]{2,3}|und)$")]


class Section(BaseModel):
    """A part of the project file: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)


def is_unset(value: object) -> bool:
    """Tell whether a key has nothing to say: then no version of a table knows that there is such a key."""
    return not value
