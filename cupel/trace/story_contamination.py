"""The story of whether an item is wanted, as lines: who was asked, where it lies, what the audit vouches for."""

from collections.abc import Iterator

from cupel.figures import bound, percent, plural, setting
from cupel.trace.lines import BAD, FAINT, GOOD, Line, number, shown
from cupel.trace.reading import Row
from cupel.trace.stages import Contamination
from cupel.trace.story import answer_lines, heading
from cupel.trace.trace import Trace

PURPOSES = ("contamination", "contamination_audit")
USES = {
    "pilot": "people were asked about it: drawn at random, to learn from and to choose the cuts by",
    "train": "people were asked about it: to learn from, because the model was in doubt",
    "audit": "people were asked about it: drawn at random for the audit, which trained nothing",
    "known": "people had judged it under an earlier design; it trains, and is never audited",
}
STATUS = {"bounded": GOOD, "open": "yellow"}


def contamination_lines(trace: Trace) -> Iterator[Line]:
    """Yield what people and model say of whether the item is wanted; nothing where the project declares nothing."""
    found = trace.contamination
    if found is None:
        return
    plan, result = found.plan, found.result
    yield heading("Contamination", "not begun" if plan is None else f"is it {shown(plan['good'])}?")
    said = [answer for answer in trace.answers if answer.purpose in PURPOSES]
    for answer in said:
        yield from answer_lines(trace, answer)
    for task in found.tasks:
        if not task["is_answered"]:
            yield Line(f"open: question to an expert: {shown(task['reason'])}", "yellow")
    yield from _place(found)
    if plan is not None and result is not None:
        yield from _result(plan, result)


def _place(found: Contamination) -> Iterator[Line]:
    """Yield what the item was asked for, and whether it lies before the cut."""
    item, result = found.item, found.result
    if item is None:
        is_out = found.sifted is not None and found.sifted["reason"] is not None
        yield Line("rules or duplicates dropped it, so nobody was asked" if is_out else "not looked at yet", FAINT)
        return
    yield Line(USES.get(item["use"], "nobody was asked about it"), FAINT if item["use"] is None else "")
    if item["rank"] is None:
        frozen = found.plan is not None and found.plan["status"] == "frozen"
        yield Line("it has no rank: people said what it is" if frozen else "it has no rank yet", FAINT)
        return
    place = f"rank {item['rank']:,} (1 is the least suspicious), score {number(item['score'])}"
    cut = None if result is None else result["cut"]
    if cut is None:
        yield Line(f"{place}; the cut is not known yet")
    elif item["rank"] <= cut:
        yield Line(f"{place}; before the cut at {cut:,}, where the audit vouches for it", GOOD)
    else:
        yield Line(f"{place}; behind the cut at {cut:,}", BAD)


def _result(plan: Row, result: Row) -> Iterator[Line]:
    yield Line(f"the whole batch: {shown(result['status'])}: {shown(result['reason'], 1_000)}",
               STATUS.get(result["status"], BAD))  # fmt: skip
    yield Line(
        f"attempt {plan['attempt']}; {plan['trained']:,} answers to learn from, {result['audited']:,} of the audit; "
        f"{percent(result['share_before'])} {shown(plan['what'])} before (estimate)"
    )
    if result["bound"] is not None:
        yield Line(
            f"at most {bound(result['bound'])} of the {plural(result['kept'], 'item')} that are kept "
            f"{'is' if result['kept'] == 1 else 'are'} {shown(plan['what'])} (allowed {setting(plan['at_most'])}, "
            f"confidence {setting(plan['confidence'])})"
        )
