"""Files of marks: which format one is of, and what it holds."""

import gzip
import hashlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from cupel.errors import SourceError
from cupel.exchange.imports.answers import Imported, gather
from cupel.exchange.imports.file import File, read_file
from cupel.exchange.imports.gate import Export, split_found
from cupel.exchange.imports.label_studio.tasks import has_tasks
from cupel.exchange.imports.marks.activitynet import is_activitynet, read_activitynet
from cupel.exchange.imports.marks.ava import is_ava, read_ava
from cupel.exchange.imports.marks.charades import is_charades, read_charades
from cupel.exchange.imports.marks.coco_marks import is_coco_boxes, read_coco_boxes
from cupel.exchange.imports.marks.conll_spans import is_conll, read_conll
from cupel.exchange.imports.marks.cvat_marks import read_cvat_marks
from cupel.exchange.imports.marks.doccano_spans import is_doccano_spans, read_doccano_spans
from cupel.exchange.imports.marks.drawn_answers import (
    DEFAULT_TERMS,
    ItemIds,
    MarkTerms,
    ReadDrawn,
    judge_answers,
)
from cupel.exchange.imports.marks.label_studio_marks import read_label_studio_marks
from cupel.exchange.imports.marks.mark_table import is_mark_table, read_mark_table
from cupel.exchange.imports.marks.marked_items import MarkedItems, tabulate_marks
from cupel.exchange.imports.marks.regions_parquet import is_regions_parquet, read_regions_parquet
from cupel.exchange.imports.marks.webdataset import read_webdataset
from cupel.marks.canonical_text import BOXES, FORMS, SEGMENTS, SPANS, MarkForm
from cupel.people.tool_annotation import Annotation, Found
from cupel.sources.input_limits import DEFAULT_LIMITS, InputLimits
from cupel.sources.reasons import BadRow
from cupel.store.files import open_file

CVAT_NAME, WEBDATASET_NAME = "cvat", "webdataset"


class MarkFormat(NamedTuple):
    """A format that marks are read of.

    Attributes:
        name: As `--tool` names it.
        forms: Kinds of marks that it holds.
        recognise: Tells whether a file is of it.
        read: Yields what a file holds.
    """

    name: str
    forms: tuple[MarkForm, ...]
    recognise: Callable[[File], bool]
    read: Callable[[File, MarkForm, MarkTerms], ReadDrawn]


class ReadMarks(NamedTuple):
    """What files of marks come to: answers whose labels are canonical texts, and all else with its reason."""

    form: MarkForm
    imported: Imported

    @property
    def tables(self) -> MarkedItems:
        """Return the answers and their items as tables; they are made anew each time."""
        return tabulate_marks(self.imported.annotations, self.form)


# In the order in which they are tried. CVAT and WebDataset are read as streams, by the names of their files.
MARK_FORMATS: tuple[MarkFormat, ...] = (
    MarkFormat("coco", (BOXES,), is_coco_boxes, read_coco_boxes),
    MarkFormat("activitynet", (SEGMENTS,), is_activitynet, read_activitynet),
    MarkFormat("label-studio", FORMS, has_tasks, read_label_studio_marks),
    MarkFormat("doccano", (SPANS,), is_doccano_spans, read_doccano_spans),
    MarkFormat("charades", (SEGMENTS,), is_charades, read_charades),
    MarkFormat("ava", (SEGMENTS,), is_ava, read_ava),
    MarkFormat("conll", (SPANS,), is_conll, read_conll),
    MarkFormat("parquet", FORMS, is_regions_parquet, read_regions_parquet),
    MarkFormat("table", FORMS, is_mark_table, read_mark_table),
)


def read_mark_files(
    paths: Iterable[Path], form: MarkForm, tool: str | None = None, terms: MarkTerms = DEFAULT_TERMS,
    limits: InputLimits = DEFAULT_LIMITS, purpose: str = "label",
) -> ReadMarks:  # fmt: skip
    """Read marks of files that belong together; of an annotator's answers on one item the latest counts.

    Args:
        paths: The files.
        form: What a mark consists of.
        tool: Name of a format; None: told from what each file holds.
        terms: What to take of them.
        limits: How much of each is read; CVAT's XML and tar files may be of any size.
        purpose: Whose answers they are: of the crew (`label`) or of experts (`expert`).

    Raises:
        SourceError: A file cannot be read, or is of no format that holds such marks.
    """
    exports = [read_mark_export(path, form, tool, terms, limits) for path in paths]
    imported = gather(exports, are_classes=False, purpose=purpose)
    return ReadMarks(form, imported)


def read_mark_export(
    path: Path, form: MarkForm, tool: str | None = None, terms: MarkTerms = DEFAULT_TERMS,
    limits: InputLimits = DEFAULT_LIMITS,
) -> Export:  # fmt: skip
    """Return what one file holds: answers with their canonical text, and what is none, with its reason.

    Raises:
        SourceError: The file cannot be read, or is of no format that holds such marks.
    """
    name = tool or _streamed_format(path)
    if name in (CVAT_NAME, WEBDATASET_NAME):
        if name == CVAT_NAME and form != BOXES:
            raise SourceError(f"{path}: CVAT's XML holds boxes, and no {form.name}")
        return _read_stream(path, name, form, terms, limits)
    file = read_file(path, limits)
    found = _find_format(file, form, tool)
    return _collect(
        judge_answers(found.read(file, form, terms), form, terms), Export(path, file.sha256, found.name, [])
    )


def _streamed_format(path: Path) -> str | None:
    endings = [ending.lower() for ending in path.suffixes if ending.lower() != ".gz"]
    return {".xml": CVAT_NAME, ".tar": WEBDATASET_NAME}.get("".join(endings[-1:]))


def _find_format(file: File, form: MarkForm, tool: str | None) -> MarkFormat:
    fitting = [one for one in MARK_FORMATS if form in one.forms]
    names = [one.name for one in fitting] + [CVAT_NAME] * (form == BOXES) + [WEBDATASET_NAME]
    if tool is not None:
        found = next((one for one in fitting if one.name == tool), None)
        if found is None:
            raise SourceError(f"--tool {tool}: no format of {form.name}; there are {', '.join(names)}")
        return found
    for one in MARK_FORMATS:
        if one.recognise(file):
            if form not in one.forms:
                holds = " and ".join(other.name for other in one.forms)
                raise SourceError(f"{file.path}: {one.name} holds {holds}, and no {form.name}")
            return one
    raise SourceError(f"{file.path}: no file of {form.name} that is known; formats are {', '.join(names)}")


def _read_stream(path: Path, name: str, form: MarkForm, terms: MarkTerms, limits: InputLimits) -> Export:
    try:
        with open_file(path) as file:
            hashed = _HashedStream(file)
            opened: Any = hashed
            if name == CVAT_NAME and path.suffix.lower() == ".gz":
                opened = gzip.GzipFile(fileobj=cast(BinaryIO, hashed))
            drawn = (
                read_cvat_marks(str(path), opened, terms, limits)
                if name == CVAT_NAME
                else read_webdataset(str(path), opened, form, terms, limits)
            )
            export = _collect(judge_answers(drawn, form, terms), Export(path, "", name, []))
            return export._replace(sha256=hashed.finish())
    except (OSError, EOFError) as error:
        raise SourceError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}; name a file") from None


class _HashedStream:
    """A file that hashes what is read of it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._digest = file, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        block = self._file.read(size)
        self._digest.update(block)
        return block

    def finish(self) -> str:
        """Return the hash of the whole file."""
        while self.read(1 << 20):
            pass
        return self._digest.hexdigest()


def _collect(found: Iterator[Found | ItemIds], export: Export) -> Export:
    """Return an export with what was found, items by the ids that they have at the file's end."""
    ids: dict[str, str] = {}

    def others() -> Iterator[Found]:
        for one in found:
            if isinstance(one, ItemIds):
                ids.update(one.ids)
            else:
                yield one

    done = split_found(others(), export)
    if not ids:
        return done
    renamed: list[Annotation | BadRow] = [
        one._replace(item_id=ids.get(one.item_id, one.item_id)) if isinstance(one, Annotation) else one
        for one in done.annotations
    ]
    return done._replace(annotations=renamed)
