"""Attacks on signatures: of a release, and of answers. What `cupel verify --key` finds of it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.attacks import experts
from benchmarks.attacks.attack import Attack, AttackError, Finding, Outcome
from benchmarks.attacks.buyer import fill_sheet, make_buyer
from benchmarks.attacks.forged_files import mend_manifest, verify
from benchmarks.attacks.invented import audit_items, make_nonce, write_folder
from benchmarks.attacks.release_claims import edit_card_and_manifest
from benchmarks.attacks.target import BATCH, Target
from cupel.accept.folder import folder_of
from cupel.errors import CupelError
from cupel.people.answers.signed_answers import ANSWERS, ANSWERS_SHA256, digest_answer, hash_digests
from cupel.release import layout
from cupel.release.release_signatures import NO_SIGNER, check_signatures, make_release_statement, sign_release
from cupel.signing.envelopes import format_envelope, parse_envelope, sign_payload, to_json
from cupel.signing.keys import PrivateKey, make_key
from cupel.signing.signed_files import sign_file
from cupel.signing.statements import FILE_PREDICATE, Statement, format_statement
from cupel.signing.trusted_keys import Revocation, TrustedKeys, add_key, revoke_key, write_trusted_keys

DOOR = "signatures"


class Signed:
    """A target whose release its maker has signed, and the key that a buyer trusts.

    Attributes:
        target: The target.
        maker: The maker's key.
        thief: Another key, which nobody trusts.
        trusted: What the buyer trusts.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self.maker, self.thief = make_key(), make_key()
        self.trusted = add_key(TrustedKeys((), "keys.json"), self.maker.public, "Anna", "2026-11-30T00:00:00Z")
        sign_release(target.release, self.maker)

    @property
    def envelope(self) -> Path:
        """The maker's signature."""
        return self.target.release / layout.SIGNATURES_FOLDER / f"{self.maker.public.key_id}.dsse.json"

    def verify(self) -> Finding:
        """Return what `cupel verify --key` finds."""
        found = verify(self.target.release)
        if found.outcome == Outcome.REFUSED:
            return found
        checks = check_signatures(self.target.release, self.trusted)
        failed = [check for check in checks if not check.is_passed]
        if failed:
            # Of several, the one that says what is wrong with the signature, not that none holds.
            last = max(failed, key=lambda check: check.name != NO_SIGNER)
            return Finding(Outcome.REFUSED, f"{last.name}: {last.problem}")
        return Finding(Outcome.NOT_CAUGHT, "; ".join(check.name for check in checks))

    def sign(self, key: PrivateKey, statement: Statement) -> None:
        """Put a signature of a statement in the place of the maker's."""
        self.envelope.write_bytes(format_envelope(sign_payload(format_statement(statement), key)))


def leave_signed(signed: Signed) -> None:
    """Nothing: the signed release is the control."""


def rewrite_release(signed: Signed) -> None:
    """Edit the data card, and mend the manifest."""
    edit_card_and_manifest(signed.target.release)


def invent_release(signed: Signed) -> None:
    """Put an invented release in the place of the maker's, with the maker's signature."""
    kept = signed.envelope.read_bytes()
    if experts.invent_verdicts(signed.target).outcome != Outcome.NOT_CAUGHT:
        raise AttackError("the invented release does not verify by itself")
    signed.envelope.parent.mkdir()
    signed.envelope.write_bytes(kept)


def sign_by_another(signed: Signed) -> None:
    """Rewrite the release, and sign it by another key."""
    edit_card_and_manifest(signed.target.release)
    signed.envelope.unlink()
    sign_release(signed.target.release, signed.thief)


def sign_under_another_name(signed: Signed) -> None:
    """Rewrite the release, sign it by another key, and name that signature after the maker's."""
    edit_card_and_manifest(signed.target.release)
    envelope = sign_payload(format_statement(make_release_statement(signed.target.release)), signed.thief)
    signatures = ((signed.maker.public.key_id, envelope.signatures[0][1]),)
    signed.envelope.write_bytes(format_envelope(envelope._replace(signatures=signatures)))


def remove_signature(signed: Signed) -> None:
    """Take the signature away."""
    shutil.rmtree(signed.envelope.parent)


def cut_envelope(signed: Signed) -> None:
    """Cut the second half of the envelope off."""
    content = signed.envelope.read_bytes()
    signed.envelope.write_bytes(content[: len(content) // 2])


def swap_statement(signed: Signed) -> None:
    """Put the statement of another release into the envelope, under the maker's signature."""
    envelope = parse_envelope(signed.envelope.read_bytes(), "")
    there = make_release_statement(signed.target.release)
    other = there._replace(predicate={**there.predicate, "release": "two-r1"})
    signed.envelope.write_bytes(format_envelope(envelope._replace(payload=format_statement(other))))


def sign_as_file(signed: Signed) -> None:
    """Use the maker's signature of the manifest as a mere file as one of the release."""
    there = make_release_statement(signed.target.release)
    signed.sign(signed.maker, Statement(there.subject, there.sha256, FILE_PREDICATE, there.predicate))


def repeat_key(signed: Signed) -> None:
    """Write the envelope's payload twice, the second one another."""
    there = json.loads(signed.envelope.read_bytes())
    text = signed.envelope.read_text()
    signed.envelope.write_text(text.replace("{", f'{{"payload": "{there["payload"][::-1]}",', 1))


def repeat_signature(signed: Signed) -> None:
    """Add the signature of another key to the maker's envelope."""
    ours = parse_envelope(signed.envelope.read_bytes(), "")
    other = sign_payload(ours.payload, signed.thief)
    both = ours._replace(signatures=(*ours.signatures, *other.signatures))
    signed.envelope.write_bytes(format_envelope(both))


def link_signature(signed: Signed) -> None:
    """Put a link in the place of the envelope."""
    elsewhere = signed.target.folder / "elsewhere"
    signed.envelope.rename(elsewhere)
    signed.envelope.symlink_to(elsewhere)


def rename_signature(signed: Signed) -> None:
    """Rename the envelope after another key."""
    signed.envelope.rename(signed.envelope.with_name(f"{'a' * 64}.dsse.json"))


def change_case(signed: Signed) -> None:
    """Write the envelope's name in capital letters."""
    signed.envelope.rename(signed.envelope.with_name(f"{signed.maker.public.key_id.upper()}.dsse.json"))


def add_to_signatures(signed: Signed) -> None:
    """Add a file that is no signature to the folder of signatures."""
    (signed.envelope.parent / "note.txt").write_text("all labels are right")


def revoke_maker(signed: Signed) -> None:
    """Sign by a key that was stolen and revoked."""
    signed.trusted = revoke_key(signed.trusted, signed.maker.public.key_id, Revocation("2026-12-01", "stolen"))


def sign_two_releases(signed: Signed) -> None:
    """Let the maker sign a second, rewritten release of the same name: the holder of a key is dishonest."""
    edit_card_and_manifest(signed.target.release)
    sign_release(signed.target.release, signed.maker)


def on_signed(change: Callable[[Signed], None]) -> Callable[[Target], Finding]:
    """Return an attack on a signed release."""

    def attempt(target: Target) -> Finding:
        signed = Signed(target)
        change(signed)
        return signed.verify()

    return attempt


def claim_signed_answers(target: Target) -> Finding:
    """Write into a release's certificate that all its answers were signed, without a signature."""

    def claim(content: Any) -> None:
        answers = [{"part": "any", "batch": "one", "item_id": "i0", "label": "warm", "file": 0}]
        content["signed_answers"] = {"files": [_FORGED_FILE], "answers": answers}

    path = target.release / layout.CERTIFICATE_FILE
    content = json.loads(path.read_bytes())
    claim(content)
    path.write_bytes(layout.json_bytes(content))
    mend_manifest(target.release)
    return verify(target.release)


def sign_invented_answers(target: Target) -> Finding:
    """Invent the verdicts of a release with a third of its labels shifted, and sign them all by a key made for it."""
    frozen = experts.freeze_wrong(target, 1 / 3).draw(make_nonce())
    audit = audit_items(frozen, lambda name, label: label)
    rows = [
        (row["item_id"], row["expert_label"])
        for table in (audit.audit, audit.adjudications)
        for row in table.to_pylist()
    ]
    digests = sorted({digest_answer(BATCH, name, label) for name, label in rows})
    key, sha256 = make_key(), hash_digests(digests)
    predicate = {ANSWERS: len(digests), ANSWERS_SHA256: sha256}
    statement = Statement("answers.csv", sha256, FILE_PREDICATE, predicate)
    file = {
        "file": "answers.csv", "sha256": sha256, "key_id": key.public.key_id, "public": key.public.raw.hex(),
        "who": "a panel", "envelope": to_json(sign_payload(format_statement(statement), key)), "digests": digests,
    }  # fmt: skip
    answers = [
        {"part": "any", "batch": BATCH, "item_id": name, "label": label, "file": 0}
        for name, label in dict(rows).items()
    ]
    found = verify(write_folder(target, audit, {"files": [file], "answers": answers}))
    words = experts.read_wording(target)
    return found._replace(words=f"{found.words}; the certificate: {words[words.find('Of the') :]}")


def submit_strangers_sheet(target: Target) -> Finding:
    """Hand in a sheet of `cupel accept` that a stranger signed, where the buyer trusts one auditor."""
    buyer = make_buyer(target)
    auditor, stranger = make_key(), make_key()
    keys = buyer.folder / "keys.json"
    delivery = buyer.write("delivery.csv", buyer.rows)
    buyer.plan(delivery)
    write_trusted_keys(add_key(TrustedKeys((), "keys.json"), auditor.public, "Anna", "2026-11-30T00:00:00Z"), keys)
    sheet = folder_of(delivery) / "sheet.csv"
    fill_sheet(sheet, buyer.be_honest)
    sign_file(sheet, stranger)
    try:
        reply = buyer.accept(delivery, key=keys)
    except CupelError as error:
        return Finding(Outcome.REFUSED, str(error))
    return Finding(Outcome.NOT_CAUGHT, reply.code.name)


_FORGED_FILE = {
    "file": "answers.csv", "sha256": "0" * 64, "key_id": "0" * 64, "public": "0" * 64, "who": "Anna",
    "envelope": {"payload": "", "payloadType": "", "signatures": []}, "digests": [],
}  # fmt: skip
_R, _N = Outcome.REFUSED, Outcome.NOT_CAUGHT
_TRIED: tuple[tuple[str, Callable[[Signed], None], Outcome], ...] = (
    ("untouched", leave_signed, Outcome.PASSED),
    ("release-rewritten", rewrite_release, _R),
    ("release-invented", invent_release, _R),
    ("by-another-key", sign_by_another, _R),
    ("by-another-key-under-the-makers-name", sign_under_another_name, _R),
    ("removed", remove_signature, _R),
    ("envelope-cut", cut_envelope, _R),
    ("statement-swapped", swap_statement, _R),
    ("of-a-file-used-for-the-release", sign_as_file, _R),
    ("json-key-repeated", repeat_key, _R),
    ("second-signature-added", repeat_signature, _R),
    ("linked", link_signature, _R),
    ("renamed", rename_signature, _R),
    ("name-case-changed", change_case, _R),
    ("file-added", add_to_signatures, _R),
    ("key-revoked", revoke_maker, _R),
    ("two-by-one-key", sign_two_releases, _N),
)
ATTACKS = (
    *(Attack(f"signature-{name}", DOOR, str(change.__doc__), said, on_signed(change)) for name, change, said in _TRIED),
    Attack("signed-answers-claimed", DOOR, str(claim_signed_answers.__doc__), _R, claim_signed_answers),
    Attack("signed-answers-by-a-made-up-key", DOOR, str(sign_invented_answers.__doc__), _N, sign_invented_answers),
    Attack("strangers-sheet", DOOR, str(submit_strangers_sheet.__doc__), _R, submit_strangers_sheet),
)
