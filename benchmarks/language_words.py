"""Short texts for the model of languages, made of lists of words: wordfreq's frequencies, CLDR's names.

    .venv/bin/python -m benchmarks.language_words --wordfreq FOLDER --signs FOLDER --names FOLDER --parquet FILE

The FOLDERs are `wordfreq/data` of the package `wordfreq` 3.1.1 (PyPI; data CC BY-SA 4.0), `annotations` of the package
`cldr-annotations-full` 48.2.0 and `main` of `cldr-localenames-full` 48.2.0 (npm; Unicode License 3). They hold no
interface strings. The same files, the same rows.
"""

import argparse
import gzip
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.language_data import Rows
from benchmarks.language_scripts import script_of
from benchmarks.new_file import new_file
from cupel.errors import SourceError
from cupel.store.files import new_file as whole_file

# Texts of a language, and words of each at most.
TEXTS, MOST_WORDS = 3000, 12
# Words are drawn by their frequency to this power, so that rare ones are learnt, too.
FLATTENED = 0.6
SEED = 1895
# Serbo-Croatian is the code of what others tell apart; of the rest no running text is taught, or what is there is
# another language's.
_SKIPPED = (
    "sh", "bgn", "blo", "doi", "ff", "ff-Adlm", "hi-Latn", "kk-Arab", "kok", "pa-Arab", "rhg", "sa", "syr", "yue-Hans",
)  # fmt: skip
# Whose letters do not tell the kind of Chinese that is written.
_CHINESE = {"zh": "zho_Hans", "zh-Hant": "zho_Hant", "yue": "yue_Hant"}


def main() -> None:
    """Write the file, with columns `lang` and `text`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wordfreq", type=Path, required=True)
    parser.add_argument("--signs", type=Path, required=True)
    parser.add_argument("--names", type=Path, required=True)
    parser.add_argument("--parquet", type=new_file, required=True)
    options = parser.parse_args()
    names = names_of_signs(options.signs) + names_of_places(options.names)
    rows = in_own_script(drawn_texts(options.wordfreq) + names)
    with whole_file(options.parquet) as file:
        pq.write_table(pa.table({"lang": [code for code, _ in rows], "text": [text for _, text in rows]}), file)
    print(f"{options.parquet}: {len(rows)} texts, {len({code for code, _ in rows})} codes")


def in_own_script(rows: Rows) -> Rows:
    r"""Return the rows in the script that most texts of their language are in: of Korean those in Hangul.

    >>> in_own_script([("ko", "가나"), ("ko", "다"), ("ko", "the"), ("de", "das")])
    [('ko', '가나'), ('ko', '다'), ('de', 'das')]
    """
    scripts = [script_of(text) for _, text in rows]
    counts: dict[str, Counter[str]] = {}
    for (code, _), script in zip(rows, scripts, strict=True):
        counts.setdefault(code, Counter())[script] += 1
    most = {code: each.most_common(1)[0][0] for code, each in counts.items()}
    return [row for row, script in zip(rows, scripts, strict=True) if script == most[row[0]]]


def drawn_texts(folder: Path) -> Rows:
    """Return texts of words drawn by their frequency, `TEXTS` a language.

    Raises:
        SourceError: The folder holds no lists.
    """
    rows: Rows = []
    for number, file in enumerate(sorted(folder.glob("small_*.msgpack.gz"))):
        code = file.name.removeprefix("small_").split(".")[0]
        if code in _SKIPPED:
            continue
        words, frequencies = _frequencies(file)
        chances = frequencies**FLATTENED
        rng = np.random.default_rng((SEED, number))
        drawn = rng.choice(len(words), (TEXTS, MOST_WORDS), p=chances / chances.sum())
        lengths = rng.integers(1, MOST_WORDS + 1, TEXTS)
        gap = "" if code in ("ja", "zh") else " "
        name = _CHINESE.get(code, code)
        rows += [(name, gap.join(words[at] for at in row[:length])) for row, length in zip(drawn, lengths, strict=True)]
    if not rows:
        raise SourceError(f"{folder}: no lists of words; expected small_CODE.msgpack.gz")
    return rows


def _frequencies(file: Path) -> tuple[list[str], np.ndarray]:
    """Return the words of a list, and their frequencies: the list at place n holds words of 10^(-n/100)."""
    content = _Reader(gzip.decompress(file.read_bytes())).read()
    if not isinstance(content, list) or not isinstance(content[0], dict) or content[0].get("format") != "cB":
        raise SourceError(f"{file}: not a list of words by hundredths of a power of ten, as wordfreq 3 has them")
    pairs = [(word, place) for place, words in enumerate(content[1:]) for word in words if not word.isdigit()]
    return [word for word, _ in pairs], 10.0 ** (-np.array([place for _, place in pairs]) / 100)


class _Reader:
    """What MessagePack's bytes say, as far as lists of words need it: lists, maps, strings and small numbers."""

    def __init__(self, data: bytes) -> None:
        self.data, self.place = data, 0

    def read(self) -> object:
        kind = self._take(1)[0]
        if kind < 0x80:
            return kind
        if kind < 0x90:
            return {self.read(): self.read() for _ in range(kind & 0x0F)}
        if kind < 0xA0 or kind in (0xDC, 0xDD):
            return [self.read() for _ in range(self._size(kind, 0x0F, {0xDC: 2, 0xDD: 4}))]
        if kind < 0xC0 or kind in (0xD9, 0xDA):
            return self._take(self._size(kind, 0x1F, {0xD9: 1, 0xDA: 2})).decode()
        raise SourceError(f"a list of words: found the unknown sign {kind:#x} at byte {self.place - 1}")

    def _size(self, kind: int, mask: int, widths: dict[int, int]) -> int:
        return int.from_bytes(self._take(widths[kind])) if kind in widths else kind & mask

    def _take(self, count: int) -> bytes:
        self.place += count
        return self.data[self.place - count : self.place]


def names_of_signs(folder: Path) -> Rows:
    """Return a text a sign and language: its name and what else it is called. Left out are those of several languages.

    Raises:
        SourceError: The folder holds no names.
    """
    rows: Rows = []
    for code, file in _files(folder, "annotations.json"):
        signs = json.loads(file.read_text())["annotations"].get("annotations", {})
        rows += [
            (code, " ".join(dict.fromkeys([*own.get("tts", []), *own.get("default", [])]))) for own in signs.values()
        ]
    return _of_one_language(rows, folder)


def names_of_places(folder: Path) -> Rows:
    """Return the names of countries and languages in each language. Left out are those of several languages.

    Raises:
        SourceError: The folder holds no names.
    """
    rows: Rows = []
    for part in ("languages", "territories"):
        for code, file in _files(folder, f"{part}.json"):
            (content,) = json.loads(file.read_text())["main"].values()
            rows += [(code, name) for name in content["localeDisplayNames"].get(part, {}).values()]
    return _of_one_language(rows, folder)


def _files(folder: Path, name: str) -> list[tuple[str, Path]]:
    """Return the files of languages as a whole, not of regions, with the code that their rows are to have."""
    files = []
    for file in sorted(folder.glob(f"*/{name}")):
        code = file.parent.name
        is_regional = any(len(part) != 4 for part in code.split("-")[1:])
        if code not in ("und", *_SKIPPED) and not is_regional:
            files.append((_CHINESE.get(code, code), file))
    return files


def _of_one_language(rows: Rows, folder: Path) -> Rows:
    if not rows:
        raise SourceError(f"{folder}: no names; expected a folder a language, as CLDR's packages have them")
    seen = Counter(text for _, text in set(rows))
    return [(code, text) for code, text in rows if seen[text] == 1]


if __name__ == "__main__":
    main()
