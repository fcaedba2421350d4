"""Spans: the label kind in which a label is the marked parts of a text, each of a class; possibly none."""

from cupel.contract.kind import Kind
from cupel.kinds.marks.label import COMBINED
from cupel.kinds.spans import label

SPANS = Kind(
    name="spans",
    summary="marked parts of a text, each with a class; possibly none",
    modality="text",
    check=label.check,
    parts=label.parts,
    split=label.split,
    join=label.join,
    parse=label.parse,
    is_same=label.is_same,
    agreement=label.agreement,
    consensus=label.consensus,
    fuse=label.fuse,
    vocabulary=label.vocabulary,
    nearest=label.nearest,
    controls=label.controls,
    read_controls=label.read_controls,
    write_controls=label.write_controls,
    count_answers=label.count_answers,
    fits=label.fits,
    combined=COMBINED,
    task_categories=("token-classification",),
    classes_of=label.classes_of,
    label_of=label.label_of,
    wrong_means=label.wrong_means,
)
