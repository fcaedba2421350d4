"""The record of audits: which items were audited at which attempt, whatever delivery, vendor or folder they came in.

Each look is frozen, then drawn, and both are events of a chained log: what was frozen (and the attempt that this takes)
is there before the nonce that draws, and stays there if the draw is thrown away. The items' keys lie beside the log, in
files that are named after their own hash.
"""

import hashlib
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar

import numpy as np
from pydantic import Field, TypeAdapter, ValidationError

from cupel.accept.item_keys import DeliveredItems, join_keys
from cupel.accept.near_texts import (
    SketchedTexts,
    find_alike,
    pack_sketches,
    unpack_sketches,
)
from cupel.accept.plan import EarlierAudit, Plan, Record
from cupel.certificate.families import Families, Keys, add_audit, are_known, count_attempt, sort_keys
from cupel.errors import AuditError
from cupel.store.event_log import Event, EventLog
from cupel.store.local import LocalStore
from cupel.store.store import MissingError, StoreError, put_once


class FrozenLook(Record):
    """A look before it is drawn. `terms` is the plan without what the nonce decides; null for a later look.

    `items` and `texts` name the files of the items' keys and of their texts' sketches.
    """

    event: Literal["freeze"] = "freeze"
    at: str
    delivery: str
    delivery_sha256: str
    folder: str
    look: int
    attempt: int = Field(ge=1)
    freeze_sha256: str
    plan: str | None
    terms: Plan | None
    items: str
    texts: str


class LookDraw(Record):
    """The nonce that a frozen look was drawn by, and the key of its plan."""

    event: Literal["draw"] = "draw"
    freeze_sha256: str
    plan: str
    nonce: str
    nonce_source: Literal["system", "option"]


class Judged(Record):
    """What a look came to, and the hash of the answers that it was judged by.

    `sent_back` names the file of the items that the verdict sends back; null where it sends none, or an older version
    judged.
    """

    event: Literal["judge"] = "judge"
    plan: str
    look: int
    answers_sha256: str
    verdict: str
    wrong: int
    contested: int
    sent_back: str | None = None


Found = TypeVar("Found")
_EVENT: TypeAdapter[FrozenLook | LookDraw | Judged] = TypeAdapter(FrozenLook | LookDraw | Judged)


class Links(NamedTuple):
    """How a delivery's items are linked to earlier audits.

    `keys` are its own and those of earlier texts that are nearly the same as one of its; `earlier` is null where no
    item was audited before.
    """

    keys: Keys
    attempt: int
    earlier: EarlierAudit | None


class Audits:
    """All events of the record, in their order, and the files that they name."""

    def __init__(self, folder: Path, events: Sequence[Event], read_file: Callable[[str], bytes]) -> None:
        self.folder = folder
        self._read_file = read_file
        self.size = len(events)
        found = []
        for number, event in enumerate(events, 1):
            try:
                found.append(_EVENT.validate_python(event))
            except ValidationError:
                raise AuditError(
                    f"{folder}, event {number}: not of a record of audits; name another folder with --record"
                ) from None
        self.frozen = [event for event in found if isinstance(event, FrozenLook)]
        self.draws = {event.freeze_sha256: event for event in found if isinstance(event, LookDraw)}
        self.judged = {(event.plan, event.look): event for event in found if isinstance(event, Judged)}

    @cached_property
    def families(self) -> Families:
        """The families of all items that were frozen."""
        families = Families.empty()
        for event in self.frozen:
            families = add_audit(families, self.keys_of(event), event.attempt)
        return families

    def keys_of(self, event: FrozenLook) -> Keys:
        """Return the keys of the items of a look."""
        return join_keys([self._read_file(event.items)])

    def read_file(self, name: str) -> bytes:
        """Return a file that an event names."""
        return self._read_file(name)

    def find_plan(self, plan: str) -> FrozenLook | None:
        """Return the frozen first look of a plan, by the plan's key; None where there is none."""
        freeze = next((draw.freeze_sha256 for draw in self.draws.values() if draw.plan == plan), None)
        return None if freeze is None else self.find_frozen(freeze)

    def link(self, items: DeliveredItems, texts: SketchedTexts) -> Links:
        """Return how items are linked to all audits of the record."""
        own = (items.keys, *items.others)
        if not self.frozen:
            return Links(sort_keys(np.concatenate(own)), 1, None)
        is_known = np.logical_or.reduce([are_known(self.families, keys) for keys in own])
        known_texts = [unpack_sketches(self._read_file(name)) for name in dict.fromkeys(e.texts for e in self.frozen)]
        earlier = SketchedTexts(*(np.concatenate(parts) for parts in zip(*known_texts, strict=True)))
        is_new = ~are_known(self.families, texts.keys)
        alike = find_alike(SketchedTexts(texts.keys[is_new], texts.sketches[is_new]), earlier)
        near = texts.keys[is_new][alike >= 0]
        keys = sort_keys(np.concatenate([*own, earlier.keys[alike[alike >= 0]]]))
        attempt = count_attempt(self.families, keys)
        if attempt == 1:
            return Links(keys, 1, None)
        is_near = are_known(add_audit(Families.empty(), near, 1), items.keys) if len(near) else np.zeros_like(is_known)
        last = next(
            event
            for event in reversed(self.frozen)
            if are_known(add_audit(Families.empty(), self.keys_of(event), 1), keys).any()
        )
        return Links(
            keys,
            attempt,
            EarlierAudit(
                items=int(is_known.sum()), near_items=int((is_near & ~is_known).sum()), delivery=last.delivery,
                at=last.at[:10],
            ),
        )  # fmt: skip

    def find_audit(self, delivery_sha256: str, plan: Plan) -> FrozenLook | None:
        """Return the first look of an audit of the same delivery that promises the same, if there is one."""
        return next(
            (
                event
                for event in self.frozen
                if event.terms is not None
                and event.delivery_sha256 == delivery_sha256
                and event.terms.settings.promise == plan.settings.promise
            ),
            None,
        )

    def find_frozen(self, freeze_sha256: str) -> FrozenLook | None:
        """Return the look with that hash."""
        return next((event for event in self.frozen if event.freeze_sha256 == freeze_sha256), None)

    def find_look(self, plan: str, look: int) -> FrozenLook | None:
        """Return a later look that was frozen for a plan."""
        return next((event for event in self.frozen if (event.plan, event.look) == (plan, look)), None)


class AuditRecord:
    """The record of audits in a folder.

    Args:
        folder: Where it lies; made with the first audit.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._store = LocalStore(folder.parent)
        self._log = EventLog(self._store, folder.name)

    def read(self) -> Audits:
        """Return all audits.

        Raises:
            AuditError: The record is broken or cut short, or is none; names file and event.
        """
        return self._call(lambda: Audits(self.folder, self._log.read(), self._read_file))

    def append(self, event: FrozenLook | LookDraw | Judged, seen: int) -> bool:
        """Append an event, unless others were appended since so many were seen; tell whether it was."""

        def decide(events: list[Event]) -> list[Event]:
            return [event.model_dump(mode="json")] if len(events) == seen else []

        return bool(self._call(lambda: self._log.append(decide)))

    def put_items(self, keys: Keys, texts: SketchedTexts) -> tuple[str, str]:
        """Put the items' keys and sketches beside the log; return the names of the two files."""
        return self._put("items", keys.astype(">u8").tobytes()), self._put("texts", pack_sketches(texts))

    def put_sent_back(self, content: bytes) -> str | None:
        """Put the items that a verdict sends back beside the log; return the file's name, None where there are none."""
        return self._put("sent_back", content) if content else None

    def _put(self, folder: str, content: bytes) -> str:
        name = f"{folder}/{hashlib.sha256(content).hexdigest()}"
        if not self._call(lambda: put_once(self._store, f"{self.folder.name}/{name}", content)):
            raise AuditError(f"{self.folder / name}: was altered; restore the record of audits from a copy")
        return name

    def _read_file(self, name: str) -> bytes:
        try:
            content = self._store.read(f"{self.folder.name}/{name}")
        except MissingError:
            raise AuditError(f"{self.folder / name}: gone; restore the record of audits from a copy") from None
        if hashlib.sha256(content).hexdigest() != name.rpartition("/")[2]:
            raise AuditError(f"{self.folder / name}: was altered; restore the record of audits from a copy")
        return content

    def _call(self, work: Callable[[], Found]) -> Found:
        try:
            return work()
        except StoreError as error:
            raise AuditError(f"{error}; or name another record of audits with --record") from None
        except OSError as error:
            raise AuditError(
                f"{self.folder}: cannot be read or written: {error.strerror}; name another place with --record"
            ) from None
