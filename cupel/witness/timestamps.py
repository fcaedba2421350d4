"""Time stamps by RFC 3161: read, verified offline, and reduced to the part that nobody but the authority can make."""

import hashlib
from datetime import UTC
from pathlib import Path
from typing import Annotated, NamedTuple

from cryptography import x509
from cryptography.hazmat import asn1
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from cupel.errors import WitnessError
from cupel.store.files import read_file
from cupel.witness.receipts import MOST_BYTES, TIMESTAMP, Receipt

GRANTED = 0
_STATUS = ("granted", "granted with changes", "rejection", "waiting", "revocation warning", "revocation notification")
_SHA256 = x509.ObjectIdentifier("2.16.840.1.101.3.4.2.1")


@asn1.sequence
class _SignerInfo:
    """Who signed a time stamp, and the signature; see RFC 5652, 5.3."""

    version: int
    sid: asn1.TLV
    digest_algorithm: asn1.TLV
    signed_attributes: Annotated[asn1.SetOf[asn1.TLV] | None, asn1.Implicit(0)]
    signature_algorithm: asn1.TLV
    signature: bytes
    unsigned_attributes: Annotated[asn1.SetOf[asn1.TLV] | None, asn1.Implicit(1)]


@asn1.sequence
class _SignedData:
    """See RFC 5652, 5.1."""

    version: int
    digest_algorithms: asn1.TLV
    content: asn1.TLV
    certificates: Annotated[asn1.SetOf[asn1.TLV] | None, asn1.Implicit(0)]
    crls: Annotated[asn1.SetOf[asn1.TLV] | None, asn1.Implicit(1)]
    signers: asn1.SetOf[_SignerInfo]


@asn1.sequence
class _ContentInfo:
    """See RFC 5652, 3."""

    content_type: x509.ObjectIdentifier
    content: Annotated[_SignedData, asn1.Explicit(0)]


@asn1.sequence
class _EcdsaSignature:
    """See RFC 3279, 2.2.3."""

    r: int
    s: int


class Timestamp(NamedTuple):
    """A time stamp that was read, and not yet verified: `imprint` is the SHA-256 that it is of, hexadecimal digits."""

    receipt: Receipt
    imprint: str
    serial: int

    def is_of(self, commitment: str) -> bool:
        """Tell whether it is the stamp of a commitment."""
        return self.imprint == make_imprint(commitment)


def make_imprint(commitment: str) -> str:
    """Return what an authority stamps: the SHA-256 of the commitment's hexadecimal digits."""
    return hashlib.sha256(commitment.encode()).hexdigest()


def format_request(commitment: str) -> bytes:
    """Return the request for a time stamp of a commitment, with the authority's certificate.

    It holds no nonce of its own: an authority repeats that in what it signs, so whoever asks could steer the draw.
    """
    builder = TimestampRequestBuilder().data(commitment.encode()).hash_algorithm(HashAlgorithm.SHA256)
    return builder.nonce(nonce=False).cert_request(cert_request=True).build().as_bytes()


def read_timestamp(content: bytes) -> Timestamp:
    """Return what an authority replied; its signature is not verified.

    Raises:
        WitnessError: It is no reply by RFC 3161, no time stamp was granted, or it is of another kind of hash.
    """
    response = _parse(content)
    try:
        return _read(response, content)
    except (ValueError, TypeError, OverflowError) as error:
        raise WitnessError(f"the reply is no time stamp by RFC 3161: {error}") from None


def verify_timestamp(content: bytes, commitment: str, roots: list[x509.Certificate]) -> None:
    """Verify, offline, that an authority under one of the roots signed the stamp of a commitment.

    Certificates need to be valid at the time of the stamp, not now.

    Raises:
        WitnessError: It is of another commitment, or no such authority signed it.
    """
    if not read_timestamp(content).is_of(commitment):
        raise WitnessError("the time stamp is of another hash than that of the freeze")
    try:
        VerifierBuilder(roots=roots).build().verify_message(_parse(content), commitment.encode())
    except (VerificationError, ValueError) as error:
        raise WitnessError(f"no authority under the given certificates signed the time stamp: {error}") from None


def read_roots(path: Path) -> list[x509.Certificate]:
    """Return the certificates of a PEM file.

    Raises:
        WitnessError: It is not there, cannot be read, or holds no certificate.
    """
    try:
        return x509.load_pem_x509_certificates(read_file(path))
    except OSError as error:
        why = f"cannot be read: {error.strerror}; put the witness's root certificates there"
        raise WitnessError(f"{path}: {why}") from None
    except ValueError as error:
        raise WitnessError(f"{path}: holds no certificate in PEM: {error}; ask the witness for its roots") from None


def _parse(content: bytes) -> TimeStampResponse:
    if len(content) > MOST_BYTES:
        raise WitnessError(f"the reply has {len(content):,} bytes; a time stamp has at most {MOST_BYTES:,}")
    try:
        response = decode_timestamp_response(content)
        status = response.status
    except ValueError as error:
        raise WitnessError(f"the reply is no time stamp by RFC 3161: {error}") from None
    if status != GRANTED:
        name = _STATUS[status] if 0 <= status < len(_STATUS) else str(status)
        said = f": {'; '.join(response.status_string)}"[:200] if response.status_string else ""
        raise WitnessError(f"the authority granted no time stamp: {name}{said}")
    return response


def _read(response: TimeStampResponse, content: bytes) -> Timestamp:
    """Return what a granted reply says; parts that are malformed show only when they are asked for."""
    info = response.tst_info
    if info.message_imprint.hash_algorithm != _SHA256:
        raise WitnessError("the time stamp is of another kind of hash than SHA-256, which was asked for")
    if info.nonce is not None:
        raise WitnessError(
            "the time stamp holds a nonce of whoever asked for it, who could have steered the draw by it; Cupel asks "
            "without one"
        )
    at = info.gen_time.astimezone(UTC).isoformat()
    receipt = Receipt(TIMESTAMP, content, _hash_signature(response), _name_signer(response), at)
    return Timestamp(receipt, info.message_imprint.message.hex(), int(info.serial_number))


def _hash_signature(response: TimeStampResponse) -> str:
    """Return the SHA-256 of the part of a time stamp that follows from nothing but the authority's key and the stamp.

    Around the signature a reply has parts that nobody signs; whoever holds it could rewrite them until the draw is
    kind. So could they the second half of an ECDSA signature (s and n - s are both valid), which is left out.
    """
    try:
        info = asn1.decode_der(_ContentInfo, response.time_stamp_token())
        signers = info.content.signers.as_list()
        if len(signers) != 1:
            raise ValueError(f"{len(signers)} signatures, where there must be one")
    except (ValueError, TypeError) as error:
        raise WitnessError(f"the time stamp's signature cannot be read: {error}") from None
    signature = bytes(signers[0].signature)
    try:
        r = asn1.decode_der(_EcdsaSignature, signature).r
        signature = r.to_bytes((r.bit_length() + 7) // 8, "big")
    except (ValueError, OverflowError):
        pass  # of RSA or EdDSA: one signature of one stamp
    return hashlib.sha256(signature).hexdigest()


def _name_signer(response: TimeStampResponse) -> str:
    """Return the name of the authority in the certificate that its signature names."""
    try:
        (signer,) = response.signed_data.signer_infos
        for one in map(x509.load_der_x509_certificate, response.signed_data.certificates):
            if (one.issuer, one.serial_number) == (signer.issuer, signer.serial_number):
                return one.subject.rfc4514_string() or "an authority without a name"
    except ValueError as error:
        raise WitnessError(f"the time stamp's certificate cannot be read: {error}") from None
    raise WitnessError("the time stamp does not bring the certificate of who signed it, which was asked for")
