"""The story of a label as lines, from the delivery to the labels; the release's part is in `story_release`."""

import math
from collections.abc import Iterator

from cupel.cleaning.reasons import REASONS as CLEANING_REASONS
from cupel.figures import figure, percent, plural
from cupel.people.answers.annotations import REASONS as ANSWER_REASONS
from cupel.sources.reasons import REASONS as ROW_REASONS
from cupel.trace.events import Answer
from cupel.trace.lines import BAD, FAINT, GOOD, HEADING, Line, command, number, posterior, quoted, short, shown
from cupel.trace.stages import MOST_NAMED, Gate
from cupel.trace.trace import Trace

TEXTS = ("item_id", "text", "text_sha256", "removed_lines")


def heading(title: str, says: str = "") -> Line:
    """Return the heading of a stage, and what comes to it in a few words."""
    return Line(f"{title}{': ' if says else ''}{says}", HEADING, 0)


def absent(trace: Trace, table: str, what: str) -> Line:
    """Return a line for what has no row: the table is not there yet, or it has none of the item."""
    is_there = trace.is_there(table, trace.label_id.batch)
    why = f"table {table} holds no row of it" if is_there else f"table {table} is not there (yet)"
    return Line(f"{what}: {why}", FAINT)


def raw_lines(trace: Trace) -> Iterator[Line]:
    """Yield where the item comes from."""
    yield heading("Raw", "the row as it was delivered")
    raw = trace.raw
    frozen = None if trace.release is None else trace.release.item
    row = raw.item or raw.rejected or trace.cleaning.kept or frozen
    if row is None:
        yield absent(trace, "raw_items", "not delivered under this id")
        return
    licence = row.get("licence") or (raw.file or {}).get("licence")
    yield Line(f"{shown(row['source_file'])}, row {number(row['line'])}; licence {shown(licence)}")
    if raw.file is None:
        yield absent(trace, "deliveries", "hash of the file is not known")
    else:
        yield Line(f"the file, {shown(raw.file['format'])}, has the sha256")
        yield Line(shown(raw.file["sha256"]), depth=2)
    if raw.rejected is not None:
        reason = raw.rejected["reason"]
        yield Line(f"rejected: {shown(reason)}: {ROW_REASONS.get(reason, 'no reason of today')}", BAD)
        yield Line(f"found: {quoted(raw.rejected['evidence'])}")
    elif raw.item is None:
        yield absent(trace, "raw_items", "the text as delivered is not known")
    else:
        yield Line(f"text as delivered: {quoted(raw.item['text'])}")
        yield Line(f"group: {shown(raw.item['group_id']) if raw.item['group_id'] else 'the source names none'}")
        if raw.item["fields"]:
            yield Line(f"other fields: {shown(raw.item['fields'])}")
    for other in raw.same_id[:MOST_NAMED]:
        yield Line(f"{shown(other['source_file'])}, row {other['line']:,} was rejected: it has the same id", FAINT)


def cleaning_lines(trace: Trace) -> Iterator[Line]:
    """Yield what was measured of the item, and whether it was kept."""
    found = trace.cleaning
    verdict = "rejected" if found.rejected else "kept" if found.kept else "not decided"
    yield heading("Cleaning", verdict)
    if found.signals is None:
        yield absent(trace, "item_signals", "not measured")
    else:
        if "text" in found.signals:
            is_same = trace.raw.item is not None and trace.raw.item["text"] == found.signals["text"]
            text = "as delivered" if is_same else quoted(found.signals["text"])
            yield Line(f"text, normalised and masked: {text}")
        # What the rules for web text ask about is in --json.
        measures = {name: value for name, value in found.signals.items() if name not in TEXTS and "scan_" not in name}
        yield Line("; ".join(_measure(name, value) for name, value in measures.items()))
    yield from _decision(trace)
    for row in found.similar[:MOST_NAMED]:
        other = f"{row['earlier_batch']}/{row['earlier_item_id']}"
        yield Line(f"resembles the earlier item {shown(other)}: similarity {number(row['similarity'])}")
    for row in found.resembled_by[:MOST_NAMED]:
        yield Line(f"the later item {shown(row['item_id'])} resembles it: similarity {number(row['similarity'])}")
    for row in found.dropped_for_it[:MOST_NAMED]:
        yield Line(f"item {shown(row['item_id'])} was dropped as its {row['reason'].replace('_', ' ')}")
    more = sum(max(0, len(rows) - MOST_NAMED) for rows in (found.similar, found.resembled_by, found.dropped_for_it))
    if more:
        yield Line(f"and {more:,} more such lines; --json has all", FAINT)


def _measure(name: str, value: float | bool | str | list[str] | None) -> str:
    words = name.replace("_", " ")
    if isinstance(value, list):
        return f"{words} {', '.join(value) or 'none'}"
    if isinstance(value, str):
        return f"{words} {shown(value)}"
    if isinstance(value, bool):
        return f"{words.removeprefix('is ')} {'yes' if value else 'no'}"
    return f"{words} {number(value)}"


def _decision(trace: Trace) -> Iterator[Line]:
    kept, rejected = trace.cleaning.kept, trace.cleaning.rejected
    if rejected is not None:
        reason = rejected["reason"]
        yield Line(f"rejected: {shown(reason)}: {CLEANING_REASONS.get(reason, 'no reason of today')}", BAD)
        yield Line(f"measured {number(rejected['value'])}, threshold {number(rejected['threshold'])}")
        if rejected["evidence"] is not None and not reason.endswith("_duplicate"):
            yield Line(f"evidence: {shown(rejected['evidence'])}")
        elif rejected["evidence"] is not None:
            yield Line(f"the item that was kept: {shown(rejected['evidence'])}")
            yield Line(f"trace it: {command(trace.label_id.project, rejected['evidence'])}")
    elif kept is not None:
        yield Line(f"kept; its group, which stays in one split: {shown(kept['group_id'])}", GOOD)
    elif trace.is_item:
        yield absent(trace, "clean_items", "neither kept nor rejected")


def labeling_lines(trace: Trace) -> Iterator[Line]:
    """Yield what annotators answered, and their consensus."""
    found = trace.labeling
    said = [answer for answer in trace.answers if answer.purpose == "label"]
    counted = sum(answer.standing.startswith("counted") for answer in said)
    yield heading("Labeling", f"{plural(len(said), 'answer')}, of which {counted} count")
    for answer in said:
        yield from answer_lines(trace, answer)
    for task in found.tasks:
        if not task["is_answered"]:
            yield Line(f"open: question {task['slot']} to an annotator: {shown(task['reason'])}", "yellow")
    for said_so in found.models:
        about = f"{shown(said_so['model'])}, version {shown(said_so['model_version'])}"
        yield Line(f"model {about}: {shown(said_so['label'])}; counted apart from people", GOOD)
    row = found.consensus
    if row is None:
        if trace.cleaning.rejected is None:
            yield absent(trace, "consensus", "no consensus")
        return
    majority = "a tie" if row["is_tie"] else shown(row["majority_label"])
    yield Line(f"{plural(row['votes'], 'vote')}: majority {majority}, agreement {percent(row['agreement'])}")
    chances = posterior(row["posterior"], trace.classes, row["consensus_label"], trace.parts)
    yield Line(f"consensus (Dawid-Skene): {shown(row['consensus_label'])}; posterior: {chances}")
    if trace.classes is None and trace.parts is None and row["posterior"] is not None:
        yield Line("names of the other classes: not in the lake before a release", FAINT)


def answer_lines(trace: Trace, answer: Answer) -> Iterator[Line]:
    """Yield an answer: who, when, what, how it came, whether it counted."""
    who = "somebody whom the source does not name" if answer.annotator is None else shown(answer.annotator)
    when = "no time recorded" if answer.answered_at is None else f"{answer.answered_at:%Y-%m-%d %H:%M:%S} UTC"
    took = "" if answer.seconds_spent is None else f", took {number(answer.seconds_spent)} s"
    label = "could not decide" if answer.label is None else shown(answer.label)
    yield Line(f"#{answer.sequence} {who}: {label}; {when}{took}; {answer.standing}", _colour(answer))
    if answer.reason is not None:
        meaning = ANSWER_REASONS.get(answer.reason, "no reason of today")
        yield Line(f"why not: {shown(answer.reason)}: {meaning}", depth=2)
    task = "came unasked" if answer.task_id is None else f"task {short(answer.task_id)}{_asked(trace, answer)}"
    yield Line(f"for {answer.purpose}, from {shown(answer.source)}; {task}; record {short(answer.hash)}", FAINT, 2)
    if not answer.is_chained:
        yield Line("the record is not what its hash covers, or the one before it is gone: the log was altered", BAD, 2)
    yield from _quality(trace, answer)


def _colour(answer: Answer) -> str:
    return GOOD if answer.standing.startswith("counted") else BAD if answer.standing == "not counted" else "yellow"


def _asked(trace: Trace, answer: Answer) -> str:
    """Return why an answer's question was asked."""
    asked = (*trace.labeling.tasks, *(trace.release.tasks if trace.release else ()))
    return next((f", {shown(task['reason'])}" for task in asked if task["task_id"] == answer.task_id), "")


def _quality(trace: Trace, answer: Answer) -> Iterator[Line]:
    if answer.purpose != "label":
        return
    known = [row for row in trace.labeling.annotators if row["annotator"] == answer.annotator]
    if answer.annotator is None:
        known = [row for row in trace.labeling.annotators if row["annotator"].startswith("anonymous")][-1:]
    for row in known:
        who, agrees = "annotator", percent(row["agreement_share"])
        quality = f"right {percent(row['quality'])} of the time (estimate)"
        if row["quality"] is None:
            who, quality = "annotators without a name", "quality not known"
        yield Line(
            f"{who}: {quality}, agreement with the others {agrees}, {row['answers']:,} answers",
            FAINT, 2,
        )  # fmt: skip


def checking_lines(trace: Trace) -> Iterator[Line]:
    """Yield the checker's opinion, the route and the label before the audit."""
    found = trace.checking
    yield heading("Checking", "" if found.label is None else f"label {shown(found.label['label'])}")
    row = found.prediction
    if row is None:
        yield absent(trace, "predictions", "no second opinion")
    else:
        opinion = "abstains" if row["predicted_label"] is None else f"says {shown(row['predicted_label'])}"
        yield Line(f"checker {shown(row['model'])}, version {short(row['model_version'])}, {opinion}")
        if row["posterior"] is not None:
            yield Line(f"posterior: {posterior(row['posterior'], trace.classes, row['predicted_label'], trace.parts)}")
        if row["fold"] is not None:
            yield Line(f"fold {row['fold']}: the model that answered never saw this item")
    if found.route is None:
        yield absent(trace, "routes", "no route")
    else:
        yield Line(f"people and checker: {shown(found.route['label'])}, {_odds(found.route['log_odds'])}")
        yield Line(f"route: {shown(found.route['route'])}: {shown(found.route['reason'])}")
    if found.label is None:
        yield absent(trace, "labels", "no label before the audit")
    else:
        yield Line(f"label before the audit: {shown(found.label['label'])}, by {shown(found.label['decided_by'])}")


def _odds(log_odds: float | None) -> str:
    if log_odds is None:
        return "no evidence"
    chance = 1 / (1 + math.exp(-max(-700.0, log_odds)))
    return f"log-odds {number(log_odds)} (as a chance, {'>99.99%' if chance > 0.9999 else percent(chance)})"


def other_lines(trace: Trace) -> Iterator[Line]:
    """Yield what further stages say of the item, a line a row."""
    stage = ""
    for other in trace.others:
        if other.stage != stage:
            stage = other.stage
            yield heading(stage.capitalize())
        values = {name: value for name, value in other.row.items() if name not in ("batch", "item_id")}
        told = ", ".join(f"{name} {shown(str(value))}" for name, value in values.items())
        yield Line(f"{other.table}: {told}")


def gate_lines(gates: tuple[Gate, ...], all_gates: bool) -> Iterator[Line]:
    """Yield the checks that did not pass or name the item, and how many others passed; or all of them."""
    if not gates:
        yield Line("gates: none has judged it yet", FAINT)
        return
    passed = sum(gate.row["outcome"] == "pass" for gate in gates)
    yield Line(f"gates: {passed} of {plural(len(gates), 'check')} passed", GOOD if passed == len(gates) else "yellow")
    for gate in gates:
        if all_gates or gate.names_item or gate.row["outcome"] != "pass" or not gate.is_of_now:
            yield from _gate(gate)


def _gate(gate: Gate) -> Iterator[Line]:
    row = gate.row
    bound = "" if row["bound"] is None else f", bound {figure(row['bound'], False)}"
    asked = "" if row["threshold"] is None else f"; {shown(row['comparison'])} {figure(row['threshold'], False)}"
    colour = {"pass": GOOD, "fail": BAD if row["severity"] == "critical" else "yellow"}.get(row["outcome"], "yellow")
    observed = f": observed {figure(row['observed'], False)}{bound}{asked}"
    yield Line(
        f"{shown(row['stage'])} {shown(row['check'])}: {row['outcome']} ({row['severity']}){observed}", colour, 2
    )
    if row["outcome"] != "pass":
        yield Line(shown(row["reason"]), FAINT, 3)
    if gate.names_item:
        yield Line("this item is among those that it names", "yellow", 3)
    if not gate.is_of_now:
        yield Line(f"it judged another {shown(row['table_name'])} than is there now", "yellow", 3)
