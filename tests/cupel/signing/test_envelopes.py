import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope as OtherEnvelope

from cupel.errors import SigningError
from cupel.signing.envelopes import (
    encode_for_signing,
    format_envelope,
    parse_envelope,
    read_envelope,
    sign_payload,
)
from cupel.signing.keys import make_key

ENVELOPE = format_envelope(sign_payload(b'{"a": "b"}', make_key()))


@given(st.binary(max_size=100), st.text(max_size=20))
def test_what_is_signed_are_the_bytes_that_securesystemslib_signs(payload: bytes, kind: str) -> None:
    assert encode_for_signing(payload, kind) == OtherEnvelope(payload, kind, {}).pae()


@given(st.binary(max_size=100))
def test_an_envelope_that_was_written_is_read_again(payload: bytes) -> None:
    envelope = sign_payload(payload, make_key())
    assert parse_envelope(format_envelope(envelope), envelope.source) == envelope


@given(st.integers(0, len(ENVELOPE) - 3))
def test_a_cut_envelope_is_refused(length: int) -> None:
    with pytest.raises(SigningError, match="cut or damaged"):
        parse_envelope(ENVELOPE[:length], "a.dsse.json")


def change(**fields: Any) -> bytes:
    return json.dumps({**json.loads(ENVELOPE), **fields}).encode()


def change_signature(**fields: Any) -> bytes:
    [row] = json.loads(ENVELOPE)["signatures"]
    return change(signatures=[{**row, **fields}])


def loosen(text: str) -> str:
    """Return base64 of the same bytes in which bits that count for nothing are not zero."""
    last = text.rstrip("=")[-1]
    return text.replace(f"{last}=", f"{chr(ord(last) + 1)}=", 1)


LOOSE = loosen(base64.b64encode(b"a" * 64).decode())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[]", "expected a JSON object"),
        (b"\xff", "no JSON"),
        (b'{"a": NaN}', "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (change(payloadType=1), "no envelope"),
        (change(signatures={}), "no envelope"),
        (change(payload=None), "payload: not base64"),
        (change(payload="e"), "payload: not base64"),
        (change(payload="eyJh\nIjog"), "payload: not base64"),
        (change(payload="eyJ+_w=="), "payload: not base64"),
        (change_signature(keyid="no"), "signature 1: keyid 'no'"),
        (change_signature(keyid=None), "signature 1: keyid None"),
        (change_signature(sig="YQ=="), "1 bytes"),
        (change_signature(sig=LOOSE), "not base64 in the form"),
        (change(signatures=["a"]), "keyid"),
        (ENVELOPE.replace(b'"payloadType"', b'"payload": "", "payloadType"'), 'the key "payload" stands twice'),
        (ENVELOPE.replace(b'"keyid"', b'"sig": "", "keyid"'), 'the key "sig" stands twice'),
    ],
)
def test_what_is_no_envelope_is_refused_with_the_reason(content: bytes, words: str) -> None:
    assert base64.b64decode(LOOSE) == b"a" * 64
    with pytest.raises(SigningError, match=words):
        parse_envelope(content, "a.dsse.json")


def test_both_alphabets_of_base64_are_read_and_unknown_fields_ignored_as_dsse_asks() -> None:
    payload = b"\xfb\xff\xfe"
    found = parse_envelope(change(payload=base64.urlsafe_b64encode(payload).decode(), more=1), "a.dsse.json")
    assert found.payload == payload


def test_a_file_too_large_for_an_envelope_is_not_read_and_a_link_not_followed(tmp_path: Path) -> None:
    huge = tmp_path / "huge.dsse.json"
    with huge.open("wb") as file:
        os.truncate(file.fileno(), 1 << 40)
    with pytest.raises(SigningError, match="larger than 1,048,576 bytes"):
        read_envelope(huge)
    (tmp_path / "true.dsse.json").write_bytes(ENVELOPE)
    (tmp_path / "link.dsse.json").symlink_to(tmp_path / "true.dsse.json")
    with pytest.raises(SigningError, match=r"link\.dsse\.json: cannot be read"):
        read_envelope(tmp_path / "link.dsse.json")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SigningError, match="pipe"):
        read_envelope(tmp_path / "pipe")
