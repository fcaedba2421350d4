"""The story of a label in a release as lines: frozen, audited, judged, handed over; and what it all rests on."""

from collections.abc import Iterator

from cupel.errors import CupelError
from cupel.figures import bound, percent, plural, setting
from cupel.release.terms import words_by_licence
from cupel.show.audit_words import accepted_until
from cupel.trace.lines import BAD, FAINT, GOOD, Line, command, number, short, shown
from cupel.trace.releases import Released
from cupel.trace.story import answer_lines, gate_lines, heading
from cupel.trace.trace import Trace


def outcome(trace: Trace) -> Line:
    """Return what became of the label, in a sentence."""
    found = trace.release
    if trace.raw.rejected is not None:
        return Line("Not released: the row could not become an item.", BAD, 0)
    if trace.cleaning.rejected is not None and (found is None or found.item is None):
        return Line("Not released: cleaning rejected the item.", BAD, 0)
    if found is None:
        return Line(f"Not released: {_no_release(trace)}.", "yellow", 0)
    if found.training is not None:
        row = found.training
        return Line(
            f"Released in {found.release} as {shown(row['label'])}, decided by {shown(row['decided_by'])}, "
            f"split {shown(row['split'])}.", GOOD, 0,
        )  # fmt: skip
    if found.withheld is not None:
        return Line(f"Withheld from {found.release}: {shown(found.withheld['reason'])}.", "yellow", 0)
    return Line(f"Not released: {_why_not(found)}.", BAD if _is_refused(found) else "yellow", 0)


def _no_release(trace: Trace) -> str:
    if any(not task["is_answered"] for task in trace.labeling.tasks):
        return "an annotator's answer is awaited"
    return "no release of its batch is planned yet" if trace.checking.label else "it has no label yet"


def _is_refused(found: Released) -> bool:
    return found.plan["status"] == "refused" or (found.audit_result or {}).get("status") == "refused"


def _why_not(found: Released) -> str:
    if found.plan["status"] == "refused":
        return f"{found.release} was refused before its audit: {shown(found.plan['reason'], 1_000)}"
    if found.left_out is not None:
        return f"{found.release} holds a copy of it under a better licence, {shown(found.left_out['evidence'])}"
    if found.item is None:
        return f"{found.release} froze the batch without this item"
    result = found.audit_result
    if result is None:
        return f"{found.release} is frozen; its audit has not begun"
    if result["status"] != "certified":
        word = "was refused" if result["status"] == "refused" else "is open"
        return f"{found.release} {word}: {shown(result['reason'], 1_000)}"
    failed = [gate.row["check"] for gate in found.gates if _is_closed(gate.row)]
    if failed:
        return f"{found.release} is certified, but its gate is closed by {', '.join(map(shown, failed))}"
    return f"{found.release} is certified; its training set is not written yet"


def _is_closed(row: dict[str, object]) -> bool:
    return row["outcome"] == "open" or (row["outcome"] == "fail" and row["severity"] == "critical")


def release_lines(trace: Trace, all_gates: bool) -> Iterator[Line]:
    """Yield the release that was chosen, and which others hold the item."""
    found = trace.release
    yield heading("Release", "none of its batch is planned" if found is None else found.release)
    if found is None:
        return
    held = [one.release for one in trace.standings if one.is_held]
    if len(held) > 1 or (held and found.release not in held):
        others = [name for name in held if name != found.release]
        latest = " (the latest)" if held[0] == found.release else ""
        yield Line(f"{plural(len(held), 'release')} hold the item; this is {found.release}{latest}", "yellow")
        name = f"{trace.label_id.batch}/{trace.label_id.item_id}"
        for other in others:
            yield Line(command(trace.label_id.project, name, other), FAINT, 2)
    yield from _frozen(trace.label_id.project, found)
    yield from _experts(trace, found)
    if found.item is None and found.plan["status"] != "refused":
        return
    yield from _verdict(found)
    yield from gate_lines(found.gates, all_gates)
    yield from _certificate(found)
    yield from _handed_over(found)


def _end(found: Released) -> str:
    """Return what the accepted labels end at; a plan that cannot be read is told of elsewhere."""
    try:
        return accepted_until(found.terms.design)
    except CupelError:
        return "the cut"


def _licence(found: Released, licence: str) -> Iterator[Line]:
    """Yield the terms of the item's licence, and whether they let it in."""
    try:
        terms = found.terms.licence_terms
    except CupelError as error:
        yield Line(f"terms cannot be told: {error}", BAD)
        return
    if terms is None:
        return
    words, why = words_by_licence(terms.licences).get(licence, "unknown"), terms.why_forbidden(licence)
    yield Line(f"licence {shown(licence)}: {shown(words)}")
    verdict = f"forbids it: {shown(why)}" if why else "lets it in"
    yield Line(f"held to the purpose {terms.purpose} on {terms.day}: {verdict}", BAD if why else GOOD, 2)


def _frozen(project: str, found: Released) -> Iterator[Line]:
    plan, item = found.plan, found.item
    if plan["status"] == "refused":
        yield Line(f"refused before its audit: {shown(plan['reason'], 1_000)}", BAD)
        return
    yield Line(
        f"attempt {plan['attempt']}, {plural(plan['items'], 'item')} frozen, "
        f"knows the answers up to #{plan['answers_until']}"
    )
    if plan["reason"]:
        yield Line(shown(plan["reason"], 1_000), FAINT, 2)
    if found.left_out is not None:
        copy = found.left_out["evidence"]
        yield Line(f"left out: it holds a copy of this item under a better licence, {shown(copy)}", "yellow")
        yield Line(command(project, copy, found.release), FAINT, 2)
        return
    if item is None:
        yield Line("it does not hold this item", BAD)
        return
    yield from _licence(found, item["licence"])
    rank, is_accepted = item["risk_rank"], found.is_accepted
    yield Line(f"frozen label: {shown(item['label'])}, by {shown(item['decided_by'])}")
    yield Line(
        f"risk rank {rank:,} of {plan['items']:,} (1 is the safest), log-odds {number(item['log_odds'])}; "
        f"split {shown(item['split'])}, group {shown(item['group_id'])}"
    )
    yield Line("drawn for the audit" if item["is_audited"] else "not drawn for the audit")
    end = _end(found)
    if is_accepted is None:
        yield Line(f"before or behind {end}: not known yet", FAINT)
    elif is_accepted:
        yield Line(f"before {end}: the label stands without an expert, but for errors that the audit found")
    else:
        yield Line(f"behind {end}: experts decide")


def _experts(trace: Trace, found: Released) -> Iterator[Line]:
    said = [answer for answer in trace.answers if answer.purpose in ("round", "audit", "expert")]
    if not said and found.item is not None:
        is_judged = found.audit is not None or found.adjudication is not None
        yield Line("no expert has answered yet" if is_judged else "no expert was asked", FAINT)
    for answer in said:
        yield from answer_lines(trace, answer)
    for task in found.tasks:
        if not task["is_answered"]:
            yield Line(
                f"open: question {task['slot']} to an {shown(task['asked_of'])}: {shown(task['reason'])}", "yellow"
            )


def _verdict(found: Released) -> Iterator[Line]:
    for name, row in (("audit", found.audit), ("adjudication", found.adjudication)):
        if row is None:
            continue
        if not row["is_settled"]:
            yield Line(f"{name}: not settled after {plural(row['answers'], 'answer')}", "yellow")
        elif row["is_contested"]:
            yield Line(f"{name}: contested: experts stay split after {plural(row['answers'], 'answer')}", "yellow")
        else:
            right = "differs from the frozen label" if row["is_wrong"] else "the frozen label is right"
            said = f"{name}: the experts say {shown(row['expert_label'])}: {right}"
            yield Line(said, BAD if row["is_wrong"] else GOOD)


def _certificate(found: Released) -> Iterator[Line]:
    result, certificate = found.audit_result, found.certificate
    if result is None:
        yield Line("audit: not computed yet", FAINT)
        return
    yield Line(
        f"the whole release: {result['status']}: {shown(result['reason'], 1_000)}", _status_colour(result["status"])
    )
    yield Line(
        f"audit: {result['audited']:,} judged, {result['audit_wrong']:,} wrong, "
        f"{result['audit_contested']:,} contested; "
        f"accepted up to {_end(found)}: {result['accepted']:,} of {result['items']:,}; "
        f"{result['adjudicated']:,} adjudicated"
    )
    if result["error_bound"] is not None:
        yield Line(
            f"at most {bound(result['error_bound'])} of the labels are wrong, contested aside (budget "
            f"{setting(result['error_budget'])}); {bound(result['error_bound_with_contested'])} with contested "
            f"counted wrong; confidence {setting(result['confidence'])}; experts saw "
            f"{percent(result['experts_seen_share'])}"
        )
    if certificate is None:
        yield Line("no certificate yet", FAINT)
    else:
        yield Line(f"certificate: {shown(certificate['status'])}, of the items {short(certificate['items_sha256'])}")
        yield Line(shown(certificate["wording"], 2_000), FAINT, 2)


def _status_colour(status: str) -> str:
    return {"certified": GOOD, "refused": BAD}.get(status, "yellow")


def _handed_over(found: Released) -> Iterator[Line]:
    if found.training is not None:
        row = found.training
        said = f"released as {shown(row['label'])}, decided by {shown(row['decided_by'])}, split {shown(row['split'])}"
        yield Line(said, GOOD)
    elif found.withheld is not None:
        yield Line(f"withheld: {shown(found.withheld['reason'])}", "yellow")
    else:
        yield Line(f"not released: {_why_not(found)}", "yellow")
        return
    folder = found.folder
    if folder is None:
        yield Line("the release's folder is not in the lake", "yellow")
        return
    if folder.file is not None:
        is_same = "as its manifest says" if folder.file.is_intact else "ALTERED: not what its manifest says"
        yield Line(f"file {folder.file.path}, sha256 {short(folder.file.sha256)}, {is_same}",
                   GOOD if folder.file.is_intact else BAD)  # fmt: skip
    yield Line(f"folder {shown(folder.path, 2_000)}")
    yield Line(f"release_sha256 {shown(folder.release_sha256)}")


def table_lines(trace: Trace) -> Iterator[Line]:
    """Yield what of the tables behind the trace is not as it should be: gone, changed since the release, damaged."""
    there = [used for used in trace.tables if used.hash is not None]
    changed = [used for used in there if used.is_changed]
    if trace.release is None:
        says = f"{plural(len(there), 'table')} in the lake"
    else:
        says = f"{plural(len(there), 'table')}, {len(changed) or 'none'} changed since {trace.release.release}"
    yield heading("Rests on", says)
    for used in changed:
        yield Line(f"{used.name}: {short(used.hash)} now; the release was made from {short(used.frozen)}", "yellow")
    missing = [used.name for used in trace.tables if used.hash is None]
    if missing:
        yield Line(f"not there (yet): {', '.join(missing)}", FAINT)
    for problem in trace.problems:
        yield Line(f"could not be read: {shown(problem, 1_000)}", BAD)
