"""Multilabel: the label kind in which a label is a set of classes of the ontology, possibly none of them."""

from cupel.contract.kind import Kind, are_equal
from cupel.kinds.multilabel import label, project_check
from cupel.kinds.multilabel.consensus import multilabel_consensus

MULTILABEL = Kind(
    name="multilabel",
    summary="a set of classes of the ontology, possibly none of them",
    modality="text",
    check=project_check.check,
    parts=label.parts,
    split=label.split,
    join=label.join,
    parse=label.parse,
    is_same=are_equal,
    agreement=label.agreement,
    consensus=multilabel_consensus,
    fuse=label.fuse,
    vocabulary=label.vocabulary,
    nearest=label.nearest,
    controls=label.controls,
    read_controls=label.read_controls,
    write_controls=label.write_controls,
    columns=label.columns,
    column_classes=label.column_classes,
    columns_since={label.CLASSES: 6},
    classes_of=label.classes_of,
    label_of=label.label_of,
)
