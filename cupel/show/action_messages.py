"""Telling: what was done about annotators, in lines for the terminal; warnings are counted, deeds are named."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from cupel.figures import plural
from cupel.lake.annotator_actions import Action

# Deeds named one by one in a batch; the others are counted.
MOST_NAMED = 5


def format_actions(actions: Sequence[Action]) -> Iterator[str]:
    """Yield lines that tell what was done, a delivery and a deed at a time.

    A warning changes nothing, so of warnings there is one line, with their count and where they are to be read;
    of what takes weight from somebody's answers, the first few with the reason, then how many more.

    Args:
        actions: In the order of the log.
    """
    ordered = sorted(actions, key=lambda action: (action.batch, action.deed))
    for (batch, deed), some in groupby(ordered, key=lambda action: (action.batch, action.deed)):
        own = list(some)
        if deed == "warn":
            yield f"{batch}: {_counted(own)}; their answers count whole; see annotator_findings"
            continue
        for action in own[:MOST_NAMED]:
            yield f"{batch}: {deed.replace('_', ' ')} annotator {action.annotator}: {action.why}"
        if len(own) > MOST_NAMED:
            rest = plural(len(own) - MOST_NAMED, "more annotator")
            yield f"{batch}: {deed.replace('_', ' ')} {rest}; see annotator_findings"


def _counted(actions: Sequence[Action]) -> str:
    """Return how many warnings of which kind there are."""
    kinds = Counter(action.finding for action in actions)
    people = plural(len({action.annotator for action in actions}), "annotator")
    return f"warning of {people} ({', '.join(f'{kind} {kinds[kind]:,}' for kind in sorted(kinds))})"
