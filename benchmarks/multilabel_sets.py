"""Crowds whose answers are sets of classes: made of real crowds in three ways, and made up with known dependence.

- Cells and parts: answers that are sets by themselves. Which cells of a grid of three by three over an image hold the
  middle of a box that the annotator drew (`kinds/boxes`); which eighths of a text hold one of the annotator's spans
  (`kinds/spans`). Gold is made of the gold boxes and spans in the same way. The size of an image or text is the
  furthest that an annotator marked, for neither is at hand.
- Bundles: items of a crowd with one yes-or-no question that the very same annotators answered, four at a time in the
  crowd's order, are one item with four classes; class k is the question about the k-th. Errors of one annotator stay
  together as they were given; the four truths have nothing to do with each other, so dependence of classes cannot pay
  and shared skill can.
- Digits and steps: a crowd with one class an item, each class written as a set. Digits: the binary digits of the
  class's number, so that a confusion changes several digits at once and some sets are no class; what a digit means has
  nothing to do with the items. Steps, where classes are a scale: the set of steps that a class has reached. Here
  classes depend on each other as far as they can. These two favour whoever knows that.
- Made: sets drawn from a few kinds of items, or class by class, and annotators of different skill; what is true is
  known because it was made.
"""

import csv
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from benchmarks.double_check.folder import read_folder
from cupel.consensus.coding import Reals
from cupel.kinds.multilabel.label_sets import write_set

Row = dict[str, str]
BUNDLE, CELLS, PARTS = 4, 3, 8
BUNDLED = ("rte", "possent", "bluebird", "trec")
DIGITS = ("music", "labelme", "dog", "weather_text")
STEPS = ("web",)


class SetCrowd(NamedTuple):
    """A crowd: annotations with canonical texts, the ontology, and what is known of items, as canonical texts too."""

    name: str
    annotations: pa.Table
    classes: tuple[str, ...]
    gold: dict[str, str]


def all_crowds(data: Path) -> Iterator[SetCrowd]:
    """Yield every crowd, those made of real answers first.

    Args:
        data: Holds the folders `crowd` and `kinds`.
    """
    yield boxes(data / "kinds" / "boxes")
    yield spans(data / "kinds" / "spans")
    for name in BUNDLED:
        yield bundles(data / "crowd" / name)
    for name in DIGITS:
        yield digits(data / "crowd" / name)
    for name in STEPS:
        yield steps(data / "crowd" / name)
    yield made("made_kinds", kinds=5)
    yield made("made_few_kinds", kinds=3, per_item=3)
    yield made("made_independent", kinds=None)


def boxes(folder: Path) -> SetCrowd:
    """Return which cells of a grid over an image hold the middle of a box."""
    answers, known = _rows(folder / "annotations.csv"), _rows(folder / "gold.csv")
    width, height = _furthest(answers, "x2"), _furthest(answers, "y2")
    names = tuple(f"row{row}_column{column}" for row in range(CELLS) for column in range(CELLS))

    def cell(row: Row) -> list[str]:
        across = _part((float(row["x1"]) + float(row["x2"])) / 2, width[row["item"]], CELLS)
        down = _part((float(row["y1"]) + float(row["y2"])) / 2, height[row["item"]], CELLS)
        return [names[down * CELLS + across]]

    return _of_marks("boxes_cells", answers, known, names, "x1", cell)


def spans(folder: Path) -> SetCrowd:
    """Return which parts of a text hold a span."""
    answers, known = _rows(folder / "annotations.csv"), _rows(folder / "gold.csv")
    length = _furthest(answers, "end")
    names = tuple(f"part{place}" for place in range(PARTS))

    def parts(row: Row) -> list[str]:
        whole = length[row["item"]]
        first, last = (_part(float(row[end]) - shift, whole, PARTS) for end, shift in (("start", 0), ("end", 1)))
        return list(names[first : last + 1])

    return _of_marks("spans_parts", answers, known, names, "start", parts)


def bundles(folder: Path) -> SetCrowd:
    """Return bundles of items that the same annotators answered; the class that the crowd names last is yes."""
    crowd, gold = read_folder(folder)
    said: dict[str, dict[str, str]] = defaultdict(dict)
    for row in crowd.annotations.to_pylist():
        said[row["item_id"]].setdefault(row["annotator"], row["label"])
    alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for item in sorted(said, key=_by_number):
        if item in gold.verdicts:
            alike[tuple(sorted(said[item]))].append(item)
    names, yes = tuple(f"item{place}" for place in range(BUNDLE)), crowd.classes[-1]
    rows, known = [], {}
    for who in sorted(alike):
        for first in range(0, len(alike[who]) - BUNDLE + 1, BUNDLE):
            items = alike[who][first : first + BUNDLE]
            known[items[0]] = _chosen(names, [gold.verdicts[item] == yes for item in items])
            rows += [(items[0], one, _chosen(names, [said[item][one] == yes for item in items])) for one in who]
    return SetCrowd(f"{folder.name}_bundles", _table(rows), names, known)


def digits(folder: Path) -> SetCrowd:
    """Return a crowd whose classes are written as the binary digits of their places."""
    crowd, _ = read_folder(folder)
    count = (len(crowd.classes) - 1).bit_length()
    names = tuple(f"digit{place}" for place in range(count))
    sets = {
        name: _chosen(names, [bool(number >> place & 1) for place in range(count)])
        for number, name in enumerate(crowd.classes)
    }
    return _renamed(folder, "digits", names, sets)


def steps(folder: Path) -> SetCrowd:
    """Return a crowd whose classes, a scale, are written as the steps that they have reached."""
    crowd, _ = read_folder(folder)
    names = tuple(f"at_least_{name}" for name in crowd.classes[1:])
    sets = {name: write_set(names[:number], names) for number, name in enumerate(crowd.classes)}
    return _renamed(folder, "steps", names, sets)


def made(
    name: str, kinds: int | None, items: int = 600, classes: int = 8, people: int = 40, per_item: int = 4,
    seed: int = 7,
) -> SetCrowd:  # fmt: skip
    """Return made answers of annotators who differ in how often they see a class, and see one that is not there.

    Args:
        name: Of the crowd.
        kinds: Kinds of items, each with classes that it mostly has; None: classes are independent.
        items: Items.
        classes: Classes.
        people: Annotators.
        per_item: Answers an item.
        seed: Of all that is drawn.
    """
    rng = np.random.default_rng(seed)
    if kinds is None:
        truth = rng.random((items, classes)) < rng.beta(1, 3, classes)
    else:
        has = (rng.random((kinds, classes)) < 0.4)[rng.integers(0, kinds, items)]
        truth = np.where(rng.random((items, classes)) < 0.93, has, rng.random((items, classes)) < 0.2)
    skill = rng.normal(0, 1, (people, 1))
    sees = _logistic(rng.normal(1.2, 0.5, classes) + skill + rng.normal(0, 0.5, (people, classes)))
    imagines = _logistic(rng.normal(-2.5, 0.5, classes) - 0.5 * skill + rng.normal(0, 0.7, (people, 1)))
    names = tuple(f"class{place}" for place in range(classes))
    rows = []
    for item in range(items):
        for one in rng.choice(people, per_item, replace=False):
            answer = rng.random(classes) < np.where(truth[item], sees[one], imagines[one])
            rows.append((f"{item:05d}", f"p{one:03d}", _chosen(names, answer)))
    return SetCrowd(name, _table(rows), names, {f"{item:05d}": _chosen(names, truth[item]) for item in range(items)})


def _logistic(values: Reals) -> Reals:
    return np.asarray(1 / (1 + np.exp(-values)))


def _renamed(folder: Path, what: str, names: tuple[str, ...], sets: Mapping[str, str]) -> SetCrowd:
    crowd, gold = read_folder(folder)
    rows = [(row["item_id"], row["annotator"], sets[row["label"]]) for row in crowd.annotations.to_pylist()]
    known = {item: sets[label] for item, label in gold.verdicts.items()}
    return SetCrowd(f"{folder.name}_{what}", _table(rows), names, known)


def _of_marks(
    name: str, answers: list[Row], known: list[Row], names: tuple[str, ...], field: str,
    classes_of: Callable[[Row], list[str]],
) -> SetCrowd:  # fmt: skip
    """Return answers that are sets of marks, rows of a table each; a row without a mark is an answer without one."""
    given: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in answers:
        given[row["item"], row["annotator"]].update(classes_of(row) if row[field] else ())
    gold: dict[str, set[str]] = defaultdict(set)
    for row in known:
        gold[row["item"]].update(classes_of(row) if row[field] else ())
    rows = [(item, who, write_set(sorted(marked), names)) for (item, who), marked in given.items()]
    return SetCrowd(name, _table(rows), names, {item: write_set(sorted(has), names) for item, has in gold.items()})


def _rows(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _furthest(rows: Iterable[Mapping[str, str]], field: str) -> dict[str, float]:
    furthest: dict[str, float] = defaultdict(float)
    for row in rows:
        furthest[row["item"]] = max(furthest[row["item"]], float(row[field] or 0))
    return furthest


def _part(value: float, whole: float, parts: int) -> int:
    return int(min(max(value / whole * parts, 0), parts - 1)) if whole else 0


def _chosen(names: tuple[str, ...], flags: Iterable[bool]) -> str:
    return write_set([name for name, is_in in zip(names, flags, strict=True) if is_in], names)


def _by_number(item: str) -> tuple[int, str]:
    return (int(item), "") if item.isdecimal() else (-1, item)


def _table(rows: list[tuple[str, str, str]]) -> pa.Table:
    columns = list(zip(*rows, strict=True))
    return pa.table({name: pa.array(column) for name, column in zip(("item_id", "annotator", "label"), columns,
                                                                    strict=True)})  # fmt: skip
