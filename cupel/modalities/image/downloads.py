"""Fetching an image from an address: only from hosts that are allowed, and never longer or more than allowed."""

import asyncio
from typing import NamedTuple
from urllib.parse import urljoin

import httpx

from cupel.modalities.image.locations import check_location, host_of, is_address
from cupel.modalities.image.problems import ImageProblem

MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class DownloadLimits(NamedTuple):
    """What a download may take.

    Attributes:
        hosts: Hosts that may be asked, in lower case; none: the network is not used. A redirect must stay among them.
        seconds: Time for a whole image, from the name's resolution to the last byte, redirects included.
        idle_seconds: Time to connect, and between two pieces of the answer.
        max_bytes: Bytes of the image.
    """

    hosts: tuple[str, ...] = ()
    seconds: float = 60.0
    idle_seconds: float = 10.0
    max_bytes: int = 100_000_000


def download(address: str, limits: DownloadLimits) -> bytes | ImageProblem:
    """Return what lies at an address, or why it could not be fetched.

    Nothing of this machine's settings is sent: no cookies, no password file, no proxy.
    """
    return asyncio.run(_within(address, limits))


async def _within(address: str, limits: DownloadLimits) -> bytes | ImageProblem:
    try:
        # A server may send a byte at a time and so never exceed a timeout of one read: all of it has a deadline.
        async with asyncio.timeout(limits.seconds):
            return await _follow(address, limits)
    except (TimeoutError, httpx.TimeoutException):
        return ImageProblem("too_slow", f"{limits.seconds:g} seconds in all, {limits.idle_seconds:g} without a byte")
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, OSError) as error:
        return ImageProblem("no_answer", type(error).__name__)


async def _follow(address: str, limits: DownloadLimits) -> bytes | ImageProblem:
    timeout = httpx.Timeout(limits.idle_seconds)
    async with httpx.AsyncClient(timeout=timeout, follow_redirects=False, trust_env=False) as client:
        for _ in range(MOST_REDIRECTS + 1):
            # Asked of every address on the way: a redirect to file: or to a host within is refused here.
            problem = check_location(address) if is_address(address) else ImageProblem("bad_address")
            if problem is None and host_of(address) not in limits.hosts:
                problem = ImageProblem("network_forbidden", host_of(address) or "")
            if problem is not None:
                return problem
            found = await _ask(client, address, limits)
            if not isinstance(found, str):
                return found
            address = urljoin(address, found)
    return ImageProblem("no_answer", f"more than {MOST_REDIRECTS} redirects")


async def _ask(client: httpx.AsyncClient, address: str, limits: DownloadLimits) -> bytes | str | ImageProblem:
    """Return the content, or the address that the server sends on to."""
    async with client.stream("GET", address, headers={"Accept": "image/*", "Accept-Encoding": "identity"}) as reply:
        if reply.status_code in _REDIRECTS and "location" in reply.headers:
            return str(reply.headers["location"])
        if reply.status_code != httpx.codes.OK:
            return ImageProblem("no_answer", f"status {reply.status_code}")
        pieces, size = [], 0
        async for piece in reply.aiter_raw():
            pieces.append(piece)
            size += len(piece)
            if size > limits.max_bytes:
                return ImageProblem("too_many_bytes", f"over {limits.max_bytes:,}")
        declared = reply.headers.get("content-length", "")
        if declared.isdigit() and int(declared) != size:
            return ImageProblem("no_answer", f"{size:,} of {int(declared):,} bytes arrived")
    return b"".join(pieces)
