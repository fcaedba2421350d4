"""Witnessed draws: what `certificate.json` holds of a witness's receipts, and what `cupel verify` recomputes of it."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cryptography import x509

from cupel.errors import CupelError, WitnessError
from cupel.lake.draw_log import DRAWS, FROZEN, Part, trace_draw
from cupel.lake.lake import Lake
from cupel.release import layout
from cupel.release.nonces import WITNESS
from cupel.store.event_log import hash_event
from cupel.store.files import read_file
from cupel.witness.receipts import COMMAND, TIMESTAMP, decode_receipt, hash_receipt
from cupel.witness.timestamps import read_timestamp, verify_timestamp

Row = dict[str, Any]
PARTS: tuple[Part, ...] = ("audit", "adjudicators")
_TOLD = ("receipt", "receipt_kind", "witness", "at")
SIGNED_RECEIPTS = "each receipt is signed by a witness that you named"


def find_witnessed_draws(lake: Lake, release: str) -> dict[str, Row]:
    """Return the draws of a release that a witness gave the number of, by part: all that is needed to verify them."""
    chain, found = lake.log(DRAWS).read_chain(), dict[str, Row]()
    for part in PARTS:
        draw = trace_draw(chain, release, part)
        if draw is not None and draw.nonce.source == WITNESS:
            freeze = {
                "event": dict(draw.freeze.event),
                "sequence": draw.freeze.sequence,
                "previous": draw.freeze.previous,
            }
            told = {name: value for name, value in draw.nonce._asdict().items() if name in _TOLD}
            found[part] = {**told, "asked": draw.asked, "freeze": freeze, "commitment": draw.freeze.hash}
    return found


def find_draw_problem(draw: Mapping[str, Any], release: str, part: Part, frozen_sha256: str, nonce: str) -> str:
    """Return what is wrong between a freeze, a witness's receipt and the nonce of a draw; whose it is, keys must show.

    Args:
        draw: Of `find_witnessed_draws`.
        release: Name of the release.
        part: What was drawn.
        frozen_sha256: The hash of what was frozen.
        nonce: What drew it.
    """
    freeze = draw["freeze"]
    expected = {"event": FROZEN, "release": release, "part": part, "frozen_sha256": frozen_sha256}
    if freeze["event"] != expected:
        return f"{part}: the witness was told another freeze than this: {json.dumps(freeze['event'])[:200]}"
    commitment = hash_event(freeze["previous"], freeze["sequence"], freeze["event"])
    if commitment != draw["commitment"]:
        return f"{part}: the freeze's event gives the hash {commitment}, but {draw['commitment']} is said to be told"
    if draw["receipt_kind"] not in (TIMESTAMP, COMMAND):
        return f"{part}: receipt_kind is {draw['receipt_kind']!r}; expected {TIMESTAMP} or {COMMAND}"
    try:
        content = decode_receipt(draw["receipt"])
        if draw["receipt_kind"] == COMMAND:
            found = hash_receipt(content)
        else:
            stamp = read_timestamp(content)
            if not stamp.is_of(commitment):
                return f"{part}: the time stamp is of another hash than that of the freeze"
            found = stamp.receipt.nonce
            said = {"witness": stamp.receipt.witness, "at": stamp.receipt.at}
            if wrong := [name for name, value in said.items() if draw[name] != value]:
                return f"{part}: {wrong[0]} is {draw[wrong[0]]!r}, but the time stamp says {said[wrong[0]]!r}"
    except WitnessError as error:
        return f"{part}: {error}"
    return "" if found == nonce else f"{part}: the receipt gives the nonce {found}, but {nonce} drew"


def check_receipts(release: Path, roots: list[x509.Certificate]) -> str:
    """Return what is wrong with the signatures of a release's receipts, held against a witness's certificates.

    Args:
        release: The release's folder.
        roots: The certificates that you trust.
    """
    try:
        draws = _read_draws(release)
        if not draws:
            return "the release was not witnessed: it holds no receipt"
        for part, draw in draws.items():
            if draw["receipt_kind"] == COMMAND:
                return (
                    f"{part}: the receipt is one of the program {draw['witness']}: no certificate shows whose it is; "
                    "check it by what that witness gives you"
                )
            verify_timestamp(decode_receipt(draw["receipt"]), str(draw["commitment"]), roots)
    except (CupelError, OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        return f"{type(error).__name__}: {error}" if not isinstance(error, CupelError) else str(error)
    return ""


def describe_receipts(release: Path) -> Iterator[str]:
    """Yield what is to be known of a release's receipts where nobody's certificate was given."""
    try:
        draws = _read_draws(release)
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return
    for part, draw in draws.items():
        if isinstance(draw, Mapping) and draw.get("receipt_kind") == COMMAND:
            yield f"The receipt for the draw ({part}) is one of a program: only its maker can tell if it is genuine."
        else:
            yield (
                f"The receipt for the draw ({part}) fits its freeze, but was not checked against anybody's key: give "
                "the authority's root certificates with --witness."
            )


def _read_draws(release: Path) -> dict[str, Any]:
    """Return the witnessed draws of a release's folder."""
    return dict(
        json.loads(read_file(release / layout.CERTIFICATE_FILE, layout.MOST_JSON_BYTES)).get(layout.WITNESSED, {})
    )
