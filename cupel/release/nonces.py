"""Nonces: the number that comes after a freeze and draws the audit, and what a certificate says of where it is from."""

import hashlib
import secrets

from cupel.config.release import Certificate
from cupel.lake.draw_log import DRAWS, Nonce, Part, record_draw
from cupel.lake.lake import Lake

OPERATING_SYSTEM, PROJECT_FILE = "operating system", "project file"
NONCE_BYTES = 32


def draw_nonce(lake: Lake, release: str, part: Part, frozen_sha256: str, settings: Certificate) -> Nonce:
    """Return the nonce that draws a part of a release: the recorded one, or a new one, which is recorded first.

    Args:
        lake: The project's lake.
        release: Name of the release.
        part: What is drawn.
        frozen_sha256: The hash of all that is fixed.
        settings: What the project file says of the certificate.

    Raises:
        ReleaseError: The part was drawn before, of something else.
    """
    lake.partition_folder("release_plan", release)  # checks the name

    def make(commitment: str) -> Nonce:
        if settings.nonce is not None:
            return Nonce(settings.nonce, PROJECT_FILE)
        return Nonce(secrets.token_hex(NONCE_BYTES), OPERATING_SYSTEM)

    return record_draw(lake.log(DRAWS), release, part, frozen_sha256, make)


def make_seed(frozen_sha256: str, nonce: str, part: Part = "audit") -> int:
    """Return the seed of a draw: 63 bits made of what was frozen and of the nonce that came after it."""
    return seed_of(hashlib.sha256(f"{part}/{frozen_sha256}/{nonce}".encode()).hexdigest())


def seed_of(sha256: str) -> int:
    """Return the first 63 bits of a hash as a seed."""
    return int(sha256[:16], 16) >> 1


def chosen_seed(sha256: str, seed: int, attempt: int) -> int:
    """Return the seed of a release up to format 3: made of ids and labels, the project's own seed, and the attempt."""
    return seed_of(hashlib.sha256(f"audit/{sha256}/{seed}/{attempt}".encode()).hexdigest())


def nonce_sentence(source: str | None) -> str:
    """Return what a certificate says of where the draw is from; nothing of a release of before there were nonces.

    Args:
        source: `nonce_source` of the plan.
    """
    if source is None:
        return ""
    if source == PROJECT_FILE:
        return (
            " The number that drew the audit stood in the project file before the freeze: whoever wrote it could have "
            "chosen it."
        )
    return (
        " The audit was drawn by a number that the operating system gave after the freeze; nobody else witnessed that."
    )
