"""Planted items: items whose label the project knows, put to the auditors among all others, to see what they miss."""

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.answers.experts import verdicts
from cupel.answers.places import Places, places
from cupel.certificate.evidence import Plants
from cupel.certificate.sample import marks
from cupel.certificate.sequence import Flags
from cupel.contract.columns import TEXT
from cupel.contract.table import conform, empty
from cupel.contract.tables.release import PLANTED_ITEMS, PLANTED_VERDICTS
from cupel.errors import ReleaseError
from cupel.release.audit_design import terms_of
from cupel.release.names import Names
from cupel.release.second_audit import answers_for

_NAME = ["batch", "item_id"]


def planted_items(items: pa.Table, gold: Mapping[str, pa.Table], planted: int, seed: int) -> pa.Table:
    """Return the items of a release whose label is known, and draw those that are planted.

    Args:
        items: RELEASE_ITEMS; the columns release, batch, item_id and log_odds will do.
        gold: Known labels by batch, columns item_id and label; null or without a row where none is known.
        planted: How many are declared, at least 1.
        seed: Of the audit's draw.

    Returns:
        PLANTED_ITEMS, in the order of the items.

    Raises:
        ReleaseError: The release has fewer items of known label than are to be planted.
    """
    known = [_of_batch(batch, rows) for batch, rows in gold.items()]
    labels = pa.concat_tables([pa.table({name: pa.array([], TEXT) for name in (*_NAME, "known_label")}), *known])
    item, named = places(items, labels)
    row = pc.index_in(pa.array(item), value_set=pa.array(named))
    pool = items.select(["release", *_NAME, "log_odds"]).append_column("known_label", labels["known_label"].take(row))
    pool = pool.filter(pc.is_valid(pool["known_label"]))
    if pool.num_rows < planted:
        raise ReleaseError(
            f"release.certificate.planted_errors: found {planted}, but only {pool.num_rows} items of the release have "
            "a label in the file of labeling.gold; plant fewer, or give more known labels, in a new release"
        )
    is_planted = _drawn(pool, planted, seed)
    return conform(pool.drop_columns("log_odds").append_column("is_planted", pa.array(is_planted)), PLANTED_ITEMS)


def drawn_to_plant(plan: Mapping[str, Any], items: pa.Table, known: pa.Table) -> Flags:
    """Draw once more which items of known label are planted.

    Args:
        plan: Row of RELEASE_PLAN.
        items: RELEASE_ITEMS; the columns batch, item_id and log_odds will do.
        known: PLANTED_ITEMS.

    Returns:
        Flags of shape known.
    """
    named, item = places(known, items)
    row = pc.index_in(pa.array(named), value_set=pa.array(item))
    pool = known.select(_NAME).append_column("log_odds", items["log_odds"].take(row))
    return _drawn(pool, terms_of(plan).planted_errors, plan["seed"])


def planted_verdicts(plan: pa.Table, known: pa.Table, expert_answers: pa.Table) -> pa.Table:
    """Hold the known labels of planted items against what auditors say.

    Args:
        plan: RELEASE_PLAN of the release.
        known: PLANTED_ITEMS of the release.
        expert_answers: EXPERT_ANSWERS of the release.

    Returns:
        PLANTED_VERDICTS, in the order of the items.
    """
    planned = plan.to_pylist()[0]
    drawn = known.filter(known["is_planted"]).rename_columns({"known_label": "label"})
    answers = answers_for(planned, expert_answers, "audit")
    return verdicts(drawn, answers, planned["expert_answers"], PLANTED_VERDICTS)


def plants(ranked: pa.Table, planted: pa.Table | None) -> Plants | None:
    """Return planted items and their verdicts as arrays in risk order; None where there are none.

    Args:
        ranked: RELEASE_ITEMS in risk order; columns batch, item_id and label.
        planted: PLANTED_VERDICTS.
    """
    if planted is None or not planted.num_rows:
        return None
    item, named = places(ranked, planted)
    row = pc.index_in(pa.array(item), value_set=pa.array(named))
    said = planted.take(row)
    is_caught = pc.equal(said["expert_label"], said["label"])
    is_ours = pc.equal(said["expert_label"], ranked["label"])
    columns = (pc.is_valid(row), said["is_settled"], is_caught, pc.and_(is_ours, pc.invert(is_caught)))
    return Plants(*(pc.fill_null(column, False).to_numpy(zero_copy_only=False).astype(np.bool_) for column in columns))


def beside(planted: pa.Table | None, audit: pa.Table) -> pa.Table:
    """Return the planted items that the audit has not drawn: their questions are to be asked too.

    Args:
        planted: PLANTED_VERDICTS.
        audit: AUDIT.
    """
    if planted is None:
        return empty(PLANTED_VERDICTS)
    named, other = places(planted, audit)
    return planted.filter(pc.invert(pc.is_in(pa.array(named), value_set=pa.array(other))))


def _of_batch(batch: str, rows: pa.Table) -> pa.Table:
    known = rows.filter(pc.is_valid(rows["label"]))
    columns = [
        pa.repeat(pa.scalar(batch, TEXT), known.num_rows),
        known["item_id"].cast(TEXT),
        known["label"].cast(TEXT),
    ]
    return pa.table(columns, names=[*_NAME, "known_label"])


def _drawn(pool: pa.Table, size: int, seed: int) -> Flags:
    """Draw without replacement, each item with a weight: the chance that its label is wrong, by its log-odds.

    Wrong labels gather where the log-odds are low. Items that are as hard as those must be planted, else auditors
    look better than they are on what they are there to find.

    Source: Efraimidis and Spirakis (2006), Information Processing Letters 97(5).
    """
    digest = hashlib.sha256(f"planted/{seed}".encode()).digest()
    own = marks(Names(pool), int.from_bytes(digest[:8], "big") >> 1)
    with np.errstate(divide="ignore"):
        late = np.log(-np.log1p(-own)) + np.logaddexp(0.0, pool["log_odds"].to_numpy())
    order: Places = np.argsort(late, kind="stable")
    flags = np.zeros(pool.num_rows, np.bool_)
    flags[order[:size]] = True
    return flags
