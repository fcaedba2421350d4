"""Asking a witness: one hash goes out, one receipt comes back, within a time."""

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress

import httpx
from cryptography import x509

from cupel.errors import WitnessError
from cupel.witness.receipts import COMMAND, MOST_BYTES, Receipt, hash_receipt
from cupel.witness.timestamps import format_request, read_timestamp, verify_timestamp

_HEADERS = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}


def ask_authority(url: str, commitment: str, roots: list[x509.Certificate], seconds: float) -> Receipt:
    """Return a time-stamp authority's receipt for a commitment, verified.

    Args:
        url: Where the authority takes requests over HTTP, see RFC 3161, 3.4.
        commitment: 64 hexadecimal digits.
        roots: Under which certificates its own must be.
        seconds: Time for the whole answer.

    Raises:
        WitnessError: It cannot be reached, is too slow, or its answer is no time stamp of the commitment by an
            authority under the roots.
    """
    content = _post(url, format_request(commitment), seconds)
    verify_timestamp(content, commitment, roots)
    return read_timestamp(content).receipt


def ask_command(command: Sequence[str], commitment: str, seconds: float) -> Receipt:
    """Return what a program printed, given a commitment as its last argument; what it means only the program knows.

    Raises:
        WitnessError: It cannot be started, fails, is too slow, or prints nothing or too much.
    """
    try:
        process = subprocess.Popen(
            [*command, commitment], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True
        )
    except (OSError, ValueError) as error:
        raise WitnessError(f"the program cannot be started: {error}") from None
    try:
        content = _read_output(process, time.monotonic() + seconds, seconds)
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if process.returncode:
        raise WitnessError(
            f"the program failed with exit code {process.returncode}; its own words are in the run's log"
        )
    if not content.strip():
        raise WitnessError("the program printed no receipt")
    return Receipt(COMMAND, content, hash_receipt(content), command[0])


def _read_output(process: "subprocess.Popen[bytes]", ends_at: float, seconds: float) -> bytes:
    """Return all that a program prints, once it has ended."""
    content = b""
    late = WitnessError(f"the program did not end within {seconds:g} seconds")
    with process.stdout as output, selectors.DefaultSelector() as ready:  # type: ignore[union-attr]
        ready.register(output, selectors.EVENT_READ)
        while ready.select(max(0.0, ends_at - time.monotonic())):
            piece = os.read(output.fileno(), MOST_BYTES)
            content += piece
            if len(content) > MOST_BYTES:
                raise WitnessError(f"the program printed more than {MOST_BYTES:,} bytes")
            if not piece:
                break
        else:
            raise late
    try:
        process.wait(max(0.0, ends_at - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise late from None
    return content


def _post(url: str, request: bytes, seconds: float) -> bytes:
    """Return the body of an authority's answer."""
    ends_at, content = time.monotonic() + seconds, b""
    try:
        with (
            httpx.Client(timeout=httpx.Timeout(seconds)) as client,
            client.stream("POST", url, content=request, headers=_HEADERS) as reply,
        ):
            for piece in reply.iter_bytes():
                content += piece
                # An answer that drips in keeps every single wait short.
                if time.monotonic() > ends_at:
                    raise WitnessError(f"the authority did not answer within {seconds:g} seconds")
                if len(content) > MOST_BYTES:
                    raise WitnessError(f"the authority's answer has more than {MOST_BYTES:,} bytes")
            if reply.status_code != httpx.codes.OK:
                raise WitnessError(f"the authority answered with status {reply.status_code}")
    except httpx.TimeoutException:
        raise WitnessError(f"the authority did not answer within {seconds:g} seconds") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise WitnessError(f"the authority cannot be reached: {type(error).__name__}") from None
    return content
