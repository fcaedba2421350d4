import hashlib
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from securesystemslib.dsse import Envelope as OtherEnvelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import CryptoSigner, SSlibKey

from cupel.errors import SigningError
from cupel.signing.envelopes import (
    PAYLOAD_TYPE,
    Envelope,
    encode_for_signing,
    format_envelope,
    parse_envelope,
    sign_payload,
)
from cupel.signing.keys import PrivateKey, PublicKey, make_key
from cupel.signing.signed_files import Signer, find_envelope_path, sign_file, verify_envelope, verify_file
from cupel.signing.statements import (
    FILE_PREDICATE,
    RELEASE_PREDICATE,
    Statement,
    format_statement,
)
from cupel.signing.trusted_keys import Revocation, TrustedKeys, add_key, revoke_key

ANNA, BELA = make_key(), make_key()
TRUSTED = add_key(TrustedKeys((), "keys.json"), ANNA.public, "Anna", "2026-11-30T00:00:00Z")
SHA256 = hashlib.sha256(b"content").hexdigest()
STATEMENT = format_statement(Statement("sheet.csv", SHA256, FILE_PREDICATE, {}))


def sign(payload: bytes, key: PrivateKey = ANNA, kind: str = PAYLOAD_TYPE) -> Envelope:
    signature = key.sign(encode_for_signing(payload, kind))
    return Envelope(payload, kind, ((key.public.key_id, signature),), "sheet.csv.dsse.json")


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    path = tmp_path / "sheet.csv"
    path.write_bytes(b"content")
    return path


def test_a_signed_file_says_who_signed_it(sheet: Path) -> None:
    sign_file(sheet, ANNA)
    assert verify_file(sheet, TRUSTED) == Signer(ANNA.public.key_id, "Anna")


def test_a_file_that_changed_after_signing_is_refused(sheet: Path) -> None:
    sign_file(sheet, ANNA)
    sheet.write_bytes(b"content!")
    with pytest.raises(SigningError, match="is a signature by Anna of another content"):
        verify_file(sheet, TRUSTED)
    sign_file(sheet, ANNA)
    assert verify_file(sheet, TRUSTED).who == "Anna"


def test_a_file_without_a_signature_and_one_that_is_not_there_are_refused(sheet: Path) -> None:
    with pytest.raises(SigningError, match=r"sheet\.csv\.dsse\.json: cannot be read: No such file"):
        verify_file(sheet, TRUSTED)
    with pytest.raises(SigningError, match=r"none\.csv: No such file"):
        sign_file(sheet.with_name("none.csv"), ANNA)


def test_the_signature_of_somebody_else_is_not_replaced(sheet: Path) -> None:
    sign_file(sheet, ANNA)
    with pytest.raises(SigningError, match="signed by another key already"):
        sign_file(sheet, BELA)
    assert verify_file(sheet, TRUSTED).who == "Anna"


def test_securesystemslib_verifies_what_was_signed_here(sheet: Path) -> None:
    envelope = OtherEnvelope.from_dict(json.loads(sign_file(sheet, ANNA).read_bytes()))
    anna, bela = (SSlibKey.from_crypto(load_pem_public_key(key.public.to_pem())) for key in (ANNA, BELA))
    assert envelope.verify([anna], 1) == {ANNA.public.key_id: anna}
    with pytest.raises(VerificationError):
        envelope.verify([bela], 1)


def test_what_securesystemslib_signed_is_verified_here() -> None:
    signer = CryptoSigner.generate_ed25519()
    envelope = OtherEnvelope(STATEMENT, PAYLOAD_TYPE, {})
    envelope.sign(signer)
    trusted = add_key(TRUSTED, PublicKey(bytes.fromhex(signer.public_key.keyval["public"])), "Other", "2026")
    content = json.dumps(envelope.to_dict()).encode()
    assert verify_envelope(parse_envelope(content, "other"), trusted, SHA256).who == "Other"


@pytest.mark.parametrize(
    ("envelope", "words"),
    [
        (sign(STATEMENT, BELA), "signed by key ID_OF_BELA, which keys.json does not hold"),
        (sign(STATEMENT)._replace(payload=STATEMENT + b" "), "the signature is not that of key .* over this content"),
        (sign(STATEMENT)._replace(payload_type="text/plain"), "payloadType 'text/plain': expected application/vnd"),
        (sign(STATEMENT, kind="application/json"), "payloadType 'application/json'"),
        (sign(STATEMENT)._replace(signatures=()), "0 signatures, expected one"),
        (
            sign(STATEMENT)._replace(signatures=(*sign(STATEMENT).signatures, *sign(STATEMENT, BELA).signatures)),
            r"2 signatures \(ID_OF_BELA unknown to keys\.json\)",
        ),
        (
            sign(STATEMENT, BELA)._replace(signatures=((ANNA.public.key_id, sign(STATEMENT, BELA).signatures[0][1]),)),
            "the signature is not that of key",
        ),
        (sign(STATEMENT.replace(b'"name"', b'"name":"a","name"')), 'payload: the key "name" stands twice'),
        (sign(STATEMENT.replace(b"Statement/v1", b"Statement/v2")), "_type 'https://in-toto.io/Statement/v2'"),
        (sign(STATEMENT.replace(b'"sha256"', b'"sha512"')), r"expected a name and digest\.sha256"),
        (sign(b"{}"), "_type None"),
        (sign(b"cut"), "cut or damaged"),
        (sign(format_statement(Statement("sheet.csv", SHA256, RELEASE_PREDICATE, {}))), "says .*signed-release/v1'"),
        (sign(format_statement(Statement("sheet.csv", "0" * 64, FILE_PREDICATE, {}))), "of another content"),
    ],
)
def test_a_signature_that_does_not_hold_is_refused_with_the_reason(envelope: Envelope, words: str) -> None:
    with pytest.raises(SigningError, match=words.replace("ID_OF_BELA", BELA.public.key_id)):
        verify_envelope(envelope, TRUSTED, SHA256)


def test_no_signature_of_a_revoked_key_holds() -> None:
    revoked = revoke_key(TRUSTED, ANNA.public.key_id[:8], Revocation("2026-12-01T00:00:00Z", "the laptop was stolen"))
    with pytest.raises(SigningError, match=r"\(Anna\), revoked since 2026-12-01T00:00:00Z: the laptop was stolen"):
        verify_envelope(sign(STATEMENT), revoked, SHA256)


def test_an_envelope_lies_beside_its_file_under_its_name(sheet: Path) -> None:
    sheet.with_name("sheet.csv.dsse.json").write_bytes(format_envelope(sign_payload(STATEMENT, ANNA)))
    assert find_envelope_path(sheet).name == "sheet.csv.dsse.json"
    assert verify_file(sheet, TRUSTED).who == "Anna"
