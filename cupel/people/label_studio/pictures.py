"""Pictures: the addresses under which Label Studio finds what a task shows as an image."""

from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from cupel.config.project import Project
from cupel.errors import WorkforceError
from cupel.lake.lake import Lake
from cupel.modalities.image.contents import read_content
from cupel.modalities.image.decoding import decode
from cupel.modalities.image.downloads import DownloadLimits
from cupel.modalities.image.previews import preview_uri
from cupel.modalities.image.problems import ImageProblem
from cupel.sources.register import delivery_folder

# What a browser may load into an image; anything else in a delivery is a path.
ADDRESSES = ("http://", "https://", "data:image/")
# A task's data are sent whole with every list of tasks that is read.
MOST_URI_CHARACTERS = 200_000
# Pixels of a preview's longer side: enough to name what is seen, in some 50,000 characters.
SIDE = 640

# Returns a preview of a batch's file as a data URI; None where there is none.
Preview = Callable[[str, str], str | None]


def no_preview(batch: str, location: str) -> str | None:
    """Return no preview: whoever calls has no files at hand."""
    return None


def file_preview(project: Project, lake: Lake, data: Path) -> Preview:
    """Return what makes previews of a project's files, as people see them.

    Args:
        project: Says how large images may be.
        lake: Its lake, with the deliveries that arrived.
        data: Folder of the other deliveries.
    """

    def preview(batch: str, location: str) -> str | None:
        # Only files: no host may be asked.
        content = read_content(delivery_folder(lake, batch, data), location, DownloadLimits())
        decoded = content if isinstance(content, ImageProblem) else decode(content, SIDE, project.images.max_pixels)
        return None if isinstance(decoded, ImageProblem) else preview_uri(decoded.picture, SIDE)

    return preview


def with_pictures(
    project: Project, batch: str, data: Mapping[str, str], preview: Preview = no_preview
) -> dict[str, str]:
    """Return what a task shows, each image by an address that a browser can load.

    An address of the delivery stays as it is. A file is found below `label_studio.files` where the project names it:
    the server's own local files (`/data/local-files/?d=`), or any server of files; `{batch}` in it is the batch. Else
    its preview goes into the task itself, as a data URI.

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
        return project.label_studio.files.replace("{batch}", quote(batch)) + quote(location)
    uri = preview(batch, location)
    if uri is None or len(uri) > MOST_URI_CHARACTERS:
        why = "and has no preview" if uri is None else f"whose preview has {len(uri):,} characters, too many for a task"
        raise WorkforceError(
            f"batch {batch}, {location!r}: is a file that Label Studio cannot read, {why}; name in label_studio.files "
            "where the server finds the deliveries' files"
        )
    return uri
