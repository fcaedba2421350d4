"""Signing a single file, and checking such a signature: `FILE.dsse.json` beside `FILE`."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from cupel.errors import SigningError
from cupel.signing.envelopes import Envelope, format_envelope, read_envelope, sign_payload
from cupel.signing.keys import PrivateKey
from cupel.signing.statements import FILE_PREDICATE, Statement, format_statement, parse_statement
from cupel.signing.trusted_keys import TrustedKeys, find_signer
from cupel.store.files import hash_file, put_file, stat_file

ENVELOPE_ENDING = ".dsse.json"
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Signer(NamedTuple):
    """Who signed: the key's id, and who holds it by the word of the trust file."""

    key_id: str
    who: str


def find_envelope_path(path: Path) -> Path:
    """Return where the signature of a file lies.

    >>> find_envelope_path(Path("movies.audit/sheet.csv")).name
    'sheet.csv.dsse.json'
    """
    return path.with_name(f"{path.name}{ENVELOPE_ENDING}")


def sign_file(path: Path, key: PrivateKey, predicate: Mapping[str, Any] = _NOTHING) -> Path:
    """Sign a file as it is now, and write the envelope beside it; one by the same key is replaced.

    Args:
        path: The file.
        key: Who signs.
        predicate: What the signature says of the file beside its hash.

    Returns:
        The envelope's file.

    Raises:
        SigningError: The file cannot be read, or somebody else signed it already.
    """
    target = find_envelope_path(path)
    if stat_file(target) is not None:
        names = {name for name, _ in read_envelope(target).signatures}
        if names != {key.public.key_id}:
            raise SigningError(f"{target}: signed by another key already; move it away to sign the file yourself")
    try:
        statement = Statement(path.name, hash_file(path), FILE_PREDICATE, predicate)
        put_file(target, format_envelope(sign_payload(format_statement(statement), key)))
    except OSError as error:
        raise SigningError(f"{error.filename or path}: {error.strerror}; name another file") from error
    return target


def verify_envelope(
    envelope: Envelope, trusted: TrustedKeys, subject_sha256: str, predicate_type: str = FILE_PREDICATE
) -> Signer:
    """Return who signed a content.

    Args:
        envelope: The envelope.
        trusted: The keys that the verifier holds.
        subject_sha256: The SHA-256 of the content, computed by the caller from the very bytes that it goes on with.
        predicate_type: As what it must have been signed: `FILE_PREDICATE` for a file by itself.

    Raises:
        SigningError: It is not signed by exactly one key that is trusted and not revoked, the signature does not fit,
            or it is of another content, or the content was signed as something else. The message says what to do.
    """
    key = find_signer(envelope, trusted)
    statement = parse_statement(envelope.payload, envelope.source)
    if statement.predicate_type != predicate_type:
        raise SigningError(
            f"{envelope.source}: says {statement.predicate_type!r:.80}, expected {predicate_type}; sign it again"
        )
    if statement.sha256 != subject_sha256:
        raise SigningError(
            f"{envelope.source}: is a signature by {key.who} of another content ({statement.subject!r:.80}, SHA-256 "
            f"{statement.sha256}), not of this one ({subject_sha256}): it was changed after signing, or the signature "
            "belongs to another file; have it signed as it is now"
        )
    return Signer(key.key_id, key.who)


def verify_file(path: Path, trusted: TrustedKeys) -> Signer:
    """Return who signed a file, by the envelope beside it; see `verify_envelope`.

    Raises:
        SigningError: There is none, the file cannot be read, or the signature does not hold.
    """
    try:
        sha256 = hash_file(path)
    except OSError as error:
        raise SigningError(f"{path}: {error.strerror}; name another file") from error
    return verify_envelope(read_envelope(find_envelope_path(path)), trusted, sha256)
