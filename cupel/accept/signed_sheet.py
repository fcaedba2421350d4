"""A filled sheet's signature: checked against the keys that the buyer trusts, and kept with the answers."""

from pathlib import Path

from cupel.accept.plan import Record, parse_record
from cupel.store.store import Store, describe_place


class SignedSheet(Record):
    """Who signed the sheet of a look: the key's id, who holds it by the buyer's keys, and what was signed."""

    look: int
    key_id: str
    who: str
    sheet_sha256: str


def check_signature(sheet: Path, sheet_sha256: str, look: int, keys: Path) -> SignedSheet:
    """Return who signed a filled sheet, by the envelope beside it.

    Args:
        sheet: The sheet; its signature is `SHEET.dsse.json` beside it.
        sheet_sha256: Hash of the bytes that the answers were read from.
        look: Of which look.
        keys: A public key, or a file of trusted keys.

    Raises:
        SigningError: There is no signature, it is of another content, or by a key that is not among them.
    """
    # The libraries of signatures are loaded only where one is asked for.
    from cupel.signing.envelopes import read_envelope
    from cupel.signing.signed_files import find_envelope_path, verify_envelope
    from cupel.signing.trusted_keys import read_trusted_keys

    signer = verify_envelope(read_envelope(find_envelope_path(sheet)), read_trusted_keys(keys), sheet_sha256)
    return SignedSheet(look=look, key_id=signer.key_id, who=signer.who, sheet_sha256=sheet_sha256)


def read_signed_sheet(audit: Store, name: str) -> SignedSheet | None:
    """Return whose sheet a look was judged by; None where nobody asked for a signature."""
    if audit.stat(name) is None:
        return None
    return parse_record(describe_place(audit, name), audit.read(name).decode(errors="replace"), SignedSheet)


def write_signed_sheet(audit: Store, name: str, signed: SignedSheet) -> None:
    """Keep whose sheet a look was judged by."""
    audit.put(name, f"{signed.model_dump_json(indent=1)}\n".encode())
