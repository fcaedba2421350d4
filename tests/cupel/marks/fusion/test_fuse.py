"""Golden small cases by hand, and what must hold of any marks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupel.marks.fusion.arrays import AskedPairs, FusedMarks, FusionError, MarkArrays
from cupel.marks.fusion.fuse import fuse_marks

Row = tuple[int, int, int, float, float]  # item, annotator, class, low, high


def spans(rows: list[Row]) -> MarkArrays:
    table = np.array(rows, float).reshape(-1, 5)
    whole = table[:, :3].astype(np.int64)
    return MarkArrays(whole[:, 0], whole[:, 1], whole[:, 2], table[:, 3:4].copy(), table[:, 4:5].copy())


def boxes(rows: list[tuple[float, ...]]) -> MarkArrays:
    """Rows are item, annotator, x, y, right, bottom."""
    table = np.array(rows, float).reshape(-1, 6)
    whole = table[:, :2].astype(np.int64)
    return MarkArrays(
        whole[:, 0], whole[:, 1], np.zeros(len(table), np.int64), table[:, 2:4].copy(), table[:, 4:].copy()
    )


def pairs(items: int, annotators: int) -> AskedPairs:
    return AskedPairs(np.repeat(np.arange(items), annotators), np.tile(np.arange(annotators), items))


def kept(fused: FusedMarks) -> list[tuple[int, int, float, float]]:
    rows = zip(fused.item, fused.mark_class, fused.low[:, 0], fused.high[:, 0], strict=True)
    return [
        (int(i), int(k), round(float(a), 6), round(float(b), 6))
        for (i, k, a, b), is_kept in zip(rows, fused.is_kept, strict=True)
        if is_kept
    ]


@st.composite
def crowds(draw: st.DrawFn) -> tuple[list[Row], AskedPairs]:
    items, annotators = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    row = st.tuples(
        st.integers(0, items - 1), st.integers(0, annotators - 1), st.integers(0, 1), st.integers(0, 30),
        st.integers(1, 12),
    )  # fmt: skip
    rows = draw(st.lists(row, max_size=25))
    return [(i, a, k, float(low), float(low + width)) for i, a, k, low, width in rows], pairs(items, annotators)


def assert_equal(one: FusedMarks, other: FusedMarks) -> None:
    for name in ("item", "mark_class", "low", "high", "support", "existence", "is_kept", "missed"):
        assert getattr(one, name).tobytes() == getattr(other, name).tobytes(), name


def test_three_who_agree_are_believed_and_a_lone_mark_is_not() -> None:
    rows = [(item, who, 0, 10.0 * item, 10.0 * item + 8) for item in range(30) for who in range(3)]
    lone = [(3, 0, 0, 500.0, 520.0)]
    fused = fuse_marks(spans(rows + lone), pairs(30, 3))
    assert kept(fused) == [(item, 0, 10.0 * item, 10.0 * item + 8) for item in range(30)]
    assert fused.support.tolist() == [3] * 4 + [1] + [3] * 26
    assert fused.existence[4] < 0.5 < fused.existence.min(where=fused.support == 3, initial=1.0)


def test_an_early_and_late_annotator_is_put_right() -> None:
    """0 and 1 mark exactly; 2 starts a tenth of the length early every time: bias -.1 before the mean is taken off."""
    rng = np.random.default_rng(0)
    rows = []
    for item in range(200):
        low = rng.uniform(0, 50)
        for who in range(3):
            noise = rng.normal(0, 0.05, 2)
            rows.append((item, who, 0, low + noise[0] - (who == 2), low + 10 + noise[1]))
    bias = fuse_marks(spans(rows), pairs(200, 3)).annotators.bias[:, 0]
    # Mean zero: two at a, one at a - .1, so that a = .1 / 3; shrunk by 200 / 210 or so.
    assert bias == pytest.approx([1 / 30, 1 / 30, -2 / 30], abs=0.006)
    assert abs(bias.sum()) < 1e-9


def test_one_who_misses_more_has_the_smaller_recall_and_one_who_invents_the_larger_rate() -> None:
    rng = np.random.default_rng(1)
    rows: list[Row] = []
    for item in range(300):
        for who, recall in enumerate((0.95, 0.9, 0.5)):
            rows += [(item, who, 0, 20.0 * n, 20.0 * n + 10) for n in range(3) if rng.random() < recall]
        if rng.random() < 0.5:
            rows.append((item, 1, 0, 1000.0 + item, 1010.0 + item))
    learned = fuse_marks(spans(rows), pairs(300, 3)).annotators
    assert learned.recall[0] > learned.recall[2] + 0.25
    assert learned.inventions[1] == pytest.approx(0.5, abs=0.1)
    assert max(learned.inventions[0], learned.inventions[2]) < 0.2


def test_marks_of_one_annotator_never_mean_the_same() -> None:
    rows = [(0, 0, 0, 0.0, 10.0), (0, 0, 0, 1.0, 11.0), (0, 1, 0, 1.0, 11.0)]
    fused = fuse_marks(spans(rows), pairs(1, 2))
    assert sorted(fused.support.tolist()) == [1, 2]
    assert fused.cluster[1] == fused.cluster[2] != fused.cluster[0]


def test_marks_of_two_classes_or_items_never_mean_the_same() -> None:
    rows = [(0, 0, 0, 0.0, 10.0), (0, 1, 1, 0.0, 10.0), (1, 2, 0, 0.0, 10.0)]
    assert len(fuse_marks(spans(rows), pairs(2, 3)).item) == 3


def test_the_best_pair_is_joined_first() -> None:
    """The second fits the third (9/11) better than the first (8/12), and first and third are of one annotator."""
    rows = [(0, 0, 0, 0.0, 10.0), (0, 1, 0, 2.0, 12.0), (0, 0, 0, 3.0, 13.0)]
    fused = fuse_marks(spans(rows), pairs(1, 2))
    assert fused.cluster[1] == fused.cluster[2] != fused.cluster[0]


def test_edges_on_steps_stay_on_steps() -> None:
    rows = [(item, who, 0, 5.0, 10.0 if who < 2 else 15.0) for item in range(20) for who in range(3)]
    fused = fuse_marks(spans(rows), pairs(20, 3))
    assert set(fused.high[fused.support > 1, 0].tolist()) == {10.0}


def test_an_edge_on_the_items_limit_stays_there() -> None:
    rng = np.random.default_rng(2)
    rows = []
    for item in range(50):
        noise = rng.normal(0, 0.5, (4, 3))
        rows += [(item, who, 0, max(0.0, noise[0, who] - 1), 10 + noise[1, who]) for who in range(3)]
        rows += [(item, who, 0, 20 + noise[2, who], 30 + noise[3, who]) for who in range(3)]
    fused = fuse_marks(spans(rows), pairs(50, 3))
    first = fused.low[fused.low[:, 0] < 10, 0]
    assert (first == 0.0).mean() > 0.9


def test_a_box_is_fused_in_four_edges() -> None:
    rows = [(item, who, 10.0 + who, 20.0, 50.0, 60.0 - who) for item in range(10) for who in range(3)]
    fused = fuse_marks(boxes(rows), pairs(10, 3))
    assert fused.low.shape == fused.high.shape == (10, 2)
    assert np.allclose(fused.low, [[11.0, 20.0]], atol=0.5)
    assert np.allclose(fused.high, [[50.0, 59.0]], atol=0.5)


def test_an_answer_without_marks_counts() -> None:
    """Of six annotators four or so mark what is there; in the last items the same two marks stand, of two or of six."""
    rng = np.random.default_rng(4)
    rows = [(item, who, 0, 0.0, 10.0) for item in range(40) for who in range(6) if rng.random() < 0.7]
    rows += [(item, who, 0, 0.0, 10.0) for item in range(40, 60) for who in range(2)]
    whole = pairs(60, 6)
    is_asked = (whole.item < 50) | (whole.annotator < 2)
    fused = fuse_marks(spans(rows), AskedPairs(whole.item[is_asked], whole.annotator[is_asked]))
    of_six, of_two = (fused.existence[(fused.item >= first) & (fused.item < first + 10)] for first in (40, 50))
    assert of_six.max() < of_two.min()
    assert fuse_marks(spans(rows), AskedPairs(np.array([77]), np.array([0]))).asked_item.tolist() == [*range(60), 77]


def test_no_marks_are_fused_to_none() -> None:
    fused = fuse_marks(spans([]), pairs(3, 2))
    assert len(fused.item) == len(fused.cluster) == 0
    assert fused.asked_item.tolist() == [0, 1, 2]
    assert fuse_marks(spans([]), pairs(0, 0)).low.shape == (0, 1)


@settings(max_examples=60, deadline=None)
@given(crowds())
def test_neither_row_order_nor_annotators_numbers_matter(crowd: tuple[list[Row], AskedPairs]) -> None:
    rows, asked = crowd
    order = np.random.default_rng(len(rows)).permutation(len(rows))
    names = np.random.default_rng(7).permutation(10) * 1_000 - 3
    fused = fuse_marks(spans(rows), asked)
    renamed = [(i, int(names[a]), k, low, high) for i, a, k, low, high in (rows[place] for place in order)]
    back = np.arange(len(asked.item))[::-1]
    other = fuse_marks(spans(renamed), AskedPairs(asked.item[back], names[asked.annotator[back]]))
    assert_equal(fused, other)
    assert other.cluster.tolist() == fused.cluster[order].tolist()


@settings(max_examples=60, deadline=None)
@given(crowds())
def test_each_mark_has_a_cluster_of_its_item_and_class_with_no_annotator_twice(
    crowd: tuple[list[Row], AskedPairs],
) -> None:
    marks = spans(crowd[0])
    fused = fuse_marks(marks, crowd[1])
    assert (fused.item[fused.cluster] == marks.item).all()
    assert (fused.mark_class[fused.cluster] == marks.mark_class).all()
    # Equal marks of one annotator are one; no other two of an annotator are in a cluster.
    distinct = set(zip(fused.cluster.tolist(), crowd[0], strict=True))
    held = [(cluster, row[1]) for cluster, row in distinct]
    assert len(set(held)) == len(held)
    assert (
        np.bincount(np.array([c for c, _ in held], np.int64), minlength=len(fused.item)).tolist()
        == fused.support.tolist()
    )
    assert ((fused.existence >= 0) & (fused.existence <= 1)).all()
    assert (fused.low < fused.high).all()


@settings(max_examples=40, deadline=None)
@given(crowds())
def test_what_all_mark_alike_is_returned_as_it_is(crowd: tuple[list[Row], AskedPairs]) -> None:
    distinct = sorted({(i, k, low, high) for i, _, k, low, high in crowd[0]})
    rows = [(i, who, k, low, high) for i, k, low, high in distinct for who in range(3)]
    fused = fuse_marks(spans(rows), pairs(4, 3))
    assert kept(fused) == distinct


@settings(max_examples=40, deadline=None)
@given(crowds(), st.integers(-4, 4), st.sampled_from([0.25, 2.0, 8.0]))
def test_shifted_and_stretched_marks_are_fused_to_shifted_and_stretched_ones(
    crowd: tuple[list[Row], AskedPairs], shift: int, factor: float
) -> None:
    rows, asked = crowd
    moved = [(i, a, k, factor * low + 8.0 * shift, factor * high + 8.0 * shift) for i, a, k, low, high in rows]
    fused, other = fuse_marks(spans(rows), asked), fuse_marks(spans(moved), asked)
    assert other.cluster.tolist() == fused.cluster.tolist()
    assert np.allclose(other.low, factor * fused.low + 8.0 * shift, atol=1e-3)
    assert np.allclose(other.high, factor * fused.high + 8.0 * shift, atol=1e-3)
    assert np.allclose(other.existence, fused.existence, atol=1e-9)


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (5.0, 5.0, "mark in row 1"),
        (6.0, 5.0, "mark in row 1"),
        (float("nan"), 5.0, "mark in row 1"),
        (1.0, float("inf"), "mark in row 1"),
    ],
)
def test_a_mark_without_extent_is_refused_by_row(low: float, high: float, said: str) -> None:
    with pytest.raises(FusionError, match=said):
        fuse_marks(spans([(0, 0, 0, 0.0, 1.0), (0, 1, 0, low, high)]), pairs(1, 2))


def test_columns_of_unequal_length_and_edges_of_three_dimensions_are_refused() -> None:
    marks = spans([(0, 0, 0, 0.0, 1.0)])
    with pytest.raises(FusionError, match="differ in length"):
        fuse_marks(marks._replace(item=np.zeros(2, np.int64)), pairs(1, 1))
    with pytest.raises(FusionError, match="edges have shapes"):
        fuse_marks(marks._replace(low=np.zeros((1, 3)), high=np.ones((1, 3))), pairs(1, 1))


def test_ten_thousand_segments_of_one_annotator_are_linked_to_nothing() -> None:
    rows = [(0, 0, 0, 0.0, 1.0 + place) for place in range(10_000)]
    assert (fuse_marks(spans(rows), pairs(1, 2)).support == 1).all()
