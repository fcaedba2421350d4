"""Holding: which items of its batches a release holds, and whether their terms let it."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from cupel.cleaning.duplicates.kept_items import DuplicateRule
from cupel.contract.columns import TEXT
from cupel.contract.table import empty
from cupel.contract.tables.release import LEFT_OUT_ITEMS
from cupel.lake.step import Step
from cupel.release.copies import NEEDED_ITEMS, left_out_items
from cupel.release.terms import LicenceTerms, forbidden

_SIGNED = ["batch", "item_id", "text_sha256"]


class TermsCheck(NamedTuple):
    """LEFT_OUT_ITEMS, how many of the others their terms forbid, and why, a sentence a licence."""

    left_out: pa.Table
    forbidden: int
    problems: list[str]


def check_terms(step: Step, batches: Sequence[str], terms: LicenceTerms | None) -> TermsCheck:
    """Hold the clean items of some batches against each other and their terms.

    Args:
        step: A step whose partition is the release's name.
        batches: The release's batches, in the register's order, at least one.
        terms: What they are held to; None where the project names no licences: then nothing is left out or forbidden.
    """
    if terms is None:
        return TermsCheck(empty(LEFT_OUT_ITEMS), 0, [])
    items = pa.concat_tables(step.read("clean_items", batch, NEEDED_ITEMS) for batch in batches)
    left_out = empty(LEFT_OUT_ITEMS)
    if len(batches) > 1:
        similar = [(batch, step.read("similar_items", batch)) for batch in batches]
        order = [licence.name for licence in terms.licences]
        signed, rule = _signatures(step, batches, similar), DuplicateRule.of(step.project.cleaning)
        left_out = left_out_items(step.partition, items, signed, similar, order, rule)
    counts = Counter(items["licence"].to_pylist())
    counts.subtract(left_out["licence"].to_pylist())
    counts = +counts
    number = sum(counts[name] for name in counts if terms.why_forbidden(name))
    return TermsCheck(left_out, number, forbidden(terms, counts))


def _signatures(step: Step, batches: Sequence[str], similar: Sequence[tuple[str, pa.Table]]) -> pa.Table:
    """Return which texts the items of the batches have, and those of other batches that they resemble."""
    parts = [step.read("signatures", batch, _SIGNED) for batch in batches]
    pairs = pa.concat_tables(pairs.select(["earlier_batch", "earlier_item_id"]) for _, pairs in similar)
    for batch in sorted(set(pairs["earlier_batch"].unique().to_pylist()) - set(batches)):
        named = pairs.filter(pc.equal(pairs["earlier_batch"], batch))["earlier_item_id"].unique().cast(TEXT)
        own = step.read("signatures", batch, _SIGNED)
        parts.append(own.filter(pc.is_in(own["item_id"], value_set=named)))
    return pa.concat_tables(parts)
