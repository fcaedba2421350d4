"""DSSE envelopes (Dead Simple Signing Envelope, version 1): a payload, its type, and one signature of both."""

import base64
import binascii
import json
from pathlib import Path
from typing import Any, NamedTuple

from cupel.errors import SigningError
from cupel.signing.keys import PrivateKey, read_signing_file
from cupel.signing.strict_json import parse_strictly

PAYLOAD_TYPE = "application/vnd.in-toto+json"
MOST_BYTES = 1 << 20
_KEY_ID_DIGITS, _SIGNATURE_BYTES = 64, 64


class Envelope(NamedTuple):
    """A payload with its signatures; nothing of it has been checked but its form.

    Attributes:
        payload: What was signed.
        payload_type: How to read it.
        signatures: Who signed, by key id, and the signature's 64 bytes.
        source: Where it was read, for messages.
    """

    payload: bytes
    payload_type: str
    signatures: tuple[tuple[str, bytes], ...]
    source: str = "the envelope"


def encode_for_signing(payload: bytes, payload_type: str) -> bytes:
    """Return the bytes that are signed: DSSE's pre-authentication encoding of a payload and its type.

    >>> encode_for_signing(b"hello world", "http://example.com/HelloWorld")
    b'DSSEv1 29 http://example.com/HelloWorld 11 hello world'
    """
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def sign_payload(payload: bytes, key: PrivateKey) -> Envelope:
    """Return an envelope around an in-toto statement, signed by a key."""
    signature = key.sign(encode_for_signing(payload, PAYLOAD_TYPE))
    return Envelope(payload, PAYLOAD_TYPE, ((key.public.key_id, signature),))


def to_json(envelope: Envelope) -> dict[str, Any]:
    """Return an envelope as JSON has it."""
    return {
        "payload": base64.b64encode(envelope.payload).decode(),
        "payloadType": envelope.payload_type,
        "signatures": [
            {"keyid": key_id, "sig": base64.b64encode(signature).decode()} for key_id, signature in envelope.signatures
        ],
    }


def format_envelope(envelope: Envelope) -> bytes:
    """Return the text of an envelope's file."""
    return (json.dumps(to_json(envelope), indent=1) + "\n").encode()


def read_envelope(path: Path) -> Envelope:
    """Return the envelope in a file; nothing of it has been checked but its form.

    Raises:
        SigningError: It is not there, larger than a megabyte, or no envelope.
    """
    return parse_envelope(read_signing_file(path, MOST_BYTES), str(path))


def parse_envelope(content: bytes, source: str) -> Envelope:
    """Return the envelope in a JSON text.

    Fields that DSSE does not know are ignored, as it asks. Base64 may be of either alphabet, but of the one form that
    encoding gives: other forms would let somebody change the file and not the signature.

    Args:
        content: The text.
        source: What it is, for messages.

    Raises:
        SigningError: It is cut, names a key twice, or a field is missing or not what it must be.
    """
    return read_fields(parse_strictly(content, source), source)


def read_fields(found: dict[str, Any], source: str) -> Envelope:
    """Return the envelope that a JSON object is; see `parse_envelope`."""
    kind, rows = found.get("payloadType"), found.get("signatures")
    if not isinstance(kind, str) or not isinstance(rows, list):
        raise SigningError(f"{source}: no envelope: expected payload, payloadType and signatures; sign again")
    payload = _decode(found.get("payload"), f"{source}: payload")
    signatures = tuple(_read_signature(row, f"{source}: signature {place}") for place, row in enumerate(rows, 1))
    return Envelope(payload, kind, signatures, source)


def _read_signature(row: Any, source: str) -> tuple[str, bytes]:
    key_id = row.get("keyid") if isinstance(row, dict) else None
    if not isinstance(key_id, str) or len(key_id) != _KEY_ID_DIGITS or not set(key_id) <= set("0123456789abcdef"):
        raise SigningError(f"{source}: keyid {key_id!r:.80}: expected 64 hexadecimal digits; sign again")
    signature = _decode(row.get("sig"), f"{source}: sig")
    if len(signature) != _SIGNATURE_BYTES:
        raise SigningError(f"{source}: sig: {len(signature)} bytes, an Ed25519 signature has 64; sign again")
    return key_id, signature


def _decode(text: Any, source: str) -> bytes:
    for altchars in (b"+/", b"-_"):
        try:
            content = base64.b64decode(text, altchars=altchars, validate=True)
        except (TypeError, ValueError, binascii.Error):
            continue
        if base64.b64encode(content, altchars=altchars).decode() == text:
            return content
    raise SigningError(f"{source}: not base64 in the form that encoding gives; get the file again from who signed it")
