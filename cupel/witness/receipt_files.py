"""Files of receipts that a witness issued: one a file, or JSON Lines."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cupel.errors import WitnessError
from cupel.store.files import find_files, is_folder, read_file
from cupel.witness.receipts import COMMAND, Receipt, decode_receipt, hash_receipt
from cupel.witness.timestamps import read_timestamp

TIMESTAMP_ENDING, LINES_ENDING = ".tsr", ".jsonl"


class IssuedReceipt(NamedTuple):
    """A receipt of a witness's list.

    Attributes:
        name: The file, and the line of one that holds several.
        receipt: The receipt; `witness` is empty where it does not say.
        imprint: The SHA-256 that a time stamp is of; None of a command's receipt.
        commitment: The hash that the list says it was given for; None where it does not.
        place: Its place in the list, where that is in the witness's order: a file of several.
    """

    name: str
    receipt: Receipt
    imprint: str | None
    commitment: str | None
    place: int | None = None


def read_receipts(path: Path) -> list[IssuedReceipt]:
    """Return the receipts of a file, or of all files of a folder, by name; the same one twice counts once.

    A file NAME.tsr is a time stamp by RFC 3161. A file NAME.jsonl has a receipt a line, {"receipt": base64, "hash":
    what it was given for}, in the order in which they were given. Any other file is a time stamp if it can be read as
    one, and otherwise the bytes that a witness's program printed.

    Raises:
        WitnessError: A file or line cannot be read; or there is none.
    """
    found: dict[str, IssuedReceipt] = {}
    for file in find_files(path) if is_folder(path) else [path]:
        for one in _read_file(file, file.relative_to(path).as_posix() if file != path else file.name):
            found.setdefault(one.receipt.nonce, one)
    if not found:
        raise WitnessError(f"{path}: holds no receipt; name the folder or file that the witness gave you")
    return list(found.values())


def _read_file(file: Path, name: str) -> Iterator[IssuedReceipt]:
    try:
        content = read_file(file)
    except OSError as error:
        raise WitnessError(
            f"{file}: cannot be read: {error.strerror}; name the file or folder of receipts that the witness issued"
        ) from None
    if file.suffix != LINES_ENDING:
        yield _read_one(name, content, is_stamp=file.suffix == TIMESTAMP_ENDING)
        return
    for number, line in enumerate(content.splitlines(), 1):
        where = f"{name}, line {number}"
        try:
            told = json.loads(line)
            one = _read_one(where, decode_receipt(told["receipt"]))
            commitment = told.get("hash")
            yield one._replace(commitment=None if commitment is None else str(commitment), place=number)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise WitnessError(
                f'{where}: expected {{"receipt": base64, "hash": hexadecimal digits}}: {type(error).__name__}: {error}'
            ) from None


def _read_one(name: str, content: bytes, is_stamp: bool = False) -> IssuedReceipt:
    try:
        stamp = read_timestamp(content)
    except WitnessError as error:
        if is_stamp:
            raise WitnessError(f"{name}: {error}") from None
        return IssuedReceipt(name, Receipt(COMMAND, content, hash_receipt(content), ""), None, None)
    return IssuedReceipt(name, stamp.receipt, stamp.imprint, None)
