"""Questions: the label kind in which a label answers several questions about an item, each of a kind of its own."""

from cupel.contract.kind import Kind, are_equal
from cupel.kinds.questions import answers, asked, frequent
from cupel.kinds.questions.agreement import agreement
from cupel.kinds.questions.check import check
from cupel.kinds.questions.consensus import fuse, questions_consensus

QUESTIONS = Kind(
    name="questions",
    summary="answers to several questions, some asked only after certain answers to others",
    modality="text",
    check=check,
    parts=answers.parts,
    split=answers.split,
    join=answers.join,
    parse=answers.parse,
    is_same=are_equal,
    agreement=agreement,
    consensus=questions_consensus,
    fuse=fuse,
    vocabulary=frequent.vocabulary,
    nearest=frequent.nearest,
    controls=asked.controls,
    read_controls=asked.read_controls,
    write_controls=asked.write_controls,
    columns=answers.columns,
    column_classes=answers.column_classes,
    classes_of=answers.classes_of,
    label_of=answers.label_of,
)
