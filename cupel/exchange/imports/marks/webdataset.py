"""WebDataset's tar files to marks: of each sample its JSON, with the answer's label and what its item is."""

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from cupel.errors import SourceError
from cupel.exchange.imports.marks.drawn_answers import MarkTerms, ReadDrawn
from cupel.exchange.imports.marks.regions_parquet import read_record
from cupel.marks.canonical_text import MarkForm
from cupel.sources.input_limits import DEFAULT_LIMITS, InputLimits, is_too_deep, refuse_size
from cupel.sources.json_rows import read_constant
from cupel.sources.reasons import BadRow, evidence

ENDING = ".json"


def read_webdataset(
    name: str, source: BinaryIO, form: MarkForm, terms: MarkTerms, limits: InputLimits = DEFAULT_LIMITS
) -> ReadDrawn:
    """Yield the answers of a tar file, in its order; pictures and clips in it are passed over.

    Args:
        name: The file, for errors.
        source: Its bytes.
        form: What a mark consists of.
        terms: What to take of it.
        limits: How long one sample's JSON may be.

    Raises:
        SourceError: It is no tar file, or holds no sample with JSON.
    """
    line = 0
    for member, content in _members(name, source, limits):
        line += 1
        try:
            row = json.loads(content, parse_constant=read_constant)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict) or is_too_deep(row, limits.depth):
            yield BadRow(line, "broken_json", evidence(member))
            continue
        yield read_record(line, {"item_id": _key(member), **row}, form, terms)
    if not line:
        raise SourceError(f"{name}: no sample with JSON in it; expected KEY.json beside each picture or clip")


def _members(name: str, source: BinaryIO, limits: InputLimits) -> Iterator[tuple[str, bytes]]:
    try:
        with tarfile.open(fileobj=source, mode="r|*") as file:
            for member in file:
                opened = file.extractfile(member) if member.isfile() and member.name.endswith(ENDING) else None
                if opened is None:
                    continue
                if member.size > limits.row_bytes:
                    refuse_size(f"{name}, {member.name}", "bytes", limits, "row_bytes")
                yield member.name, opened.read()
    except (tarfile.TarError, OSError, EOFError) as error:
        raise SourceError(f"{name}: not a tar file: {error}; make it again") from None


def _key(member: str) -> str:
    return Path(member).name.split(".")[0]
