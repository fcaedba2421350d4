"""Holding a witness's receipts against the logs of draws: is each freeze that was witnessed in a log, in order?"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from cryptography import x509

from cupel.errors import WitnessError
from cupel.lake.draw_log import DRAWN, DRAWS, FROZEN, trace_draw
from cupel.lake.lake import Lake
from cupel.release.nonces import WITNESS
from cupel.store.event_log import ChainedEvent
from cupel.store.files import is_folder, list_folder
from cupel.witness.receipt_files import IssuedReceipt
from cupel.witness.timestamps import make_imprint, verify_timestamp

UNSEEN = (
    "What this cannot see: receipts that the witness did not give you, or gave under another operator's name or key; "
    "another witness; another lake. The witness has to list what it gave to this operator, not the operator."
)


class LoggedFreeze(NamedTuple):
    """A freeze in a log of draws: its project and event, the draw that it led to, and the nonce of that.

    `drawn_at` is the sequence number of the draw, None where another freeze was drawn of, or none.
    """

    project: str
    event: ChainedEvent
    drawn_at: int | None
    nonce: str | None

    @property
    def name(self) -> str:
        """The freeze in words."""
        about = self.event.event
        return f"{self.project}, {about['release']} ({about['part']}), event {self.event.sequence}"


class ReceiptCheck(NamedTuple):
    """What came of holding receipts against logs: a line for each that fits, and one for each thing that does not."""

    fitting: list[str]
    problems: list[str]


def find_draw_logs(root: Path, projects: Sequence[str] = ()) -> dict[str, list[ChainedEvent]]:
    """Return the logs of draws of a deployment's lake, by project.

    Args:
        root: Folder of the lake.
        projects: Which; empty: all that have one.

    Raises:
        WitnessError: There is no such project, or no log at all.
        BrokenLogError: A log was altered or cut short.
    """
    there = [folder.name for folder in list_folder(root) if is_folder(folder / DRAWS)]
    if missing := sorted(set(projects) - set(there)):
        raise WitnessError(
            f"{root}: project {missing[0]} has no log of draws; there is one of {', '.join(there) or 'none'}"
        )
    if not there:
        raise WitnessError(f"{root}: no project here has a log of draws; name the folder of the lake with --lake")
    return {name: Lake(root, name).log(DRAWS).read_chain() for name in projects or there}


def check_issued_receipts(
    receipts: Sequence[IssuedReceipt], logs: Mapping[str, Sequence[ChainedEvent]],
    roots: list[x509.Certificate] | None = None,
) -> ReceiptCheck:  # fmt: skip
    """Hold the receipts that a witness issued to an operator against the operator's logs.

    Args:
        receipts: All that the witness issued.
        logs: The log of draws of each project.
        roots: Under which certificates the signatures of time stamps must be; None: they are not verified.
    """
    freezes = [freeze for project, chain in logs.items() for freeze in _list_freezes(project, chain)]
    by_key = {key: freeze for freeze in freezes for key in _keys_of(freeze)}
    found = [(one, _find_freeze(one, by_key)) for one in receipts]
    fitting = [
        f"{freeze.name}: {one.name}{_when(one)}"
        for one, freeze in found
        if freeze and freeze.nonce == one.receipt.nonce
    ]
    matched = [(one, freeze) for one, freeze in found if freeze is not None]
    problems = [
        f"{one.name}{_when(one)}: of a freeze that is in none of the logs: a log was cut or written anew, or a release "
        "was drawn and thrown away"
        for one, freeze in found if freeze is None
    ]  # fmt: skip
    problems += [_describe_unused(one, freeze) for one, freeze in matched if freeze.nonce != one.receipt.nonce]
    problems += _find_unlisted(freezes, {one.receipt.nonce for one in receipts})
    problems += _find_disorder(matched)
    if roots is not None:
        problems += [f"{one.name}: {why}" for one, freeze in matched if (why := _find_forgery(one, freeze, roots))]
    return ReceiptCheck(fitting, problems)


def _list_freezes(project: str, chain: Sequence[ChainedEvent]) -> Iterator[LoggedFreeze]:
    for one in chain:
        if one.event["event"] != FROZEN:
            continue
        draw = trace_draw(chain, one.event["release"], one.event["part"])
        is_drawn = draw is not None and draw.freeze == one and draw.nonce.source == WITNESS
        if draw is None or not is_drawn:
            yield LoggedFreeze(project, one, None, None)
            continue
        about = (DRAWN, one.event["release"], one.event["part"])
        drawn_at = next(
            there.sequence for there in chain
            if (there.event["event"], there.event["release"], there.event["part"]) == about
        )  # fmt: skip
        yield LoggedFreeze(project, one, drawn_at, draw.nonce.nonce)


def _keys_of(freeze: LoggedFreeze) -> Iterator[str]:
    """Yield what a receipt may know a freeze by: its hash, the stamp's imprint of that, the nonce that it became."""
    yield freeze.event.hash
    yield make_imprint(freeze.event.hash)
    if freeze.nonce is not None:
        yield freeze.nonce


def _find_freeze(one: IssuedReceipt, by_key: Mapping[str, LoggedFreeze]) -> LoggedFreeze | None:
    if one.imprint is not None:
        return by_key.get(one.imprint)
    return by_key.get(one.receipt.nonce if one.commitment is None else one.commitment)


def _describe_unused(one: IssuedReceipt, freeze: LoggedFreeze) -> str:
    why = (
        "the log holds no draw by it: it was asked for and thrown away, or the draw is yet to come"
        if freeze.nonce is None
        else "the draw used another receipt: the witness was asked again, and one answer was chosen"
    )
    return f"{one.name}{_when(one)}: of {freeze.name}, but {why}"


def _find_unlisted(freezes: Sequence[LoggedFreeze], listed: set[str]) -> list[str]:
    return [
        f"{freeze.name}: drawn by a receipt that is not among those of the witness: it is not the witness's, or the "
        "list is not whole"
        for freeze in freezes if freeze.nonce is not None and freeze.nonce not in listed
    ]  # fmt: skip


def _find_disorder(matched: Sequence[tuple[IssuedReceipt, LoggedFreeze]]) -> list[str]:
    """Return receipts that are older than one which was in the log before they were asked for.

    Only that order is certain: releases that are drawn side by side may ask in any.
    """
    used = [(one, freeze) for one, freeze in matched if freeze.nonce == one.receipt.nonce]
    problems = []
    for one, freeze in matched:
        for other, before in used:
            if before.project != freeze.project or before.drawn_at is None or before.drawn_at > freeze.event.sequence:
                continue
            if _is_earlier(one, other):
                problems.append(
                    f"{one.name}{_when(one)}: of {freeze.name}, given before {other.name}{_when(other)}, but that "
                    f"was in the log first, of {before.name}: the order differs"
                )
    return problems


def _is_earlier(one: IssuedReceipt, other: IssuedReceipt) -> bool:
    """Tell whether a receipt was given before another, by the witness's clock or its list."""
    if one.receipt.at is not None and other.receipt.at is not None:
        return one.receipt.at < other.receipt.at
    is_one_list = one.name.rpartition(", line ")[0] == other.name.rpartition(", line ")[0]
    return is_one_list and one.place is not None and other.place is not None and one.place < other.place


def _find_forgery(one: IssuedReceipt, freeze: LoggedFreeze, roots: list[x509.Certificate]) -> str:
    """Return why a receipt is not signed by an authority under the roots; nothing where it is."""
    if one.imprint is None:
        return "no time stamp: no certificate shows whose it is"
    try:
        verify_timestamp(one.receipt.content, freeze.event.hash, roots)
    except WitnessError as error:
        return str(error)
    return ""


def _when(one: IssuedReceipt) -> str:
    return "" if one.receipt.at is None else f" ({one.receipt.at})"
