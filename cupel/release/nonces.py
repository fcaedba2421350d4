"""Nonces: the number that comes after a freeze and draws the audit, and what a certificate says of where it is from."""

import hashlib
import re
import secrets
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeAlias

from cupel.config.release import Certificate, Witness
from cupel.errors import WitnessError
from cupel.lake.draw_log import DRAWS, Nonce, Part, record_draw
from cupel.lake.lake import Lake
from cupel.witness.asking import ask_authority, ask_command
from cupel.witness.receipts import COMMAND, encode_receipt
from cupel.witness.timestamps import read_roots

# By part what `certificate.json` holds of a witnessed draw.
WitnessedDraws: TypeAlias = Mapping[str, Mapping[str, Any]]
OPERATING_SYSTEM, PROJECT_FILE, WITNESS = "operating system", "project file", "witness"
NONCE_BYTES = 32
FREEZING = "locks/.freezing"


def draw_nonce(
    lake: Lake, release: str, part: Part, frozen_sha256: str, settings: Certificate, data: Path | None = None
) -> Nonce:
    """Return the nonce that draws a part of a release: the recorded one, or a new one, which is recorded first.

    Args:
        lake: The project's lake.
        release: Name of the release.
        part: What is drawn.
        frozen_sha256: The hash of all that is fixed.
        settings: What the project file says of the certificate.
        data: The folder that the witness's certificates are named relative to; None: the present one.

    Raises:
        ReleaseError: The part was drawn before, of something else.
        WitnessError: The witness gave no receipt: nothing is drawn. It may be asked again.
    """
    lake.partition_folder("release_plan", release)  # checks the name
    witness = settings.witness

    def make(commitment: str) -> Nonce:
        if witness is not None:
            return _ask(witness, commitment, data or Path())
        if settings.nonce is not None:
            return Nonce(settings.nonce, PROJECT_FILE)
        return Nonce(secrets.token_hex(NONCE_BYTES), OPERATING_SYSTEM)

    asked = None if witness is None else witness.name
    return record_draw(lake.log(DRAWS), release, part, frozen_sha256, make, asked)


def _ask(witness: Witness, commitment: str, data: Path) -> Nonce:
    """Return the nonce of a witness's receipt; another never stands in for it."""
    try:
        if witness.timestamp_authority is not None:
            roots = read_roots(data / str(witness.certificates))
            found = ask_authority(witness.timestamp_authority, commitment, roots, witness.timeout_seconds)
        else:
            found = ask_command(witness.command, commitment, witness.timeout_seconds)
    except WitnessError as error:
        raise WitnessError(
            f"the witness {witness.name} is awaited: {error}. Nothing is drawn before its receipt is there; run again, "
            "or look at release.certificate.witness"
        ) from None
    return Nonce(found.nonce, WITNESS, encode_receipt(found.content), found.kind, found.witness, found.at)


def lock_draws(lake: Lake) -> AbstractContextManager[bool]:
    """Wait until no other release is being frozen, and let none begin before this one's tables are written."""
    return lake.store.lock(FREEZING)


def make_seed(frozen_sha256: str, nonce: str, part: Part = "audit") -> int:
    """Return the seed of a draw: 63 bits made of what was frozen and of the nonce that came after it."""
    return seed_of(hashlib.sha256(f"{part}/{frozen_sha256}/{nonce}".encode()).hexdigest())


def seed_of(sha256: str) -> int:
    """Return the first 63 bits of a hash as a seed."""
    return int(sha256[:16], 16) >> 1


def chosen_seed(sha256: str, seed: int, attempt: int) -> int:
    """Return the seed of a release up to format 3: made of ids and labels, the project's own seed, and the attempt."""
    return seed_of(hashlib.sha256(f"audit/{sha256}/{seed}/{attempt}".encode()).hexdigest())


def find_nonce_problem(source: str, nonce: str) -> str:
    """Return why a nonce cannot be from where it is said to be; whether it is, the log of draws alone can show."""
    if source not in (OPERATING_SYSTEM, PROJECT_FILE, WITNESS):
        return f"a nonce is said to be from {source!r}, which gives none"
    if source == OPERATING_SYSTEM and re.fullmatch(f"[0-9a-f]{{{2 * NONCE_BYTES}}}", nonce) is None:
        return f"the nonce {nonce!r} is said to be from the {source}, which gives {2 * NONCE_BYTES} hexadecimal digits"
    return ""


def nonce_sentence(
    source: str | None, witnessed: WitnessedDraws | None = None, second_source: str | None = None
) -> str:
    """Return what a certificate says of where the draws are from; nothing of a release of before there were nonces.

    Args:
        source: `nonce_source` of the plan.
        witnessed: The witnessed draws by part, see `witnessed_draws`.
        second_source: Where the number is from that drew what another expert judged again; None where none did.
    """
    found = witnessed or {}
    if source is None:
        return ""
    if "audit" in found:
        text = f" The audit was drawn by {_describe_receipt(found['audit'])}"
    elif source == PROJECT_FILE:
        text = (
            " The number that drew the audit stood in the project file before the freeze: whoever wrote it could have "
            "chosen it."
        )
    else:
        text = (
            " The audit was drawn by a number that the operating system gave after the freeze; nobody else witnessed "
            "that."
        )
    if "adjudicators" in found:
        text += f" What another expert judged again was drawn by {_describe_receipt(found['adjudicators'])}"
    elif second_source == PROJECT_FILE:
        text += (
            " The number that drew what another expert judged again stood in the project file before the last verdict: "
            "whoever gave that could have known the draw."
        )
    elif second_source is not None:
        text += (
            " What another expert judged again was drawn by a number that the operating system gave after the last "
            "verdict; nobody else witnessed that."
        )
    return text


def _describe_receipt(draw: Mapping[str, Any]) -> str:
    """Return who gave a receipt, when, and how often somebody was asked for it."""
    who = (
        f"the program {draw['witness']}"
        if draw["receipt_kind"] == COMMAND
        else f"a time-stamp authority, {draw['witness']},"
    )
    when = "at no time that it says" if draw["at"] is None else f"at {draw['at']} by its clock"
    often = f" A witness was asked {draw['asked']} times, and one answer was used." if int(draw["asked"]) > 1 else ""
    return f"the receipt of a witness: {who} was told the freeze and answered {when}.{often}"
