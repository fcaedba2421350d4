"""Prodigy's records: a decision on a label, choices among options, spans; what was rejected or ignored is no label."""

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from cupel.exchange.imports.answer_labels import label_answer, label_objects, name_of_span
from cupel.exchange.imports.file import File, first_records, tool_records
from cupel.exchange.imports.item_identity import choose_id_field, content_of
from cupel.exchange.imports.tool import ReadOptions, Tool
from cupel.people.tool_annotation import (
    Annotation,
    Notice,
    Read,
    ReadChoices,
    as_id,
    as_time,
    entries,
    fields_of,
    unread_keys,
)
from cupel.sources.class_values import value_text
from cupel.sources.reasons import BadRow, Row, evidence

ANSWERS = ("accept", "reject", "ignore")
HASHES = ("_input_hash", "_task_hash")
CONTENT = ("text", "image", "html", "audio", "video")
OF_ANSWER = ("answer", "label", "accept", "options", "spans", "relations", "tokens", "_timestamp", *HASHES)
# A session that nobody named has the time at which it began.
_TIME_OF_SESSION = re.compile(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d\Z")


class Decision(NamedTuple):
    """A record that was decided on: the answer without a label, the record, and the person or session that gave it."""

    given: Annotation
    row: Row
    session: str | None

    @property
    def is_of_label(self) -> bool:
        """Whether one label was accepted or rejected as a whole."""
        record = self.row.values
        return as_id(record.get("label")) is not None and "options" not in record and not _is_manual(record)

    @property
    def is_of_spans(self) -> bool:
        """Whether spans were answered; beside a label or options they show what made it likely."""
        return _is_manual(self.row.values) or not (self.is_of_label or "options" in self.row.values)


def _is_manual(record: dict[str, Any]) -> bool:
    """Tell whether spans were drawn by hand, or several interfaces were shown at once."""
    view = str(record.get("_view_id"))
    return view.endswith("manual") or view == "blocks"


def is_prodigy(file: File) -> bool:
    """Tell whether Prodigy wrote a file, by its hashes or by what was decided in it."""
    return any(_is_record(record) for record in first_records(file))


def _is_record(record: dict[str, Any]) -> bool:
    if all(key in record for key in HASHES):
        return True
    shows = any(isinstance(record.get(key), str) for key in CONTENT)
    says = any(key in record for key in ("label", "spans", "accept", "options"))
    return record.get("answer") in ANSWERS and shows and says


def read_prodigy(file: File, options: ReadOptions) -> Read:
    """Yield the annotations of a file, in its order; an item is named by `_input_hash`.

    Labels that one person accepted for one input, each by itself, are choices of one answer; of several decisions on
    one label the latest counts.

    Raises:
        SourceError: No record has a hash or an id, and no field was named.
    """
    rows = tool_records(file)
    there = [row.values for row in rows if isinstance(row, Row)]
    field = choose_id_field(str(file.path), there, ("_input_hash", "id"), options)
    decisions: list[Decision | BadRow] = []
    for row in rows:
        decisions.append(row if isinstance(row, BadRow) else _decide(file.path.name, row, field, options))
    yield from _notices(file.path.name, decisions)
    grouped = _group_labels([one for one in decisions if isinstance(one, Decision)])
    for one in decisions:
        if isinstance(one, BadRow):
            yield one
            continue
        record = one.row.values
        if not one.is_of_label:
            yield from _read_decision(one, options.read)
        elif id(record) in grouped:
            yield from _read_labels(grouped[id(record)], options.read)
        yield from _tell_keys(one, field)


def _decide(name: str, row: Row, field: str | None, options: ReadOptions) -> Decision | BadRow:
    record = row.values
    item = as_id(record.get(field)) if field is not None else f"{name}:{row.line}"
    if item is None:
        return BadRow(row.line, "missing_id", evidence(record))
    session = as_id(record.get("_annotator_id")) or as_id(record.get("_session_id"))
    who = None if session is None or _TIME_OF_SESSION.match(session) else session
    fields = {key: value for key, value in record.items() if key not in OF_ANSWER and not key.startswith("_")}
    shown = {key: record[key] for key in CONTENT if key in record}
    given = Annotation(
        row.line, item, "", who, answered_at=_read_time(record.get("_timestamp")), fields=fields,
        content=content_of(shown or fields),
    )  # fmt: skip
    return Decision(given, row, who or options.annotator or session)


def _read_time(value: object) -> datetime | None:
    return as_time(value * 1000) if isinstance(value, int | float) else None


def _notices(name: str, decisions: list[Decision | BadRow]) -> Iterator[Notice]:
    found = [one for one in decisions if isinstance(one, Decision)]
    texts = {
        as_id(option.get("id")): value_text(option.get("text"))
        for one in found
        for option in entries(one.row.values.get("options"))
        if value_text(option.get("text")) != as_id(option.get("id"))
    }
    if texts:
        yield Notice(
            f"{name}: labels are ids of options: {', '.join(f'{key} is {texts[key]!r}' for key in list(texts)[:20])}"
        )
    if any(one.given.annotator is None and one.session is not None for one in found):
        yield Notice(f"{name}: sessions are named by the time at which they began: who answered is not told")


def _group_labels(decisions: list[Decision]) -> dict[int, list[Decision]]:
    """Return decisions on labels by input and person, under the first record of each; nobody's stand by themselves."""
    groups: dict[object, list[Decision]] = {}
    for place, one in enumerate(decisions):
        if one.is_of_label:
            groups.setdefault((one.given.item_id, one.session) if one.session else place, []).append(one)
    return {id(found[0].row.values): found for found in groups.values()}


def _read_labels(found: list[Decision], read: ReadChoices) -> Read:
    """Yield the labels that one person accepted for an input as one answer; of each the latest decision counts."""
    latest: dict[str | None, Decision] = {}
    for one in sorted(found, key=lambda one: (one.given.answered_at is not None, str(one.given.answered_at))):
        label = as_id(one.row.values.get("label"))
        if label in latest:
            before = latest[label]
            yield BadRow(before.given.line, "earlier_version", evidence(f"{before.given.item_id}: {label}"))
        latest[label] = one
    accepted = [one for one in latest.values() if _state(one.row.values) is None]
    for one in latest.values():
        if (state := _state(one.row.values)) is not None:
            yield BadRow(one.given.line, state, evidence(f"{one.given.item_id}: {one.row.values['label']}"))
    if accepted:
        choices: list[object] = [one.row.values["label"] for one in accepted]
        yield label_answer(accepted[-1].given._replace(line=accepted[0].given.line), choices, read)


def _state(record: dict[str, Any]) -> str | None:
    """Return the reason for which a record is no answer; None where it is accepted."""
    states = {"reject": "rejected", "ignore": "skipped"}
    answer = record.get("answer")
    return None if answer == "accept" else states.get(str(answer), "not_finished" if not answer else "unexpected_shape")


def _read_decision(one: Decision, read: ReadChoices) -> Read:
    """Yield the choices of a record and its spans."""
    given, record = one.given, one.row.values
    state = _state(record)
    accepted = record.get("accept")
    choices = accepted if isinstance(accepted, list) else [] if accepted is None else [accepted]
    if state is not None:
        said = ", ".join(map(str, choices or [span.get("label") for span in entries(record.get("spans"))]))
        yield BadRow(
            given.line, state, evidence(f"{given.item_id}: {said or record.get('answer')}".removesuffix(": None"))
        )
        return
    spans = record.get("spans") if one.is_of_spans else None
    if choices or "options" in record or not spans:
        yield label_answer(given, choices, read)
    places: list[tuple[str, object]] = []
    for span in spans if isinstance(spans, list) else [spans] if spans else []:
        if isinstance(span, dict):
            places.append((_place_of(span), span.get("label")))
        else:
            yield BadRow(given.line, "unexpected_shape", evidence(f"{given.item_id}: {span!r}"))
    yield from label_objects(given, places)
    relations: Any = record.get("relations") or []
    for relation in relations if isinstance(relations, list) else [relations]:
        name = fields_of(relation).get("label", relation)
        yield BadRow(given.line, "other_kind", evidence(f"{given.item_id}: relation {name}"))
        yield from unread_keys(given.line, "relations[]", fields_of(relation), ("label",))


def _place_of(span: dict[str, Any]) -> str:
    """Return a name of the place of a span: its ends, or of an outline, which has no name in the file, its hash."""
    if span.get("start") is not None:
        return name_of_span(span["start"], span.get("end"))
    outline = {key: value for key, value in span.items() if key not in ("label", "color")}
    return hashlib.sha256(json.dumps(outline, sort_keys=True).encode()).hexdigest()[:12]


def _tell_keys(one: Decision, field: str | None) -> Read:
    line, record = one.given.line, one.row.values
    person = "_annotator_id" if record.get("_annotator_id") else "_session_id"
    own = ["answer", "_timestamp", "options", person, "meta", *CONTENT]
    own += ["label"] if one.is_of_label else ["accept", "relations"]
    own += ["spans"] if one.is_of_spans else []
    yield from unread_keys(line, "", record, own if field is None else [*own, field])
    for option in entries(record.get("options")):
        yield from unread_keys(line, "options[]", option, ("id", "text"))
    for span in entries(record.get("spans")) if one.is_of_spans else ():
        yield from unread_keys(line, "spans[]", span, ("start", "end", "label"))


PRODIGY = Tool("prodigy", is_prodigy, read_prodigy)
