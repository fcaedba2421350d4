"""Signed answers: which files of answers their givers signed, in a log of their own; no answer is changed by it."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from cupel.errors import AnswerError, SigningError
from cupel.people.answers.guidelines import OF_MODEL, OF_SOURCE, RECORDED
from cupel.people.answers.recorded_files import batches_in, rows_of
from cupel.signing.envelopes import Envelope, read_envelope, to_json
from cupel.signing.signed_files import find_envelope_path, verify_envelope
from cupel.signing.statements import parse_statement
from cupel.signing.trusted_keys import TrustedKeys
from cupel.store.event_log import Event, EventLog
from cupel.store.files import hash_file, stat_file

SIGNED_ANSWERS = "signed_answers"
ANSWERS, ANSWERS_SHA256 = "answers", "answers_sha256"


class SignedFile(NamedTuple):
    """A file of answers as it was when its answers began to be taken in.

    Attributes:
        file: Its name, as the answers' source has it.
        answers_from: The sequence number of the first answer in the log that it can have given.
        sha256: The hash of its bytes; empty where it is no longer signed.
        key_id: Who signed it; empty where nobody did.
        public: Their public key, in hexadecimal digits.
        who: Whose key it is, by the trust file of that time.
        envelope: The signature, as JSON has it; None where there is none.
        digests: What `digest_answer` gives of each expert's answer in it, sorted.
    """

    file: str
    answers_from: int
    sha256: str = ""
    key_id: str = ""
    public: str = ""
    who: str = ""
    envelope: dict[str, Any] | None = None
    digests: tuple[str, ...] = ()


class SortedFiles(NamedTuple):
    """Files of answers that are taken in, and why others are not, by name."""

    files: list[Path]
    refused: dict[str, str]


def digest_answer(batch: str, item_id: str, label: str | None) -> str:
    """Return what stands for an expert's answer in a signature: a SHA-256.

    >>> digest_answer("movies", "17", "good")[:8]
    'b7f4986b'
    """
    return hashlib.sha256(json.dumps([batch, item_id, label], ensure_ascii=False).encode()).hexdigest()


def hash_digests(digests: Sequence[str]) -> str:
    """Return the hash of a sorted list of digests, which a signature names."""
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()


def describe_answers(path: Path) -> dict[str, Any]:
    """Return what a signature says of a file of answers beside its hash; nothing of another file."""
    try:
        digests = _digest_file(path)
    except AnswerError:
        return {}
    return {ANSWERS: len(digests), ANSWERS_SHA256: hash_digests(digests)}


def sort_files(files: Sequence[Path], trusted: TrustedKeys | None, log: EventLog, answers: int) -> SortedFiles:
    """Return the files whose answers are taken in, and record which of them are signed, before any answer of them is.

    A file without a signature is taken in. One whose signature does not hold is not: not as an unsigned one either.

    Args:
        files: The project's files of answers.
        trusted: Whose signatures count; None: signatures are not looked at.
        log: The lake's log `SIGNED_ANSWERS`.
        answers: How many answers are in the log of answers.

    Raises:
        StoreError: The log was altered or cut short.
    """
    if trusted is None:
        return SortedFiles(list(files), {})
    taken, refused, found = list[Path](), dict[str, str](), list[SignedFile]()
    names = [path.name for path in files]
    for path in files:
        try:
            if stat_file(find_envelope_path(path)) is not None:
                if names.count(path.name) > 1:
                    raise SigningError(f"{path}: another file of answers has this name, too; rename one and sign again")
                found.append(_read_signed(path, trusted, answers + 1))
            else:
                found.append(SignedFile(path.name, answers + 1))
            taken.append(path)
        except (SigningError, AnswerError, OSError) as error:
            refused[path.name] = f"nothing of it is taken in: {error}"
    _record(log, found)
    return SortedFiles(taken, refused)


def read_signed_files(log: EventLog) -> list[SignedFile]:
    """Return what is recorded of files of answers, the earliest first.

    Raises:
        StoreError: The log was altered or cut short.
    """
    return [SignedFile(**{**event, "digests": tuple(event["digests"])}) for event in log.read()]


def copy_signed_files(log: EventLog, events: Sequence[Event]) -> None:
    """Bring what is recorded in another lake into an empty log, as it is."""
    if events:
        log.append(lambda there: [] if there else events)


def match_signatures(answers: pa.Table, signed: Sequence[SignedFile]) -> list[int | None]:
    """Return of each answer which signed file it came from, by its place; None: it is not signed.

    The file must have been signed when the answer was taken in, and the signature must be of this very answer.

    Args:
        answers: Columns sequence, batch, item_id, label and source of ANSWERS, as they were given.
        signed: What is recorded of files.
    """
    by_file: dict[str, list[int]] = {}
    for place, one in enumerate(signed):
        by_file.setdefault(one.file, []).append(place)
    digests = [frozenset(one.digests) for one in signed]
    found = list[int | None]()
    names = ("sequence", "batch", "item_id", "label", "source")
    for sequence, batch, item_id, label, source in zip(*(answers[name].to_pylist() for name in names), strict=True):
        places = [place for place in by_file.get(_file_of(source), ()) if signed[place].answers_from <= sequence]
        last = places[-1] if places else None
        is_signed = last is not None and digest_answer(batch, item_id, label) in digests[last]
        found.append(last if is_signed else None)
    return found


def _read_signed(path: Path, trusted: TrustedKeys, answers_from: int) -> SignedFile:
    envelope, sha256 = read_envelope(find_envelope_path(path)), hash_file(path)
    signer = verify_envelope(envelope, trusted, sha256)
    digests = _digest_file(path)
    check_digests(envelope, digests)
    key = trusted.find(signer.key_id)
    public = "" if key is None else key.public.raw.hex()
    return SignedFile(
        path.name, answers_from, sha256, signer.key_id, public, signer.who, to_json(envelope), tuple(digests)
    )


def check_digests(envelope: Envelope, digests: Sequence[str]) -> None:
    """Refuse a signature that is not of these answers.

    Raises:
        SigningError: It names other answers, or none.
    """
    predicate = parse_statement(envelope.payload, envelope.source).predicate
    if predicate.get(ANSWERS_SHA256) != hash_digests(digests):
        raise SigningError(f"{envelope.source}: does not name the answers of its file; sign it with `cupel sign`")


def _digest_file(path: Path) -> list[str]:
    """Return the digests of the experts' answers in a file, sorted.

    Raises:
        AnswerError: It is no file of answers.
    """
    found = []
    for batch in batches_in(path):
        rows = rows_of([path], batch).select(["item_id", "purpose", "label"])
        found += [digest_answer(batch, item, label) for item, purpose, label in zip(
            *(column.to_pylist() for column in rows.columns), strict=True) if purpose == "expert"]  # fmt: skip
    return sorted(found)


def _record(log: EventLog, found: Collection[SignedFile]) -> None:
    """Append what changed since the files were last looked at: a new signature, another content, or none any more."""
    if not any(one.sha256 for one in found) and not log.segment_names():
        return

    def decide(there: list[Event]) -> list[Event]:
        last = {event["file"]: event for event in there}
        return [
            {**one._asdict(), "digests": list(one.digests)}
            for one in found
            if (_state(last[one.file]) if one.file in last else ("", "")) != (one.sha256, one.key_id)
        ]

    log.append(decide)


def _state(event: Mapping[str, Any]) -> tuple[str, str]:
    return event["sha256"], event["key_id"]


def _file_of(source: str) -> str:
    """Return the file that an answer's source names.

    >>> _file_of("recorded:answers.csv@model@guideline-0123"), _file_of("label_studio:17")
    ('answers.csv', '')
    """
    if not source.startswith(f"{RECORDED}:"):
        return ""
    return source.removeprefix(f"{RECORDED}:").partition(OF_SOURCE)[0].removesuffix(OF_MODEL)
