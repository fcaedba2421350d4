"""Bytes to lines: decompression and splitting, holding no more of a line than the limit."""

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from cupel.sources.reasons import BadRow, evidence
from cupel.store.files import open_file

BLOCK_BYTES = 1 << 18
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# What the decompressors raise on damaged or truncated files; OSError also covers a failing disk.
DAMAGE = (EOFError, OSError, zlib.error, lzma.LZMAError)


class Line(NamedTuple):
    """One physical line without its end; the first of a file has number 1."""

    line: int
    content: bytes


def read_lines(path: Path, compression: str | None, max_row_bytes: int) -> Iterator[Line | BadRow]:
    """Yield a file's lines, without line ends and byte order mark.

    Args:
        path: The file.
        compression: .gz, .bz2, .xz, .zst, or None.
        max_row_bytes: A longer line is read past, and yielded as a rejected row with its beginning.

    Yields:
        Lines in order; where the file breaks off or is damaged, one last rejected row in place of the rest.
    """
    number = 1
    held = bytearray()
    is_past_limit = False
    blocks = _blocks(path, compression)
    try:
        for block in blocks:
            first, *others = block.split(b"\n")
            if not is_past_limit:
                held += first
            for following in others:
                yield _line(number, held, max_row_bytes, is_past_limit)
                number, held, is_past_limit = number + 1, bytearray(following), False
            if len(held) > max_row_bytes + len(BYTE_ORDER_MARK) + 1:
                is_past_limit = True
                del held[1024:]
    except DAMAGE as error:
        yield BadRow(number, "unreadable_file", evidence(f"{type(error).__name__}: {error}"))
        return
    if held:
        yield _line(number, held, max_row_bytes, is_past_limit)


def _line(number: int, held: bytearray, max_row_bytes: int, is_past_limit: bool) -> Line | BadRow:
    content = bytes(held)
    if number == 1:
        content = content.removeprefix(BYTE_ORDER_MARK)
    if is_past_limit or len(content.removesuffix(b"\r")) > max_row_bytes:
        return BadRow(number, "row_too_long", evidence(f"over {max_row_bytes} bytes: ".encode() + content[:1024]))
    return Line(number, content.removesuffix(b"\r"))


def _blocks(path: Path, compression: str | None) -> Iterator[bytes]:
    with open_file(path) as file, _decompress(file, compression) as stream:
        if not file.seek(0, io.SEEK_END):
            return
        file.seek(0)
        # One raw read each: what was decompressed before the damage is not lost with the block.
        read = stream.read1 if hasattr(stream, "read1") else stream.read
        while block := read(BLOCK_BYTES):
            yield block


def _decompress(file: BinaryIO, compression: str | None) -> Any:
    """Return a stream of what an open file holds."""
    if compression == ".zst":
        import pyarrow as pa  # takes longer than reading a small delivery; only this format needs it

        return pa.input_stream(file, compression="zstd")
    readers: dict[str | None, Any] = {
        None: lambda file: file, ".gz": lambda file: gzip.GzipFile(fileobj=file), ".bz2": bz2.BZ2File,
        ".xz": lzma.LZMAFile,
    }  # fmt: skip
    return readers[compression](file)
