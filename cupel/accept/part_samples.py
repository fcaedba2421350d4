"""The samples of a look: of the whole, and of each part, by the same order of the draw."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from cupel.certificate.hypergeometric import Integers
from cupel.certificate.sample import draw
from cupel.certificate.sequence import Flags

# The draw names items by batch and id; a delivery is one batch.
BATCH = "delivery"
# The sheet's rows stand in an order of their own: in that of the draw, those drawn for a part would stand together.
SHEET = "sheet"


class LookSizes(NamedTuple):
    """How many a look draws: of the whole, and at least of each part's items and of all others."""

    whole: int
    parts: tuple[tuple[int, int], ...] = ()


class LookSamples(NamedTuple):
    """Places of the items that a look drew: of the whole, and of each part's own items and of all others.

    Each is drawn of what the same sample of earlier looks left; one item may be in several.
    """

    whole: Integers
    parts: tuple[tuple[Integers, Integers], ...] = ()

    @property
    def places(self) -> Integers:
        """All of them, each once, ascending."""
        return np.unique(np.concatenate([self.whole, *(places for pair in self.parts for places in pair)]))


def draw_samples(
    ids: Sequence[str], insides: Sequence[Flags], sizes: LookSizes, seed: int, earlier: Sequence[LookSamples] = ()
) -> LookSamples:
    """Draw the samples of a look.

    All items have one order, by seed and id. The whole's sample are the first ones that it has not drawn before. That
    of a part are its own first ones: as many as are asked for, or as the whole's sample holds of those that it has
    not drawn before, whichever is more. So which of its items are drawn hangs on their order alone.

    Args:
        ids: Ids of all labels that may be judged.
        insides: For each part, which of them are of it.
        sizes: How many are drawn.
        seed: Of the look.
        earlier: The samples of the looks before.
    """
    order = np.array(draw([(BATCH, item) for item in ids], len(ids), seed), np.int64)
    whole = _leave_out(order, [one.whole for one in earlier])[: sizes.whole]
    in_whole = np.zeros(len(ids), np.bool_)
    in_whole[whole] = True
    parts = []
    for number, (inside, least) in enumerate(zip(insides, sizes.parts, strict=True)):
        own, others = (
            _draw_part(order[flags[order]], in_whole, size, [one.parts[number][side] for one in earlier])
            for side, (flags, size) in enumerate(zip((inside, ~inside), least, strict=True))
        )
        parts.append((own, others))
    return LookSamples(whole, tuple(parts))


def order_sheet(ids: Sequence[str], seed: int) -> list[str]:
    """Return ids in the order of a sheet, which tells neither why an item was drawn nor what it is."""
    return [ids[place] for place in draw([(SHEET, item) for item in ids], len(ids), seed)]


def _draw_part(order: Integers, in_whole: Flags, size: int, earlier: Sequence[Integers]) -> Integers:
    left = _leave_out(order, earlier)
    return left[: max(size, int(in_whole[left].sum()))]


def _leave_out(order: Integers, drawn: Sequence[Integers]) -> Integers:
    return order[~np.isin(order, np.concatenate(drawn))] if drawn else order
