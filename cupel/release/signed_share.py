"""The share of a release's expert answers that were signed by who gave them: counted, said, and checked again."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from cupel.contract.tables.answers import ANSWERS
from cupel.errors import SigningError
from cupel.lake.lake import Lake
from cupel.people.answers.experts import verdict
from cupel.people.answers.signed_answers import (
    SIGNED_ANSWERS,
    SignedFile,
    check_digests,
    digest_answer,
    match_signatures,
    read_signed_files,
)
from cupel.people.answers.tasks import OF_EXPERTS
from cupel.release.release_audit import ReleaseAudit
from cupel.signing.envelopes import read_fields
from cupel.signing.keys import PublicKey
from cupel.signing.signed_files import verify_envelope
from cupel.signing.trusted_keys import TrustedKey, TrustedKeys

# The tables of a release that verdicts stand in.
VERDICTS = ("audit", "adjudications", "planted_verdicts")
# What an answer is for: an audit or an adjudication where these are kept apart, as with audited adjudicators, else any.
PARTS = ("any", "audit", "expert")
Item = tuple[str, str, str]
_READ = ["sequence", "batch", "item_id", "label", "source"]


class SignedShare(NamedTuple):
    """How many expert answers the verdicts rest on, how many of them were signed, and by how many keys."""

    answers: int
    signed: int
    keys: int


def signed_sentence(share: SignedShare | None) -> str:
    """Return what a certificate says of signed answers, behind all else; "" where no trust file was declared.

    >>> signed_sentence(SignedShare(1200, 900, 2))[56:]
    '900 were signed, by 2 keys; `cupel verify --key` tells whose.'
    >>> signed_sentence(SignedShare(1200, 0, 0))
    ' Of the 1,200 expert answers that the verdicts rest on, none was signed.'
    """
    if share is None:
        return ""
    by = f"{share.keys} key{'s' if share.keys > 1 else ''}"
    verb = "was" if share.signed == 1 else "were"
    said = f"{share.signed:,} {verb} signed, by {by}; `cupel verify --key` tells whose" if share.signed else ""
    return f" Of the {share.answers:,} expert answers that the verdicts rest on, {said or 'none was signed'}."


def count_share(told: Mapping[str, Any], audit: ReleaseAudit) -> SignedShare:
    """Return the share that the certificate names.

    Args:
        told: What `find_signed_answers` returned.
        audit: The release's audit, with its audit, adjudications and planted verdicts.
    """
    keys = {told["files"][row["file"]]["key_id"] for row in told["answers"]}
    return SignedShare(sum(_count_answers(audit).values()), len(told["answers"]), len(keys))


def find_signed_answers(lake: Lake, audit: ReleaseAudit) -> dict[str, Any]:
    """Return the signed answers among those that a release's verdicts rest on, and the signatures.

    Args:
        lake: The project's lake.
        audit: The release's audit, with its expert answers, audit, adjudications and planted verdicts.

    Returns:
        As `certificate.json` holds it: `files`, each with its hash, signature and the digests of all answers in it, and
        `answers`, each as it was given, with the file's place among `files`.
    """
    signed = read_signed_files(lake.log(SIGNED_ANSWERS))
    counted = _find_counted(audit)
    given = pa.concat_tables(
        [
            ANSWERS.schema.empty_table().select(_READ),
            *(lake.answers.read(batch, OF_EXPERTS, _READ) for batch in audit.terms.batches),
        ]
    )
    given = given.filter(pc.is_in(given["sequence"], value_set=pa.array(sorted({n for n, _ in counted}), pa.int64())))
    by_sequence = {
        row["sequence"]: (row["label"], place)
        for row, place in zip(given.to_pylist(), match_signatures(given, signed), strict=True)
        if place is not None
    }
    used = sorted({place for _, place in by_sequence.values()})
    left = _count_digests((signed[place].key_id, signed[place].digests) for place in used)
    rows = []
    for sequence, (part, batch, item_id) in counted:
        label, place = by_sequence.get(sequence, (None, None))
        digest = digest_answer(batch, item_id, label)
        if place is not None and left[part, signed[place].key_id][digest] > 0:
            left[part, signed[place].key_id][digest] -= 1
            rows.append({"part": part, "batch": batch, "item_id": item_id, "label": label, "file": used.index(place)})
    return {"files": [_describe(signed[place]) for place in used], "answers": rows}


def find_signed_problem(told: Any, audit: ReleaseAudit) -> str:
    """Return what is wrong with what a release says of signed answers; "" if nothing is.

    Each signature must hold by the key that stands beside it, and name the answers of its file; each answer must be one
    of them, and no item have more than its verdict rests on. Where all answers behind a verdict were signed, the
    verdict must follow from them; where a label kind or a guideline translates answers, that is not looked at.

    Args:
        told: `signed_answers` of its certificate.json.
        audit: Its audit.
    """
    try:
        digests = [_check_file(row) for row in told["files"]]
    except SigningError as error:
        return str(error)
    left = _count_digests((row["key_id"], found) for row, found in zip(told["files"], digests, strict=True))
    given: dict[Item, list[str | None]] = {}
    for row in told["answers"]:
        item, own = (row["part"], row["batch"], row["item_id"]), told["files"][row["file"]]
        digest = digest_answer(row["batch"], row["item_id"], row["label"])
        if digest not in own["digests"] or left[row["part"], own["key_id"]][digest] < 1:
            return f"{'/'.join(item[1:])}: {row['label']!r} is not among the answers that its file's signature names"
        left[row["part"], own["key_id"]][digest] -= 1
        given.setdefault(item, []).append(row["label"])
    counts = _count_answers(audit)
    for item, labels in given.items():
        if len(labels) > counts[item]:
            name = "/".join(item[1:])
            return f"{name}: {len(labels)} signed answers, but its verdict rests on {counts[item]}"
    return _find_other_verdict(given, counts, audit)


def _count_digests(files: Iterable[tuple[str, Sequence[str]]]) -> dict[tuple[str, str], Counter[str]]:
    """Return how often each answer may count, for each part and key: as often as one file of the key names it."""
    found: dict[tuple[str, str], Counter[str]] = {}
    for key_id, digests in files:
        for part in PARTS:
            found[part, key_id] = found.get((part, key_id), Counter()) | Counter(digests)
    return found


def _find_other_verdict(given: Mapping[Item, list[str | None]], counts: Counter[Item], audit: ReleaseAudit) -> str:
    if audit.terms.kind is not None or audit.terms.guideline is not None:
        return ""
    for purpose, table in (("audit", audit.audit), ("expert", audit.adjudications)):
        part = _find_part(audit, purpose)
        for batch, item_id, label, is_settled in _rows(table, "batch", "item_id", "expert_label", "is_settled"):
            labels = given.get((part, batch, item_id), [])
            if not is_settled or len(labels) < counts[part, batch, item_id]:
                continue
            # Of three answers, two that are the same decide in whatever order they came.
            alike = sorted(labels, key=lambda one: (-labels.count(one), one is None, one or ""))
            if verdict(alike, audit.terms.expert_answers).label != label:
                return f"{batch}/{item_id}: the verdict is {label!r}, but the signed answers are {labels}"
    return ""


def _check_file(row: Mapping[str, Any]) -> list[str]:
    """Return the digests of a file's answers, once its signature holds by the key that stands beside it."""
    envelope = read_fields(row["envelope"], f"certificate.json: signature of {row['file']}")
    key = TrustedKey(PublicKey(bytes.fromhex(row["public"])), row["who"])
    signer = verify_envelope(envelope, TrustedKeys((key,), "certificate.json"), row["sha256"])
    if signer.key_id != row["key_id"]:
        raise SigningError(f"{envelope.source}: is by key {signer.key_id}, but it says {row['key_id']}")
    check_digests(envelope, row["digests"])
    return list(row["digests"])


def _describe(one: SignedFile) -> dict[str, Any]:
    row = {**one._asdict(), "digests": list(one.digests)}
    del row["answers_from"]
    return row


def _find_part(audit: ReleaseAudit, purpose: str) -> str:
    return purpose if audit.terms.adjudicators_audited else "any"


def _count_answers(audit: ReleaseAudit) -> Counter[Item]:
    """Return on how many answers each item's verdicts rest; no answer is counted twice."""
    found = Counter[Item]()
    for purpose, table in (
        ("audit", audit.audit), ("audit", audit.planted_verdicts), ("expert", audit.adjudications),
    ):  # fmt: skip
        part = _find_part(audit, purpose)
        for batch, item_id, answers in _rows(table, "batch", "item_id", "answers"):
            found[part, batch, item_id] = max(found[part, batch, item_id], answers)
    return found


def _find_counted(audit: ReleaseAudit) -> list[tuple[int, Item]]:
    """Return the answers that verdicts rest on, by sequence number, each with its item."""
    left, found = _count_answers(audit), []
    for part in sorted({part for part, *_ in left}):
        answers = audit.find_answers(part).sort_by("sequence")
        for sequence, batch, item_id in _rows(answers, "sequence", "batch", "item_id"):
            if left[item := (part, batch, item_id)] > 0:
                left[item] -= 1
                found.append((sequence, item))
    return found


def _rows(table: pa.Table, *names: str) -> Iterator[tuple[Any, ...]]:
    return zip(*(table[name].to_pylist() for name in names), strict=True)
