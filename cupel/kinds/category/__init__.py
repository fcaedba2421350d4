"""Category: the label kind in which a label is one class of the ontology."""

from cupel.contract.kind import Kind, are_equal, keep_labels
from cupel.kinds.category import classes
from cupel.kinds.category.consensus import category_consensus

CATEGORY = Kind(
    name="category",
    summary="a class of the ontology",
    modality="text",
    check=classes.check,
    parts=classes.parts,
    split=classes.split,
    join=classes.join,
    parse=classes.parse,
    is_same=are_equal,
    agreement=classes.agreement,
    consensus=category_consensus,
    fuse=classes.fuse,
    vocabulary=classes.vocabulary,
    nearest=keep_labels,
    controls=classes.controls,
    read_controls=classes.read_controls,
    write_controls=classes.write_controls,
)
