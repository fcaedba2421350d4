"""Label fusion: what people and checker believe together of whole labels, fused part by part."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.checking.fusion import DECIMALS, Fusion, fuse_beliefs
from cupel.consensus.coding import Flags, Integers, Reals, by_item, lists_of, sorted_ids, vectors
from cupel.contract.columns import TEXT
from cupel.contract.kind import Part
from cupel.errors import TableError


class LabelFusion(NamedTuple):
    """What people and checker believe together of labels, one entry per item in ascending order of ids.

    `label` is the likeliest label; `log_odds` are those that all of it is right; `is_known` is false where there are
    neither answers nor an opinion; `parts` is the fusion of each part.
    """

    item_ids: pa.Array
    label: pa.Array
    log_odds: Reals
    is_known: Flags
    parts: tuple[Fusion, ...]

    @property
    def fit(self) -> float:
        """How likely experts' verdicts are, of all parts together; see `Fusion`."""
        return sum(part.fit for part in self.parts)


def fuse_parts(
    consensus: pa.Table,
    predictions: pa.Table,
    parts: Sequence[Part],
    split: Callable[[pa.Array], Integers],
    join: Callable[[Integers], pa.Array],
    verdicts: Mapping[str, str] | None = None,
) -> LabelFusion:
    """Return what people and checker believe together, each part fused by itself; see `fuse_beliefs`.

    A label is right where all of its parts are. Given what was answered, parts are taken to be right independently of
    each other: that only ranks labels, and bounds nothing.

    Args:
        consensus: CONSENSUS of one batch.
        predictions: PREDICTIONS of the same items.
        parts: The parts of a label.
        split: Returns labels as places, shape labels x parts.
        join: The inverse.
        verdicts: Experts' labels by item id; they weigh people against checker.

    Raises:
        TableError: The two tables hold different items, or a verdict speaks of an item or label not known.
    """
    ids = sorted_ids(consensus["item_id"])
    if not ids.equals(sorted_ids(predictions["item_id"])):
        raise TableError("tables consensus and predictions hold different items; make both of the same batch")
    width = sum(len(part.classes) for part in parts)
    crowd = vectors(by_item(consensus)["posterior"], width)
    model = vectors(by_item(predictions)["posterior"], width)
    item, judged = verdict_places(verdicts or {}, ids, split)
    found, end = [], 0
    for number, part in enumerate(parts):
        start, end = end, end + len(part.classes)
        said = (item, judged[:, number]) if verdicts else None
        found.append(fuse_beliefs(ids, crowd[:, start:end], model[:, start:end], said))
    is_known = np.any([one.is_known for one in found], axis=0)
    label = join(np.column_stack([one.label for one in found]))
    return LabelFusion(ids, label, log_odds_of_all([one.log_odds for one in found]), is_known, tuple(found))


def log_odds_of_all(log_odds: Sequence[Reals]) -> Reals:
    """Return the log-odds that all of several independent things are true, rounded to 6 decimals.

    Args:
        log_odds: Of each thing; one alone stays as it is.

    >>> log_odds_of_all([np.array([0.0]), np.array([0.0])]).tolist()
    [-1.098612]
    """
    if len(log_odds) == 1:
        return log_odds[0]
    chance = -np.sum([np.logaddexp(0.0, -one) for one in log_odds], axis=0)
    # Below a chance of one half the one form is exact, above it the other.
    with np.errstate(divide="ignore"):
        rest = np.where(chance > -np.log(2), np.log(-np.expm1(chance)), np.log1p(-np.exp(chance)))
    return np.asarray(np.round(np.clip(chance - rest, -700.0, 700.0), DECIMALS))


def lessons(
    consensus: pa.Table, found: LabelFusion, split: Callable[[pa.Array], Integers], verdicts: Mapping[str, str]
) -> pa.Table:
    """Return what a checker may be trained on in a further round: the joint belief, and experts' verdicts.

    Args:
        consensus: CONSENSUS of one batch.
        found: Its fusion.
        split: Returns labels as places, shape labels x parts.
        verdicts: Experts' labels by item id.

    Returns:
        CONSENSUS by item id, with that as its posterior; null where there are neither answers nor a verdict.

    Raises:
        TableError: A verdict speaks of an item or label not known.
    """
    table = by_item(consensus)
    item, label = verdict_places(verdicts, found.item_ids, split)
    posteriors = [part.posterior.copy() for part in found.parts]
    for number, posterior in enumerate(posteriors):
        posterior[item], posterior[item, label[:, number]] = 0.0, 1.0
    is_taught = np.asarray(pc.is_valid(table["posterior"]).to_numpy(), dtype=np.bool_).copy()
    is_taught[item] = True
    taught = lists_of(np.concatenate(posteriors, axis=1), is_taught)
    return table.set_column(table.column_names.index("posterior"), "posterior", taught)


def verdict_places(
    verdicts: Mapping[str, str], ids: pa.Array, split: Callable[[pa.Array], Integers]
) -> tuple[Integers, Integers]:
    """Return the places of items, and those of their labels' parts, in ascending order of items.

    Raises:
        TableError: An item or a label is not known.
    """
    names = sorted(verdicts)
    item = pc.index_in(pa.array(names, TEXT), value_set=ids)
    label = split(pa.array([verdicts[name] for name in names], TEXT))
    is_unknown = np.asarray((label < 0).any(axis=1), np.bool_)
    for is_bad, what in ((np.asarray(pc.is_null(item)), "item"), (is_unknown, "label of the project")):
        if is_bad.any():
            name = names[int(np.argmax(is_bad))]
            raise TableError(f"verdict {verdicts[name]!r} on item {name!r}: no such {what}; drop it or mend it")
    return np.asarray(item.to_numpy(zero_copy_only=False), np.int64), label
