"""Outlines and masks of objects: the boxes around them, and whether a mask is of its picture's size."""

from collections.abc import Sequence
from typing import Any

from cupel.exchange.imports.bad_marks import BadMarkError


def outline_box(outlines: Sequence[Sequence[Sequence[float]]], where: str) -> tuple[float, float, float, float]:
    """Return the box around outlines, each a list of points: x, y, width, height.

    Raises:
        BadMarkError: There is no point.

    >>> outline_box([[[1, 2], [4, 3], [2, 6]]], "polygon 1")
    (1, 2, 3, 4)
    """
    points = [point for outline in outlines for point in outline]
    if not points:
        raise BadMarkError("no_area", f"{where}: an outline without points")
    low = [min(point[axis] for point in points) for axis in (0, 1)]
    high = [max(point[axis] for point in points) for axis in (0, 1)]
    return low[0], low[1], high[0] - low[0], high[1] - low[1]


def has_shape(name: str, value: Any) -> bool:
    """Tell whether an attribute of a mark is what its name says, so that it can be written; of other names anything is.

    >>> has_shape("outlines", [[[1, 2], [3, 4.5]]]), has_shape("outlines", [[1, 2]]), has_shape("colour", None)
    (True, False, True)
    """
    match name:
        case "outlines":
            points = [point for outline in _list(value) or [None] for point in _list(outline) or [None]]
            return all(len(_list(point)) == 2 and _are_numbers(point) for point in points)
        case "boxes":
            return all(len(_list(box)) == 4 and _are_numbers(box) for box in _list(value) or [None])
        case "ellipse":
            return len(_list(value)) == 4 and _are_numbers(value)
        case "keypoints":
            return isinstance(value, list) and _are_numbers(value)
        case "mask":
            parts = (value.get("box"), value.get("runs")) if isinstance(value, dict) else (None, None)
            return len(_list(parts[0])) == 4 and all(isinstance(part, list) and _are_numbers(part) for part in parts)
        case "rle":
            counts = value.get("counts") if isinstance(value, dict) else None
            runs = decode_counts(counts) if isinstance(counts, str) else counts
            return isinstance(runs, list) and all(isinstance(run, int) for run in runs)
        case "attributes":
            return isinstance(value, dict)
        case "person" | "occluded" | "z_order" | "group_id" | "iscrowd" | "num_keypoints":
            return isinstance(value, str | int | float)
    return True


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _are_numbers(values: list[Any]) -> bool:
    return all(isinstance(one, int | float) and not isinstance(one, bool) for one in values)


def check_rle(rle: Any, width: int | None, height: int | None, where: str) -> None:
    """Check that a mask of run lengths, as COCO has them, is of the picture's size and has as many pixels.

    Args:
        rle: Object of `size` (height, width) and `counts`: a list of runs, or COCO's compressed text.
        width: Of the picture; None: not known.
        height: Of the picture; None: not known.
        where: The element, for messages.

    Raises:
        BadMarkError: It is of another size, or its runs are not.

    >>> check_rle({"size": [2, 3], "counts": [0, 4, 2]}, 3, 2, "annotation 1")
    """
    size, counts = rle.get("size"), rle.get("counts")
    is_size = isinstance(size, list) and len(size) == 2 and all(isinstance(one, int) and one > 0 for one in size)
    if not is_size or (width is not None and height is not None and size != [height, width]):
        raise BadMarkError("rle_size", f"{where}: size {size}, the picture's is {[height, width]} (height, width)")
    runs = decode_counts(counts) if isinstance(counts, str) else counts
    is_runs = isinstance(runs, list) and all(isinstance(run, int) and run >= 0 for run in runs)
    if not is_runs or sum(runs) != size[0] * size[1]:
        found = sum(runs) if is_runs else str(counts)[:60]
        raise BadMarkError("rle_size", f"{where}: runs of {found} pixels, the mask has {size[0] * size[1]}")


def decode_counts(text: str) -> list[int]:
    """Return the runs of COCO's compressed text: numbers of 5 bits a letter, each from the fourth the difference to
    the one before the last.

    >>> decode_counts("042")
    [0, 4, 2]
    """
    runs: list[int] = []
    number = shift = 0
    for letter in text:
        value = ord(letter) - 48
        if not 0 <= value < 64:
            return []
        number |= (value & 0x1F) << shift
        shift += 5
        if not value & 0x20:
            if value & 0x10:
                number -= 1 << shift
            runs.append(number + runs[-2] if len(runs) > 2 else number)
            number = shift = 0
    return runs
