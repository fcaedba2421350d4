"""Label Studio's JSON export to rows: one label a task, by a stated rule."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from cupel.errors import SourceError
from cupel.sources.reasons import BadRow, Row, evidence

LABEL = "label"
ANNOTATOR = "annotator"
RULE = (
    "One label a task is judged: the annotation marked as ground truth, else the only one, else the most frequent; "
    "a tie is rejected. Skipped annotations do not count."
)


def is_label_studio(found: list[Any]) -> bool:
    """Tell whether a JSON list is a Label Studio export: its first entry holds `data` and `annotations`."""
    return bool(found) and isinstance(found[0], dict) and isinstance(found[0].get("annotations"), list)


def label_studio_rows(name: str, tasks: list[Any], question: str | None) -> Iterator[Row | BadRow]:
    """Yield a row a task: its data, `id`, `label` and `annotator`.

    Args:
        name: The file, for errors.
        tasks: The export.
        question: Name of the control (`from_name`) to judge; None where there is only one.

    Yields:
        Rows in order. The annotator is null where the label stands for several annotators.

    Raises:
        SourceError: There are several questions and none was named, or the one named is not there.
    """
    asked = sorted({choice["from_name"] for task in tasks for note in _annotations(task) for choice in _choices(note)})
    if question is None and len(asked) > 1:
        raise SourceError(f"{name}: asks several questions ({', '.join(asked)}); name one with --label")
    if question is not None and question not in asked:
        raise SourceError(f"{name}: no question {question!r}; there is {', '.join(asked) or 'none with choices'}")
    for number, task in enumerate(tasks, 1):
        yield _row(number, task, question)


def _row(number: int, task: Any, question: str | None) -> Row | BadRow:
    if not isinstance(task, dict) or not isinstance(task.get("data"), dict):
        return BadRow(number, "not_an_object", evidence(task))
    given = [(note, _answer(note, question)) for note in _annotations(task)]
    several = [answer for _, answer in given if len(answer) > 1]
    if several:
        return BadRow(number, "several_choices", evidence(", ".join(several[0])))
    votes = [(note, answer[0]) for note, answer in given if answer]
    truths = {answer for note, answer in votes if note.get("ground_truth")}
    counts = Counter(truths or (answer for _, answer in votes))
    best = sorted(answer for answer, count in counts.items() if count == max(counts.values()))
    if len(best) > 1:
        return BadRow(number, "tie", evidence(", ".join(f"{answer}: {counts[answer]}" for answer in sorted(counts))))
    values = dict(task["data"])
    values.setdefault("id", task.get("id"))
    values[LABEL] = best[0] if best else None
    values[ANNOTATOR] = _person(votes[0][0].get("completed_by")) if len(votes) == 1 else None
    return Row(number, values)


def _annotations(task: Any) -> list[dict[str, Any]]:
    notes = task.get("annotations") if isinstance(task, dict) else None
    return [note for note in _list(notes) if isinstance(note, dict) and not note.get("was_cancelled")]


def _list(found: Any) -> list[Any]:
    """Return what should be a list; an export that was mended by hand may hold anything in its place."""
    return found if isinstance(found, list) else []


def _choices(note: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the regions of an annotation that hold choices."""
    return [
        {"from_name": str(region.get("from_name", "")), "choices": region["value"]["choices"]}
        for region in _list(note.get("result"))
        if isinstance(region, dict)
        and isinstance(region.get("value"), dict)
        and isinstance(region["value"].get("choices"), list)
    ]


def _answer(note: dict[str, Any], question: str | None) -> list[str]:
    return [
        str(choice)
        for region in _choices(note)
        if question is None or region["from_name"] == question
        for choice in region["choices"]
    ]


def _person(who: Any) -> str | None:
    """Return who annotated: an id, or of a record its e-mail address or id."""
    if isinstance(who, dict):
        who = who.get("email") or who.get("id")
    return None if who is None else str(who)
