"""The log of draws: what was frozen, and the number that came after it and draws the audit. Both are events, once.

An audit's sample follows from what was frozen and from a *nonce*, which nobody knew while labels could still change.
The nonce is recorded before anything is drawn by it: a run that is killed, repeated or rebuilt draws by the same one,
and a second draw of the same release shows.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypeAlias

from cupel.errors import ReleaseError
from cupel.store.event_log import Event, EventLog

DRAWS = "draws"
# What is drawn: the audit of a release; of what was adjudicated, those that another expert judges again.
Part: TypeAlias = Literal["audit", "adjudicators"]
FROZEN, DRAWN = "frozen", "drawn"


class Nonce(NamedTuple):
    """A number that came after a freeze.

    Attributes:
        nonce: As hexadecimal digits, or the text of the project file.
        source: operating system, witness, or project file.
        receipt: What a witness gave back, base64; None of the others.
    """

    nonce: str
    source: str
    receipt: str | None = None


def record_draw(
    log: EventLog, release: str, part: Part, frozen_sha256: str, make_nonce: Callable[[str], Nonce]
) -> Nonce:
    """Return the nonce by which something frozen is drawn, made and recorded where there is none yet.

    Args:
        log: The lake's log of draws.
        release: Name of the release.
        part: What is drawn.
        frozen_sha256: The hash of all that is fixed.
        make_nonce: Makes a nonce, given the hash of the event that records the freeze, which covers all before it.

    Raises:
        ReleaseError: The same part of the release was drawn before, of something else that was frozen.
    """
    about: dict[str, Any] = {"release": release, "part": part, "frozen_sha256": frozen_sha256}
    freeze = {"event": FROZEN, **about}
    log.append(lambda there: [] if freeze in there else [freeze])
    if (known := find_draw(log.read(), release, part)) is None:
        made = make_nonce(log.hash_of(freeze))
        draw = {"event": DRAWN, **about, **made._asdict()}
        log.append(lambda there: [] if find_draw(there, release, part) is not None else [draw])
        known = find_draw(log.read(), release, part) or draw
    if known["frozen_sha256"] != frozen_sha256:
        what = "its audit" if part == "audit" else "what another expert judges again"
        raise ReleaseError(
            f"release {release}: {what} was drawn before, when something else was frozen (SHA-256 "
            f"{known['frozen_sha256'][:12]}, now {frozen_sha256[:12]}); a second draw would be a second throw of the "
            "dice. Bring back the tables of then from a copy, or make a new release, which is counted as an attempt"
        )
    return Nonce(*(known[name] for name in Nonce._fields))


def find_draw(events: list[Event], release: str, part: Part) -> Event | None:
    """Return the event that drew a part of a release; None where none did."""
    wanted = (DRAWN, release, part)
    return next((one for one in events if (one["event"], one["release"], one["part"]) == wanted), None)


def bring_draws(to: EventLog, events: list[Event], release: str) -> None:
    """Bring the events up to the last of a release into the log of another lake, so that it draws the same."""
    last = max((place for place, one in enumerate(events, 1) if one["release"] == release), default=0)
    to.append(lambda there: events[len(there) : last])
