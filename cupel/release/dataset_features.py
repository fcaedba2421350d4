"""Features of a release's data files, as the library `datasets` reads them: classes by name, types of the columns.

They stand in the card's front matter, by which `load_dataset` makes classes of texts, and in the metadata of each
Parquet file. In the files labels stay texts, for people and other tools read those.
"""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from cupel.contract.kind import Kind
from cupel.contract.ontology import Ontology
from cupel.contract.table import Table

# The key of a Parquet file's metadata that the library reads.
METADATA_KEY = b"huggingface"


def find_classes(kind: Kind, ontology: Ontology) -> Mapping[str, tuple[str, ...]]:
    """Return the columns whose texts are names of classes, with all these, in the ontology's order."""
    parts = kind.parts(ontology)
    of_kind = kind.column_classes(ontology)
    if len(parts) != 1:
        return of_kind
    names = kind.join(np.arange(len(parts[0].classes))[:, None], ontology).to_pylist()
    # A label of one part may be written otherwise than by its class alone.
    return {"label": parts[0].classes, **of_kind} if names == list(parts[0].classes) else of_kind


def front_matter_features(table: Table, kind: Kind, ontology: Ontology) -> list[dict[str, Any]]:
    """Return the features as a card's front matter has them under `dataset_info`."""
    classes = find_classes(kind, ontology)
    return [
        {"name": column.name, **_in_front_matter(column.type, classes.get(column.name))} for column in table.columns
    ]


def parquet_metadata(table: Table, kind: Kind, ontology: Ontology) -> dict[bytes, bytes]:
    """Return the features as the metadata of a Parquet file have them."""
    classes = find_classes(kind, ontology)
    features = {column.name: _in_metadata(column.type, classes.get(column.name)) for column in table.columns}
    return {METADATA_KEY: json.dumps({"info": {"features": features}}, ensure_ascii=False).encode()}


def _in_front_matter(type_: pa.DataType, classes: tuple[str, ...] | None) -> dict[str, Any]:
    is_list = pa.types.is_list(type_)
    name = str(type_.value_type if is_list else type_)
    names = {} if classes is None else {str(place): one for place, one in enumerate(classes)}
    dtype: Any = {"class_label": {"names": names}} if names else _NAMES.get(name, name)
    return {"sequence": dtype} if is_list else {"dtype": dtype}


def _in_metadata(type_: pa.DataType, classes: tuple[str, ...] | None) -> dict[str, Any]:
    if pa.types.is_list(type_):
        return {"feature": _in_metadata(type_.value_type, classes), "_type": "Sequence"}
    if classes is not None:
        return {"names": list(classes), "_type": "ClassLabel"}
    return {"dtype": _NAMES.get(str(type_), str(type_)), "_type": "Value"}


# What Arrow and the library call differently.
_NAMES = {"double": "float64", "float": "float32"}
