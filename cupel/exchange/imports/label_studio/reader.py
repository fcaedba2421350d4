"""The reader of Label Studio's files: tasks where the file holds some, else rows of annotations."""

from cupel.exchange.imports.file import File
from cupel.exchange.imports.label_studio.annotations import read_tasks
from cupel.exchange.imports.label_studio.flat import is_flat, read_flat
from cupel.exchange.imports.label_studio.tasks import has_tasks
from cupel.exchange.imports.tool import ReadOptions, Tool
from cupel.people.tool_annotation import Read


def is_label_studio(file: File) -> bool:
    """Tell whether Label Studio wrote a file."""
    return has_tasks(file) or is_flat(file)


def read_label_studio(file: File, options: ReadOptions) -> Read:
    """Yield the annotations of a file of Label Studio, and all else that it holds.

    Raises:
        SourceError: The file asks several questions and none was named, or the one named is not there.
    """
    return read_tasks(file, options) if has_tasks(file) else read_flat(file, options)


LABEL_STUDIO = Tool("label-studio", is_label_studio, read_label_studio)
