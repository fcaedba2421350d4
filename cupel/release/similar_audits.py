"""Similar audits: items of a release that are near copies of what earlier releases had audited."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.certificate.families import Keys, find_keys, sort_keys
from cupel.certificate.hypergeometric import Integers
from cupel.certificate.sequence import Flags
from cupel.cleaning.duplicates.near_duplicates import match_texts
from cupel.cleaning.duplicates.similar_items import choose_shape
from cupel.cleaning.images.similar import similarity_of_bits
from cupel.config.project import Project
from cupel.lake.lake import Lake
from cupel.lake.step import Step
from cupel.modalities.text.privacy.tokens import KEYED
from cupel.release.earlier_audits import FOLDED, EarlierAudit, hash_released_texts, read_keys
from cupel.release.names import find_rows

# From this similarity on two texts are the same to the count of attempts, whatever cleaning calls a duplicate.
MOST_SIMILARITY = 0.8
_NAMES = ["batch", "item_id"]


class NewItems(NamedTuple):
    """The items of a release: their names, a row an item, and which of them no earlier release held as they are."""

    names: pa.Table
    is_new: Flags


def read_item_keys(step: Step, names: pa.Table, batches: Sequence[str]) -> Keys:
    """Return the keys of a release's items, a row an item.

    Args:
        step: A step whose partition is the release's name.
        names: Batch and item_id of each.
        batches: The release's batches.
    """
    signed = pa.concat_tables(step.read("signatures", batch, [*_NAMES, FOLDED]) for batch in batches)
    (rows,) = find_rows(signed, names.select(_NAMES))
    return read_keys(signed[FOLDED].take(pa.array(rows)))


def find_similar_audits(
    step: Step, items: NewItems, batches: Sequence[str], audits: Sequence[EarlierAudit], lake: Lake
) -> dict[str, Integers]:
    """Return for each earlier release the rows of new items that resemble one of its items.

    What cleaning compared it tells: a batch with those before it in the register. What an earlier release held that is
    in no such batch any more is compared by its stored texts. Items resemble each other from the similarity on that
    makes them duplicates in cleaning, for texts from `MOST_SIMILARITY` on at the latest: what was audited before is not
    for the project file to say.

    Args:
        step: A step whose partition is the release's name.
        items: Of the release.
        batches: The release's batches.
        audits: What came before.
        lake: Where the tables of the earlier releases are.
    """
    least = _least_similarity(step.project)
    if least is None or not items.is_new.any() or not audits:
        return {}
    found: dict[str, list[Integers]] = {audit.release: [] for audit in audits}
    for batch in batches:
        own = np.flatnonzero(items.is_new & np.asarray(pc.equal(items.names["batch"], batch)))
        if not len(own):
            continue
        rows, keys = _find_compared(step, batch, items.names, own, least)
        for audit in audits:
            found[audit.release].append(rows[find_keys(audit.keys, keys) >= 0])
            if step.project.modality.has_text:
                found[audit.release].append(_find_stored(step, batch, items.names, own, least, audit, lake))
    return {name: np.unique(np.concatenate(rows)) for name, rows in found.items() if any(map(len, rows))}


def _least_similarity(project: Project) -> float | None:
    if project.modality.has_text:
        return min(project.cleaning.duplicate_similarity or MOST_SIMILARITY, MOST_SIMILARITY)
    bits = project.images.duplicate_bits
    return None if bits is None else similarity_of_bits(bits)


def _find_compared(step: Step, batch: str, names: pa.Table, own: Integers, least: float) -> tuple[Integers, Keys]:
    """Return rows of a batch's items, and for each the key of an item before it that cleaning found it to resemble."""
    pairs = step.read("similar_items", batch)
    pairs = pairs.filter(pc.greater_equal(pairs["similarity"], least))
    wanted = names.take(pa.array(own)).select(_NAMES)
    (later,) = find_rows(wanted, pairs.select(["item_id"]).append_column("batch", _repeat(batch, pairs.num_rows)))
    pairs, later = pairs.filter(pa.array(later >= 0)), later[later >= 0]
    rows, keys = [np.empty(0, np.int64)], [np.empty((0, 2), np.uint64)]
    for earlier in pairs["earlier_batch"].unique().to_pylist():
        is_here = np.asarray(pc.equal(pairs["earlier_batch"], earlier))
        signed = step.lake.read("signatures", earlier, [*_NAMES, FOLDED])
        ids = pairs["earlier_item_id"].filter(pa.array(is_here))
        (place,) = find_rows(signed, pa.table({"batch": _repeat(earlier, len(ids)), "item_id": ids}))
        rows.append(own[later[is_here]][place >= 0])
        keys.append(read_keys(signed[FOLDED].take(pa.array(place[place >= 0]))))
    return np.concatenate(rows), np.concatenate(keys)


def _find_stored(
    step: Step, batch: str, names: pa.Table, own: Integers, least: float, audit: EarlierAudit, lake: Lake
) -> Integers:
    """Return rows of a batch's items that resemble a text of an earlier release which cleaning cannot have met."""
    others = _read_unmet_texts(step, batch, audit, lake)
    if others is None:
        return np.empty(0, np.int64)
    wanted = names["item_id"].take(pa.array(own)).combine_chunks()
    pieces = step.lake.read_batches("clean_items", batch, columns=["item_id", "text"])
    texts = pa.concat_tables(piece.filter(pc.is_in(piece["item_id"], value_set=wanted)) for piece in pieces)
    shape = choose_shape(step.project.cleaning)
    matched = np.unique(match_texts(_unmask(texts["text"]), _unmask(others), least, shape).row)
    places = pc.index_in(texts["item_id"].take(pa.array(matched)), value_set=wanted)
    return own[np.asarray(places.to_numpy(zero_copy_only=False), np.int64)]


def _read_unmet_texts(step: Step, batch: str, audit: EarlierAudit, lake: Lake) -> pa.ChunkedArray | None:
    """Return the texts of an earlier release that are in no batch before this one; None where there are none."""
    register = list(step.project.raw.deliveries)
    before = [one for one in audit.batches if one in register[: register.index(batch)]]
    commit = lake.commit("release_plan", audit.release)
    inputs = {} if commit is None else commit.inputs
    is_as_it_was = [inputs.get(f"signatures@{one}") == step.lake.version(f"signatures@{one}") for one in before]
    if len(before) == len(audit.batches) and all(is_as_it_was):
        return None
    signed = [step.lake.read("signatures", one, [FOLDED])[FOLDED] for one in before if _is_there(step.lake, one)]
    met = sort_keys(np.concatenate([np.empty((0, 2), np.uint64), *map(read_keys, signed)]))
    if (find_keys(met, audit.keys) >= 0).all():
        return None
    pieces = []
    for piece in lake.read_batches("release_items", audit.release, columns=["text", FOLDED]):
        hashes = piece[FOLDED] if not piece[FOLDED].null_count else hash_released_texts(piece["text"])
        pieces.append(piece["text"].filter(pa.array(find_keys(met, read_keys(hashes)) < 0)))
    return pa.chunked_array([chunk for piece in pieces for chunk in piece.chunks], pieces[0].type)


def _is_there(lake: Lake, batch: str) -> bool:
    return lake.commit("signatures", batch) is not None


def _unmask(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return texts as cleaning compares them: of what was masked the kind alone."""
    return pc.replace_substring_regex(texts, KEYED, r"<\1>")


def _repeat(value: str, times: int) -> pa.Array:
    return pa.repeat(pa.scalar(value, pa.string()), times)
