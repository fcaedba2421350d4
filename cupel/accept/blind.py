"""What an auditor may see of a delivery: never the delivered label, nor a column that gives it away."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from cupel.accept.delivery import Delivery
from cupel.accept.item_files import FileProblem, ItemFile, ItemFolder, is_location
from cupel.accept.label_rules import ONE_CLASS, LabelRules
from cupel.errors import AuditError

# Columns that speak of the labelling, not of the item: with them an auditor is no longer independent.
TELLING_NAME = re.compile(
    r"label|class|annot|confiden|score|prob|predict|gold|truth|vote|agree|answer|choice|lead_time|trust|taint|approv"
    r"|reject|review(?!s?_?(text|body|title)|$)|assignment",
    re.IGNORECASE,
)
# Columns that name people: who labelled, reviewed or was asked. An auditor who knows is not independent of them.
PEOPLE_NAME = re.compile(
    r"worker|rater|tagger|coder|labell?er|reviewer|assignee|operator|editor|contributor|participant|employee|e_?mail"
    r"|user(_?name|_?id)?$|person(_?name|_?id)?$|_by$|^by$|session",
    re.IGNORECASE,
)
# Values that are addresses of people, whatever the column is called.
PERSON = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+\Z")
LEAST_PEOPLE = 0.5
# A column that removes more than this share of the doubt about the label is held to determine it.
MOST_DOUBT_REMOVED = 0.5
FEWEST_ROWS_TO_TELL = 20
BINS = 10
# A path or link that names its own label this often was sorted by label.
MOST_LINKS_NAMING_LABEL = 0.5


class Shown(NamedTuple):
    """Columns that the sheet shows, the first of them the item itself; and those it does not, with the reason.

    `text_column` is None where the delivery has nothing to show but the item's id.
    """

    text_column: str | None
    others: tuple[str, ...]
    dropped: dict[str, str]


def shown_columns(delivery: Delivery, files: ItemFolder | None = None, rules: LabelRules = ONE_CLASS) -> Shown:
    """Choose what the auditor sees.

    Args:
        delivery: The delivery.
        files: Its folder, of which media files are copied under neutral names.
        rules: Say which words tell a label.

    Returns:
        The column of the item, and every other column that neither speaks of the labelling, nor contains the
        row's own label, nor lets one guess it.

    Raises:
        AuditError: What shows the item gives its label away: a path such as `positive/17.jpg`.
    """
    labels = [one.label for one in delivery.labels]
    words = {label: rules.choices_of(label) or (label,) for label in set(labels)}
    text = delivery.columns.text
    content = [one.text if text else one.item_id for one in delivery.labels]
    name = text or delivery.columns.id or "row"
    _refuse_telling_paths(delivery, files or ItemFolder(delivery.path), name, content, labels, words)
    dropped = {delivery.columns.label: "the delivered label"}
    if delivery.columns.annotator:
        dropped[delivery.columns.annotator] = "who gave the label"
    if delivery.columns.id and text:
        dropped[delivery.columns.id] = "the item's id; a row code stands for it"
    others = []
    for name, values in delivery.fields.items():
        reason = _gives_away(name, values, labels, words)
        if reason is None:
            others.append(name)
        else:
            dropped[name] = reason
    return Shown(text, tuple(others), dropped)


def _gives_away(
    name: str, values: Sequence[str | None], labels: Sequence[str], words: Mapping[str, Sequence[str]]
) -> str | None:
    """Return why a column may not be shown, or None."""
    if TELLING_NAME.search(name):
        return "its name speaks of the labelling"
    filled = [value.strip() for value in values if value and value.strip()]
    if not filled:
        return "it is empty"
    if PEOPLE_NAME.search(re.sub(r"[\s-]+", "_", name)) or sum(
        bool(PERSON.match(value)) for value in filled
    ) > LEAST_PEOPLE * len(filled):
        return "it names people"
    for value, label in zip(values, labels, strict=True):
        if value and any(names_label(value, word) for word in words[label]):
            return f"it contains the label ({value[:40]!r})"
    bins = _binned(values)
    if doubt_removed(values, labels) > MOST_DOUBT_REMOVED or (
        bins and doubt_removed(bins, labels) > MOST_DOUBT_REMOVED
    ):
        return "its values tell the label"
    return None


def names_label(value: str, label: str) -> bool:
    """Tell whether a value contains a label as a word of its own, whatever the case.

    >>> names_label("img/Positive_17.jpg", "positive"), names_label("2001", "1")
    (True, False)
    """
    text, word = value.casefold(), label.casefold()
    start = text.find(word)
    while start >= 0:
        end = start + len(word)
        if not (text[start - 1 : start].isalnum() or text[end : end + 1].isalnum()):
            return True
        start = text.find(word, start + 1)
    return False


def doubt_removed(values: Sequence[str | None], labels: Sequence[str]) -> float:
    """Return how much better a column guesses the label than the most frequent label does.

    Each row's label is guessed from the other rows with the same value, so values that occur once tell nothing.

    Args:
        values: One a row.
        labels: One a row.

    Returns:
        Share of the wrong guesses that the column avoids: 1 where it determines the label, 0 where it tells
        nothing (or worse), and 0 where fewer than 20 rows share a value.

    >>> doubt_removed(["x", "y"] * 20, ["a", "b"] * 20)
    1.0
    """
    groups: dict[str | None, Counter[str]] = defaultdict(Counter)
    for value, label in zip(values, labels, strict=True):
        groups[value][label] += 1
    shared: Counter[str] = Counter()
    right = 0.0
    for counts in groups.values():
        size = counts.total()
        if size < 2:
            continue
        shared += counts
        top = sorted(counts.values(), reverse=True)
        # Without the row itself its label leads only if it still does with one row less.
        right += top[0] if top[0] - 1 >= (top[1] if len(top) > 1 else 0) else 0
    total = shared.total()
    if total < FEWEST_ROWS_TO_TELL:
        return 0.0
    base = max(shared.values())
    return max(0.0, (right - base) / (total - base)) if total > base else 0.0


def _binned(values: Sequence[str | None]) -> list[str | None]:
    """Return numbers as their tenth of the column; an empty list where the column is not numeric."""
    try:
        numbers = [float(value) for value in values if value]
    except ValueError:
        return []
    if len(numbers) != len(values):
        return []
    ordered = sorted(numbers)
    edges = [ordered[len(ordered) * step // BINS] for step in range(1, BINS)]
    return [str(sum(number >= edge for edge in edges)) for number in numbers]


def _refuse_telling_paths(
    delivery: Delivery,
    files: ItemFolder,
    name: str,
    content: Sequence[str | None],
    labels: Sequence[str],
    words: Mapping[str, Sequence[str]],
) -> None:
    """Raise where links name their own label; media files beside the delivery are copied under neutral names."""
    links = [
        (value, label)
        for value, label in zip(content, labels, strict=True)
        if value and is_location(value) and not isinstance(files.find(value), ItemFile)
    ]
    telling = [(value, label) for value, label in links if any(names_label(value, word) for word in words[label])]
    if len(links) < len(content) / 2 or len(telling) <= MOST_LINKS_NAMING_LABEL * len(links):
        return
    # A word that stands in every link, whatever its label, tells nothing.
    if len(set(labels)) > 1 and all(
        names_label(value, word) for value, _ in telling[:100] for label in set(labels) for word in words[label]
    ):
        return
    value, label = telling[0]
    problem = files.find(value)
    why = (
        f" (the file is not copied under a neutral name: {problem.reason})" if isinstance(problem, FileProblem) else ""
    )
    raise AuditError(
        f"{delivery.path}, column {name!r}: {value[:80]!r} names the delivered label {label!r}{why}, so an audit would "
        "not be blind; give the items neutral names, or name another column with --text"
    )
