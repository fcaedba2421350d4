"""Looks at a delivery: what each draws, once it is frozen and its nonce is known."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

from cupel.accept.part_samples import BATCH, LookSamples, LookSizes, draw_samples, order_sheet
from cupel.accept.plan import LaterLook, NonceSource, Plan, hash_terms, make_seed
from cupel.certificate.attempts import attempt_alpha
from cupel.certificate.sample import draw
from cupel.certificate.sequence import Flags


class Drawn(NamedTuple):
    """A look that was drawn: its number and attempt, and the ids it added to those before, in the order of the sheet.

    `samples` is None where the ids are the sample of the whole, and nothing was drawn for a part.
    """

    look: int
    before: int
    ids: tuple[str, ...]
    attempt: int = 1
    samples: LookSamples | None = None

    @property
    def size(self) -> int:
        """Labels drawn so far, this look's included."""
        return self.before + len(self.ids)


def draw_look(plan: Plan, ids: Sequence[str], insides: Sequence[Flags] = ()) -> tuple[str, ...]:
    """Return the ids of the first look: in the order of the draw, where budgets of parts add to it in another one.

    Args:
        plan: The plan, with its seed.
        ids: Ids of all labels that may be judged, in any order.
        insides: For each part of the plan, which of them are of it.
    """
    if not plan.settings.budgets:
        return _draw(ids, plan.sizes[0], plan.seed)
    return _order_new(sample_first_look(plan, ids, insides), ids, plan.seed, ())


def sample_first_look(plan: Plan, ids: Sequence[str], insides: Sequence[Flags]) -> LookSamples:
    """Return the samples of the first look, of the whole and of each part; see `draw_look`."""
    sizes = LookSizes(plan.sizes[0], tuple((part.drawn, part.drawn_others) for part in plan.parts))
    return draw_samples(ids, insides, sizes, plan.seed)


def freeze_later_look(
    plan: Plan, look: int, before: int, attempt: int, whole_before: int = 0, wanted: LookSizes | None = None
) -> LaterLook:
    """Fix a later look; it is not drawn yet.

    Args:
        plan: The plan of the first.
        look: Its number.
        before: Labels drawn before it.
        attempt: Of the look.
        whole_before: Labels of the whole's samples before it.
        wanted: What it draws, where there are budgets of parts.
    """
    size = plan.sizes[look - 1] if wanted is None else whole_before + wanted.whole
    parts = None if wanted is None else wanted.parts
    return LaterLook(
        plan=plan.key, look=look, size=size, alpha=attempt_alpha(attempt), attempt=attempt, before=before, parts=parts,
        drawn=(),
    )  # fmt: skip


def draw_later_look(
    frozen: LaterLook, nonce: str, nonce_source: NonceSource, ids: Sequence[str], drawn: Collection[str],
    insides: Sequence[Flags] = (), earlier: Sequence[LookSamples] = (),
) -> LaterLook:  # fmt: skip
    """Return a later look with the ids it adds, a fresh draw among those that were not drawn before.

    Args:
        frozen: The look.
        nonce: What came after it was frozen.
        nonce_source: Where from.
        ids: Ids of all labels that may be judged, in any order.
        drawn: Ids of all looks before.
        insides: For each part of the plan, which of them are of it; needed where there are budgets of parts.
        earlier: The samples of all looks before, likewise.
    """
    freeze_sha256, seen = hash_terms(frozen), frozenset(drawn)
    seed = make_seed(freeze_sha256, nonce)
    update = {"freeze_sha256": freeze_sha256, "nonce": nonce, "nonce_source": nonce_source}
    if frozen.parts is None:
        rest = [item for item in ids if item not in seen]
        return frozen.model_copy(update=update | {"drawn": _draw(rest, frozen.size - len(seen), seed)})
    samples = sample_later_look(frozen.model_copy(update=update), ids, insides, earlier)
    return frozen.model_copy(update=update | {"drawn": _order_new(samples, ids, seed, seen)})


def sample_later_look(
    later: LaterLook, ids: Sequence[str], insides: Sequence[Flags], earlier: Sequence[LookSamples]
) -> LookSamples:
    """Return the samples of a later look with its nonce; see `draw_later_look`."""
    whole = later.size - sum(len(one.whole) for one in earlier)
    sizes = LookSizes(whole, later.parts or ())
    return draw_samples(ids, insides, sizes, make_seed(later.freeze_sha256, later.nonce), earlier)


def continue_draw(plan: Plan, ids: Sequence[str], look: int, before: int) -> LaterLook:
    """Plan a later look of version 1: the further items of the first look's draw; look j is attempt j."""
    drawn = _draw(ids, plan.sizes[look - 1], plan.seed)[before:]
    return LaterLook(plan=plan.key, look=look, size=plan.sizes[look - 1], alpha=attempt_alpha(look), drawn=drawn)


def find_samples(drawn: Drawn, places: dict[str, int], insides: Sequence[Flags]) -> LookSamples:
    """Return the samples of a look; where nothing was drawn for a part, its sample is what the whole's holds of it.

    Args:
        drawn: The look.
        places: Of all labels, by their ids.
        insides: For each part of the plan, which of them are of it.
    """
    if drawn.samples is not None:
        return drawn.samples
    whole = np.array([places[item] for item in drawn.ids], np.int64)
    return LookSamples(whole, tuple((whole[inside[whole]], whole[~inside[whole]]) for inside in insides))


def _order_new(samples: LookSamples, ids: Sequence[str], seed: int, seen: Collection[str]) -> tuple[str, ...]:
    return tuple(order_sheet([ids[place] for place in samples.places if ids[place] not in seen], seed))


def _draw(ids: Sequence[str], size: int, seed: int) -> tuple[str, ...]:
    return tuple(ids[position] for position in draw([(BATCH, item) for item in ids], size, seed))
