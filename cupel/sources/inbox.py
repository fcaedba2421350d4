"""The inbox: what was dropped there, whether it is whole, and how it is taken into the register."""

import hashlib
import json
import os
import uuid
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

from cupel.config.project import Project
from cupel.config.raw import Delivery
from cupel.config.strict_yaml import read_yaml
from cupel.errors import SourceError
from cupel.lake.lake import Lake
from cupel.printable import printable
from cupel.signing.signed_files import ENVELOPE_ENDING, find_envelope_path
from cupel.sources.files import FORMATS, source_files
from cupel.sources.readable import check_readable
from cupel.sources.register import Register, batch_for, content_sha256, described
from cupel.store.files import (
    delete,
    delete_file,
    delete_folder,
    find_files,
    hash_file,
    is_file,
    is_folder,
    list_folder,
    move,
    put_file,
    read_file,
    read_text,
    stat_file,
)
from cupel.store.untrusted_files import EntryKind, list_entries, stat_entry

ANSWERS = "answers"
KNOWN = "_known"
DESCRIPTION = "delivery.yaml"
MARKERS = ("_SUCCESS", "_DONE")
DONE, REFUSED = ".done", ".refused.txt"
UNFINISHED = (".part", ".partial", ".tmp", ".crdownload", ".filepart", ".swp")
NOTES = (DONE, REFUSED, ENVELOPE_ENDING)
# A file system's 255, less what is put behind a name here.
MOST_NAME_BYTES = 200
# A delivery of a million images, in folders as they come from cameras and archives.
MOST_ENTRIES, MOST_LEVELS = 2_000_000, 32
MOST_NOTE_BYTES = 1 << 20
COPY = ".cupel-copy-"
ANSWER_FILES = "answer_files"
ANSWER_FORMATS = (".csv", ".csv.gz", ".parquet")


class Arrival(NamedTuple):
    """Something that lies in the inbox: a delivery (a file or a folder), or a file of answers.

    `look` changes when a name, size or time of change in it does; what looks the same twice, some seconds
    apart, is whole. `is_marked` says that who brought it has marked it as whole, `problem` why it cannot be taken,
    whatever is in it.
    """

    path: Path
    kind: Literal["delivery", "answers"]
    look: str
    is_marked: bool
    problem: str | None = None


class Taken(NamedTuple):
    """What became of an arrival: registered, known (the same content is there already), refused, or gone."""

    name: str
    outcome: Literal["registered", "known", "refused", "gone"]
    batch: str | None
    reason: str


def arrivals(inbox: Path) -> list[Arrival]:
    """Return what lies in an inbox and was not refused as it is, by name; no inbox is an empty one.

    Left alone are hidden files, those that begin with `_`, and unfinished downloads (.part, .tmp ...).
    """
    found = [_arrival(path, "delivery") for path in _visible(inbox) if path.name != ANSWERS]
    found += [_arrival(path, "answers") for path in _visible(inbox / ANSWERS)]
    return [arrival for arrival in found if arrival is not None and not _was_refused(arrival)]


def whole(now: list[Arrival], before: dict[str, str]) -> list[Arrival]:
    """Return the arrivals that are whole: marked, or looking as they did before.

    Args:
        now: What lies there.
        before: Looks at an earlier time, by path, some seconds ago. No clock is asked.
    """
    return [arrival for arrival in now if arrival.is_marked or before.get(str(arrival.path)) == arrival.look]


def take(arrival: Arrival, project: Project, lake: Lake, now: datetime) -> Taken:
    """Take a whole arrival out of the inbox, into the lake: as the next delivery, or as a file of answers.

    The files go first, the entry of the register second, so that a kill in between is mended by
    `take_unregistered`. What cannot be taken stays where it is, with the reason in a file beside it; nothing that an
    arrival holds keeps others from being taken.

    Args:
        arrival: What is taken.
        project: The project with its registered deliveries; `raw.inbox` says how to read them.
        lake: The project's lake.
        now: For the register; it decides nothing.
    """
    try:
        if arrival.problem is not None:
            raise SourceError(f"{arrival.path.name}: {arrival.problem}")
        if arrival.kind == "answers":
            return _take_answers(arrival, lake)
        return _take_delivery(arrival, project, lake, now)
    except FileNotFoundError as error:
        return Taken(arrival.path.name, "gone", None, f"it vanished while it was taken: {error.filename}")
    except SourceError as error:
        return refuse_arrival(arrival, str(error))


def refuse_arrival(arrival: Arrival, reason: str) -> Taken:
    """Leave an arrival where it is, with the reason in a file beside it."""
    words = f"{reason}\n\nMend it, or take it away. It is looked at again when it changes (now {arrival.look}).\n"
    with suppress(OSError):  # a folder may have the note's name: then it is refused anew each time
        put_file(_note_of(arrival.path), words.encode())
    return Taken(printable(arrival.path.name), "refused", None, reason)


def take_unregistered(project: Project, lake: Lake, now: datetime) -> list[Taken]:
    """Register deliveries whose files were taken before a kill came between them and the register."""
    register = Register(lake)
    places = [register.root, *(path for path in list_folder(register.root) if is_folder(path)), _answers_folder(lake)]
    for path in (path for place in places for path in list_folder(place) if path.name.startswith(COPY)):
        delete(path)  # killed half-way; the source is still in the inbox
    known = {entry.batch for entry in register.entries()}
    folders = [path for path in _visible(register.root) if is_folder(path) and path.name not in known]
    taken = []
    for folder in folders:
        if not list_folder(folder):
            delete_folder(folder)  # killed before the file was moved into it
            continue
        delivery, files = _contents(folder.name, folder, project)
        register.add(folder.name, files, delivery, now)
        taken.append(Taken(folder.name, "registered", folder.name, "it had been taken, but not registered"))
    return taken


def answer_files(lake: Lake) -> list[Path]:
    """Return the files of answers that came through the inbox, in the order of their arrival."""
    return _visible(_answers_folder(lake))


def _take_delivery(arrival: Arrival, project: Project, lake: Lake, now: datetime) -> Taken:
    register, path = Register(lake), arrival.path
    entries = register.entries()
    delivery, files = _examine(path, project)
    same = next((entry for entry in entries if entry.sha256 == content_sha256(files)), None)
    if same is not None:
        _forget_marker(path)
        _move(path, path.parent / KNOWN / f"{path.name}-{uuid.uuid4().hex[:8]}", is_private=False)
        return Taken(path.name, "known", same.batch, f"the same content is there already, as {same.batch}")
    taken = {*project.raw.deliveries, *(entry.batch for entry in entries)}
    batch = batch_for(path.name, taken)
    folder = register.folder(batch)
    _forget_marker(path)
    _move(path, folder if is_folder(path) else folder / path.name)
    delivery, files = _contents(batch, folder, project)
    register.add(batch, files, delivery, now)
    return Taken(path.name, "registered", batch, f"{len(files)} files")


def _examine(path: Path, project: Project) -> tuple[Delivery, dict[str, str]]:
    """Return what `_contents` does of an arrival that can be read.

    Raises:
        SourceError: It cannot, whatever the reason is: others are taken all the same.
    """
    try:
        delivery, files = _contents(path.name, path, project)
        check_readable(path.name, delivery, path if is_folder(path) else path.parent, project)
    except (SourceError, FileNotFoundError):
        raise
    except Exception as error:
        why = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
        raise SourceError(f"{path.name}: cannot be read: {why}; mend it and bring it again") from error
    return delivery, files


def _contents(name: str, path: Path, project: Project) -> tuple[Delivery, dict[str, str]]:
    """Return how a delivery is read, and the names and hashes of its files."""
    if project.raw.inbox is None:
        raise SourceError(f"{name}: project {project.project} has no raw.inbox that says how to read it; add one")
    settings, endings = project.raw.inbox.model_dump(), project.modality.endings
    if is_file(path):
        found = source_files(name, (path.name,), path.parent, endings)
        return Delivery(files=(path.name,), **settings), {file.name: hash_file(file.path) for file in found}
    description = path / DESCRIPTION
    if is_file(description):
        settings = described(_yaml(description), settings, f"{name}/{DESCRIPTION}", project.licence_names)
    patterns = settings.pop("files", None) or [
        file.relative_to(path).as_posix() for file in find_files(path) if _is_data(file)
    ]
    if not patterns:
        raise SourceError(f"{name}: no file in it; bring {', '.join(FORMATS)} files")
    found = source_files(name, tuple(patterns), path, endings)
    return Delivery(files=tuple(patterns), **settings), {file.name: hash_file(file.path) for file in found}


def _take_answers(arrival: Arrival, lake: Lake) -> Taken:
    path = arrival.path
    if not path.name.endswith(ANSWER_FORMATS):
        raise SourceError(f"{path.name}: answers are taken from {', '.join(ANSWER_FORMATS)} files; convert it")
    sha256, envelope = hash_file(path), find_envelope_path(path)
    there = answer_files(lake)
    if any(f"-{sha256[:16]}-" in file.name for file in there):
        _forget_marker(path)
        aside = path.parent.parent / KNOWN / f"{path.name}-{uuid.uuid4().hex[:8]}"
        if is_file(envelope):
            _move(envelope, find_envelope_path(aside), is_private=False)
        _move(path, aside, is_private=False)
        return Taken(path.name, "known", None, "the same file of answers is there already")
    ending = next(ending for ending in ANSWER_FORMATS if path.name.endswith(ending))
    name = f"{len(there) + 1:06d}-{sha256[:16]}-{batch_for(path.name, set())}{ending}"
    _forget_marker(path)
    if is_file(envelope):  # first, so that the answers never lie there without it
        _move(envelope, _answers_folder(lake) / f"{name}{ENVELOPE_ENDING}")
    _move(path, _answers_folder(lake) / name)
    return Taken(path.name, "registered", None, "answers")


def _arrival(path: Path, kind: Literal["delivery", "answers"]) -> Arrival | None:
    """Return what lies at a path; None where it is gone already."""
    try:
        about = stat_entry(path)
        problem = _find_problem(path, about.kind, kind)
        entries = list_entries(path, MOST_LEVELS, MOST_ENTRIES) if about.kind == "folder" else [(path, about)]
        special = next((inner.name for inner, one in entries if one.kind != "file"), None)
        if special is not None and problem is None:
            problem = f"{special} is a link, pipe, socket or device; copy the file itself into the inbox"
        files = [inner for inner, _ in entries]
    except FileNotFoundError:
        return None
    except OSError as error:
        problem, files = f"{error.strerror}; bring the files themselves", []
    if problem is not None:
        look = hashlib.sha256(json.dumps([str(path), problem]).encode()).hexdigest()[:16]
        return Arrival(path, kind, look, False, problem)
    files += [envelope] if is_file(envelope := find_envelope_path(path)) else []
    stats = [stat_file(file) for file in files]
    seen = [(file.name, *stat[:2]) for file, stat in zip(files, stats, strict=True) if stat is not None]
    if len(seen) < len(files):
        return None
    look = hashlib.sha256(json.dumps([str(path), seen]).encode()).hexdigest()[:16]
    markers = [path.with_name(path.name + DONE), *(path / marker for marker in MARKERS)]
    is_marked = any(is_file(marker) for marker in markers)
    is_unfinished = any(file.name.endswith(UNFINISHED) for file in files)
    return Arrival(path, kind, look, is_marked) if files and not is_unfinished else None


def _find_problem(path: Path, found: EntryKind, kind: Literal["delivery", "answers"]) -> str | None:
    """Return what speaks against an arrival before anything in it is looked at."""
    if found == "link":
        return "is a link; copy the file itself into the inbox"
    if found == "other" or (kind == "answers" and found != "file"):
        return "is not a regular file; bring a file"
    if len(os.fsencode(path.name)) > MOST_NAME_BYTES:
        return f"the name is longer than {MOST_NAME_BYTES} bytes; rename it"
    if not path.name.isprintable():
        return "the name holds characters that do not print, or is not UTF-8; rename it"
    if path.name.endswith(NOTES):  # a file of such a name is not seen
        return f"a folder whose name ends as that of a note ({', '.join(NOTES)}); rename it"
    return None


def _note_of(path: Path) -> Path:
    """Return where the reason of a refusal lies: beside the arrival, under its name as far as there is room for it."""
    name = os.fsencode(path.name)
    if len(name) > MOST_NAME_BYTES:
        name = name[:MOST_NAME_BYTES] + hashlib.sha256(name).hexdigest()[:8].encode()
    return path.with_name(os.fsdecode(name) + REFUSED)


def _visible(folder: Path) -> list[Path]:
    return [path for path in list_folder(folder) if path.name[0] not in "._" and not _is_hidden(path)]


def _is_hidden(path: Path) -> bool:
    return path.name.endswith(UNFINISHED) or (path.name.endswith(NOTES) and is_file(path))


def _answers_folder(lake: Lake) -> Path:
    return Path(lake.store.location(ANSWER_FILES))


def _is_data(file: Path) -> bool:
    return file.name[0] not in "._" and file.name != DESCRIPTION


def _was_refused(arrival: Arrival) -> bool:
    note = _note_of(arrival.path)
    return is_file(note) and arrival.look.encode() in read_file(note, MOST_NOTE_BYTES)


def _forget_marker(path: Path) -> None:
    """Remove the notes beside an arrival before it goes: one left by a kill would call the next of its name whole."""
    for note in (path.with_name(path.name + DONE), _note_of(path)):
        if is_file(note):
            delete_file(note)


def _yaml(path: Path) -> Any:
    try:
        return read_yaml(read_text(path))
    except (OSError, ValueError) as error:
        raise SourceError(f"{path.parent.name}/{path.name}: not a YAML file: {error}") from None


def _move(path: Path, target: Path, *, is_private: bool = True) -> None:
    """Move a file or folder; between file systems it is copied first, and appears whole. The lake's are private."""
    move(path, target, target.with_name(f"{COPY}{uuid.uuid4().hex}"), is_private=is_private)
