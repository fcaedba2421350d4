"""Undecided answers: which experts say "cannot be decided" where others decide, more often than chance explains."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.stats import binom, hypergeom

from cupel.contract.item_numbers import Places, places, ranks

Flags = NDArray[np.bool_]

# The chance that anybody at all is named although nobody leaves more undecided than others would.
FALSE_CHANCE = 0.05
SAME_ITEMS, RANDOM_ITEMS = "the same items", "items drawn at random"


class UndecidedFinding(NamedTuple):
    """One expert, on what the comparison rests, and its counts.

    On the same items `undecided` counts those on which the other expert gave a label, and `others_undecided` those the
    other way round, of the items that both answered. On items drawn at random both are of all their answers there.
    `p_value` is adjusted for all experts and comparisons.
    """

    expert: str
    compared_on: str
    undecided: int
    answers: int
    others_undecided: int
    others_answers: int
    p_value: float


def find_undecided(answers: pa.Table, is_random: Flags) -> list[UndecidedFinding]:
    """Return the experts who leave undecided what others decide, the surest first.

    Where two experts answered an item, their first two answers are compared, for those are asked for whatever the first
    says. If both leave as much undecided, then of the items that only one of them decides each has the same chance to
    be the one (the exact sign test). Of items that one expert answered only those drawn at random are compared, by
    Fisher's exact test; who is asked about which item is not random, so that an expert who is given the harder ones
    may be named. Both are one-sided; p-values are adjusted by Holm's method over all of them.

    Not seen: experts who all leave the same items undecided, and those whose colleague on the same items does, too.

    Args:
        answers: Columns sequence, batch, item_id, annotator and label (null: undecided) of EXPERT_ANSWERS.
        is_random: Which rows speak of items that were drawn at random.

    Source: Holm (1979), Scandinavian Journal of Statistics 6(2).
    """
    answers = answers.append_column("is_random", pa.array(is_random)).filter(pc.is_valid(answers["annotator"]))
    answers = answers.sort_by("sequence")
    if not answers.num_rows:
        return []
    (item,) = places(answers)
    names = answers["annotator"].combine_chunks().dictionary_encode()
    expert = names.indices.to_numpy().astype(np.int64)
    is_first = ranks(item * len(names.dictionary) + expert) == 0  # of an expert on an item, the first answer
    is_undecided = np.asarray(pc.is_null(answers["label"]), np.bool_)
    kept = np.flatnonzero(is_first)
    rank = ranks(item[kept])
    first = {int(item[row]): int(row) for row in kept[rank == 0]}
    pairs = np.array([(first[int(item[row])], row) for row in kept[rank == 1]], np.int64).reshape(-1, 2)
    alone = np.setdiff1d(kept[rank == 0], pairs[:, 0])
    alone = alone[answers["is_random"].to_numpy()[alone]]
    known = names.dictionary.to_pylist()
    found = [
        *_on_the_same_items(expert, is_undecided, pairs, known),
        *_on_random_items(expert, is_undecided, alone, known),
    ]
    return _adjusted(found)


def _on_the_same_items(
    expert: Places, is_undecided: Flags, pairs: Places, known: list[str]
) -> Iterator[UndecidedFinding]:
    for who, name in enumerate(known):
        own = np.concatenate([pairs[expert[pairs[:, 0]] == who], pairs[expert[pairs[:, 1]] == who][:, ::-1]])
        mine, others = is_undecided[own[:, 0]], is_undecided[own[:, 1]]
        more, less = int((mine & ~others).sum()), int((others & ~mine).sum())
        if more:
            chance = float(binom.sf(more - 1, more + less, 0.5))
            yield UndecidedFinding(name, SAME_ITEMS, more, len(own), less, len(own), chance)
        elif len(own):
            yield UndecidedFinding(name, SAME_ITEMS, 0, len(own), less, len(own), 1.0)


def _on_random_items(expert: Places, is_undecided: Flags, rows: Places, known: list[str]) -> Iterator[UndecidedFinding]:
    size, undecided = len(rows), int(is_undecided[rows].sum())
    for who, name in enumerate(known):
        own = rows[expert[rows] == who]
        if 0 < len(own) < size:
            mine = int(is_undecided[own].sum())
            chance = float(hypergeom.sf(mine - 1, size, undecided, len(own)))
            yield UndecidedFinding(name, RANDOM_ITEMS, mine, len(own), undecided - mine, size - len(own), chance)


def _adjusted(tested: list[UndecidedFinding]) -> list[UndecidedFinding]:
    """Return those that count by Holm's method, with their adjusted p-values."""
    found, highest = [], 0.0
    ordered = sorted(tested, key=lambda one: (one.p_value, one.expert))
    for place, one in enumerate(ordered):
        highest = min(1.0, max(highest, one.p_value * (len(ordered) - place)))
        if highest > FALSE_CHANCE:
            break
        found.append(one._replace(p_value=highest))
    return found
