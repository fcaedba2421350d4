"""Whom a verifier trusts: public keys with the names of their holders, who took over from whom, what was revoked."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from cupel.errors import SigningError
from cupel.signing.envelopes import PAYLOAD_TYPE, Envelope, encode_for_signing, read_fields, sign_payload, to_json
from cupel.signing.keys import PrivateKey, PublicKey, parse_public_key, read_signing_file
from cupel.signing.statements import ROTATION_PREDICATE, Statement, format_statement, parse_statement
from cupel.signing.strict_json import parse_strictly
from cupel.store.files import put_file, stat_file

FORMAT = 1
FEWEST_DIGITS = 8
_MOST_BYTES = 16 << 20
_HEX_KEY = re.compile(r"[0-9a-f]{64}")


class Revocation(NamedTuple):
    """Since when a key is not to be trusted, ISO 8601, and why."""

    since: str
    reason: str


class TrustedKey(NamedTuple):
    """A public key that a verifier trusts, or no longer does.

    Attributes:
        public: The key.
        who: Who holds it.
        added: When it came in, ISO 8601; empty where a public key was named alone.
        successor: The envelope in which this key named the one that takes over; None: none has.
        revoked: That it is not trusted any more; None: it is.
    """

    public: PublicKey
    who: str
    added: str = ""
    successor: Envelope | None = None
    revoked: Revocation | None = None

    @property
    def key_id(self) -> str:
        """The key's name; see `PublicKey`."""
        return self.public.key_id


class TrustedKeys(NamedTuple):
    """The keys that a verifier holds, and the file that they are in, for messages."""

    keys: tuple[TrustedKey, ...]
    source: str

    def find(self, key_id: str) -> TrustedKey | None:
        """Return a key by its name; None: it is not among them."""
        return next((key for key in self.keys if key.key_id == key_id), None)

    def find_prefix(self, beginning: str) -> TrustedKey:
        """Return the key whose name begins so.

        Raises:
            SigningError: None does, several do, or too few digits are given.
        """
        found = [key for key in self.keys if key.key_id.startswith(beginning)]
        if len(beginning) < FEWEST_DIGITS or len(found) != 1:
            raise SigningError(
                f"{self.source}: key {beginning!r:.80}: {len(found)} keys begin so; give {FEWEST_DIGITS} digits or "
                "more of one that `cupel key list` shows"
            )
        return found[0]


def name_successor(old: PrivateKey, new: PublicKey) -> Envelope:
    """Return an envelope in which the old key says that the new one takes over."""
    predicate = {"new_public": new.raw.hex(), "old_key_id": old.public.key_id}
    return sign_payload(format_statement(Statement("key", new.key_id, ROTATION_PREDICATE, predicate)), old)


def add_key(trusted: TrustedKeys, public: PublicKey, who: str, now: str) -> TrustedKeys:
    """Return the keys with one more, by the verifier's own word.

    Raises:
        SigningError: It is there already, or has no holder.
    """
    if not who.strip():
        raise SigningError(f"{trusted.source}: a key needs the name of who holds it; give --who")
    if (found := trusted.find(public.key_id)) is not None:
        state = "was revoked, and is not trusted again" if found.revoked else "is there already"
        raise SigningError(f"{trusted.source}: key {public.key_id} ({found.who}) {state}; make a new key")
    return trusted._replace(keys=(*trusted.keys, TrustedKey(public, who, now)))


def add_successor(trusted: TrustedKeys, envelope: Envelope, now: str) -> TrustedKeys:
    """Return the keys with one more, by the word of a key that is among them.

    Args:
        trusted: The keys.
        envelope: What `name_successor` returned.
        now: The time, ISO 8601.

    Raises:
        SigningError: No key that is trusted signed it, it names no key, or its signer has a successor already.
    """
    old = find_signer(envelope, trusted)
    new = read_successor(envelope)
    if old.successor is not None:
        raise SigningError(f"{envelope.source}: key {old.key_id} ({old.who}) has named a successor already")
    kept = tuple(key._replace(successor=envelope) if key.key_id == old.key_id else key for key in trusted.keys)
    return add_key(trusted._replace(keys=kept), new, old.who, now)


def revoke_key(trusted: TrustedKeys, beginning: str, revocation: Revocation) -> TrustedKeys:
    """Return the keys with one of them revoked: no signature by it holds any more, whenever it says it was made.

    Raises:
        SigningError: There is no such key, it is revoked already, or no reason is given.
    """
    found = trusted.find_prefix(beginning)
    if found.revoked is not None:
        raise SigningError(f"{trusted.source}: key {found.key_id} ({found.who}) is revoked since {found.revoked.since}")
    if not revocation.reason.strip():
        raise SigningError(f"{trusted.source}: a revocation needs its reason; give --reason")
    revoked = found._replace(revoked=revocation)
    return trusted._replace(keys=tuple(revoked if key.key_id == found.key_id else key for key in trusted.keys))


def find_signer(envelope: Envelope, trusted: TrustedKeys) -> TrustedKey:
    """Return the trusted key that signed an envelope.

    An envelope has one signature here: of several, each by a file of its own. Nobody can know offline when a
    signature was made, so of a revoked key none holds.

    Raises:
        SigningError: It is not signed, or more than once, or by a key that is unknown or revoked, or the signature
            does not fit.
    """
    if envelope.payload_type != PAYLOAD_TYPE:
        raise SigningError(
            f"{envelope.source}: payloadType {envelope.payload_type!r:.80}: expected {PAYLOAD_TYPE}; "
            "sign with `cupel sign`"
        )
    if len(envelope.signatures) != 1:
        unknown = sorted(name for name, _ in envelope.signatures if trusted.find(name) is None)
        beside = f" ({', '.join(unknown)} unknown to {trusted.source})" if unknown else ""
        raise SigningError(
            f"{envelope.source}: {len(envelope.signatures)} signatures{beside}, expected one; who signs too does so in "
            "a file of their own"
        )
    [(key_id, signature)] = envelope.signatures
    key = trusted.find(key_id)
    if key is None:
        raise SigningError(
            f"{envelope.source}: signed by key {key_id}, which {trusted.source} does not hold; ask the signer for the "
            "public key, and add it if you trust them"
        )
    if key.revoked is not None:
        raise SigningError(
            f"{envelope.source}: signed by key {key_id} ({key.who}), revoked since {key.revoked.since}: "
            f"{key.revoked.reason}; have it signed by another key"
        )
    if not key.public.is_signature(signature, encode_for_signing(envelope.payload, envelope.payload_type)):
        raise SigningError(
            f"{envelope.source}: the signature is not that of key {key_id} ({key.who}) over this content: one of them "
            "was altered; get the file again from who signed it"
        )
    return key


def read_trusted_keys(path: Path) -> TrustedKeys:
    """Return the keys of a trust file, or the one of a public key's file (PEM), whose holder is then the file's name.

    Raises:
        SigningError: It cannot be read, names a field or a key twice, or a successor was not named by its old key.
    """
    content = read_signing_file(path.resolve(), _MOST_BYTES)
    if content.lstrip().startswith(b"-----BEGIN"):
        return TrustedKeys((TrustedKey(parse_public_key(content, str(path)), path.name),), path.name)
    return parse_trusted_keys(content, path.name)


def read_or_begin(path: Path) -> TrustedKeys:
    """Return the keys of a trust file, none where there is no file yet."""
    return read_trusted_keys(path) if stat_file(path) is not None else TrustedKeys((), path.name)


def write_trusted_keys(trusted: TrustedKeys, path: Path) -> None:
    """Write a trust file; one that is there is replaced whole.

    Raises:
        SigningError: It cannot be written.
    """
    try:
        put_file(path, format_trusted_keys(trusted))
    except OSError as error:
        raise SigningError(f"{path}: cannot be written: {error.strerror}; choose another folder") from error


def format_trusted_keys(trusted: TrustedKeys) -> bytes:
    """Return the text of a trust file."""
    rows = [
        {
            "key_id": key.key_id,
            "public": key.public.raw.hex(),
            "who": key.who,
            "added": key.added,
            "rotated_by": None if key.successor is None else to_json(key.successor),
            "revoked": None if key.revoked is None else key.revoked._asdict(),
        }
        for key in trusted.keys
    ]
    return (json.dumps({"format": FORMAT, "keys": rows}, indent=1, ensure_ascii=False) + "\n").encode()


def parse_trusted_keys(content: bytes, source: str) -> TrustedKeys:
    """Return the keys in the text of a trust file; see `read_trusted_keys`."""
    found = parse_strictly(content, source)
    if found.get("format") != FORMAT or not isinstance(found.get("keys"), list):
        raise SigningError(f"{source}: no trust file of format {FORMAT}; make one with `cupel key add`")
    trusted = TrustedKeys(tuple(_read_key(row, source, place) for place, row in enumerate(found["keys"], 1)), source)
    names = [key.key_id for key in trusted.keys]
    if twice := {name for name in names if names.count(name) > 1}:
        raise SigningError(f"{source}: key {min(twice)} stands there twice; take one out")
    for key in trusted.keys:
        if key.successor is not None:
            _check_successor(key, key.successor, trusted)
    return trusted


def _read_key(row: Any, source: str, place: int) -> TrustedKey:
    where = f"{source}: key {place}"
    if not isinstance(row, Mapping) or not all(isinstance(row.get(name), str) for name in ("public", "who", "added")):
        raise SigningError(f"{where}: expected key_id, public, who and added; restore the file from a copy")
    if not _HEX_KEY.fullmatch(row["public"]):
        raise SigningError(f"{where}: public: expected 64 hexadecimal digits; restore the file from a copy")
    public = PublicKey(bytes.fromhex(row["public"]))
    if row.get("key_id") != public.key_id:
        raise SigningError(f"{where}: key_id {row.get('key_id')!r:.80} is not that of its public key, {public.key_id}")
    rotated, revoked = row.get("rotated_by"), row.get("revoked")
    if rotated is not None and not isinstance(rotated, dict):
        raise SigningError(f"{where}: rotated_by: expected an envelope, or null; restore the file from a copy")
    successor = None if rotated is None else read_fields(rotated, f"{where}: rotated_by")
    if revoked is None:
        return TrustedKey(public, row["who"], row["added"], successor)
    if not isinstance(revoked, dict) or not all(isinstance(revoked.get(name), str) for name in Revocation._fields):
        raise SigningError(f"{where}: revoked: expected since and reason, or null; restore the file from a copy")
    revocation = Revocation(revoked["since"], revoked["reason"])
    return TrustedKey(public, row["who"], row["added"], successor, revocation)


def _check_successor(key: TrustedKey, envelope: Envelope, trusted: TrustedKeys) -> None:
    """Refuse a successor that this key did not name. That it was revoked later does not undo what was added before."""
    find_signer(envelope, TrustedKeys((key._replace(revoked=None),), trusted.source))
    new = read_successor(envelope)
    if trusted.find(new.key_id) is None:
        raise SigningError(f"{trusted.source}: key {key.key_id} names {new.key_id}, which is not in the file; add it")


def read_successor(envelope: Envelope) -> PublicKey:
    """Return the key that an envelope names as the one that takes over; who signed it is not looked at.

    Raises:
        SigningError: It names none.
    """
    statement = parse_statement(envelope.payload, envelope.source)
    public = statement.predicate.get("new_public")
    if statement.predicate_type != ROTATION_PREDICATE or not isinstance(public, str) or not _HEX_KEY.fullmatch(public):
        raise SigningError(f"{envelope.source}: names no key that takes over; write it with `cupel key rotate`")
    new = PublicKey(bytes.fromhex(public))
    if new.key_id != statement.sha256:
        raise SigningError(f"{envelope.source}: the key that it names has another id than it says; sign it again")
    return new
