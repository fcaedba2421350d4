"""Pictures of items that are images, for pages that shall stand alone."""

from collections.abc import Callable, Iterable

from cupel.modalities.image.decoding import decode
from cupel.modalities.image.locations import is_address
from cupel.modalities.image.previews import preview_uri
from cupel.modalities.image.problems import ImageProblem

Named = tuple[str, str]


def preview_images(
    images: Iterable[Named], read: Callable[[str, str], bytes | ImageProblem], max_pixels: int
) -> dict[str, str]:
    """Return a small picture, as a data URI, of each image that lies in its delivery's folder, by where it lies.

    An image that cannot be read, or that would have to be fetched, has none: a page names where it lies.

    Args:
        images: Batch and location of each.
        read: Returns the bytes of an image, by its batch and location.
        max_pixels: Of more none is made.
    """
    found = {}
    for batch, location in images:
        content = ImageProblem("network_forbidden") if is_address(location) else read(batch, location)
        decoded = content if isinstance(content, ImageProblem) else decode(content, max_pixels=max_pixels)
        if not isinstance(decoded, ImageProblem):
            found[location] = preview_uri(decoded.picture)
    return found
