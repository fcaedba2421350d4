"""The log of draws: what was frozen, and the number that came after it and draws the audit. Both are events, once.

An audit's sample follows from what was frozen and from a *nonce*, which nobody knew while labels could still change.
The nonce is recorded before anything is drawn by it: a run that is killed, repeated or rebuilt draws by the same one,
and a second draw of the same release shows. So does each asking of a witness: it is an event before the witness is
asked, so a receipt that was thrown away leaves one.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

from cupel.errors import DrawnBeforeError
from cupel.store.event_log import ChainedEvent, Event, EventLog

DRAWS = "draws"
# What is drawn: the audit of a release; of what was adjudicated, those that another expert judges again.
Part: TypeAlias = Literal["audit", "adjudicators"]
# As an input of a table: it was written while a witness was awaited.
AWAITED = "awaited"
FROZEN, ASKED, DRAWN = "frozen", "asked", "drawn"


class Nonce(NamedTuple):
    """A number that came after a freeze.

    Attributes:
        nonce: As hexadecimal digits, or the text of the project file.
        source: operating system, witness, or project file.
        receipt: What a witness gave back, base64; None of the others.
        receipt_kind: timestamp or command, of a receipt.
        witness: Who gave the receipt.
        at: When the witness says that it did, ISO 8601; None where it does not.
    """

    nonce: str
    source: str
    receipt: str | None = None
    receipt_kind: str | None = None
    witness: str | None = None
    at: str | None = None


class Draw(NamedTuple):
    """A recorded draw.

    Attributes:
        nonce: What drew.
        freeze: The event of the freeze, with its place in the chain; its hash is what a witness was told.
        asked: How often a witness was asked for the same part of the release before.
    """

    nonce: Nonce
    freeze: ChainedEvent
    asked: int


def record_draw(
    log: EventLog, release: str, part: Part, frozen_sha256: str, make_nonce: Callable[[str], Nonce],
    witness: str | None = None,
) -> Nonce:  # fmt: skip
    """Return the nonce by which something frozen is drawn, made and recorded where there is none yet.

    Args:
        log: The lake's log of draws.
        release: Name of the release.
        part: What is drawn.
        frozen_sha256: The hash of all that is fixed.
        make_nonce: Makes a nonce, given the hash of the event that records the freeze, which covers all before it.
        witness: Whom that asks; None: nobody.

    Raises:
        DrawnBeforeError: The same part of the release was drawn before, of something else that was frozen.
    """
    about: dict[str, Any] = {"release": release, "part": part, "frozen_sha256": frozen_sha256}
    freeze = {"event": FROZEN, **about}
    log.append(lambda there: [] if _is_frozen(there, freeze) else [freeze])
    chain = log.read_chain()
    if (known := find_draw([one.event for one in chain], release, part)) is None:
        commitment = next(one.hash for one in reversed(chain) if one.event == freeze)
        if witness is not None:
            _record_asking(log, {"event": ASKED, **about, "commitment": commitment, "witness": witness})
        made = make_nonce(commitment)
        draw = {"event": DRAWN, **about, **{name: value for name, value in made._asdict().items() if value is not None}}
        log.append(lambda there: [] if find_draw(there, release, part) is not None else [draw])
        known = find_draw(log.read(), release, part) or draw
    if known["frozen_sha256"] != frozen_sha256:
        what = "its audit" if part == "audit" else "what another expert judges again"
        raise DrawnBeforeError(
            f"release {release}: {what} was drawn before, when something else was frozen (SHA-256 "
            f"{known['frozen_sha256'][:12]}, now {frozen_sha256[:12]}); a second draw would be a second throw of the "
            "dice. Bring back the tables of then from a copy, or make a new release, which is counted as an attempt"
        )
    return _nonce_of(known)


def find_draw(events: list[Event], release: str, part: Part) -> Event | None:
    """Return the event that drew a part of a release; None where none did."""
    wanted = (DRAWN, release, part)
    return next((one for one in events if (one["event"], one["release"], one["part"]) == wanted), None)


def trace_draw(chain: Sequence[ChainedEvent], release: str, part: Part) -> Draw | None:
    """Return the recorded draw of a part of a release with the freeze before it; None where none is recorded.

    Args:
        chain: The log of draws.
        release: Name of the release.
        part: What is drawn.
    """
    about = [one for one in chain if (one.event["release"], one.event["part"]) == (release, part)]
    drawn = next((one for one in about if one.event["event"] == DRAWN), None)
    if drawn is None:
        return None
    before = [one for one in about if one.sequence < drawn.sequence]
    sha256 = drawn.event["frozen_sha256"]
    freezes = [one for one in before if (one.event["event"], one.event["frozen_sha256"]) == (FROZEN, sha256)]
    return Draw(_nonce_of(drawn.event), freezes[-1], sum(one.event["event"] == ASKED for one in before))


def awaits_witness(events: list[Event], release: str) -> bool:
    """Tell whether a witness was asked about a release and has given no receipt yet."""
    parts = {one["part"] for one in events if one["release"] == release and one["event"] == ASKED}
    return any(find_draw(events, release, part) is None for part in parts)


def bring_draws(to: EventLog, events: list[Event], release: str) -> None:
    """Bring the events up to the last of a release into the log of another lake, so that it draws the same."""
    last = max((place for place, one in enumerate(events, 1) if one["release"] == release), default=0)
    to.append(lambda there: events[len(there) : last])


def _is_frozen(events: list[Event], freeze: Event) -> bool:
    """Tell whether this is the last freeze of its part of the release, or the one that was drawn of."""
    about = (freeze["release"], freeze["part"])
    freezes = [one for one in events if one["event"] == FROZEN and (one["release"], one["part"]) == about]
    drawn = find_draw(events, *about)
    return freezes[-1:] == [freeze] or (drawn is not None and drawn["frozen_sha256"] == freeze["frozen_sha256"])


def _record_asking(log: EventLog, asked: dict[str, Any]) -> None:
    """Record that a witness is about to be asked, however often it was already."""
    log.append(
        lambda there: [asked | {"number": 1 + sum({**one, "number": 0} == {**asked, "number": 0} for one in there)}]
    )


def _nonce_of(draw: Event) -> Nonce:
    return Nonce(**{name: draw[name] for name in Nonce._fields if name in draw})
