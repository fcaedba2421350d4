import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from cupel.errors import WitnessError
from cupel.witness.timestamps import (
    _ContentInfo,
    format_request,
    make_imprint,
    read_roots,
    read_timestamp,
    verify_timestamp,
)
from timestamp_authority import NAME, Authority

ONE, OTHER = "a" * 64, "b" * 64
CURVE = ec.SECP521R1()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority") / "own")


@pytest.fixture(scope="module")
def stamp(authority: Authority) -> bytes:
    return authority.stamp_commitment(ONE)


@pytest.fixture(scope="module")
def roots(authority: Authority) -> list[x509.Certificate]:
    return read_roots(authority.roots)


def test_a_receipt_says_what_it_is_of_who_gave_it_and_when(stamp: bytes, roots: list[x509.Certificate]) -> None:
    found = read_timestamp(stamp)
    assert found.is_of(ONE)
    assert not found.is_of(OTHER)
    assert (found.receipt.witness, found.receipt.kind) == (NAME, "timestamp")
    assert found.receipt.at is not None
    assert found.receipt.at.endswith("+00:00")
    verify_timestamp(stamp, ONE, roots)


def test_openssl_verifies_what_we_verify(authority: Authority, stamp: bytes, tmp_path: Path) -> None:
    (tmp_path / "receipt.tsr").write_bytes(stamp)
    for commitment, is_right in ((ONE, True), (OTHER, False)):
        command = ["openssl", "ts", "-verify", "-in", "receipt.tsr", "-digest", make_imprint(commitment)]
        done = subprocess.run([*command, "-CAfile", str(authority.roots)], cwd=tmp_path, capture_output=True, text=True)
        assert ("Verification: OK" in done.stdout) == is_right, done


def test_the_request_brings_no_nonce_by_which_whoever_asks_could_steer(tmp_path: Path) -> None:
    (tmp_path / "request.tsq").write_bytes(format_request(ONE))
    command = ["openssl", "ts", "-query", "-in", "request.tsq", "-text"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert "Nonce: unspecified" in said
    assert "Certificate required: yes" in said


def test_a_receipt_with_a_nonce_of_whoever_asked_is_refused(authority: Authority) -> None:
    with pytest.raises(WitnessError, match="could have steered the draw"):
        read_timestamp(authority.stamp_commitment(ONE, has_nonce=True))


def test_two_receipts_of_one_commitment_give_different_nonces(authority: Authority, stamp: bytes) -> None:
    assert read_timestamp(authority.stamp_commitment(ONE)).receipt.nonce != read_timestamp(stamp).receipt.nonce


def test_rewriting_what_nobody_signs_does_not_change_the_nonce(stamp: bytes, roots: list[x509.Certificate]) -> None:
    assert stamp[4:9] == bytes([0x30, 3, 2, 1, 0])  # the status: granted, without words
    words = bytes([0x30, 9, 2, 1, 0, 0x30, 4, 0x0C, 2]) + b"hi"
    length = len(stamp) - 4 - 5 + len(words)
    changed = bytes([0x30, 0x82, length >> 8, length & 255]) + words + stamp[9:]
    verify_timestamp(changed, ONE, roots)
    assert changed != stamp
    assert read_timestamp(changed).receipt.nonce == read_timestamp(stamp).receipt.nonce


def test_the_other_half_of_an_ecdsa_signature_does_not_change_the_nonce(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "curve", key=ec.generate_private_key(CURVE))

    @asn1.sequence
    class Pair:
        r: int
        s: int

    def mirror(signature: bytes) -> bytes:
        pair = asn1.decode_der(Pair, signature)
        return asn1.encode_der(Pair(r=pair.r, s=CURVE.group_order - pair.s))

    # Of another length, all lengths around it would change: the next stamp has one of the same with chance 1/2.
    for stamp in (authority.stamp_commitment(ONE) for _ in range(30)):
        token = stamp[stamp.index(bytes([2, 1, 0])) + 3 :]  # behind the status
        signature = bytes(asn1.decode_der(_ContentInfo, token).content.signers.as_list()[0].signature)
        if len(mirrored := mirror(signature)) == len(signature):
            break
    changed = stamp.replace(signature, mirrored)
    verify_timestamp(changed, ONE, read_roots(authority.roots))
    assert changed != stamp
    assert read_timestamp(changed).receipt.nonce == read_timestamp(stamp).receipt.nonce


def test_an_authority_with_an_rsa_key_is_verified_too(tmp_path: Path) -> None:
    office = Authority(tmp_path / "rsa", key=rsa.generate_private_key(65_537, 2048))
    content = office.stamp_commitment(ONE)
    verify_timestamp(content, ONE, read_roots(office.roots))
    assert len(read_timestamp(content).receipt.nonce) == 64


def test_a_receipt_of_another_freeze_is_refused(stamp: bytes, roots: list[x509.Certificate]) -> None:
    with pytest.raises(WitnessError, match="of another hash than that of the freeze"):
        verify_timestamp(stamp, OTHER, roots)


def test_a_receipt_of_an_authority_that_nobody_named_is_refused(stamp: bytes, tmp_path: Path) -> None:
    stranger = read_roots(Authority(tmp_path / "stranger").roots)
    with pytest.raises(WitnessError, match="no authority under the given certificates"):
        verify_timestamp(stamp, ONE, stranger)


def test_a_root_that_had_ended_when_the_stamp_was_given_is_refused(tmp_path: Path) -> None:
    office = Authority(tmp_path / "old", root_ended=True)
    with pytest.raises(WitnessError, match="no authority under the given certificates"):
        verify_timestamp(office.stamp_commitment(ONE), ONE, read_roots(office.roots))


def test_a_refusal_of_the_authority_is_told(tmp_path: Path) -> None:
    with pytest.raises(WitnessError, match="granted no time stamp: rejection"):
        read_timestamp(Authority(tmp_path / "picky", digest="sha512").stamp_commitment(ONE))


@given(st.binary(max_size=60))
def test_what_is_no_receipt_is_an_error_that_says_so(content: bytes) -> None:
    with pytest.raises(WitnessError, match=r"no time stamp"):
        read_timestamp(content)


def test_one_changed_byte_never_gives_another_valid_nonce(stamp: bytes, roots: list[x509.Certificate]) -> None:
    nonce = read_timestamp(stamp).receipt.nonce
    for place in range(0, len(stamp), 7):
        changed = stamp[:place] + bytes([stamp[place] ^ 1]) + stamp[place + 1 :]
        try:
            verify_timestamp(changed, ONE, roots)
        except WitnessError:
            continue
        assert read_timestamp(changed).receipt.nonce == nonce


@pytest.mark.parametrize(("content", "problem"), [(None, "cannot be read"), (b"none", "no certificate in PEM")])
def test_roots_that_are_none_are_named(tmp_path: Path, content: bytes | None, problem: str) -> None:
    path = tmp_path / "roots.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(WitnessError, match=rf"roots\.pem: .*{problem}"):
        read_roots(path)
