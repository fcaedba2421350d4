"""Files that a delivery's cells name: which of them may go to the auditor, and why the others may not."""

import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, NamedTuple

from cupel.accept.media import HEAD_BYTES, media_ending
from cupel.errors import AuditError
from cupel.store.files import is_file
from cupel.store.untrusted_files import FileEntry, find_identity, open_below, stat_entry, stat_open_file

AUDIT_ENDING = ".audit"
# What an audit's folder holds from the beginning, whatever it is called now.
AUDIT_FILES = ("plan.json", "sheet.csv")
MOST_BYTES = 1_000_000_000
LONGEST_LOCATION = 4_096

OUTSIDE = "not a name relative to the delivery's folder"
HIDDEN = "hidden, or in a hidden folder"
OF_AUDIT = "in the folder of an audit"
LINK = "a symbolic link, or behind one"
ABSENT = "no such file"
NO_FILE = "not a regular file"
OF_COMMAND = "the delivery itself, or another file that the command reads or writes"
SECOND_NAME = "has a second name (hard link); make it a copy"
TOO_LARGE = f"larger than {MOST_BYTES // 1_000_000_000} GB"
UNREADABLE = "cannot be read"
NO_MEDIA = "no image, video or sound by its content"

_LOCATION = re.compile(r"[a-z][a-z0-9+.-]*://\S+|\S*[\\/]\S+|\S*\.[A-Za-z0-9]{2,5}")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_ENDING = re.compile(r"\.[A-Za-z0-9]{2,5}\Z")


class ItemFile(NamedTuple):
    """A media file of the delivery's folder; `ending` by its content, not by its name."""

    path: Path
    ending: str
    size_bytes: int
    identity: tuple[int, int]


class FileProblem(NamedTuple):
    """Why what a cell names is not copied."""

    reason: str


def is_location(text: str) -> bool:
    """Tell whether a text is a path or an address, and nothing else.

    >>> is_location("https://x.org/1"), is_location("img/1"), is_location("a.png"), is_location("two words.")
    (True, True, True, False)
    """
    # Without spaces inside, the expression takes time in proportion to the text.
    return len(text) <= LONGEST_LOCATION and len(text.split()) == 1 and bool(_LOCATION.fullmatch(text.strip()))


class ItemFolder:
    """The delivery's folder, of which only media files with plain names are given away.

    Args:
        delivery: The delivery.
        kept_back: Other files that the command reads or writes.
    """

    def __init__(self, delivery: Path, kept_back: Iterable[Path] = ()) -> None:
        self._root = delivery.parent.resolve()
        self._kept_back = {found for path in (delivery, *kept_back) if (found := find_identity(path)) is not None}
        self._problems: dict[Path, str | None] = {}

    def find(self, value: str | None) -> ItemFile | FileProblem | None:
        """Return the media file that a value names, or why it may not be copied; None where it names no file.

        A name is taken literally: nothing is decoded, no link is followed, and `..` leads nowhere.
        """
        name = (value or "").strip()
        if "\0" in name or not is_location(name):
            return None
        if _ADDRESS.match(name):
            return FileProblem(OUTSIDE) if name[:5].lower() == "file:" or _is_drive(name) else None
        path = Path(name)
        if path.anchor or ".." in re.split(r"[\\/]", name):
            return FileProblem(OUTSIDE)
        reason = self._problem(self._root / path)
        if reason == ABSENT and not _ENDING.search(name):
            return None
        return self._read(self._root / path) if reason is None else FileProblem(reason)

    def _problem(self, path: Path) -> str | None:
        """Return what speaks against a path before its content is read."""
        folder = self._folder_problem(path.parent)
        if folder is not None or path == self._root:
            return folder or NO_FILE
        if path.name.startswith("."):
            return HIDDEN
        try:
            found = stat_entry(path)
        except (OSError, ValueError):
            return ABSENT
        return LINK if found.kind == "link" else self._file_problem(found)

    def _file_problem(self, found: FileEntry) -> str | None:
        """Return what speaks against a file that is no link."""
        if found.kind != "file":
            return NO_FILE
        if found.identity in self._kept_back:
            return OF_COMMAND
        if found.names > 1:
            return SECOND_NAME
        return TOO_LARGE if found.size > MOST_BYTES else None

    def _folder_problem(self, folder: Path) -> str | None:
        """Return what speaks against a folder or one above it, of the delivery's own downwards."""
        place = self._root
        for name in folder.relative_to(self._root).parts:
            place = place / name
            if place not in self._problems:
                self._problems[place] = _problem_of_folder(place)
            if (reason := self._problems[place]) is not None:
                return reason
        return None

    def _read(self, path: Path) -> ItemFile | FileProblem:
        try:
            with open_below(self._root, path) as file:
                found, head = stat_open_file(file), file.read(HEAD_BYTES)
        except OSError:
            return FileProblem(UNREADABLE)
        if (reason := self._file_problem(found)) is not None:  # another file was put there meanwhile
            return FileProblem(reason)
        ending = media_ending(head)
        if ending is None:
            return FileProblem(NO_MEDIA)
        return ItemFile(path, ending, found.size, found.identity)


def copy_item(file: ItemFile, target: BinaryIO) -> None:
    """Copy a media file; what is copied is the file that was judged, with the content that it was judged by.

    Raises:
        AuditError: It is another file, or something else, by now.
    """
    try:
        source = open_below(file.path.parent, file.path)
    except OSError:
        raise AuditError(f"{file.path}: vanished while it was copied; run the command again") from None
    with source:
        found = stat_open_file(source)
        is_same = (found.identity, found.size) == (file.identity, file.size_bytes)
        if not is_same or media_ending(source.read(HEAD_BYTES)) != file.ending:
            raise AuditError(f"{file.path}: changed while it was copied; run the command again")
        source.seek(0)
        shutil.copyfileobj(source, target)


def _problem_of_folder(folder: Path) -> str | None:
    if folder.name.startswith("."):
        return HIDDEN
    try:
        if stat_entry(folder).kind == "link":
            return LINK
        if folder.name.casefold().endswith(AUDIT_ENDING) or all(is_file(folder / name) for name in AUDIT_FILES):
            return OF_AUDIT
    except (OSError, ValueError):
        return ABSENT
    return None


def _is_drive(name: str) -> bool:
    return len(name) > 2 and name[1] == ":" and name[2] in "\\/"
