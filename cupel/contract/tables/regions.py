"""Regions: marks as rows, one table for spans, segments, boxes, and for what is tracked through a video."""

from cupel.contract.columns import ANNOTATOR, BATCH, FLAG, INTEGER, ITEM, REAL, TEXT, Column
from cupel.contract.table import Table

REGIONS = Table(
    "regions", "a mark of an answer, a consensus, a model or a release", ("batch", "item_id", "annotator", "region"), (
        BATCH, ITEM,
        Column("answer", TEXT, "What holds the mark: the answer's sequence number, or consensus, model, release."),
        ANNOTATOR,
        Column("region", INTEGER, "Place of the mark in the canonical text, from 1."),
        Column("class", TEXT, "Class of the mark."),
        Column("track", TEXT, "What is the same through a video; null where nothing is tracked.", True),
        Column("frame", INTEGER, "Frame of the video, from 0; null where the mark is not of one frame.", True),
        Column("is_keyframe", FLAG, "Somebody set the mark in this frame; else it is made from its neighbours.", True),
        Column("is_outside", FLAG, "The track ends before this frame, or is out of sight.", True),
        Column("start", INTEGER, "Beginning: characters, or microseconds.", True),
        Column("end", INTEGER, "End, half open.", True),
        Column("x", REAL, "Left edge in pixels.", True),
        Column("y", REAL, "Upper edge in pixels.", True),
        Column("width", REAL, "Width in pixels.", True),
        Column("height", REAL, "Height in pixels.", True),
        Column("point", TEXT, "Name of the point of a skeleton.", True),
        Column("visibility", INTEGER, "Of the point: 0 not there, 1 covered, 2 seen.", True),
        Column("score", REAL, "Chance that the mark is there, 0 to 1, where a model or consensus says.", True),
        Column("attributes", TEXT, "What else is known of the mark, as JSON; it decides nothing.", True),
    ),
)  # fmt: skip
