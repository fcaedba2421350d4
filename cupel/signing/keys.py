"""Ed25519 keys: made, written as PEM files, read again, and named by their hash."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from cupel.errors import SigningError
from cupel.store.files import put_file, put_secret, stat_file
from cupel.store.untrusted_files import read_bounded, read_secret

PUBLIC_ENDING = ".public.pem"
_MOST_BYTES = 1 << 16


@dataclass(frozen=True)
class PublicKey:
    """What signatures are checked with.

    Args:
        raw: The key's 32 bytes.
    """

    raw: bytes

    @property
    def key_id(self) -> str:
        """The SHA-256 of the key as canonical JSON, in hexadecimal digits: the same as `securesystemslib` computes."""
        key = {"keytype": "ed25519", "keyval": {"public": self.raw.hex()}, "scheme": "ed25519"}
        return hashlib.sha256(json.dumps(key, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    def to_pem(self) -> bytes:
        """Return the key as PEM (SubjectPublicKeyInfo), which `openssl` reads too."""
        return _load_raw(self.raw).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def is_signature(self, signature: bytes, content: bytes) -> bool:
        """Tell whether the holder of this key signed a content."""
        try:
            _load_raw(self.raw).verify(signature, content)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class PrivateKey:
    """What is signed with."""

    key: Ed25519PrivateKey

    @property
    def public(self) -> PublicKey:
        """Its public part."""
        return PublicKey(self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    def sign(self, content: bytes) -> bytes:
        """Return the signature of a content, 64 bytes; the same content gives the same signature."""
        return self.key.sign(content)


def make_key() -> PrivateKey:
    """Return a new key, from the operating system's random numbers."""
    return PrivateKey(Ed25519PrivateKey.generate())


def find_public_path(path: Path) -> Path:
    """Return where the public part of a private key lies.

    >>> find_public_path(Path("keys/anna.pem")).name
    'anna.public.pem'
    """
    return path.with_name(f"{path.name.removesuffix('.pem')}{PUBLIC_ENDING}")


def write_key(key: PrivateKey, path: Path, passphrase: str | None) -> Path:
    """Write a private key, which only its owner may read, and its public part beside it.

    Args:
        key: The key.
        path: The private key's file, PEM (PKCS 8), mode 0600.
        passphrase: What encrypts it; None: it is not encrypted.

    Returns:
        The file of the public part.

    Raises:
        SigningError: One of the files is there already, or cannot be written.
    """
    public_path = find_public_path(path)
    scheme: KeySerializationEncryption = NoEncryption()
    if passphrase is not None:
        if not passphrase:
            raise SigningError(f"{path}: the passphrase is empty; give one, or leave --passphrase out")
        scheme = BestAvailableEncryption(passphrase.encode())
    if stat_file(public_path) is not None:
        raise SigningError(f"{public_path}: is there already, and a key is never replaced; name another file")
    try:
        put_secret(path, key.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, scheme))
        put_file(public_path, key.public.to_pem())
    except FileExistsError:
        raise SigningError(f"{path}: is there already, and a key is never replaced; name another file") from None
    except OSError as error:
        raise SigningError(f"{path}: cannot be written: {error.strerror}; choose another folder") from error
    return public_path


def read_private_key(path: Path, ask_passphrase: Callable[[], str]) -> PrivateKey:
    """Return a private key.

    Args:
        path: Its file, PEM.
        ask_passphrase: Returns the passphrase; called only where the key is encrypted.

    Raises:
        SigningError: Others may read the file, it holds no Ed25519 private key, or the passphrase is wrong.
    """
    try:
        content = read_secret(path, _MOST_BYTES)
    except PermissionError as error:
        raise SigningError(
            f"{path}: cannot be used as a private key: {error.strerror}; if nobody else has read it, run "
            f"`chmod 600 {path}`, else make a new key and revoke this one"
        ) from None
    except (OSError, ValueError) as error:
        raise SigningError(f"{path}: no private key can be read: {_say(error)}; name the file of one") from None
    is_encrypted = b"BEGIN ENCRYPTED PRIVATE KEY" in content
    passphrase = ask_passphrase().encode() if is_encrypted else None
    try:
        key = load_pem_private_key(content, passphrase or (b"\0" if is_encrypted else None))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        if is_encrypted:
            raise SigningError(f"{path}: the passphrase is wrong, or the file is damaged; try again") from None
        raise SigningError(f"{path}: no private key in PEM; make one with `cupel key new`") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise SigningError(f"{path}: a key of another kind, not Ed25519; make one with `cupel key new`")
    return PrivateKey(key)


def parse_public_key(content: bytes, source: str) -> PublicKey:
    """Return a public key from PEM.

    Raises:
        SigningError: It is none, a private key, or one of another kind.
    """
    if b"PRIVATE KEY" in content:
        raise SigningError(f"{source}: is a private key; name the public part, {find_public_path(Path(source)).name}")
    try:
        key = load_pem_public_key(content)
    except (ValueError, UnsupportedAlgorithm):
        raise SigningError(f"{source}: no public key in PEM; get the file again from who made it") from None
    if not isinstance(key, Ed25519PublicKey):
        raise SigningError(f"{source}: a key of another kind, not Ed25519; ask for one made with `cupel key new`")
    return PublicKey(key.public_bytes(Encoding.Raw, PublicFormat.Raw))


def read_public_key(path: Path) -> PublicKey:
    """Return a public key from its file, PEM.

    Raises:
        SigningError: It cannot be read, or holds none.
    """
    return parse_public_key(read_signing_file(path.resolve(), _MOST_BYTES), str(path))


def read_signing_file(path: Path, most_bytes: int) -> bytes:
    """Return the bytes of a small file.

    Raises:
        SigningError: It is not there, a link, cannot be read, or is larger than so many bytes.
    """
    try:
        return read_bounded(path, most_bytes)
    except (OSError, ValueError) as error:
        raise SigningError(f"{path}: cannot be read: {_say(error)}; name another file") from None


def _load_raw(raw: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(raw)


def _say(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
