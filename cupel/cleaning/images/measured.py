"""A batch's images to tables: their files, their signals, and what finding equal ones needs."""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from cupel.config.images import Images
from cupel.contract.table import from_rows
from cupel.contract.tables.cleaning import IMAGE_FILES, IMAGE_SIGNALS, SIGNATURES
from cupel.modalities.image.contents import read_content
from cupel.modalities.image.downloads import DownloadLimits
from cupel.modalities.image.measures import MeasuredImage, measure_images
from cupel.modalities.image.problems import ImageProblem

ROWS_AT_ONCE = 1_000


class MeasuredBatch(NamedTuple):
    """The tables that measuring a batch of images gives, each with a row an item, in the same order."""

    image_files: pa.Table
    image_signals: pa.Table
    signatures: pa.Table


def measure_batch(batch: str, items: Iterable[pa.Table], folder: Path, settings: Images) -> MeasuredBatch:
    """Read and measure every image of a batch once.

    Args:
        batch: The batch.
        items: Pieces of `raw_items`: item_id and text, which is where the image lies.
        folder: The delivery's folder.
        settings: What may be read.
    """
    limits = download_limits(settings)
    pieces = [_tables(batch, [], [], [])]
    for piece in items:
        ids, locations = piece["item_id"].to_pylist(), piece["text"].to_pylist()
        for first in range(0, len(ids), ROWS_AT_ONCE):
            part = slice(first, first + ROWS_AT_ONCE)
            found = measure_images(
                locations[part], lambda location: read_content(folder, location, limits), settings.max_pixels
            )
            pieces.append(_tables(batch, ids[part], locations[part], list(found)))
    return MeasuredBatch(*(pa.concat_tables(tables) for tables in zip(*pieces, strict=True)))


def download_limits(settings: Images) -> DownloadLimits:
    """Return what reading one image may take, by the project's settings."""
    return DownloadLimits(settings.hosts, settings.fetch_seconds, settings.idle_seconds, settings.max_bytes)


def _tables(
    batch: str, ids: Sequence[str], locations: Sequence[str], found: Sequence[MeasuredImage | ImageProblem]
) -> MeasuredBatch:
    files, signals, signatures = list[dict[str, object]](), list[dict[str, object]](), list[dict[str, object]]()
    for item_id, location, one in zip(ids, locations, found, strict=True):
        files.append({"item_id": item_id, "location": location, **_file(one)})
        signals.append({"item_id": item_id, **_signals(one)})
        # Of a file that cannot be read nothing is known: it is equal to no other.
        own = hashlib.sha256(f"{batch}/{item_id}".encode()).hexdigest()
        sha256 = own if isinstance(one, ImageProblem) else one.sha256
        signatures.append(
            {
                "batch": batch, "item_id": item_id, "text_sha256": sha256, "shingle_count": 0,
                "shingles": b"", "bands": b"", "sketch": b"",
            }
        )  # fmt: skip
    return MeasuredBatch(
        from_rows(files, IMAGE_FILES), from_rows(signals, IMAGE_SIGNALS), from_rows(signatures, SIGNATURES)
    )


def _file(found: MeasuredImage | ImageProblem) -> dict[str, object]:
    if isinstance(found, ImageProblem):
        return {"problem": found.reason, "evidence": found.evidence}
    return {
        "sha256": found.sha256, "stripped_sha256": found.stripped_sha256, "size_bytes": found.size_bytes,
        "metadata": found.metadata, **found.facts._asdict(),
    }  # fmt: skip


def _signals(found: MeasuredImage | ImageProblem) -> dict[str, object]:
    if isinstance(found, ImageProblem):
        return {}
    phash = None if found.hash is None else f"{found.hash:016x}"
    return {**found.signals._asdict(), "perceptual_hash": phash, "features": found.features.tolist()}
