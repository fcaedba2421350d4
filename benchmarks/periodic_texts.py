"""Texts of one, two or three characters again and again: does each step of cleaning take time in step with them?

Every step is run on every such text at two sizes; where four times the text takes more than `MOST_RATIO` times the
processor time, that is told. `--bytes` runs the larger size alone, and tells the slowest.

    .venv/bin/python -m benchmarks.periodic_texts [--json FILE] [--characters 20000] [--periods 1 2] [--steps NAME ...]
    .venv/bin/python -m benchmarks.periodic_texts --bytes 5000000 --seconds 20
"""

import argparse
import json
import math
import time
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import combinations, permutations
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa

from benchmarks.new_file import new_file
from cupel.cleaning.duplicates.fingerprints import ShingleShape, take_fingerprints
from cupel.cleaning.duplicates.folded_texts import hash_texts
from cupel.cleaning.line_repairs import c4_lines, unwrapped, without_policies, without_repeated
from cupel.cleaning.overlap.index import Index
from cupel.cleaning.overlap.references import Reference
from cupel.cleaning.repairs import without_mojibake
from cupel.cleaning.repeated_lines import repeated_lines
from cupel.modalities.text.languages.identify import identify
from cupel.modalities.text.normalise import are_normal, normalise
from cupel.modalities.text.privacy.addresses import addresses
from cupel.modalities.text.privacy.cards import cards
from cupel.modalities.text.privacy.emails import emails
from cupel.modalities.text.privacy.hints import may_be_private
from cupel.modalities.text.privacy.ibans import ibans
from cupel.modalities.text.privacy.mask import mask
from cupel.modalities.text.privacy.phones import phones
from cupel.modalities.text.quality import quality
from cupel.modalities.text.scan.basics import basics
from cupel.modalities.text.scan.measures import measures
from cupel.store.files import put_file

# All of ASCII that is no letter or digit, and a few of these; of Unicode what cleaning treats on its own: marks of two
# classes and one that decomposes, joiners, wide signs, spaces, ends of lines, dots, quotes, a sigma, letters that stand
# alone or compose, mojibake, hidden signs, flags, digits of another script.
ASCII = "".join(map(chr, range(0x21, 0x30))) + ":;<=>?@[\\]^_`{|}~" + "aAwn0157 \n\t\r"
UNICODE = (
    "\u0301\u0323\u0344\u200d\u200c\uff0d\uff10\uff20\xa0\u3000\u2028\u2026\u2019\u2022\u03a3\u4e2d\uac00\u1100\u1161\u0f0b"
    "\u094d\xe9\xc3\xa9\xe2\u20ac\u200b\u202e\U0001f3f4\U000e0067\u0661\ufeff\x07"
)  # fmt: skip
# Longer periods that look like the beginning of something.
LONGER = (
    "a@a.", "@a.", "a@.", "1-1-", "((((", "+1 +1", "+1 ", "+1", "1.1", "http://", "://", "www.", "[1]", "][", "[edit]",
    "...", "n't", "a'b", "DE1", "DE00", "4 4", "12 A", "1 A ", "A-A", "A. ", "A a", "5 St ", "Rua A ", "c/A ", "&a;",
    "<a>", "<a ", "%(a", "{a", "\\n", "e\u0301\u0323", "\u0323\u0301\u0344", "\u0301\u200b\u0323", "\u1100\u1161\u11a8",
    "\xc3\xa9\xe2", "\xe2\u20ac\u2122", "\r\n\n", " \n ", "\n\n\n", "a\n\n", "> a", "A\n", "\U0001f3f4\U000e0067",
    "\u4e2d\u3002", "lorem ipsu", "privacy polic", "<EMAIL-a", "\u03a3\u0301\u03a3", "1 rue A ", "Aa-1 ", "xn--",
    "@xn--a.", "a.a@", "//:", "(1)", "1/1/", "00:", "a-1-", "A-A-A-A-Aweg 1 ", "Avenida A B C D 1 ", "1 A A A A Ste ",
)  # fmt: skip
# What follows the run: a match that fails at its end may begin anew at every place.
TAILS = ("", " end", "\x00")
MOST_RATIO, LEAST_SECONDS, TRIES = 6.5, 0.02, 4

Step = Callable[[str], Any]


def _column(text: str) -> pa.Array:
    return pa.array([text], pa.large_string())


def _repeated(text: str) -> object:
    items = pa.table({"item_id": ["1", "2"], "text": [text, text]})
    return repeated_lines(_connection().from_arrow(items), 2)


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": 1})


_INDEX = Index([Reference("set, row 1", "one two three four five six seven eight nine ten", "eleven")])
STEPS: dict[str, Step] = {
    "scan": lambda text: measures(_column(text), ("the", "of"), threads=1),
    "basics": lambda text: basics(_column(text), threads=1),
    "quality": quality,
    "languages": lambda text: identify(_column(text), threads=1),
    "normal form NFC": normalise,
    "normal form NFKC": lambda text: normalise(text, "NFKC"),
    "quick check NFC": lambda text: are_normal(_column(text), "NFC"),
    "quick check NFKC": lambda text: are_normal(_column(text), "NFKC"),
    "mojibake": without_mojibake,
    "policy lines": without_policies,
    "unwrap": unwrapped,
    "C4 lines": c4_lines,
    "repeated lines removed": lambda text: without_repeated(text, frozenset()),
    "repeated lines": _repeated,
    "private hints": lambda text: may_be_private(_column(text)),
    "e-mail addresses": emails,
    "bank accounts": ibans,
    "cards": cards,
    "phones": lambda text: phones(text, "US"),
    "postal addresses": addresses,
    "mask": mask,
    "text hashes": lambda text: hash_texts(_column(text)),
    "shingles of characters": lambda text: take_fingerprints(_column(text), threads=1),
    "shingles of words": lambda text: take_fingerprints(_column(text), ShingleShape(3, of_words=True), threads=1),
    "overlap": lambda text: _INDEX.find(_column(text)),
}


class Timing(NamedTuple):
    """A step on a period and its tail: processor seconds of the text, and of four times the text where it was asked."""

    step: str
    period: str
    tail: str
    seconds: float
    seconds_of_four: float | None

    @property
    def ratio(self) -> float:
        """How much longer four times the text takes; 0 where it was not asked."""
        return 0.0 if self.seconds_of_four is None else self.seconds_of_four / max(self.seconds, 1e-9)


def periods(lengths: Iterable[int], signs: str = ASCII + UNICODE) -> Iterator[str]:
    """Yield what is repeated: single signs, pairs of two, triples of three (of those all orders), and longer ones."""
    for length in lengths:
        if length == 1:
            yield from signs
        elif length == 2:
            yield from map("".join, combinations(signs, 2))
        elif length == 3:
            yield from map("".join, permutations(signs, 3))
        else:
            yield from LONGER


def repeat(period: str, tail: str, characters: int) -> str:
    """Return a text of a period again and again."""
    return period * max(1, characters // len(period)) + tail


def time_step(step: Step, text: str) -> float:
    """Return the processor time that a step takes on a text, in seconds."""
    start = time.process_time()
    step(text)
    return time.process_time() - start


def compare_sizes(name: str, period: str, tail: str, characters: int) -> Timing:
    """Time a step on a text and on four times the text, again while the ratio looks bad; return the best."""
    once, four = (repeat(period, tail, size) for size in (characters, 4 * characters))
    best = Timing(name, period, tail, time_step(STEPS[name], once), time_step(STEPS[name], four))
    for _ in range(TRIES):
        if not is_bad(best):
            break
        # Noise only adds: of each size the least time is nearest to the truth.
        again = (time_step(STEPS[name], once), time_step(STEPS[name], four))
        best = best._replace(
            seconds=min(best.seconds, again[0]), seconds_of_four=min(best.seconds_of_four or 0.0, again[1])
        )
    return best


def is_bad(timing: Timing) -> bool:
    """Tell whether time grows faster than the text; what takes hardly any time is not judged."""
    return timing.ratio > MOST_RATIO and (timing.seconds_of_four or 0.0) > LEAST_SECONDS


def warm_up(names: Iterable[str]) -> None:
    """Run steps once, so that loops are compiled and tables made."""
    for name in names:
        for text in (
            "A few words, 12 Elm Street: a@b.org +1 415 555 2671.\n",
            "caf\u00c3\u00a9 \u03a3",
            "\u4e2d\u0301",
        ):
            STEPS[name](text)


def main() -> None:
    """Time, print what grows faster than its text or takes longest, and write the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=new_file)
    parser.add_argument("--characters", type=int, default=20_000)
    parser.add_argument("--bytes", type=int, help="run texts of so many bytes, once each")
    parser.add_argument("--seconds", type=float, default=10.0, help="with --bytes: tell what takes longer")
    parser.add_argument("--periods", type=int, nargs="+", default=[1, 2, 4], help="4 are the longer ones")
    parser.add_argument("--signs", default=ASCII + UNICODE)
    parser.add_argument("--tails", nargs="+", default=TAILS, help="what follows the run")
    parser.add_argument("--steps", nargs="+", default=list(STEPS), choices=list(STEPS))
    options = parser.parse_args()
    warm_up(options.steps)
    found: list[Timing] = []
    slow: list[Timing] = []
    for period in periods(options.periods, options.signs):
        for tail in options.tails:
            for name in options.steps:
                if options.bytes:
                    size = math.ceil(options.bytes / (len(period.encode()) / len(period)))
                    one = Timing(name, period, tail, time_step(STEPS[name], repeat(period, tail, size)), None)
                    is_told = one.seconds > options.seconds
                else:
                    one = compare_sizes(name, period, tail, options.characters)
                    is_told = is_bad(one)
                found.append(one)
                if is_told:
                    slow.append(one)
                    print(f"{name}: {period!r} {tail!r}: {one.seconds:.3f} s, ratio {one.ratio:.1f}", flush=True)
    print(f"{len(found):,} runs, {len(slow):,} told")
    for name in options.steps:
        worst = max((one for one in found if one.step == name), key=lambda one: one.seconds_of_four or one.seconds)
        print(f"  {name}: longest {worst.seconds_of_four or worst.seconds:.3f} s on {worst.period!r} {worst.tail!r}")
    if options.json:
        put_file(options.json, (json.dumps([one._asdict() for one in slow], indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
