"""LabelMe's JSON, a file an image: shapes are objects in it, flags that are set are its classes."""

from typing import Any

from cupel.exchange.imports.file import File
from cupel.exchange.imports.tool import ReadOptions, Tool
from cupel.people.tool_annotation import Annotation, Read, as_id, fields_of, object_id, one_class, unread_keys
from cupel.sources.reasons import BadRow, evidence


def is_labelme(document: Any) -> bool:
    """Tell whether a document is LabelMe's: it holds shapes, and the path of their image."""
    return isinstance(document, dict) and isinstance(document.get("shapes"), list) and "imagePath" in document


def labelme(document: dict[str, Any], options: ReadOptions) -> Read:
    """Yield the answers of a document; `line` is the shape's number, and 0 for the image itself."""
    item = as_id(document.get("imagePath"))
    if item is None:
        yield BadRow(0, "missing_id", evidence(document.get("imagePath")))
        return
    flags = fields_of(document.get("flags"))
    fields: dict[str, object] = {"image": item}
    if chosen := [name for name, is_set in flags.items() if is_set is True]:
        label = options.read(0, chosen)
        yield label if isinstance(label, BadRow) else Annotation(0, item, label, fields=fields)
    elif not document["shapes"]:
        yield BadRow(0, "no_answer", evidence(item))
    for number, shape in enumerate(document["shapes"], 1):
        if not isinstance(shape, dict):
            yield BadRow(number, "not_an_object", evidence(shape))
            continue
        label = one_class(number, [shape.get("label")])
        name = object_id(item, number)
        yield label if isinstance(label, BadRow) else Annotation(number, name, label, fields=fields)
        yield from unread_keys(number, "shapes[]", shape, ("label", "flags"))
        yield from unread_keys(number, "shapes[].flags", fields_of(shape.get("flags")), ())
    yield from unread_keys(0, "flags", {key: value for key, value in flags.items() if value is not True}, ())
    yield from unread_keys(0, "", document, ("imagePath", "flags", "shapes"))


def _read(file: File, options: ReadOptions) -> Read:
    return labelme(file.document, options)


LABELME = Tool("labelme", lambda file: is_labelme(file.document), _read)
