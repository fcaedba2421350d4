"""Checking logs: answers, actions, deliveries, events; and files that never change and that nothing else covers."""

from collections.abc import Callable, Iterator

from cupel.check.damage import Damage, repair_command
from cupel.check.examined import ExaminedLake
from cupel.checking.replies import REPLIES, RepliesLog
from cupel.errors import CupelError
from cupel.lake.annotator_actions import ACTIONS
from cupel.lake.cached_rows import rows_of
from cupel.lake.draw_log import DRAWS, find_draw
from cupel.lake.earlier_logs import earlier_files, earlier_logs
from cupel.lake.guideline_log import GUIDELINES
from cupel.lake.lake import Lake
from cupel.lake.log_references import lost_by
from cupel.lake.send_back_log import SEND_BACKS
from cupel.people.answers.shown_labels import SHOWN_LABELS
from cupel.people.answers.signed_answers import SIGNED_ANSWERS
from cupel.people.label_studio.events import EVENTS
from cupel.people.label_studio.record import LAKE_ID
from cupel.release.days import DAYS
from cupel.release.proposals import PROPOSALS
from cupel.sources.register import DELIVERIES, ENTRIES
from cupel.store.event_log import HEAD
from cupel.store.store import MissingError

ANSWERS = "answers"
RESTORE = "restore it from a copy"
# Files that are written once: nothing but the memory can tell that one of them was altered.
KEPT_FOLDERS = (DELIVERIES, "answer_files")
KEPT_FILES = ("mask.key", "mask.fingerprint", LAKE_ID)
LOGS = (ACTIONS, ENTRIES, PROPOSALS, DAYS, DRAWS, EVENTS, SHOWN_LABELS, SIGNED_ANSWERS, GUIDELINES, SEND_BACKS)


def check_logs(examined: ExaminedLake) -> Iterator[Damage]:
    """Yield what is wrong with the logs of a lake."""
    lake = examined.lake
    readers: dict[str, Callable[[], object]] = {
        "answers": lambda: lake.answers.verify(is_afresh=not examined.is_light),
        **{name: lake.log(name).read for name in LOGS},
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
    yield from _check_replies(examined)
    yield from _check_references(examined, broken)
    if DRAWS not in broken:
        yield from _check_draws(examined)
    yield from _check_kept(examined)


def reply_logs(lake: Lake) -> list[str]:
    """Return the logs of what language models replied, one a delivery."""
    return sorted({"/".join(one.name.split("/")[:2]) for one in lake.store.list(REPLIES) if one.name.count("/") > 1})


def _check_replies(examined: ExaminedLake) -> Iterator[Damage]:
    """Yield the logs of replies that are broken: moved aside, their questions are asked, and paid for, again."""
    lake = examined.lake
    for name in [] if examined.is_light else reply_logs(lake):
        try:
            RepliesLog(lake.store, name.rpartition("/")[2])
        except (CupelError, OSError) as error:
            yield Damage(name, "derived file", str(error), repair_command(lake.project), by_repair=True)


def _place(examined: ExaminedLake, words: str, name: str) -> str:
    """Return the file that an error names, where it begins with one of the lake."""
    path = words.partition(": ")[0].removeprefix(f"{examined.folder}/")
    return path if path.startswith(name) else name


def _without_place(examined: ExaminedLake, words: str, place: str) -> str:
    """Return what an error says without the file, which is told beside it."""
    return words.removeprefix(f"{examined.folder}/").removeprefix(f"{place}: ")


def _check_references(examined: ExaminedLake, broken: set[str]) -> Iterator[Damage]:
    told = set(broken)
    for commit in examined.commits.values():
        if broken >= {ANSWERS, ACTIONS, SEND_BACKS}:
            return
        try:
            for lost in lost_by(examined.lake, commit):
                if lost.log not in told:
                    told.add(lost.log)
                    yield Damage(lost.log, "log", _without_place(examined, lost.why, lost.log), RESTORE)
        except CupelError:
            continue  # told already: the log cannot be read


def _check_draws(examined: ExaminedLake) -> Iterator[Damage]:
    """Yield releases whose draw is not in the log of draws, or is there another than their plan says."""
    events = examined.lake.log(DRAWS).read()
    for release in examined.releases:
        is_there = ("release_plan", release) in examined.commits
        for plan in rows_of(examined.lake, "release_plan", release) if is_there else []:
            found, named = find_draw(events, release, "audit"), (plan["freeze_sha256"], plan["nonce"])
            if named != (None, None) and (found is None or (found["frozen_sha256"], found["nonce"]) != named):
                what = "holds no draw of" if found is None else "holds another draw than the plan of"
                yield Damage(DRAWS, "log", f"{what} {release}", RESTORE)


def _check_kept(examined: ExaminedLake) -> Iterator[Damage]:
    """Yield files that are written once and are gone, or have other bytes than when they were first seen.

    Of a log's head only that it was there is remembered: it changes, and the log says what it must be.
    """
    memory, there = examined.memory, kept_files(examined)
    heads = [head for name in LOGS if examined.lake.store.stat(head := f"{name}/{HEAD}") is not None]
    known = {name for name in memory.paths() if not name.startswith(("tables/", "releases/"))}
    for name in sorted(known - {*there, *heads}):
        yield Damage(name, "kept file", "gone; it was there when the lake was last seen", RESTORE)
    for name in there:
        try:
            found, before = memory.sha256(name), memory.known(name)
        except MissingError:
            yield Damage(name, "kept file", "gone; it was there when the lake was last seen", RESTORE)
            continue
        except OSError as error:
            yield Damage(name, "kept file", f"cannot be read: {error.strerror}", RESTORE)
            continue
        if before not in (None, found):
            yield Damage(name, "kept file", "its bytes are not those that were there when it was first seen", RESTORE)
        else:
            memory.remember(name)
    for name in heads:
        memory.remember(name)


def kept_files(examined: ExaminedLake) -> list[str]:
    """Return the files of a lake that are written once and never changed, by name."""
    store = examined.lake.store
    found = [one.name for folder in KEPT_FOLDERS for one in store.list(folder)]
    found += [name for name in KEPT_FILES if store.stat(name) is not None]
    found += [name for log in LOGS for name in examined.lake.log(log).segment_names()]
    if examined.lake.may_be_earlier():
        found += [name for log in earlier_logs(store) for name in earlier_files(store, log)]
    return sorted(found)
