import json
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cupel.errors import OutputError
from cupel.exchange.exports.marks.format_losses import LossError
from cupel.exchange.exports.marks.label_studio_writer import write_labeling_config
from cupel.exchange.exports.marks.mark_writers import (
    MARK_WRITERS,
    find_writer,
    format_marks,
    list_losses,
    write_mark_file,
)
from cupel.exchange.exports.marks.span_writers import write_conll, write_doccano
from cupel.exchange.exports.marks.table_writers import write_regions_parquet, write_webdataset
from cupel.exchange.imports.marks.drawn_answers import MarkTerms
from cupel.exchange.imports.marks.item_facts import ItemFacts
from cupel.exchange.imports.marks.mark_files import ReadMarks, read_mark_files
from cupel.exchange.imports.marks.marked_items import MarkedItems, make_marked_items
from cupel.marks.canonical_text import BOXES, SEGMENTS, SPANS, write_marks

TEXT = "Aspirin 100 mg twice, e\u0301t\u00e9 \U0001f600 ok"


def spans() -> MarkedItems:
    one = write_marks(
        [
            {"class": "drug", "start": 0, "end": 7},
            {"class": "dose", "start": 8, "end": 14},
            {"class": "dose", "start": 14 + 1, "end": 20},
            {"class": "mood", "start": TEXT.index("ok"), "end": len(TEXT)},
        ],
        SPANS,
    )
    texts = {"t1": ItemFacts(text=TEXT), "t2": ItemFacts(text="Nothing\there,\nreally"), "t3": ItemFacts(text="plain")}
    return make_marked_items([("t1", "ann", one), ("t2", "ann", "[]")], texts, SPANS)


def segments(rate: Fraction | None = Fraction(30000, 1001)) -> MarkedItems:
    one = write_marks(
        [
            {"class": "12", "start": 0, "end": 1_001_000},
            {"class": "12", "start": 1_001_000, "end": 1_034_367},
            {"class": "7", "start": 33_367, "end": 10_010_000},
        ],
        SEGMENTS,
    )
    clip = ItemFacts(path="clips/a.mp4", duration=10_010_000, frames=300, rate=rate, width=320, height=240)
    return make_marked_items(
        [("clip a", "ann", one), ("clip b", "ann", "[]")], {"clip a": clip, "clip b": clip}, SEGMENTS
    )


def boxes() -> MarkedItems:
    outline = {"outlines": [[[1.0, 2.0], [5.5, 2.0], [3.0, 9.25]]]}
    one = write_marks(
        [
            {"class": "car", "x": 0, "y": 0.25, "width": 640, "height": 479.75},
            {"class": "dog", "x": 1, "y": 2, "width": 4.5, "height": 7.25, "attributes": outline},
            {"class": "a < b & 'c'", "x": 33.33, "y": 0.01, "width": 0.02, "height": 100.1},
        ],
        BOXES,
    )
    image = ItemFacts(path="a.jpg", width=640, height=480)
    return make_marked_items(
        [("a.jpg", "ann", one), ("b.jpg", "ann", "[]")], {"a.jpg": image, "b.jpg": image._replace(path="b.jpg")}, BOXES
    )


MADE = {"spans": spans, "segments": segments, "boxes": boxes}


def ava_segments() -> MarkedItems:
    shares = [[0.077, 0.151, 0.283, 0.811], [0.1, 0.151, 0.3, 0.811]]
    one = write_marks(
        [
            {
                "class": "80", "start": 901_500_000, "end": 903_500_000,
                "attributes": {"boxes": shares, "person": "1"},
            },
            {"class": "9", "start": 0, "end": 500_000, "attributes": {"boxes": shares[:1]}},
            {"class": "9", "start": 0, "end": 1_000_000, "attributes": {"boxes": shares[1:]}},
        ],
        SEGMENTS,
    )  # fmt: skip
    return make_marked_items([("-5KQ66BBWC4", None, one)], {}, SEGMENTS)


def read_back(
    folder: Path, marked: MarkedItems, name: str, *, content: bytes | None = None, **terms: object
) -> ReadMarks:
    writer = find_writer(name, marked.form)
    path = folder / f"{name}{writer.ending}"
    path.write_bytes(format_marks(marked, name, is_lossy=True) if content is None else content)
    return read_mark_files([path], marked.form, None, MarkTerms(**terms))  # type: ignore[arg-type]


def labels(marked: MarkedItems) -> dict[tuple[str, str | None], str]:
    return {(row["item_id"], row["annotator"]): row["label"] for row in marked.answers.to_pylist()}


ROUNDS = [
    (form.name, writer.name)
    for writer in MARK_WRITERS
    for form in writer.forms
    if (form.name, writer.name) != ("segments", "ava")
]


@pytest.mark.parametrize(("kind", "name"), ROUNDS)
def test_what_was_written_is_read_as_the_same_canonical_text(tmp_path: Path, kind: str, name: str) -> None:
    marked = MADE[kind]()
    again = read_back(tmp_path, marked, name, unit="code-points")
    assert [one for one in again.imported.left if one.reason != "unread_key"] == []
    written = find_writer(name, marked.form).fit(marked).marked
    assert labels(again.tables) == labels(written)
    # Of these marks nothing moved: what is lost is said of answers and items.
    assert sorted(labels(written).values()) == sorted(labels(marked).values())
    # And once more, of what was read.
    last = read_back(tmp_path, again.tables, name, unit="code-points")
    assert labels(last.tables) == labels(again.tables)
    assert last.tables.items.equals(again.tables.items)


def test_ava_is_read_as_it_was_written(tmp_path: Path) -> None:
    marked = ava_segments()
    assert list_losses(marked, "ava") == []
    again = read_back(tmp_path, marked, "ava")
    assert labels(again.tables) == labels(marked)


def test_bioes_is_read_as_it_was_written(tmp_path: Path) -> None:
    marked = spans()
    content = write_conll(find_writer("conll", SPANS).fit(marked).marked, is_bioes=True)
    assert b"S-drug" in content
    assert labels(read_back(tmp_path, marked, "conll", content=content).tables) == labels(marked)


def test_doccanos_own_unit_is_read_as_it_was_written(tmp_path: Path) -> None:
    marked = find_writer("doccano", SPANS).fit(spans()).marked
    content = write_doccano(marked, "utf-16")
    first = json.loads(content.splitlines()[0])
    assert first["label"][-1] == [TEXT.index("ok") + 1, len(TEXT) + 1, "mood"]
    assert labels(read_back(tmp_path, marked, "doccano", content=content, unit="utf-16").tables) == labels(marked)


@pytest.mark.parametrize(("kind", "name"), [("spans", "parquet"), ("segments", "webdataset"), ("boxes", "parquet")])
def test_parquet_and_webdataset_hold_everything(tmp_path: Path, kind: str, name: str) -> None:
    marked = MADE[kind]()
    answered = make_marked_items(
        [(item, who, label) for (item, who), label in labels(marked).items()],
        {item: facts for item, facts in marked.facts().items() if item != "t3"},
        marked.form,
    )
    assert list_losses(answered, name) == []
    again = read_back(tmp_path, answered, name)
    assert again.tables.items.equals(answered.items)
    assert again.tables.answers.equals(answered.answers)


LOSSES = [
    ("spans", "doccano", ["1 item without an answer left out", "2 answers without their annotator's name"]),
    ("spans", "conll", ["1 item without an answer left out"]),
    ("spans", "label-studio", ["1 item without an answer left out"]),
    ("boxes", "coco", ["2 answers without their annotator's name"]),
    ("boxes", "cvat", []),
    ("boxes", "label-studio", []),
    ("segments", "activitynet", ["2 answers without", "without the frames", "without the rate"]),
    ("segments", "charades", ["2 answers without", "without the path of", "without the frames", "without the rate",
                              "without the width", "without the height"]),
    ("segments", "ava", ["1 answer left out: AVA has no row for a video in which nothing is",
                         "1 answer left out: a segment is not of whole seconds around key frames",
                         "2 items without an answer left out"]),
    ("segments", "label-studio", ["without the width of 2 items", "without the height of 2 items"]),
    ("segments", "parquet", []),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "name", "expected"), LOSSES)
def test_what_a_format_cannot_hold_is_listed_and_refused(kind: str, name: str, expected: list[str]) -> None:
    marked = MADE[kind]()
    losses = list_losses(marked, name)
    for sentence in expected:
        assert any(loss.startswith(sentence) for loss in losses), losses
    if not expected:
        assert losses == []
    else:
        with pytest.raises(LossError, match="--lossy") as error:
            format_marks(marked, name)
        assert all(loss in str(error.value) for loss in losses)
    format_marks(marked, name, is_lossy=True)


def test_of_several_annotators_one_is_kept_where_the_format_holds_one() -> None:
    image = ItemFacts(path="a.jpg", width=10, height=10)
    answers = [("a.jpg", who, "[]") for who in ("eve", "bob")]
    marked = make_marked_items(answers, {"a.jpg": image}, BOXES)
    assert list_losses(marked, "coco")[0].startswith("1 further answer left out")
    assert labels(find_writer("cvat", BOXES).fit(marked).marked) == {("a.jpg", "bob"): "[]"}
    assert list_losses(marked, "label-studio") == []


def test_edges_between_frames_are_told_with_how_far_they_move() -> None:
    label = write_marks([{"class": "run", "start": 10_000, "end": 90_000}], SEGMENTS)
    clip = ItemFacts(duration=1_000_000, frames=25, rate=Fraction(25))
    marked = make_marked_items([("a", None, label)], {"a": clip}, SEGMENTS)
    assert list_losses(marked, "label-studio") == ["2 edges moved to the nearest frame, by up to 10 milliseconds"]
    fitted = find_writer("label-studio", SEGMENTS).fit(marked).marked
    assert labels(fitted) == {("a", None): '[{"class":"run","start":0,"end":80000}]'}


@pytest.mark.parametrize(
    ("label", "reason"),
    [
        ([{"class": "a", "start": 0, "end": 5}, {"class": "b", "start": 4, "end": 6}], "spans overlap"),
        ([{"class": "a", "start": 1, "end": 3}], "a span begins or ends with white space"),
        ([{"class": "a b", "start": 0, "end": 1}], "a class's name has white space"),
        ([{"class": "a", "start": 0, "end": 99}], "a span ends beyond the item's text"),
    ],
)
def test_spans_that_columns_cannot_hold_are_told(label: list[dict[str, object]], reason: str) -> None:
    marked = make_marked_items([("t", None, write_marks(label, SPANS))], {"t": ItemFacts(text="ab cd ef")}, SPANS)
    assert list_losses(marked, "conll")[0] == f"1 answer left out: {reason}"


def test_a_format_of_another_kind_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(OutputError, match="no format of spans; there are doccano, conll"):
        format_marks(spans(), "coco")


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with pytest.raises(LossError):
        write_mark_file(segments(), path, "activitynet")
    assert not path.exists()
    assert len(write_mark_file(segments(), path, "activitynet", is_lossy=True)) == 3
    assert path.exists()


def test_the_labeling_configuration_names_classes_and_the_rate() -> None:
    config = write_labeling_config(segments())
    assert '<Video name="item" value="$video" frameRate="$fps"/>' in config
    assert '<Label value="12"/>' in config
    assert "&lt; b" in write_labeling_config(boxes())


def test_regions_and_samples_are_for_those_who_read_no_canonical_text(tmp_path: Path) -> None:
    import io
    import tarfile

    import pyarrow.parquet as pq

    rows = pq.read_table(io.BytesIO(write_regions_parquet(boxes(), "b1"))).to_pylist()
    assert [row["class"] for row in rows] == ["car", "dog", "a < b & 'c'"]
    assert json.loads(rows[1]["attributes"])["outlines"][0][0] == [1.0, 2.0]
    nested = pq.read_table(io.BytesIO(format_marks(boxes(), "parquet")))["regions"].to_pylist()
    assert [len(regions) for regions in nested] == [3, 0]
    content = write_webdataset(boxes(), lambda item: (".jpg", b"picture") if item == "a.jpg" else None)
    with tarfile.open(fileobj=io.BytesIO(content)) as file:
        assert file.getnames() == ["000000000.json", "000000000.jpg", "000000001.json"]
    assert content == write_webdataset(boxes(), lambda item: (".jpg", b"picture") if item == "a.jpg" else None)


@st.composite
def any_boxes(draw: st.DrawFn) -> MarkedItems:
    """Boxes on hundredths of a pixel in pictures of any size."""
    width, height = draw(st.integers(1, 6000)), draw(st.integers(1, 6000))
    marks = []
    for _ in range(draw(st.integers(0, 5))):
        x, y = draw(st.integers(0, width * 100 - 1)), draw(st.integers(0, height * 100 - 1))
        across, down = draw(st.integers(1, width * 100 - x)), draw(st.integers(1, height * 100 - y))
        place = {"x": x / 100, "y": y / 100, "width": across / 100, "height": down / 100}
        marks.append({"class": draw(st.sampled_from(["car", "<&>\"'", "\u00e4 \U0001f600"])), **place})
    facts = ItemFacts(path="a.jpg", width=width, height=height)
    return make_marked_items([("a.jpg", None, write_marks(marks, BOXES))], {"a.jpg": facts}, BOXES)


@st.composite
def any_spans(draw: st.DrawFn) -> MarkedItems:
    """Spans anywhere in texts of any characters."""
    text = draw(
        st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30)
    )
    marks = []
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(text) - 1))
        marks.append({"class": "drug", "start": start, "end": draw(st.integers(start + 1, len(text)))})
    return make_marked_items([("t", None, write_marks(marks, SPANS))], {"t": ItemFacts(text=text)}, SPANS)


@pytest.mark.parametrize("name", ["coco", "cvat", "label-studio", "parquet", "webdataset"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(marked=any_boxes())
def test_any_boxes_are_read_as_they_were_written(tmp_path: Path, name: str, marked: MarkedItems) -> None:
    assert list_losses(marked, name) == []
    assert labels(read_back(tmp_path, marked, name).tables) == labels(marked)


@pytest.mark.parametrize("name", ["doccano", "conll", "label-studio"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(marked=any_spans())
def test_any_spans_that_fit_are_read_as_they_were_written(tmp_path: Path, name: str, marked: MarkedItems) -> None:
    fitted = find_writer(name, SPANS).fit(marked)
    if not fitted.marked.answers.num_rows:
        assert fitted.losses
        return
    assert fitted.losses == ()
    assert labels(read_back(tmp_path, marked, name, unit="code-points").tables) == labels(marked)
