"""What is signed: in-toto statements, version 1, about one subject that is known by its SHA-256."""

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from cupel.errors import SigningError
from cupel.signing.strict_json import parse_strictly

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
# Names, no addresses: nothing is looked up.
FILE_PREDICATE = "https://cupel.example/signed-file/v1"
RELEASE_PREDICATE = "https://cupel.example/signed-release/v1"
ROTATION_PREDICATE = "https://cupel.example/key-rotation/v1"
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Statement(NamedTuple):
    """That somebody says something of a subject.

    Attributes:
        subject: The subject's name, a file's without its folder.
        sha256: The SHA-256 of its bytes.
        predicate_type: What kind of thing is said.
        predicate: What is said.
    """

    subject: str
    sha256: str
    predicate_type: str
    predicate: Mapping[str, Any]


def format_statement(statement: Statement) -> bytes:
    """Return a statement as the payload of an envelope; the same statement gives the same bytes."""
    content = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": statement.subject, "digest": {"sha256": statement.sha256}}],
        "predicateType": statement.predicate_type,
        "predicate": dict(statement.predicate),
    }
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def parse_statement(payload: bytes, source: str) -> Statement:
    """Return the statement in an envelope's payload.

    Args:
        payload: The payload.
        source: What it is of, for messages.

    Raises:
        SigningError: It is no in-toto statement version 1 about one subject with a SHA-256, or names a key twice.
    """
    source = f"{source}: payload"
    found = parse_strictly(payload, source)
    if found.get("_type") != STATEMENT_TYPE:
        raise SigningError(f"{source}: _type {found.get('_type')!r:.80}: expected {STATEMENT_TYPE}; sign again")
    subjects, kind, predicate = found.get("subject"), found.get("predicateType"), found.get("predicate", {})
    if not isinstance(subjects, list) or len(subjects) != 1 or not isinstance(subjects[0], dict):
        raise SigningError(f"{source}: subject: expected one, with name and digest; sign again")
    name, digest = subjects[0].get("name"), subjects[0].get("digest")
    sha256 = digest.get("sha256") if isinstance(digest, dict) else None
    if not isinstance(name, str) or not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise SigningError(f"{source}: subject: expected a name and digest.sha256, 64 hexadecimal digits; sign again")
    if not isinstance(kind, str) or not isinstance(predicate, dict):
        raise SigningError(f"{source}: expected predicateType and predicate; sign again")
    return Statement(name, sha256, kind, predicate)
