"""CoNLL's columns to spans: a token a line with its tag in the last column (BIO, IOB, BIOES or BILOU)."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from cupel.exchange.imports.bad_marks import BadMarkError
from cupel.exchange.imports.delimited import open_text
from cupel.exchange.imports.file import File
from cupel.exchange.imports.marks.drawn_answers import DrawnAnswer, DrawnMark, MarkTerms, ReadDrawn
from cupel.exchange.imports.marks.item_facts import ItemFacts
from cupel.marks.canonical_text import MarkForm
from cupel.people.tool_annotation import Notice
from cupel.sources.reasons import BadRow, evidence

TAG = re.compile(r"(?:[BIESLU]-(?P<name>.+)|O)\Z")
ENDINGS = frozenset({".conll", ".bio", ".iob"})
DOCUMENT = "-DOCSTART-"
# What a comment may say of the sentence after it; the names are those of CoNLL-U, and ours.
_COMMENT = re.compile(r"#\s*(item_id|sent_id|annotator|text|text_json)\s*=\s?(.*)\Z")
LINES_LOOKED_AT = 50


class TaggedToken(NamedTuple):
    """A token, its tag, and the line that they stand in."""

    line: int
    token: str
    tag: str


class TaggedSentence(NamedTuple):
    """Tokens up to an empty line, and what comments before them say."""

    line: int
    tokens: list[TaggedToken]
    comments: dict[str, str]


def is_conll(file: File) -> bool:
    """Tell whether a file is of tokens with tags: by its name, or the last column is a tag, and not always O."""
    if ENDINGS.intersection(file.path.suffixes):
        return True
    if file.format != "csv":
        return False
    lines = file.content[:65536].decode("utf-8", "replace").splitlines()[:LINES_LOOKED_AT]
    tags = [_split(line)[-1] for line in lines if line.strip() and not line.startswith("#") and len(_split(line)) > 1]
    return bool(tags) and all(TAG.match(tag) for tag in tags) and any(tag != "O" for tag in tags)


def read_conll(file: File, form: MarkForm, terms: MarkTerms) -> ReadDrawn:
    """Yield the spans of each sentence, in the file's order; one without any is an answer.

    A sentence, up to an empty line, is an item, by `# item_id = …` or `# sent_id = …` before it, else `file:line`. Its
    text is that of the item or of `# text = …`, in which its tokens must stand, else its tokens with a space between.
    A tag I that follows no tag of its class begins a span, as CoNLL-2003 writes it.
    """
    begun, joined = 0, 0
    for sentence in _sentences(open_text(file.content)):
        comments = sentence.comments
        item = comments.get("item_id") or comments.get("sent_id") or f"{file.path.name}:{sentence.line}"
        try:
            known = terms.items.get(item)
            text = _text(sentence, known.text if known else None)
            joined += text is None
            shown = " ".join(one.token for one in sentence.tokens) if text is None else text
            facts = terms.facts_of(item, ItemFacts(text=shown))
            marks, count = _spans(sentence.tokens, _places(sentence.tokens, shown))
            begun += count
            yield DrawnAnswer(sentence.line, item, marks, facts, comments.get("annotator") or None)
        except BadMarkError as bad:
            yield BadRow(sentence.line, bad.reason, evidence(f"{item}, {bad.found}"))
    if joined:
        yield Notice(
            f"{file.path.name}: {joined:,} texts are their tokens with a space between: the file has no others"
        )
    if begun:
        yield Notice(f"{file.path.name}: {begun:,} spans begin with I, E or L: taken as beginnings, as CoNLL-2003's")


def _sentences(lines: Iterable[str]) -> Iterator[TaggedSentence]:
    tokens: list[TaggedToken] = []
    comments: dict[str, str] = {}
    first = 1
    for number, line in enumerate(lines, 1):
        text = line.rstrip("\n")
        cells = _split(text)
        if not cells or cells[0] == DOCUMENT:
            if tokens or comments:
                yield TaggedSentence(first, tokens, comments)
            tokens, comments = [], {}
        elif text.startswith("#") and not tokens and (comment := _COMMENT.match(text)):
            first = first if comments else number
            comments[comment[1]] = comment[2]
        elif not (text.startswith("# ") and not tokens):
            first = number if not tokens and not comments else first
            tokens.append(TaggedToken(number, cells[0], cells[-1] if len(cells) > 1 else ""))
    if tokens or comments:
        yield TaggedSentence(first, tokens, comments)


def _split(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("\t")] if "\t" in line else line.split()


def _text(sentence: TaggedSentence, known: str | None) -> str | None:
    """Return the text of a sentence; None where only its tokens are there."""
    said = sentence.comments.get("text")
    if "text_json" in sentence.comments:
        try:
            said = json.loads(sentence.comments["text_json"])
        except (ValueError, RecursionError):
            raise BadMarkError("other_content", "# text_json: no JSON") from None
    if said is not None and known is not None and said != known:
        raise BadMarkError("other_content", f"# text: {said[:60]!r}, the item's is {known[:60]!r}")
    return said if known is None else known


def _places(tokens: Iterable[TaggedToken], text: str) -> list[tuple[int, int]]:
    """Return where each token stands in a text, one after another with nothing but white space between."""
    places, end = [], 0
    for line, token, _ in tokens:
        start = text.find(token, end)
        if start < 0 or text[end:start].strip():
            raise BadMarkError(
                "broken_tag", f"line {line}: token {token[:60]!r} does not stand at place {end} of the text"
            )
        end = start + len(token)
        places.append((start, end))
    return places


def _spans(tokens: list[TaggedToken], places: list[tuple[int, int]]) -> tuple[list[DrawnMark], int]:
    """Return the spans of tags, and how many begin without a tag that says so."""
    marks: list[DrawnMark] = []
    begun, is_open = 0, False
    for (line, _, tag), (start, end) in zip(tokens, places, strict=True):
        found = TAG.match(tag)
        if found is None:
            raise BadMarkError("broken_tag", f"line {line}: tag {tag[:60]!r}, expected O, B-…, I-…, E-… or S-…")
        name, letter = found["name"], tag[0]
        if name is not None:
            if letter in "IEL" and is_open and marks[-1].name == name:
                marks[-1] = marks[-1]._replace(edges=(marks[-1].edges[0], end))
            else:
                begun += letter in "IEL"
                marks.append(DrawnMark(f"line {line}", name, (start, end)))
        is_open = letter in "BI"
    return marks, begun
