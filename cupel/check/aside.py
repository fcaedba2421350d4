"""Moving aside: what is damaged goes to a folder of its own in the lake, and is never removed."""

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path

from cupel.check.damage import Damage
from cupel.check.examined import GATES
from cupel.check.files import FORMATS
from cupel.errors import LakeError
from cupel.lake.formats import format_file, read_number, write_number
from cupel.lake.lake import Lake
from cupel.store.files import move, stat_file
from cupel.store.locks import pause

DAMAGED = "damaged"
HASH_SHOWN = 12


class Aside:
    """A folder `damaged/<when>/` in a project's lake, made when something is moved there.

    Args:
        folder: The project's folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")

    def move(self, path: str) -> Path | None:
        """Move a file or folder of the project aside, under its own path; None where there is nothing.

        Args:
            path: Relative to the project's folder.
        """
        target = self._folder / DAMAGED / self._stamp / path
        if stat_file(self._folder / path) is None:
            return None
        move(self._folder / path, target, is_private=True)
        return target


def place_of(damage: Damage) -> str:
    """Return what of a damage is moved aside: of a table its partition's folder, of a release its folder."""
    parts = Path(damage.path).parts
    if damage.kind in ("table", "frozen table"):
        return "/".join(parts[:3])
    return "/".join(parts[:2]) if damage.kind == "release" else damage.path


def owner_of(damage: Damage) -> str:
    """Return the batch or release that a damage belongs to; gates' outcomes are named after their gate too."""
    return damage.partition.partition("--")[2] if damage.table == GATES else damage.partition


def clear_for_run(lake: Lake, found: Iterable[Damage], say: Callable[[str], None]) -> dict[tuple[str, str], str | None]:
    """Move aside what the next run makes again by itself; refuse where something else is damaged.

    Args:
        lake: The project's lake.
        found: What was found of it.
        say: Gets a line for each file that is moved.

    Returns:
        Of the tables that are to be made again, by table and partition, the hash that they had, if it is known.

    Raises:
        LakeError: Something is damaged that a run cannot make again; names the file and the command.
    """
    damages = [damage for damage in found if not damage.is_told_only]
    told = [damage for damage in damages if not damage.by_run]
    if told:
        first, more = told[0], len(told) - 1
        others = f" ({more} more: `cupel check {lake.project}` shows all)" if more else ""
        is_advised = first.kind == "log" and "from a copy" in first.what
        advice = "" if is_advised else f"; {_advice(lake.project, first)}"
        raise LakeError(f"{lake.folder}/{first.path}: {first.what}{advice}{others}")
    _number_logs(lake)
    lake.answers.advance_head()
    aside, again = Aside(lake.folder), dict[tuple[str, str], str | None]()
    for damage in damages:
        with _pause(lake, owner_of(damage)) as is_idle:
            moved = aside.move(place_of(damage)) if is_idle else None
        if not is_idle:
            continue
        where = f"; it was moved to {os.path.relpath(moved)}" if moved is not None else ""
        say(f"{damage.path}: {damage.what}{where}; it is made again")
        if damage.table:
            again[damage.table, damage.partition] = damage.hash
    return again


def _pause(lake: Lake, owner: str) -> AbstractContextManager[bool]:
    """Hold off steps while a batch's or release's files are moved; what belongs to none nobody is at work on."""
    return pause(lake.store, owner) if owner else nullcontext(True)


def _number_logs(lake: Lake) -> None:
    """Give logs that lost their format number the one that their next entry would be written with, byte for byte."""
    store = lake.store
    for name, number in FORMATS.items():
        file, content = format_file(name), f"{number}\n".encode()
        if store.stat(file) is None:
            if name and any(store.list(name)):
                write_number(store, name, number)
        elif store.read(file) != content and read_number(store, name, number) == number:
            store.put(file, content)  # a number and other white space


def describe_again(lake: Lake, before: Mapping[tuple[str, str], str | None]) -> list[str]:
    """Return a line for each table that was made again: whether it is the one that it was.

    Args:
        lake: The project's lake.
        before: Of each table and partition, the hash that it had, if it is known.
    """
    lines = []
    for (table, partition), hash_ in before.items():
        commit, name = lake.commit(table, partition), f"{table} of {partition}"
        if commit is None:
            lines.append(f"{name}: not made again yet; `make run PROJECT={lake.project}` says what it waits for")
        elif hash_ is None:
            lines.append(f"{name}: made again; what it was before is not known")
        elif commit.hash == hash_:
            lines.append(f"{name}: made again, the same bytes ({hash_[:HASH_SHOWN]})")
        else:
            lines.append(
                f"{name}: made again, other than before: {hash_[:HASH_SHOWN]} is now {commit.hash[:HASH_SHOWN]}"
            )
    return lines


def _advice(project: str, damage: Damage) -> str:
    if damage.by_repair:
        return f"`{damage.remedy}`"
    if damage.kind == "kept file":
        return f"{damage.remedy}, or go on without what it held: `cupel check {project} --accept {damage.path}`"
    return damage.remedy
