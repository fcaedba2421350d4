import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from forged_releases import failed, forge
from securesystemslib.dsse import Envelope as OtherEnvelope
from securesystemslib.signer import SSlibKey

from cupel.cli import main
from cupel.errors import ReleaseError
from cupel.release.folder import write_release
from cupel.release.release_signatures import check_signatures, make_release_statement, sign_release
from cupel.release.verify import verify_release
from cupel.show.release_documents import describe_release
from cupel.signing.envelopes import Envelope, format_envelope, parse_envelope, sign_payload
from cupel.signing.keys import PrivateKey, make_key, write_key
from cupel.signing.statements import FILE_PREDICATE, Statement, format_statement
from cupel.signing.trusted_keys import Revocation, TrustedKeys, add_key, revoke_key
from cupel.store.local import LocalStore

ANNA, EVE = make_key(), make_key()
TRUSTED = add_key(TrustedKeys((), "keys.json"), ANNA.public, "Anna", "2026-11-30T00:00:00Z")


@pytest.fixture(scope="module")
def written(certified: Any, provenance: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("signed") / "movies-r1"
    store = LocalStore(folder.parent)
    write_release(store, folder.name, certified.facts, certified.tables, provenance, describe_release)
    sign_release(folder, ANNA)
    return folder


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    """A copy of the signed release to spoil."""
    return Path(shutil.copytree(written, tmp_path / "movies-r1"))


def find_problems(folder: Path, trusted: TrustedKeys = TRUSTED) -> str:
    return "; ".join(check.problem for check in check_signatures(folder, trusted) if not check.is_passed)


def put(folder: Path, envelope: Envelope | bytes, key: PrivateKey = ANNA) -> None:
    content = envelope if isinstance(envelope, bytes) else format_envelope(envelope)
    (folder / "signatures" / f"{key.public.key_id}.dsse.json").write_bytes(content)


def read(folder: Path) -> bytes:
    return (folder / "signatures" / f"{ANNA.public.key_id}.dsse.json").read_bytes()


def test_a_signed_release_verifies_and_says_who_signed_it(written: Path) -> None:
    assert verify_release(written).is_passed
    assert [check.name for check in check_signatures(written, TRUSTED)] == [f"signed by {ANNA.public.key_id} (Anna)"]
    assert find_problems(written) == ""


def test_securesystemslib_verifies_the_signature_of_a_release(written: Path) -> None:
    envelope = OtherEnvelope.from_dict(json.loads(read(written)))
    key = SSlibKey.from_crypto(load_pem_public_key(ANNA.public.to_pem()))
    assert list(envelope.verify([key], 1)) == [ANNA.public.key_id]
    manifest = json.loads((written / "manifest.json").read_bytes())
    predicate = json.loads(envelope.payload)["predicate"]
    assert predicate["release_sha256"] == manifest["release_sha256"]
    assert predicate["items_sha256"] == json.loads((written / "certificate.json").read_bytes())["plan"]["items_sha256"]


def test_several_may_sign_and_a_stranger_beside_one_who_is_trusted_does_no_harm(folder: Path) -> None:
    sign_release(folder, EVE)
    assert verify_release(folder).is_passed
    assert find_problems(folder) == ""
    both = add_key(TRUSTED, EVE.public, "Eve", "2026")
    assert {check.name.split()[-1] for check in check_signatures(folder, both)} == {"(Anna)", "(Eve)"}


def test_a_release_that_does_not_verify_is_not_signed(folder: Path) -> None:
    (folder / "README.md").write_text("another card")
    with pytest.raises(ReleaseError, match="not signed, for it does not verify: every file has its hash"):
        sign_release(folder, EVE)
    assert not (folder / "signatures" / f"{EVE.public.key_id}.dsse.json").exists()


def alter_manifest(folder: Path) -> None:
    (folder / "README.md").write_text("another card")
    forge(folder)


def swap_statement(**fields: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        there = make_release_statement(folder)
        put(folder, sign_payload(format_statement(there._replace(predicate={**there.predicate, **fields})), ANNA))

    return change


def sign_as_file(folder: Path) -> None:
    there = make_release_statement(folder)
    statement = Statement(there.subject, there.sha256, FILE_PREDICATE, there.predicate)
    put(folder, sign_payload(format_statement(statement), ANNA))


def sign_by_another(folder: Path) -> None:
    shutil.rmtree(folder / "signatures")
    sign_release(folder, EVE)


def sign_twice(folder: Path) -> None:
    sign_release(folder, EVE)
    ours, theirs = read(folder), (folder / "signatures" / f"{EVE.public.key_id}.dsse.json").read_bytes()
    signatures = [*parse_envelope(ours, "").signatures, *parse_envelope(theirs, "").signatures]
    put(folder, parse_envelope(ours, "")._replace(signatures=tuple(signatures)))


def link_signature(folder: Path) -> None:
    path = folder / "signatures" / f"{ANNA.public.key_id}.dsse.json"
    path.rename(folder.parent / "elsewhere")
    path.symlink_to(folder.parent / "elsewhere")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda folder: shutil.rmtree(folder / "signatures"), "signatures/ holds no signature; ask who made"),
        (sign_by_another, "signed by key ID_OF_EVE, which keys.json does not hold"),
        (lambda folder: put(folder, read(folder)[:-40]), "cut or damaged"),
        (alter_manifest, "is a signature by Anna of another content"),
        (swap_statement(release="movies-r2"), "release 'movies-r2', expected 'movies-r1': a statement of another"),
        (swap_statement(items_sha256="0" * 64), "items_sha256 '0000"),
        (sign_as_file, "signed-file/v1', expected .*signed-release/v1"),
        (sign_twice, "2 signatures .ID_OF_EVE unknown"),
        (lambda folder: put(folder, read(folder), EVE), "is by key ID_OF_ANNA, which its name"),
        (link_signature, "cannot be read"),
        (lambda folder: put(folder, b" " * (1 << 21)), "larger than"),
        (
            lambda folder: (folder / "certificate.json").write_text("{"),
            "certificate.json: cannot be read",
        ),
    ],
)
def test_a_signature_that_does_not_hold_is_refused_with_the_reason(
    folder: Path, spoil: Callable[[Path], None], words: str
) -> None:
    spoil(folder)
    words = words.replace("ID_OF_EVE", EVE.public.key_id).replace("ID_OF_ANNA", ANNA.public.key_id)
    assert re.search(words, find_problems(folder)), find_problems(folder)


def test_a_release_signed_by_a_revoked_key_alone_is_refused(folder: Path) -> None:
    revoked = revoke_key(TRUSTED, ANNA.public.key_id, Revocation("2026-12-01", "stolen"))
    assert "(Anna), revoked since 2026-12-01: stolen" in find_problems(folder, revoked)
    sign_release(folder, EVE)
    assert find_problems(folder, add_key(revoked, EVE.public, "Eve", "2026")) == ""


def change_case(folder: Path) -> None:
    (folder / "README.md").rename(folder / "ReadMe.md")


def rename(folder: Path) -> None:
    (folder / "README.md").rename(folder / "CARD.md")


def link_file(folder: Path) -> None:
    (folder / "README.md").rename(folder.parent / "README.md")
    (folder / "README.md").symlink_to(folder.parent / "README.md")


def link_folder(folder: Path) -> None:
    (folder / "data").rename(folder.parent / "data")
    (folder / "data").symlink_to(folder.parent / "data")


@pytest.mark.parametrize(
    ("spoil", "checks"),
    [
        (lambda folder: (folder / "more.txt").write_text("?"), {"no file was added"}),
        (lambda folder: (folder / "signatures" / "more.txt").write_text("?"), {"no file was added"}),
        (lambda folder: (folder / "signatures" / ("A" * 64 + ".dsse.json")).write_text("?"), {"no file was added"}),
        (rename, {"no file was added", "no file is missing"}),
        (change_case, {"no file was added", "no file is missing"}),
        (link_file, {"no file was added"}),
        (link_folder, {"no file was added", "no file is missing"}),
        (link_signature, {"no file was added"}),
        (lambda folder: (folder / "link").symlink_to(folder / "data"), {"no file was added"}),
    ],
)  # fmt: skip
def test_a_file_that_is_added_renamed_or_linked_is_noticed(
    folder: Path, spoil: Callable[[Path], Any], checks: set[str]
) -> None:
    spoil(folder)
    assert checks <= failed(verify_release(folder)) <= {*checks, "every table can be read and has its columns"}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_the_command_tells_who_signed_or_what_is_wrong(folder: Path, tmp_path: Path) -> None:
    anna, eve = (write_key(key, tmp_path / f"{name}.pem", None) for name, key in (("anna", ANNA), ("eve", EVE)))
    found = run("verify", folder, "--key", anna)
    assert (found.exit_code, f"✔ signed by {ANNA.public.key_id} (anna.public.pem)" in found.output) == (0, True)
    assert "Compare it" not in found.output
    found = run("verify", folder, "--key", eve)
    assert (found.exit_code, f"signed by key {ANNA.public.key_id}, which" in found.output) == (1, True)
    found = run("verify", folder, "--key", tmp_path / "anna.pem")
    assert (found.exit_code, "is a private key" in found.output) == (1, True)
    assert run("verify", folder).exit_code == 0
