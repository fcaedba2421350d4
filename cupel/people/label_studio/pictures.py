"""Pictures: the addresses under which Label Studio finds what a task shows as an image."""

from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from urllib.parse import quote

from cupel.config.project import Project
from cupel.errors import WorkforceError

# What a browser may load into an image; anything else in a delivery is a path.
ADDRESSES = ("http://", "https://", "data:image/")
# A task's data are sent whole with every list of tasks that is read.
MOST_URI_CHARACTERS = 200_000

# Returns a preview of a batch's file as a data URI; None where there is none.
Preview = Callable[[str, str], str | None]


def no_preview(batch: str, location: str) -> str | None:
    """Return no preview: whoever calls has no files at hand."""
    return None


def with_pictures(
    project: Project, batch: str, data: Mapping[str, str], preview: Preview = no_preview
) -> dict[str, str]:
    """Return what a task shows, each image by an address that a browser can load.

    An address of the delivery stays as it is. A file is found below `label_studio.files` where the project names it:
    the server's own local files (`/data/local-files/?d=`), or any server of files. Else its preview goes into the task
    itself, as a data URI.

    Args:
        project: Says which fields are images, and where the server finds files.
        batch: The batch of the item.
        data: What the task shows, by field.
        preview: Returns a file's preview.

    Raises:
        WorkforceError: An image is a file that the server cannot get.
    """
    images = {view.name for view in project.modality.views if view.tag == "Image"}
    return {name: _address(project, batch, value, preview) if name in images else value for name, value in data.items()}


def _address(project: Project, batch: str, location: str, preview: Preview) -> str:
    if location.lower().startswith(ADDRESSES):
        return location
    path = PurePosixPath(location)
    if path.is_absolute() or ".." in path.parts:
        raise WorkforceError(f"batch {batch}, {location!r}: lies outside of its delivery; deliver the file with it")
    if project.label_studio is not None and project.label_studio.files is not None:
        return project.label_studio.files + quote(f"{batch}/{location}")
    uri = preview(batch, location)
    if uri is None or len(uri) > MOST_URI_CHARACTERS:
        why = "and has no preview" if uri is None else f"whose preview has {len(uri):,} characters, too many for a task"
        raise WorkforceError(
            f"batch {batch}, {location!r}: is a file that Label Studio cannot read, {why}; name in label_studio.files "
            "where the server finds the deliveries' files"
        )
    return uri
