"""An attack: what is tried, at which door, what the documentation says of it, and what happened when it was tried."""

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from benchmarks.attacks.target import Target


class Outcome(StrEnum):
    """What became of an attack.

    TOLD: nothing stops it, but the certificate, or what is printed, says what was done. NOT_CAUGHT: nobody who looks at
    the result alone can know.
    """

    PASSED = "passed"
    REFUSED = "refused"
    COUNTED = "counted"
    TOLD = "told"
    NOT_CAUGHT = "not caught"


class Finding(NamedTuple):
    """What happened when an attack was tried, in the words of the product."""

    outcome: Outcome
    words: str


class Attack(NamedTuple):
    """An attack.

    Attributes:
        name: By which it is called, on the page and in `make attacks ONLY=name`.
        door: Where it is tried.
        done: What is done, in one sentence.
        expected: What docs/attacks.md says of it; PASSED of a control, in which nothing is done.
        attempt: Tries it on a target of its own; returns what happened.
    """

    name: str
    door: str
    done: str
    expected: Outcome
    attempt: Callable[[Target], Finding]


class AttackError(Exception):
    """An attack could not be tried, so nothing is known of what would become of it."""
