"""Receipts: what a witness gave back for a hash, and the nonce that follows from it."""

import base64
import binascii
import hashlib
from typing import Literal, NamedTuple, TypeAlias

from cupel.errors import WitnessError

# A receipt with its certificates takes some 2 to 8 KB; it stands in a log.
MOST_BYTES = 1 << 16
ReceiptKind: TypeAlias = Literal["timestamp", "command"]
TIMESTAMP: ReceiptKind = "timestamp"
COMMAND: ReceiptKind = "command"


class Receipt(NamedTuple):
    """What a witness gave back for a hash.

    Attributes:
        kind: timestamp, a reply of a time-stamp authority by RFC 3161; command, what a program printed.
        content: Its bytes.
        nonce: What draws the audit, hexadecimal digits.
        witness: Who gave it: an authority's name in its certificate, or the first word of a command.
        at: When, by the authority's clock, ISO 8601 in UTC; None of a command.
    """

    kind: ReceiptKind
    content: bytes
    nonce: str
    witness: str
    at: str | None = None


def hash_receipt(content: bytes) -> str:
    """Return the nonce of a command's receipt: the SHA-256 of its bytes."""
    return hashlib.sha256(content).hexdigest()


def encode_receipt(content: bytes) -> str:
    """Return a receipt as base64, as logs and certificates hold it."""
    return base64.b64encode(content).decode()


def decode_receipt(text: str) -> bytes:
    """Return the bytes of a receipt.

    Raises:
        WitnessError: It is no base64.

    >>> decode_receipt(encode_receipt(b"seen"))
    b'seen'
    """
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError, TypeError) as error:
        raise WitnessError(f"receipt {str(text)[:40]!r}: not base64: {error}; restore it from a copy") from None
