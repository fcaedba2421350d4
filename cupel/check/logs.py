"""Checking logs: answers, actions, deliveries, events; and files that never change and that nothing else covers."""

from collections.abc import Callable, Iterator
from pathlib import Path

from cupel.check.damage import Damage, repair_command
from cupel.check.examined import ExaminedLake
from cupel.check.references import lost_by
from cupel.errors import CupelError
from cupel.label_studio.events import Events
from cupel.release.proposals import proposed
from cupel.sources.inbox import COPY
from cupel.sources.register import DELIVERIES, Register
from cupel.store.event_log import HEAD
from cupel.store.store import MissingError

ANSWERS = "answers"
RESTORE = "restore it from a copy"
# Files that are written once: nothing but the memory can tell that one of them was altered.
KEPT = (
    "register/*.json", f"{DELIVERIES}/**/*", "answer_files/*", "annotator_actions/[0-9]*.json", "proposals/*.json",
    "days/*.json", "mask.key", "mask.fingerprint", "label_studio/lake_id", "label_studio/events/*.jsonl",
)  # fmt: skip


def check_logs(examined: ExaminedLake) -> Iterator[Damage]:
    """Yield what is wrong with the logs of a lake."""
    lake = examined.lake
    readers: dict[str, Callable[[], object]] = {
        "answers": lambda: lake.answers.verify(is_afresh=not examined.is_light),
        "annotator_actions": lake.actions.read,
        "register": Register(lake).entries,
        "label_studio/events": Events(lake).read,
        "proposals": lambda: proposed(lake),
    }
    broken = set()
    for name, read in readers.items():
        try:
            read()
        except (CupelError, OSError) as error:
            broken.add(name)
            place = _place(examined, str(error), name)
            what = _without_place(examined, str(error), place)
            if place == f"{ANSWERS}/{HEAD}" and lake.answers.has_known_segments():
                yield Damage(place, "log", what, repair_command(lake.project), by_repair=True)
            else:
                yield Damage(place, "log", what, RESTORE)
    yield from _check_references(examined, broken)
    yield from _check_kept(examined)


def _place(examined: ExaminedLake, words: str, name: str) -> str:
    """Return the file that an error names, where it begins with one of the lake."""
    path = words.partition(": ")[0]
    folder = f"{examined.folder}/"
    return path.removeprefix(folder) if path.startswith(folder) else name


def _without_place(examined: ExaminedLake, words: str, place: str) -> str:
    """Return what an error says without the file, which is told beside it."""
    return words.removeprefix(f"{examined.folder}/{place}: ")


def _check_references(examined: ExaminedLake, broken: set[str]) -> Iterator[Damage]:
    told = set(broken)
    for commit in examined.commits.values():
        if broken >= {"answers", "annotator_actions"}:
            return
        try:
            for lost in lost_by(examined.lake, commit):
                if lost.log not in told:
                    told.add(lost.log)
                    yield Damage(lost.log, "log", _without_place(examined, lost.why, lost.log), RESTORE)
        except CupelError:
            continue  # told already: the log cannot be read


def _check_kept(examined: ExaminedLake) -> Iterator[Damage]:
    """Yield files that are written once and are gone, or have other bytes than when they were first seen."""
    there = {path.relative_to(examined.folder).as_posix() for path in kept_files(examined.folder)}
    known = {name for name in examined.memory.paths() if not name.startswith(("tables/", "releases/"))}
    for name in sorted(known - there):
        yield Damage(name, "kept file", "gone; it was there when the lake was last seen", RESTORE)
    for name in sorted(there):
        try:
            found, before = examined.memory.sha256(name), examined.memory.known(name)
        except MissingError:
            yield Damage(name, "kept file", "gone; it was there when the lake was last seen", RESTORE)
            continue
        except OSError as error:
            yield Damage(name, "kept file", f"cannot be read: {error.strerror}", RESTORE)
            continue
        if before not in (None, found):
            yield Damage(name, "kept file", "its bytes are not those that were there when it was first seen", RESTORE)
        else:
            examined.memory.remember(name)


def kept_files(folder: Path) -> list[Path]:
    """Return the files of a project's folder that are written once and never changed."""
    found = [path for pattern in KEPT for path in folder.glob(pattern) if path.is_file() and path.name[0] != "."]
    # A delivery that comes from another disk is copied under a name of its own first.
    return [path for path in found if COPY not in path.relative_to(folder).as_posix()]
