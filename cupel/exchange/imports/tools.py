"""Which tool wrote a file, and what it holds."""

from pathlib import Path

from cupel.errors import SourceError
from cupel.exchange.imports.appen import APPEN
from cupel.exchange.imports.argilla.reader import ARGILLA
from cupel.exchange.imports.coco import COCO
from cupel.exchange.imports.cvat.reader import CVAT
from cupel.exchange.imports.doccano import DOCCANO
from cupel.exchange.imports.file import File, read_file
from cupel.exchange.imports.gate import Export, split_found
from cupel.exchange.imports.kinetics import KINETICS
from cupel.exchange.imports.label_studio.reader import LABEL_STUDIO
from cupel.exchange.imports.labelbox.older_export import LABELBOX_V1
from cupel.exchange.imports.labelbox.reader import LABELBOX
from cupel.exchange.imports.labelme import LABELME
from cupel.exchange.imports.mturk import MTURK
from cupel.exchange.imports.other_formats import OTHER_FORMATS
from cupel.exchange.imports.prodigy import PRODIGY
from cupel.exchange.imports.sagemaker.reader import SAGEMAKER
from cupel.exchange.imports.scale import SCALE
from cupel.exchange.imports.table import TABLE
from cupel.exchange.imports.toloka import TOLOKA
from cupel.exchange.imports.tool import ReadOptions, Tool
from cupel.exchange.imports.via import VIA
from cupel.exchange.imports.zooniverse import ZOONIVERSE
from cupel.people.tool_annotation import Annotation, as_id
from cupel.sources.input_limits import DEFAULT_LIMITS, InputLimits

# In the order in which they are tried; a table is what no other wrote.
TOOLS: tuple[Tool, ...] = (
    CVAT,
    OTHER_FORMATS,
    COCO,
    LABELBOX,
    LABELBOX_V1,
    SAGEMAKER,
    KINETICS,
    LABEL_STUDIO,
    SCALE,
    PRODIGY,
    ARGILLA,
    DOCCANO,
    MTURK,
    TOLOKA,
    APPEN,
    ZOONIVERSE,
    VIA,
    LABELME,
    TABLE,
)
NO_OPTIONS = ReadOptions()


def read_export(
    path: Path,
    tool: str | None = None,
    options: ReadOptions = NO_OPTIONS,
    limits: InputLimits = DEFAULT_LIMITS,
) -> Export:
    """Read finished work.

    Args:
        path: The file.
        tool: Name of one of TOOLS; None: told from what the file holds.
        options: What to take of it.
        limits: How much of it is read.

    Raises:
        SourceError: The file cannot be read, is not that tool's, or a question must be named.
    """
    file = read_file(path, limits)
    return read_as(file, recognise_tool(file) if tool is None else find_tool(tool, file), options)


def recognise_tool(file: File) -> Tool:
    """Return which tool wrote a file, by what it holds.

    Raises:
        SourceError: It is of no tool, and no table either.
    """
    found = next((tool for tool in TOOLS if tool.recognise(file)), None)
    if found is None:
        raise SourceError(f"{file.path}: {file.format} of no tool that is known; export it as CSV or JSON Lines")
    return found


def find_tool(name: str, file: File) -> Tool:
    """Return a tool by its name.

    Raises:
        SourceError: There is none of that name, or the file is not of its kind.
    """
    found = next((tool for tool in TOOLS if tool.name == name), None)
    if found is None:
        raise SourceError(f"--tool {name}: not known; there are {', '.join(tool.name for tool in TOOLS)}")
    if not found.recognise(file):
        raise SourceError(f"{file.path}: no export of {name}; name another tool or file")
    return found


def read_as(file: File, tool: Tool, options: ReadOptions = NO_OPTIONS) -> Export:
    """Return what a file of a tool holds; where the tool names nobody, `options.annotator` answered."""
    if options.annotators and tool is not TABLE:
        option = options.option("annotators")
        raise SourceError(f"{file.path}: {option} names columns of a plain table, and {tool.name} wrote the file")
    try:
        found = list(tool.read(file, options))
    except SourceError as error:
        # Notices are short and name a file as it is called; an error names it as it was given.
        said = str(error)
        where = "" if said.startswith(str(file.path)) else str(file.path).removesuffix(file.path.name)
        raise SourceError(f"{where}{said}" if said.startswith(file.path.name) else said) from None
    named = as_id(options.annotator)
    if not tool.is_table and named is not None:
        found = [
            one._replace(annotator=named) if isinstance(one, Annotation) and one.annotator is None else one
            for one in found
        ]
    return split_found(found, Export(file.path, file.sha256, tool.name, []))
