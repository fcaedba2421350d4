"""The register of deliveries: what arrived in the inbox, in the order of its arrival; written once, never changed."""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from cupel.config.base import Section, check_batch_name
from cupel.config.licences import explain_unknown_licence
from cupel.config.project import Project
from cupel.config.raw import Delivery
from cupel.errors import SourceError
from cupel.lake import Lake
from cupel.store.event_log import Event

DELIVERIES = "deliveries"
ENTRIES = "register"


class Entry(NamedTuple):
    """One delivery that arrived: its place in the register, its batch, its files and how they are read.

    `sha256` names the content: the hash of the names and hashes of its files. `files` are names in the
    delivery's folder with the hash of their bytes.
    """

    sequence: int
    batch: str
    sha256: str
    files: dict[str, str]
    registered_at: str
    delivery: dict[str, Any]


class Register:
    """The deliveries of a project that arrived in its inbox.

    The files of a delivery lie in the lake, in `deliveries/<batch>/`, so that they cannot vanish.

    Args:
        lake: The project's lake.
    """

    def __init__(self, lake: Lake) -> None:
        self._log = lake.log(ENTRIES)
        self.root = Path(lake.store.location(DELIVERIES))

    def entries(self) -> list[Entry]:
        """Return all entries, the earliest first.

        Raises:
            StoreError: The register was altered or cut short.
            FormatError: A newer version of Cupel wrote the lake.
        """
        return [Entry(sequence, **event) for sequence, event in enumerate(self._log.read(), 1)]

    def folder(self, batch: str) -> Path:
        """Return where the files of a registered delivery lie."""
        return self.root / batch

    def add(self, batch: str, files: dict[str, str], delivery: Delivery, registered_at: datetime) -> Entry:
        """Register a delivery whose files lie in its folder already.

        Args:
            batch: Its name.
            files: Names in the folder, and the hash of their bytes.
            delivery: How it is read.
            registered_at: Now; it is shown and decides nothing, so a clock that jumps does no harm.

        Raises:
            SourceError: The name is taken.
        """
        event = {
            "batch": batch,
            "sha256": content_sha256(files),
            "files": dict(sorted(files.items())),
            "registered_at": registered_at.isoformat(timespec="seconds"),
            "delivery": delivery.model_dump(mode="json", exclude={"files"}),
        }

        def decide(there: list[Event]) -> list[Event]:
            if any(one["batch"] == batch for one in there):
                raise SourceError(f"delivery {batch}: the name is taken in the register; give it another")
            return [event]

        self._log.append(decide)
        return next(entry for entry in self.entries() if entry.batch == batch)

    def bring(self, entries: Sequence[Entry]) -> None:
        """Bring the entries of another lake's register into an empty one, as they are."""
        events = [{name: value for name, value in one._asdict().items() if name != "sequence"} for one in entries]
        self._log.append(lambda there: [] if there else events)


def content_sha256(files: dict[str, str]) -> str:
    """Return what names the content of a delivery: one hash of its files' hashes, whatever the files are called."""
    return hashlib.sha256(json.dumps(sorted(files.values())).encode()).hexdigest()


def with_registered(project: Project, lake: Lake) -> Project:
    """Return the project with the deliveries of its register behind those that its file names.

    Raises:
        SourceError: The register is broken, or names a batch that the project file names too.
    """
    entries = Register(lake).entries()
    if not entries:
        return project
    deliveries = dict(project.raw.deliveries)
    for entry in entries:
        if entry.batch in deliveries:
            raise SourceError(
                f"project {project.project}: key raw.deliveries.{entry.batch}: a delivery of this name arrived in the "
                "inbox; give the one in the project file another name"
            )
        deliveries[entry.batch] = Delivery(files=tuple(entry.files), **entry.delivery)
    raw = project.raw.model_copy(update={"deliveries": deliveries})
    return project.model_copy(update={"raw": raw})


def delivery_folder(lake: Lake, batch: str, data: Path) -> Path:
    """Return the folder that a batch's files are named relative to: the lake's, or the data folder.

    Args:
        lake: The project's lake.
        batch: The batch.
        data: Folder of the deliveries that the project file names.
    """
    register = Register(lake)
    is_registered = any(entry.batch == batch for entry in register.entries())
    return register.folder(batch) if is_registered else data


class Described(Section):
    """What `delivery.yaml` in a delivered folder may say; the rest is the project's `raw.inbox`."""

    files: tuple[str, ...] | None = None
    """Files or patterns; null: all files of the folder."""
    licence: str | None = None
    """Its licence."""
    licence_field: str | None = None
    """Field of the item's licence."""
    text_field: str | None = None
    """As in the project's `raw.inbox`; so the others."""
    prompt_field: str | None = None
    """Field of the prompt, where responses are compared."""
    first_field: str | None = None
    """Field of the first response."""
    second_field: str | None = None
    """Field of the second response."""
    id_field: str | None = None
    """Field of the id."""
    group_field: str | None = None
    """Field of the group."""


def described(content: Any, inbox: dict[str, Any], where: str, licences: Sequence[str] = ()) -> dict[str, Any]:
    """Return how a delivery is read: the project's settings, with what the delivery says of itself.

    Args:
        content: What the delivery says.
        inbox: The project's settings.
        where: What is read, for errors.
        licences: The project's licences; empty: any.

    Raises:
        SourceError: The delivery says what is not known.
    """
    if not isinstance(content, dict):
        raise SourceError(f"{where}: expected keys and values, found {type(content).__name__}")
    try:
        own = Described.model_validate(content).model_dump(exclude_unset=True)
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(str(part) for part in problem["loc"])
        allowed = ", ".join(Described.model_fields)
        raise SourceError(f"{where}: key {key}: {problem['msg']}; allowed are {allowed}") from None
    if own.get("licence") and (why := explain_unknown_licence(own["licence"], licences)):
        raise SourceError(f"{where}: key licence: {why}")
    return inbox | own


def batch_for(name: str, taken: set[str]) -> str:
    """Return the name of a batch made of what was dropped: a free slug that no release could have.

    >>> batch_for("Movies 2026.jsonl.gz", {"movies-2026"})
    'movies-2026-2'
    >>> batch_for("???", set())
    'delivery'
    """
    stem = name.split(".")[0].lower()
    plain = "".join(char if char.isascii() and (char.isalnum() or char in "_-") else "-" for char in stem)
    plain = "-".join(part for part in plain.split("-") if part).strip("_-")[:48] or "delivery"
    try:
        check_batch_name(plain)
    except ValueError:
        plain = f"{plain}-delivery"
    number, free = 1, plain
    while free in taken:
        number += 1
        free = f"{plain}-{number}"
    return free
