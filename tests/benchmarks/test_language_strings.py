"""Translations of a program become labelled texts; what tells no language is left out."""

import struct
from pathlib import Path

import pytest

from benchmarks.language_strings import strings
from cupel.errors import SourceError


def compiled(messages: dict[str, str]) -> bytes:
    """Return messages as gettext compiles them."""
    pairs = sorted(messages.items())
    count, begin = len(pairs), 28 + 16 * len(pairs)
    tables, content = b"", b""
    for side in (0, 1):
        for pair in pairs:
            text = pair[side].encode()
            tables += struct.pack("<II", len(text), begin + len(content))
            content += text + b"\0"
    return struct.pack("<7I", 0x950412DE, 0, count, 28, 28 + 8 * count, 0, 0) + tables + content


def put(folder: Path, code: str, messages: dict[str, str]) -> None:
    place = folder / "locale" / code / "LC_MESSAGES"
    place.mkdir(parents=True)
    (place / "django.mo").write_bytes(compiled({"": "Content-Type: text/plain; charset=UTF-8\n"} | messages))


def test_long_translations_are_told_by_the_name_of_their_folder(tmp_path: Path) -> None:
    put(
        tmp_path,
        "de",
        {"Save": "Sichern", "Document": "Das Dokument fehlt", "OK now": "OK now", "Both": "In beiden so"},
    )
    put(tmp_path, "pt_BR", {"Document": "Documento em falta", "Both": "In beiden so"})
    put(tmp_path, "en_GB", {"Document": "The document is missing"})
    assert strings(tmp_path, 10) == [("de", "Das Dokument fehlt"), ("pt-BR", "Documento em falta")]


def test_a_folder_without_translations_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"locale/CODE"):
        strings(tmp_path, 60)
