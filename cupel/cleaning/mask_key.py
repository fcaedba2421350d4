"""The secret that a project's tokens are made with: of its own, in its lake or from outside, and never another."""

import hashlib
import os
import secrets
from contextlib import suppress
from pathlib import Path

from cupel.config.cleaning import Cleaning
from cupel.errors import LakeError, ProjectError
from cupel.store.files import is_file, new_file, put_secret, read_file

KEY, FINGERPRINT = "mask.key", "mask.fingerprint"
KEY_BYTES = 32
LEAST_CHARACTERS = 32


def mask_key(settings: Cleaning, folder: Path) -> bytes | None:
    """Return the key of a project's tokens; None where they tell the kind alone.

    Without `mask_key_env` the key is drawn at the first use and kept in the lake, which holds the deliveries
    themselves too. Either way a fingerprint is kept, so that a value never gets two tokens in one project.

    Args:
        settings: The project's section `cleaning`.
        folder: The project's folder in the lake.

    Raises:
        ProjectError: The environment variable that the project names is not set, or too short to be a secret.
        LakeError: The key is lost, damaged, or another one than before.
    """
    if settings.masks == "kind":
        return None
    key = _kept(folder) if settings.mask_key_env is None else _given(settings.mask_key_env)
    fingerprint = hashlib.blake2b(b"cupel", key=key, digest_size=16).hexdigest()
    path = folder / FINGERPRINT
    if not is_file(path):
        with new_file(path, is_private=True) as file:
            file.write(f"{fingerprint}\n".encode())
    elif read_file(path).decode(errors="replace").strip() != fingerprint:
        raise LakeError(
            f"{path}: the masks of this lake were made with another key; bring that one back, or remove this file and "
            "the folder tables/item_signals beside it, so that all batches are masked anew"
        )
    return key


def bring_key(folder: Path, target: Path) -> None:
    """Bring a project's key to another lake, so that the same values get the same tokens there."""
    for name in (KEY, FINGERPRINT):
        if is_file(folder / name):
            with new_file(target / name, is_private=True) as file:
                file.write(read_file(folder / name))


def _given(variable: str) -> bytes:
    value = os.environ.get(variable, "")
    if len(value) < LEAST_CHARACTERS:
        found = f"{len(value)} characters" if value else "not set"
        raise ProjectError(
            f"cleaning.mask_key_env: the environment variable {variable} is {found}; put a secret of at least "
            f"{LEAST_CHARACTERS} random characters in it, the same on every machine"
        )
    return hashlib.blake2b(value.encode(), digest_size=KEY_BYTES).digest()


def _kept(folder: Path) -> bytes:
    """Return the key in a lake's folder; the first who asks draws it."""
    path = folder / KEY
    if not is_file(path):
        if is_file(folder / FINGERPRINT):
            raise LakeError(f"{path}: the key is gone that masks were made with; bring it back from a copy of the lake")
        with suppress(FileExistsError):  # another run was first, and its key holds
            put_secret(path, secrets.token_bytes(KEY_BYTES))
    key = read_file(path)
    if len(key) != KEY_BYTES:
        raise LakeError(f"{path}: holds {len(key)} bytes, expected {KEY_BYTES}; bring it back from a copy of the lake")
    return key
