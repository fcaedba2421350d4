"""Which images are kept, and why the others are not."""

from typing import Any

import pyarrow as pa
import pytest

from cupel.cleaning.duplicates.kept_items import EARLIER_ITEMS
from cupel.cleaning.images.rules import IMAGE_RULES, MeasuredImages, clean_images, decide_images, judge_images
from cupel.cleaning.reasons import REASONS
from cupel.config.images import Images
from cupel.contract.table import from_rows
from cupel.contract.tables.cleaning import CLEAN_ITEMS, IMAGE_FILES, IMAGE_SIGNALS, SIGNATURES, SIMILAR_ITEMS
from cupel.errors import TableError

GOOD = {"brightness": 0.5, "contrast": 0.2, "sharpness": 500.0, "dark_share": 0.1, "bright_share": 0.1}
FILE = {"sha256": "ab", "size_bytes": 9, "width": 300, "height": 200, "frames": 1}


def measured(*images: dict[str, Any]) -> tuple[pa.Table, pa.Table]:
    """Return files and signals of images that differ from a good one as it is said."""
    files, signals = [], []
    for number, image in enumerate(images):
        unreadable = "problem" in image
        own = {"item_id": f"i{number}", "location": f"{number}.png"}
        file = {} if unreadable else FILE
        files.append(own | file | {key: value for key, value in image.items() if key in IMAGE_FILES.schema.names})
        measures = {} if unreadable else GOOD
        said = {key: value for key, value in image.items() if key in IMAGE_SIGNALS.schema.names}
        signals.append({"item_id": own["item_id"]} | measures | said)
    return from_rows(files, IMAGE_FILES), from_rows(signals, IMAGE_SIGNALS)


@pytest.mark.parametrize(
    ("breaks", "passes", "setting", "reason"),
    [
        ({"height": 15}, {"height": 16}, {}, "tiny_image"),
        ({"width": 15}, {"width": 16}, {}, "tiny_image"),
        ({"width": 4_001}, {"width": 4_000}, {}, "long_image"),
        ({"height": 6_001}, {"height": 6_000}, {}, "long_image"),
        ({"contrast": 0.009}, {"contrast": 0.01}, {}, "uniform_image"),
        ({"dark_share": 0.981}, {"dark_share": 0.98}, {}, "dark_image"),
        ({"bright_share": 0.996}, {"bright_share": 0.995}, {}, "bright_image"),
        ({"sharpness": 99.0}, {"sharpness": 100.0}, {"min_sharpness": 100.0}, "blurred_image"),
    ],
)
def test_an_image_beyond_a_threshold_is_dropped_and_one_on_it_is_kept(
    breaks: dict[str, Any], passes: dict[str, Any], setting: dict[str, Any], reason: str
) -> None:
    settings = Images(**setting)
    broken, passed = judge_images(*measured(breaks, passes), settings)
    assert broken.reason == reason
    assert passed.reason is None
    off = settings.model_copy(update={rule.setting: None for rule in IMAGE_RULES})
    assert {verdict.reason for verdict in judge_images(*measured(breaks, passes), off)} == {None}


def test_an_image_that_cannot_be_read_breaks_no_other_rule() -> None:
    (verdict,) = judge_images(*measured({"problem": "damaged", "evidence": "image file is truncated"}), Images())
    assert verdict.reason == "unreadable_image"
    assert verdict.evidence == "0.png: is cut off or damaged (image file is truncated); bring the whole file"


def test_every_reason_is_explained() -> None:
    assert {rule.reason for rule in IMAGE_RULES} | {"unreadable_image"} <= REASONS.keys()


def decision(images: list[dict[str, Any]], pairs: list[tuple[int, int, float]] = (), **settings: Any) -> Any:
    files, signals = measured(*images)
    raw = pa.table(
        {
            "batch": ["b"] * len(images),
            "item_id": [f"i{number}" for number in range(len(images))],
            "source_file": ["f"] * len(images),
            "line": list(range(1, len(images) + 1)),
            "text": [f"{number}.png" for number in range(len(images))],
            "group_id": pa.nulls(len(images), pa.string()),
            "licence": ["CC0-1.0"] * len(images),
        }
    )
    signed = from_rows(
        [
            {
                "batch": "b", "item_id": f"i{number}", "text_sha256": image.get("sha256", f"{number}"),
                "shingle_count": 0, "shingles": b"", "bands": b"", "sketch": b"",
            }
            for number, image in enumerate(images)
        ],
        SIGNATURES,
    )  # fmt: skip
    similar = from_rows(
        [
            {"item_id": f"i{one}", "earlier_batch": "b", "earlier_item_id": f"i{other}", "similarity": similarity}
            for one, other, similarity in pairs
        ],
        SIMILAR_ITEMS,
    )
    found = decide_images(
        "b", raw, MeasuredImages(files, signals, signed), similar, Images(**settings), EARLIER_ITEMS.empty_table(),
        (), (),
    )  # fmt: skip
    return raw, found


def test_equal_files_and_near_pictures_are_duplicates_and_like_ones_stay_together() -> None:
    images = [{}, {"sha256": "same"}, {"sha256": "same"}, {}, {}]
    pairs = [(3, 0, 1 - 8 / 64), (4, 0, 1 - 9 / 64)]
    raw, found = decision(images, pairs)
    assert found.rejected_items.select(["item_id", "reason"]).to_pylist() == [
        {"item_id": "i2", "reason": "exact_duplicate"},
        {"item_id": "i3", "reason": "near_duplicate"},
    ]
    kept = clean_images(raw, found.decided)
    assert kept.schema.names == CLEAN_ITEMS.schema.names
    groups = dict(zip(kept["item_id"].to_pylist(), kept["group_id"].to_pylist(), strict=True))
    assert groups["i0"] == groups["i4"] != groups["i1"]
    assert kept["text"].to_pylist() == ["0.png", "1.png", "4.png"]


def test_without_near_duplicates_only_equal_files_are() -> None:
    _, found = decision([{}, {}], [(1, 0, 1.0)], duplicate_bits=None)
    assert found.rejected_items.num_rows == 0


def test_a_duplicate_of_a_rejected_image_is_judged_on_its_own() -> None:
    _, found = decision([{"height": 3}, {}], [(1, 0, 1.0)])
    assert found.rejected_items["reason"].to_pylist() == ["tiny_image"]


def test_an_image_that_was_not_measured_is_refused() -> None:
    files, signals = measured({})
    raw = pa.table(
        {
            "batch": ["b", "b"], "item_id": ["i0", "i1"], "source_file": ["f", "f"], "line": [1, 2],
            "text": ["0.png", "1.png"], "group_id": pa.nulls(2, pa.string()), "licence": ["x", "x"],
        }
    )  # fmt: skip
    with pytest.raises(TableError, match="'i1' is missing; measure all images"):
        decide_images(
            "b", raw, MeasuredImages(files, signals, files), SIMILAR_ITEMS.schema.empty_table(), Images(),
            EARLIER_ITEMS.empty_table(), (), (),
        )  # fmt: skip
