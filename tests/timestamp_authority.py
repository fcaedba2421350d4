"""A time-stamp authority on this machine: `openssl ts` with a key of its own, behind HTTP; it misbehaves on demand."""

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

NAME = "CN=Test clock,O=Test office"
_CONFIGURATION = """
[authority]
serial = {folder}/serial
signer_cert = {folder}/signer.pem
signer_key = {folder}/signer.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = {digest}
accuracy = secs:1
ess_cert_id_alg = sha256
"""


class Authority:
    """The authority: certificates in a folder, and what goes wrong with the next requests.

    Attributes:
        wrong: None, or: status, garbage, slow, other (stamps another hash), closed (hangs up).
        stamps_left: After so many stamps every request is answered with a status; None: never.
        issued: What it has answered with, the earliest first.
    """

    def __init__(self, folder: Path, key: Any = None, digest: str = "sha256", root_ended: bool = False) -> None:
        folder.mkdir(parents=True)
        self.folder, self.wrong, self.url = folder, "", ""
        self.stamps_left: int | None = None
        self.issued: list[bytes] = []
        self.asked: list[bytes] = []
        self.roots = folder / "roots.pem"
        _make_certificates(folder, key or ec.generate_private_key(ec.SECP256R1()), root_ended)
        (folder / "serial").write_text("01\n")
        (folder / "openssl.cnf").write_text(_CONFIGURATION.format(folder=folder, digest=digest))

    def stamp(self, request: bytes) -> bytes:
        """Return the reply of `openssl ts` to a request."""
        (self.folder / "request.tsq").write_bytes(request)
        command = "openssl ts -reply -config openssl.cnf -section authority -queryfile request.tsq -out reply.tsr"
        subprocess.run(command.split(), cwd=self.folder, check=True, capture_output=True)
        self.issued.append((self.folder / "reply.tsr").read_bytes())
        return self.issued[-1]

    def stamp_commitment(self, commitment: str, has_nonce: bool = False) -> bytes:
        """Return a time stamp of a commitment."""
        return self.stamp(make_request(commitment, has_nonce))

    @contextmanager
    def serving(self) -> Iterator["Authority"]:
        """Answer requests at `url`."""
        with ThreadingHTTPServer(("127.0.0.1", 0), _handler(self)) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.05,))
            thread.start()
            self.url = f"http://127.0.0.1:{server.server_port}/stamp"
            try:
                yield self
            finally:
                server.shutdown()
                thread.join()


def make_request(commitment: str, has_nonce: bool = False) -> bytes:
    """Return a request for a time stamp, also one with a nonce of whoever asks."""
    builder = TimestampRequestBuilder().data(commitment.encode()).hash_algorithm(HashAlgorithm.SHA256)
    return builder.nonce(nonce=has_nonce).cert_request(cert_request=True).build().as_bytes()


def _handler(authority: Authority) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = self.rfile.read(int(self.headers["content-length"]))
            authority.asked.append(request)
            wrong = authority.wrong if authority.stamps_left != 0 else "status"
            if authority.stamps_left and not wrong:
                authority.stamps_left -= 1
            if wrong == "closed":
                self.connection.close()
                return
            reply = b"not a time stamp" if wrong in ("garbage", "status") else authority.stamp(_request(wrong, request))
            self.send_response(503 if wrong == "status" else 200)
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            for byte in reply if wrong == "slow" else ():
                time.sleep(0.05)
                try:
                    self.wfile.write(bytes([byte]))
                except OSError:
                    return
            if wrong != "slow":
                self.wfile.write(reply)

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


def _request(wrong: str, request: bytes) -> bytes:
    return make_request("f" * 64) if wrong == "other" else request


def _make_certificates(folder: Path, key: Any, root_ended: bool) -> None:
    now = datetime.now(UTC)
    root_key = ec.generate_private_key(ec.SECP256R1())
    root_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test root")])
    ends = now - timedelta(days=1) if root_ended else now + timedelta(days=30)
    root = (
        _build(root_name, root_name, root_key.public_key(), now - timedelta(days=30), ends)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(root_key, hashes.SHA256())
    )
    parts = ((NameOID.ORGANIZATION_NAME, "Test office"), (NameOID.COMMON_NAME, "Test clock"))
    name = x509.Name([x509.NameAttribute(*part) for part in parts])
    signer = (
        _build(name, root_name, key.public_key(), now - timedelta(days=1), now + timedelta(days=30))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        .sign(root_key, hashes.SHA256())
    )
    (folder / "roots.pem").write_bytes(root.public_bytes(Encoding.PEM))
    (folder / "signer.pem").write_bytes(signer.public_bytes(Encoding.PEM))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "signer.key").write_bytes(private)


def _build(name: x509.Name, issuer: x509.Name, key: Any, begins: datetime, ends: datetime) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(issuer).public_key(key)
    return builder.serial_number(x509.random_serial_number()).not_valid_before(begins).not_valid_after(ends)
