"""Terms: the licences that a release was frozen with, what they forbid on its day, and how they are told."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from cupel.config.licences import Licence, Purpose, explain_forbidden_purpose, explain_unknown_licence
from cupel.config.project import Project
from cupel.errors import ReleaseError

SHOWN = 5


class LicenceTerms(NamedTuple):
    """What the items of a release are held to: its purpose, the day of its freeze, its licences, the better first."""

    purpose: Purpose
    day: date
    licences: tuple[Licence, ...]

    @classmethod
    def of_project(cls, project: Project, day: date | None) -> "LicenceTerms | None":
        """Return the terms that a release is frozen with; None where the project names no licences.

        Raises:
            ReleaseError: It names some, but the day is not known.
        """
        if not project.licences:
            return None
        if day is None:
            raise ReleaseError(f"project {project.project}: the day of the release is not recorded; propose it first")
        return cls(project.release.purpose, day, project.licences)

    @classmethod
    def from_plan(cls, plan: Mapping[str, Any]) -> "LicenceTerms | None":
        """Return the terms of a row of RELEASE_PLAN; None where the project named no licences.

        Raises:
            ReleaseError: They are not as a release is frozen with.
        """
        purpose, day, licences = (plan.get(name) for name in ("purpose", "day", "licences"))
        if purpose is None and day is None and licences is None:
            return None
        try:
            if purpose not in ("publish", "train"):
                raise ValueError(f"purpose {purpose!r}")
            rows = json.loads(str(licences))
            return cls(purpose, date.fromisoformat(str(day)), tuple(Licence.model_validate(row) for row in rows))
        except (ValueError, TypeError) as error:
            raise ReleaseError(
                f"the plan's purpose, day and licences are not as a release freezes them: {error}"
            ) from None

    def to_plan(self) -> dict[str, str]:
        """Return the columns of RELEASE_PLAN that `from_plan` reads."""
        rows = [licence.model_dump(mode="json") for licence in self.licences]
        return {"purpose": self.purpose, "day": self.day.isoformat(), "licences": json.dumps(rows)}

    def why_forbidden(self, licence: str) -> str | None:
        """Return why items of a licence may not be in the release; None where they may."""
        found = next((one for one in self.licences if one.name == licence), None)
        if found is None:
            return explain_unknown_licence(licence, [one.name for one in self.licences])
        if why := explain_forbidden_purpose(found, self.purpose):
            return why
        if found.since is not None and self.day < found.since:
            return f"its terms begin on {found.since}, after the release's day, {self.day}"
        if found.until is not None and self.day > found.until:
            return f"its terms ended on {found.until}, before the release's day, {self.day}"
        return None


def forbidden(terms: LicenceTerms, counts: Mapping[str, int]) -> list[str]:
    """Return what is wrong with the licences of a release's items, a sentence a licence; none where nothing is.

    Args:
        terms: What they are held to.
        counts: Items by licence.
    """
    return [
        f"{counts[name]:,} of licence {name}: {why}" for name in sorted(counts) if (why := terms.why_forbidden(name))
    ]


def in_words(licence: Licence) -> str:
    """Return terms on one line; of a licence without any, that there are none.

    >>> in_words(Licence(name="b", contract="order 7", until="2027-12-31", may_release=False))
    'contract order 7; until 2027-12-31; not to be passed on'
    """
    said = [
        f"contract {licence.contract}" if licence.contract else None,
        f"from {licence.since}" if licence.since else None,
        f"until {licence.until}" if licence.until else None,
        None if licence.may_release else "not to be passed on",
        None if licence.may_train else "not to be trained on",
        f"name: {licence.attribution}" if licence.attribution else None,
    ]
    return "; ".join(filter(None, said)) or "no further terms"


class LicenceRow(NamedTuple):
    """A licence of a release, as card, report and metadata tell it."""

    name: str
    items: int
    terms: str
    attribution: str | None


def licence_rows(terms: LicenceTerms | None, counts: Mapping[str, int]) -> list[LicenceRow]:
    """Return the licences of the released items, the better first; terms are empty where the project names none.

    Args:
        terms: What the release was frozen with.
        counts: Released items by licence.
    """
    if terms is None:
        return [LicenceRow(name, counts[name], "", None) for name in sorted(counts)]
    known = [licence for licence in terms.licences if licence.name in counts]
    rows = [LicenceRow(one.name, counts[one.name], in_words(one), one.attribution) for one in known]
    others = sorted(set(counts) - {one.name for one in known})
    return rows + [LicenceRow(name, counts[name], "not among the project's licences", None) for name in others]


def usable_until(terms: LicenceTerms | None, counts: Iterable[str]) -> date | None:
    """Return the last day on which all items may be used; None where no term ends."""
    names = set(counts)
    ends = [one.until for one in (terms.licences if terms else ()) if one.until and one.name in names]
    return min(ends, default=None)


def house_rules(terms: LicenceTerms | None, counts: Iterable[str]) -> list[str]:
    """Return what who uses the release must keep to, a sentence each."""
    if terms is None:
        return []
    said = []
    if terms.purpose == "train":
        said.append("It was made for training in the house, and must not be passed on to others.")
    if last := usable_until(terms, counts):
        said.append(f"Terms of its items end: after {last} it may not be used as it is.")
    return said


def words_by_licence(licences: Sequence[Licence]) -> dict[str, str]:
    """Return the terms in words by the licence's name."""
    return {licence.name: in_words(licence) for licence in licences}


def counted(licences: Iterable[str]) -> dict[str, int]:
    """Return how many items each licence has, by name."""
    return dict(sorted(Counter(licences).items()))
