"""Which images are kept: rules on their files and signals, then what any items are decided by."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.cleaning.decide import Alike, Decision, Verdict, decide_judged
from cupel.cleaning.duplicates.kept_items import DuplicateRule
from cupel.cleaning.duplicates.similar_items import delivery_ranks
from cupel.cleaning.images.similar import similarity_of_bits
from cupel.config.images import Images
from cupel.contract.columns import TEXT
from cupel.contract.tables.cleaning import CLEAN_ITEMS
from cupel.errors import TableError
from cupel.modalities.image.problems import ImageProblem, explain_problem

UNREADABLE = "unreadable_image"
NO_LANGUAGE = "und"
NEEDED_FILES = ("item_id", "location", "width", "height", "problem", "evidence")
NEEDED_SIGNALS = ("item_id", "contrast", "sharpness", "dark_share", "bright_share")


class ImageRule(NamedTuple):
    """A reason of `REASONS`, the measure that it judges, and the setting that is the least or the most allowed."""

    reason: str
    measure: str
    setting: str
    is_least: bool


# In this order; the first that an image breaks is its reason. An image on the threshold is kept.
IMAGE_RULES = (
    ImageRule("tiny_image", "shorter_side", "min_side", True),
    ImageRule("long_image", "aspect_ratio", "max_aspect_ratio", False),
    ImageRule("uniform_image", "contrast", "min_contrast", True),
    ImageRule("dark_image", "dark_share", "max_dark_share", False),
    ImageRule("bright_image", "bright_share", "max_bright_share", False),
    ImageRule("blurred_image", "sharpness", "min_sharpness", True),
)


class MeasuredImages(NamedTuple):
    """What was measured of a batch: `image_files`, `image_signals` and `signatures`, any order."""

    files: pa.Table
    signals: pa.Table
    signatures: pa.Table


def decide_images(
    batch: str, raw: pa.Table, measured: MeasuredImages, similar: pa.Table, settings: Images, earlier: pa.Table,
    allowed: tuple[str, ...], licences: Sequence[str],
) -> Decision:  # fmt: skip
    """Decide on the images of a batch; as `cupel.cleaning.decide.decide` does on texts.

    Args:
        batch: The batch.
        raw: `raw_items`, any order.
        measured: What was measured of all of them.
        similar: `similar_items` of the batch.
        settings: The thresholds.
        earlier: `EARLIER_ITEMS` of the batches before it in the register.
        allowed: Licences that may be released; empty: all.
        licences: The project's licences, the better first; empty: any.

    Raises:
        TableError: An item was not measured, or a pair names an unknown item.
    """
    ranks = delivery_ranks(raw["item_id"], raw)
    raw = raw.take(np.argsort(ranks))
    files, signals, signed = (_in_order(raw["item_id"], table) for table in measured)
    duplicate = None if settings.duplicate_bits is None else similarity_of_bits(settings.duplicate_bits)
    alike = Alike(similar, DuplicateRule(duplicate), similarity_of_bits(settings.group_bits))
    verdicts = judge_images(files, signals, settings)
    return decide_judged(
        batch, raw, ranks, signed["text_sha256"], verdicts, alike, earlier, allowed, licences
    )  # fmt: skip


def judge_images(files: pa.Table, signals: pa.Table, settings: Images) -> list[Verdict]:
    """Return a verdict an image: why it cannot be read, or the first rule that it breaks, or none.

    Args:
        files: `image_files`.
        signals: `image_signals` of the same items in the same order.
        settings: The thresholds.
    """
    width, height = (files[name].to_numpy().astype(np.float64) for name in ("width", "height"))
    measures = {name: signals[name].to_numpy() for name in NEEDED_SIGNALS[1:]}
    measures |= {
        "shorter_side": np.minimum(width, height),
        "aspect_ratio": np.maximum(width, height) / np.minimum(width, height),
    }
    verdicts = [Verdict(None)] * files.num_rows
    for rule in reversed(IMAGE_RULES):
        threshold = getattr(settings, rule.setting)
        if threshold is None:
            continue
        values = measures[rule.measure]
        for place in np.flatnonzero(values < threshold if rule.is_least else values > threshold).tolist():
            verdicts[place] = Verdict(rule.reason, float(values[place]), float(threshold))
    unreadable = files.append_column("place", pa.array(np.arange(files.num_rows)))
    for row in unreadable.filter(pc.is_valid(files["problem"])).to_pylist():
        said = explain_problem(row["location"], ImageProblem(row["problem"], row["evidence"] or ""))
        verdicts[row["place"]] = Verdict(UNREADABLE, evidence=said)
    return verdicts


def clean_images(raw: pa.Table, decided: pa.Table) -> pa.Table:
    """Return CLEAN_ITEMS of a batch; the text of an image is where it lies.

    Args:
        raw: `raw_items`.
        decided: `Decision.decided` of the same items in the same order.
    """
    columns = {name: raw[name] for name in ("batch", "item_id", "source_file", "line", "text", "licence")}
    columns["language"] = pa.chunked_array([pa.repeat(pa.scalar(NO_LANGUAGE, TEXT), raw.num_rows)])
    columns["group_id"] = decided["group_id"]
    return pa.table(columns).select(CLEAN_ITEMS.schema.names).filter(pc.is_valid(decided["group_id"]))


def _in_order(ids: pa.ChunkedArray, table: pa.Table) -> pa.Table:
    places = pc.index_in(ids, table["item_id"].combine_chunks())
    if places.null_count:
        missing = ids.filter(pc.is_null(places))[0].as_py()
        raise TableError(f"table image_files: item {missing!r} is missing; measure all images of the batch first")
    return table.take(places)
