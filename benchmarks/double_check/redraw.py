"""Crowds made of a folder's: labels drawn anew or left out, a class made rare. None of it is a method."""

import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.double_check.folder import Crowd, Gold
from cupel.errors import SourceError

LABELS_REDRAWN = 3
MOST_CROWDS = 40
SEED = 1912


def redrawn(crowd: Crowd, gold: Gold, counts: np.ndarray, seed: int, items: int | None = None) -> tuple[Crowd, Gold]:
    """Draw three labels for each item anew from the histogram of all its labels, which no method sees.

    Args:
        crowd: The folder's crowd.
        gold: Its gold; items without are left out.
        counts: Histogram of labels, shape rows of gold.csv x classes.
        seed: Of the draw.
        items: Items to draw with replacement, each with labels of its own; None takes each once.

    Returns:
        A crowd of three anonymous slots, and its gold.
    """
    rng = np.random.default_rng([SEED, seed])
    ids = list(gold.verdicts)
    places = np.arange(len(ids)) if items is None else np.sort(rng.choice(len(ids), items))
    names = [ids[place] if items is None else f"{ids[place]}/{number}" for number, place in enumerate(places)]
    votes = np.array([rng.multivariate_hypergeometric(row, LABELS_REDRAWN) for row in counts.astype(np.int64)[places]])
    drawn = np.repeat(np.tile(np.arange(votes.shape[1]), len(votes)), votes.ravel())
    label = rng.permuted(drawn.reshape(-1, LABELS_REDRAWN), axis=1).ravel()
    slots = [str(slot) for slot in range(LABELS_REDRAWN)]
    annotations = pa.table(
        {
            "item_id": pa.array(np.repeat(names, LABELS_REDRAWN).tolist()),
            "annotator": pa.array(slots * len(names)),
            "label": pa.array(crowd.classes, pa.string()).take(pa.array(label)),
        }
    )
    order = np.argsort(np.array(names, dtype=object), kind="stable")
    model = None
    if crowd.model is not None:
        before = {item: place for place, item in enumerate(crowd.item_ids)}
        model = crowd.model[[before[ids[places[place]]] for place in order]]
    new = crowd._replace(
        item_ids=tuple(names[place] for place in order),
        annotations=annotations,
        model=model,
        texts=None,
        features=None,
    )
    return new, Gold({name: gold.verdicts[ids[place]] for name, place in zip(names, places, strict=True)})


def thinned(crowd: Crowd, labels: int) -> Crowd:
    """Keep at most so many labels of each item, drawn at random, the same each time."""
    order = np.random.default_rng(SEED).permutation(crowd.annotations.num_rows)
    items = crowd.annotations["item_id"].to_pylist()
    seen: Counter[str] = Counter()
    kept = []
    for row in order.tolist():
        seen[items[row]] += 1
        if seen[items[row]] <= labels:
            kept.append(row)
    return crowd._replace(annotations=crowd.annotations.take(pa.array(sorted(kept))))


def crowds_of(
    folder: Path, crowd: Crowd, gold: Gold, replays: int, items: int | None
) -> Iterator[tuple[Crowd, Gold, int]]:
    """Yield crowds and how many audits each gets: the folder's own, or redrawn ones where it has counts.npy."""
    if not (folder / "counts.npy").is_file():
        yield crowd, gold, replays
        return
    counts = np.load(folder / "counts.npy", allow_pickle=False)
    crowds = min(replays, MOST_CROWDS)
    for number in range(crowds):
        here = math.ceil(replays * (number + 1) / crowds) - math.ceil(replays * number / crowds)
        yield *redrawn(crowd, gold, counts, number, items), here


def thin_class(crowd: Crowd, gold: Gold, share: float) -> tuple[Crowd, Gold, str]:
    """Drop items of the rarest class until it is so small a share of the items with gold.

    This makes another data set, by its gold; it is no method, and nothing is measured of what was dropped. Items
    without gold stay. Where the class is as rare already, nothing is dropped.

    Args:
        crowd: The folder's crowd.
        gold: Its gold.
        share: Of the class afterwards, between 0 and 1.

    Returns:
        The crowd, its gold, and the name of the class.

    Raises:
        SourceError: So small a share leaves no item of the class.
    """
    counts = Counter(gold.verdicts.values())
    name = min(sorted(counts), key=lambda label: counts[label])
    others = len(gold.verdicts) - counts[name]
    kept = min(counts[name], math.floor(share * others / (1 - share)))
    if kept < 1:
        raise SourceError(f"{crowd.name}: class {name!r} at a share of {share} of {others} others has no item left")
    items = sorted(item for item, label in gold.verdicts.items() if label == name)
    left = np.random.default_rng(SEED).permutation(len(items))[kept:]
    return *_without(crowd, gold, {items[place] for place in left}), name


def _without(crowd: Crowd, gold: Gold, dropped: set[str]) -> tuple[Crowd, Gold]:
    is_kept = np.array([item not in dropped for item in crowd.item_ids], np.bool_)
    ids = tuple(item for item in crowd.item_ids if item not in dropped)
    new = crowd._replace(
        item_ids=ids,
        annotations=crowd.annotations.filter(pc.is_in(crowd.annotations["item_id"], value_set=pa.array(ids))),
        texts=None if crowd.texts is None else crowd.texts.filter(pa.array(is_kept)),
        features=None if crowd.features is None else crowd.features[is_kept],
        model=None if crowd.model is None else crowd.model[is_kept],
        confidence=None if crowd.confidence is None else crowd.confidence[is_kept],
    )
    return new, Gold({item: label for item, label in gold.verdicts.items() if item not in dropped})
