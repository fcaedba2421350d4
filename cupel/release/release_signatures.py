"""Signatures of a release: who signed its manifest, and with it every file that the manifest names."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from cupel.errors import ReleaseError, SigningError
from cupel.people.answers.signed_answers import SIGNED_ANSWERS
from cupel.printable import printable
from cupel.release import layout
from cupel.release.older_formats import read_manifest
from cupel.release.verify import Check, verify_release
from cupel.signing.envelopes import Envelope, format_envelope, read_envelope, sign_payload
from cupel.signing.keys import PrivateKey
from cupel.signing.signed_files import ENVELOPE_ENDING, Signer, verify_envelope
from cupel.signing.statements import RELEASE_PREDICATE, Statement, format_statement, parse_statement
from cupel.signing.trusted_keys import TrustedKeys
from cupel.store.files import hash_file, list_folder, put_file, read_file

NO_SIGNER = "signed by a key that is trusted"


def sign_release(folder: Path, key: PrivateKey) -> Path:
    """Sign a release, and write the envelope into its folder; one by the same key is replaced.

    Args:
        folder: The release's folder.
        key: Who signs.

    Returns:
        The envelope's file, `signatures/KEYID.dsse.json`.

    Raises:
        ReleaseError: There is no release, or it does not verify: nobody should put their name to it.
        SigningError: The envelope cannot be written.
    """
    found = verify_release(folder)
    if failed := [check.name for check in found.checks if not check.is_passed]:
        raise ReleaseError(f"{folder}: not signed, for it does not verify: {'; '.join(failed)}; see `cupel verify`")
    target = folder / layout.SIGNATURES_FOLDER / f"{key.public.key_id}{ENVELOPE_ENDING}"
    try:
        statement = make_release_statement(folder)
        put_file(target, format_envelope(sign_payload(format_statement(statement), key)))
    except OSError as error:
        raise SigningError(f"{target}: cannot be written: {error.strerror}; sign a copy of the release") from error
    return target


def make_release_statement(folder: Path) -> Statement:
    """Return what is signed of a release: its manifest's hash, and what it says it is.

    Raises:
        ReleaseError: Its manifest or certificate cannot be read.
    """
    manifest = read_manifest(folder)
    predicate = {
        "release": manifest["release"],
        "project": manifest.get("project"),
        "release_sha256": manifest["release_sha256"],
        "format": manifest.get("format", 1),
        "items_sha256": _read_items_sha256(folder),
    }
    return Statement(layout.MANIFEST_FILE, hash_file(folder / layout.MANIFEST_FILE), RELEASE_PREDICATE, predicate)


def check_signatures(folder: Path, trusted: TrustedKeys) -> list[Check]:
    """Check the signatures of a release.

    Args:
        folder: The release's folder.
        trusted: The keys that the verifier holds.

    Returns:
        A check that passed for each key that is trusted and signed the release; without any, one that did not, with
        the reason of each signature; and one for each that signed answers of experts. Signatures by keys that are
        unknown or revoked count for nothing and do no harm beside one that holds. One that claims to be by a trusted
        key and is not over this release never passes.
    """
    try:
        statement, of_answers = make_release_statement(folder), _check_answer_keys(folder, trusted)
    except (ReleaseError, LookupError, TypeError, AttributeError) as error:
        return [Check(NO_SIGNER, f"cannot be checked: {error}")]
    signed, failed, ignored = list[Check](), list[Check](), list[str]()
    for path in list_folder(folder / layout.SIGNATURES_FOLDER):
        name, is_ignored = printable(path.relative_to(folder).as_posix()), False
        try:
            envelope = read_envelope(path)._replace(source=name)
            is_ignored = _counts_for_nothing(envelope, trusted)
            signer = _verify(path, envelope, trusted, statement)
        except SigningError as error:
            if is_ignored:
                ignored.append(str(error))
            else:
                failed.append(Check(f"{name} is a signature of this release", str(error)))
        else:
            signed.append(Check(f"signed by {signer.key_id} ({printable(signer.who)})", ""))
    if not signed:
        none = "no signature holds" if failed else f"{layout.SIGNATURES_FOLDER}/ holds no signature"
        problem = "; ".join(ignored) or none
        signed.append(Check(NO_SIGNER, f"{problem}; ask who made the release to sign it"))
    return signed + failed + of_answers


def _check_answer_keys(folder: Path, trusted: TrustedKeys) -> list[Check]:
    """Say whose keys signed expert answers: that they did, `find_signed_problem` checks by the keys that are named.

    Returns:
        A check for each key that is trusted, which passed, or was revoked, which did not; none of other keys.
    """
    told = _read_certificate(folder).get(SIGNED_ANSWERS) or {"files": [], "answers": []}
    numbers = Counter(told["files"][row["file"]]["key_id"] for row in told["answers"])
    checks = []
    for key_id, number in sorted(numbers.items()):
        if (key := trusted.find(key_id)) is not None:
            name = f"{number:,} expert answers signed by {key_id} ({printable(key.who)})"
            since = "" if key.revoked is None else f"revoked since {key.revoked.since}: {key.revoked.reason}"
            checks.append(Check(name, since))
    return checks


def _counts_for_nothing(envelope: Envelope, trusted: TrustedKeys) -> bool:
    """Tell whether an envelope's only signature is by a key that is unknown or revoked."""
    keys = [trusted.find(name) for name, _ in envelope.signatures]
    return len(keys) == 1 and (keys[0] is None or keys[0].revoked is not None)


def _verify(path: Path, envelope: Envelope, trusted: TrustedKeys, expected: Statement) -> Signer:
    """Return who signed the release.

    Raises:
        SigningError: The signature does not hold, is of another release, or its file is named after another key.
    """
    signer = verify_envelope(envelope, trusted, expected.sha256, RELEASE_PREDICATE)
    if path.name != f"{signer.key_id}{ENVELOPE_ENDING}":
        raise SigningError(f"{envelope.source}: is by key {signer.key_id}, which its name does not say; rename it")
    said = parse_statement(envelope.payload, envelope.source).predicate
    if wrong := [name for name, value in expected.predicate.items() if said.get(name) != value]:
        told = "; ".join(f"{name} {said.get(name)!r:.80}, expected {expected.predicate[name]!r}" for name in wrong)
        raise SigningError(f"{envelope.source}: {told}: a statement of another release; get the release again")
    return signer


def _read_items_sha256(folder: Path) -> Any:
    """Return the hash of the frozen items, by the certificate.

    Raises:
        ReleaseError: It cannot be read.
    """
    try:
        return _read_certificate(folder)["plan"]["items_sha256"]
    except (LookupError, TypeError) as error:
        raise ReleaseError(
            f"{folder / layout.CERTIFICATE_FILE}: names no items_sha256; get the release again"
        ) from error


def _read_certificate(folder: Path) -> Any:
    path = folder / layout.CERTIFICATE_FILE
    try:
        return json.loads(read_file(path))
    except (OSError, ValueError, RecursionError) as error:
        raise ReleaseError(f"{path}: cannot be read: {error}; get the release again") from error
