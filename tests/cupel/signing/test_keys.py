import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.signer import SSlibKey

from cupel.errors import SigningError
from cupel.signing.keys import PublicKey, make_key, read_private_key, read_public_key, write_key

ORDER = 2**252 + 27742317777372353535851937790883648493  # of the group that Ed25519 computes in


KEY = make_key()


def never() -> str:
    raise AssertionError("no passphrase is needed")


def test_a_key_that_was_written_is_read_again_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    made = make_key()
    public = write_key(made, tmp_path / "anna.pem", None)
    assert read_private_key(tmp_path / "anna.pem", never).public == made.public == read_public_key(public)
    assert (tmp_path / "anna.pem").stat().st_mode & 0o777 == 0o600


def test_a_key_has_the_id_that_securesystemslib_gives_it() -> None:
    made = make_key().public
    assert SSlibKey.from_crypto(load_pem_public_key(made.to_pem())).keyid == made.key_id


def test_a_key_that_openssl_made_can_be_used(tmp_path: Path) -> None:
    path = tmp_path / "other.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", path], check=True, capture_output=True)
    path.chmod(0o600)
    key = read_private_key(path, never)
    assert key.public.is_signature(key.sign(b"content"), b"content")


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_a_signature_holds_for_its_content_alone(content: bytes, other: bytes) -> None:
    key = KEY
    assert key.public.is_signature(key.sign(content), content)
    assert key.public.is_signature(key.sign(content), other) == (content == other)


def test_a_signature_has_one_form() -> None:
    # Adding the group's order to the second half solves the same equation: the library must refuse it.
    key = make_key()
    signature = key.sign(b"content")
    more = (int.from_bytes(signature[32:], "little") + ORDER).to_bytes(32, "little")
    assert not key.public.is_signature(signature[:32] + more, b"content")


def test_a_passphrase_opens_its_key_and_no_other_does(tmp_path: Path) -> None:
    path = tmp_path / "anna.pem"
    made = make_key()
    write_key(made, path, "right")
    assert read_private_key(path, lambda: "right").public == made.public
    for wrong in ("wrong", ""):
        with pytest.raises(SigningError, match="the passphrase is wrong"):
            read_private_key(path, lambda wrong=wrong: wrong)
    with pytest.raises(SigningError, match="is empty"):
        write_key(made, tmp_path / "other.pem", "")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666, 0o610])
def test_a_private_key_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "anna.pem"
    write_key(make_key(), path, None)
    path.chmod(mode)
    with pytest.raises(SigningError, match=f"mode 0{mode:o}.*chmod 600"):
        read_private_key(path, never)


def test_a_key_is_never_replaced(tmp_path: Path) -> None:
    write_key(make_key(), tmp_path / "anna.pem", None)
    before = [path.read_bytes() for path in sorted(tmp_path.iterdir())]
    with pytest.raises(SigningError, match="never replaced"):
        write_key(make_key(), tmp_path / "anna.pem", None)
    (tmp_path / "anna.pem").unlink()
    with pytest.raises(SigningError, match="never replaced"):  # the public part is another's
        write_key(make_key(), tmp_path / "anna.pem", None)
    assert before[1:] == [path.read_bytes() for path in sorted(tmp_path.iterdir())]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no private key in PEM"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "no private key in PEM"),
        (b"x" * 70_000, "larger than"),
    ],
)
def test_what_is_no_private_key_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "anna.pem"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(SigningError, match=words):
        read_private_key(path, never)


def test_keys_of_another_kind_and_the_wrong_part_are_refused(tmp_path: Path) -> None:
    rsa, public = tmp_path / "rsa.pem", tmp_path / "rsa.public.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "rsa", "-out", rsa], check=True, capture_output=True)
    subprocess.run(["openssl", "pkey", "-in", rsa, "-pubout", "-out", public], check=True, capture_output=True)
    rsa.chmod(0o600)
    with pytest.raises(SigningError, match="of another kind"):
        read_private_key(rsa, never)
    with pytest.raises(SigningError, match="of another kind"):
        read_public_key(public)
    with pytest.raises(SigningError, match=r"is a private key; name the public part, rsa\.public\.pem"):
        read_public_key(rsa)
    with pytest.raises(SigningError, match=r"missing\.pem: cannot be read"):
        read_public_key(tmp_path / "missing.pem")


def test_a_public_key_is_its_bytes() -> None:
    assert PublicKey(bytes(32)) == PublicKey(bytes(32)) != PublicKey(bytes([1] * 32))
