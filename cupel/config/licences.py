"""The project file's section `licences`: under which terms an item may be used, the better licence first."""

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from cupel.config.base import Section

MOST_CHARACTERS = 200
Purpose = Literal["publish", "train"]


def check_plain(text: str) -> str:
    """Return the text if it stands on one line, without space around it.

    Raises:
        ValueError: It does not.
    """
    if not text.isprintable() or text != text.strip():
        raise ValueError(f"{text[:60]!r} has space around it, or characters that do not print; mend it")
    return text


def check_day(value: Any) -> Any:
    """Return a value that can be a day and nothing else: pydantic would take a number for seconds since 1970.

    Raises:
        ValueError: It cannot.
    """
    is_day = isinstance(value, date) and not isinstance(value, datetime)
    if not is_day and not (isinstance(value, str) and re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", value)):
        raise ValueError("it is no day; write it as 2026-01-31")
    return value


Day = Annotated[date, BeforeValidator(check_day)]
Words = Annotated[str, Field(min_length=1, max_length=MOST_CHARACTERS), AfterValidator(check_plain)]


class Licence(Section):
    """One licence or contract, and its terms."""

    name: Words
    """As it stands in deliveries and their licence_field: an SPDX identifier, or a name of your own."""
    contract: Words | None = None
    """The contract that it rests on; null: none."""
    since: Day | None = None
    """First day on which a release may hold its items, such as 2026-01-31; null: from ever."""
    until: Day | None = None
    """Last day on which a release may hold its items; null: for good."""
    may_release: bool = True
    """The items may be passed on to others."""
    may_train: bool = True
    """Models may be trained on the items."""
    attribution: Words | None = None
    """Whom to name, in the words that are due; the release's card, report and metadata do. Null: nobody."""

    @model_validator(mode="after")
    def _days_are_in_order(self) -> "Licence":
        if self.since is not None and self.until is not None and self.until < self.since:
            raise ValueError(f"it ends on {self.until}, before it begins on {self.since}; mend since or until")
        return self


def explain_forbidden_purpose(licence: Licence, purpose: Purpose) -> str | None:
    """Return why a licence forbids a release of a purpose whatever the day; None where it does not.

    >>> explain_forbidden_purpose(Licence(name="bought", may_release=False), "publish")
    'its items may not be passed on (may_release: false)'
    """
    if not licence.may_train:
        return "its items may not be trained on (may_train: false)"
    if purpose == "publish" and not licence.may_release:
        return "its items may not be passed on (may_release: false)"
    return None


def check_terms(licences: Sequence[Licence], purpose: Purpose, allowed: Iterable[str]) -> None:
    """Hold the licences against each other, and against those that cleaning lets through.

    Raises:
        ValueError: One stands twice, is not known, or is let through and forbidden at once.
    """
    names = [licence.name for licence in licences]
    folded = [name.casefold() for name in names]
    if twice := next((name for place, name in enumerate(names) if folded.index(name.casefold()) < place), None):
        raise ValueError(
            f"licences: {twice!r} stands there twice, upper and lower case aside; keep one, with its terms"
        )
    terms = {licence.name: licence for licence in licences}
    for name in allowed if licences else ():
        if why := explain_unknown_licence(name, names):
            raise ValueError(f"cleaning.allowed_licences: {why}")
        if why := explain_forbidden_purpose(terms[name], purpose):
            raise ValueError(
                f"cleaning.allowed_licences lets {name!r} through, but {why}, and release.purpose is {purpose}; "
                "take it out there, or mend its terms or the purpose"
            )


def explain_unknown_licence(name: str, known: Sequence[str]) -> str | None:
    """Return what is wrong with a licence that is not among those of the project, and what to do; None if it is.

    >>> explain_unknown_licence("mit", ["MIT"])
    "'mit' is not among the project's licences; write it 'MIT'"
    """
    if not known or name in known:
        return None
    alike = next((other for other in known if other.casefold() == name.casefold()), None)
    todo = f"write it {alike!r}" if alike else f"mend it, or add it to licences: {', '.join(known)}"
    return f"{name[:MOST_CHARACTERS]!r} is not among the project's licences; {todo}"
