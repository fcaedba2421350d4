"""Where an image lies: a path below the delivery's folder, or an address. A name is taken literally."""

import re
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from cupel.modalities.image.problems import ImageProblem

LONGEST_LOCATION = 4_096
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")


def is_address(location: str) -> bool:
    """Tell whether a location is an address rather than a path.

    >>> is_address("https://x.org/1.png"), is_address("HTTP://x.org"), is_address("a/1.png")
    (True, True, False)
    """
    return bool(_SCHEME.match(location)) and not _DRIVE.match(location)


def check_location(location: str | None) -> ImageProblem | None:
    """Return why a location may not be read; None where it may be tried. Nothing is looked at on disk or network.

    Args:
        location: A path with `/`, relative to the delivery's folder, or an address of http or https.
    """
    if location is None or not location.strip() or len(location) > LONGEST_LOCATION or not location.isprintable():
        return ImageProblem("no_location")
    if is_address(location):
        return _check_address(location)
    path = PurePosixPath(location)
    if path.is_absolute() or _DRIVE.match(location) or "\\" in location or ".." in path.parts:
        return ImageProblem("outside_folder")
    return None if path.parts else ImageProblem("no_location")


def host_of(address: str) -> str | None:
    """Return the host of an address, in lower case; None where it has none.

    >>> host_of("https://Img.Example.org:8443/a.png")
    'img.example.org'
    """
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def _check_address(address: str) -> ImageProblem | None:
    try:
        parts = urlsplit(address)
        is_whole = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return ImageProblem("bad_address")
    has_password = parts.username is not None or parts.password is not None
    return None if is_whole and not has_password else ImageProblem("bad_address")
