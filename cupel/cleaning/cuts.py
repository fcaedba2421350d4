"""What each threshold would reject: the histogram of its signal with the cut, before a project sets it."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cupel.cleaning.decide import RULES
from cupel.cleaning.web_rules import Asked, asked, needed, thresholds, values
from cupel.config.cleaning import Cleaning, RuleSet, WebRules

Reals = NDArray[np.float64]
BINS = 24
# The histogram reaches from one of these quantiles to the other; what lies beyond is counted at its ends.
ENDS = (0.005, 0.995)
BARS = " ▁▂▃▄▅▆▇█"
ALL_SETS: tuple[RuleSet, ...] = ("gopher_quality", "gopher_repetition", "c4", "fineweb")


class Cut(NamedTuple):
    """A threshold and the signal that it cuts.

    Attributes:
        name: The reason of what it rejects.
        setting: Where the project sets it.
        comparison: at least or at most.
        threshold: As it holds for the language of most items; None where it is off.
        is_asked: The project asks it.
        items: Items that were measured.
        rejected: Those that it would reject, each by the threshold of its language.
        counts: Items in each bin of the histogram.
        edges: Ends of the bins, one more than there are bins; empty where nothing was measured.
    """

    name: str
    setting: str
    comparison: str
    threshold: float | None
    is_asked: bool
    items: int
    rejected: int
    counts: tuple[int, ...]
    edges: tuple[float, ...]

    @property
    def rejected_share(self) -> float:
        """Share of the measured items that it would reject."""
        return self.rejected / self.items if self.items else 0.0


def cuts(settings: Cleaning, read: Callable[[Sequence[str]], pa.Table]) -> Iterator[Cut]:
    """Yield every threshold that cleaning knows, asked or not, with the histogram of its signal.

    Args:
        settings: The project's; rules that it does not ask are shown with the thresholds that they would have.
        read: Returns some columns of `item_signals`, all rows.
    """
    for rule in RULES:
        threshold = getattr(settings, rule.setting)
        found = np.asarray(read([rule.measure])[rule.measure].to_numpy(), np.float64)
        comparison = "at least" if rule.is_least else "at most"
        limits = None if threshold is None else np.full(len(found), float(threshold))
        yield _cut(rule.reason, rule.setting, comparison, threshold, threshold is not None, found, limits)
    everything = settings.web_rules.model_copy(update={"sets": ALL_SETS})
    for name in ALL_SETS:
        yield from _web_cuts(everything.model_copy(update={"sets": (name,)}), name in settings.web_rules.sets, read)


def _web_cuts(settings: WebRules, is_asked: bool, read: Callable[[Sequence[str]], pa.Table]) -> Iterator[Cut]:
    signals = read(needed(settings))
    encoded = signals["language"].combine_chunks().dictionary_encode()
    languages, which = encoded.dictionary.to_pylist(), encoded.indices.to_numpy()
    commonest = int(np.bincount(which).argmax()) if len(which) else 0
    for rule in asked(settings):
        by_language = thresholds(rule, languages, settings)
        threshold = float(by_language[commonest]) if languages else rule.rule.threshold
        found, limits = values(rule.rule, signals), by_language[which] if languages else np.empty(0)
        yield _cut(rule.name, _setting(rule), rule.rule.comparison, threshold, is_asked, found, limits)


def _setting(rule: Asked) -> str:
    return f"web_rules.thresholds.{rule.name}"


def _cut(
    name: str, setting: str, comparison: str, threshold: float | None, is_asked: bool, found: Reals,
    limits: Reals | None,
) -> Cut:  # fmt: skip
    is_measured = ~np.isnan(found)
    found = found[is_measured]
    rejected = 0
    if limits is not None:
        limits = limits[is_measured]
        rejected = int(np.count_nonzero(found < limits if comparison == "at least" else found > limits))
    counts, edges = _histogram(found, threshold)
    return Cut(name, setting, comparison, threshold, is_asked, len(found), rejected, counts, edges)


def _histogram(found: Reals, threshold: float | None) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Return counts and edges; the range takes in the threshold where the values reach it at all."""
    if not len(found):
        return (), ()
    low, high = np.quantile(found, ENDS)
    if threshold is not None and found.min() <= threshold <= found.max():
        low, high = min(low, threshold), max(high, threshold)
    if low == high:
        high = low + 1
    counts, edges = np.histogram(np.clip(found, low, high), BINS, (low, high))
    return tuple(counts.tolist()), tuple(edges.tolist())


def bars(cut: Cut) -> str:
    """Return a histogram as one line, with the cut as `|`; the height of a bar is the root of its count.

    >>> bars(Cut("x", "x", "at most", 1.0, True, 5, 1, (4, 0, 1), (0.0, 0.5, 1.0, 1.5)))
    '0 █ |▄ 1.5'
    """
    if not cut.counts:
        return ""
    most = max(cut.counts)
    line = [BARS[int(np.ceil((count / most) ** 0.5 * (len(BARS) - 1)))] for count in cut.counts]
    if cut.threshold is not None:
        place = int(np.searchsorted(cut.edges, cut.threshold, "left"))
        if 0 <= place <= len(cut.counts) and cut.edges[0] <= cut.threshold <= cut.edges[-1]:
            line.insert(place, "|")
    return f"{cut.edges[0]:.4g} {''.join(line)} {cut.edges[-1]:.4g}"


def cuts_table(found: Sequence[Cut]) -> str:
    """Return the thresholds as a Markdown table, for the page."""
    rows = [
        f"| {cut.name} | {'off' if cut.threshold is None else f'{cut.comparison} {cut.threshold:g}'} "
        f"| {'yes' if cut.is_asked else 'no'} | {cut.rejected_share:.2%} | `{bars(cut).replace('|', '¦')}` |"
        for cut in found
    ]
    head = "| would be rejected as | threshold | asked | share | signal, with the cut |"
    return "\n".join([head, "| --- | --- | --- | --- | --- |", *rows])
