"""Label kinds and a modality made for tests: sets of classes, a question that voids another, numbers, pictures."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from cupel.config.labeling import Labeling
from cupel.config.project import Known, Project
from cupel.contract.kind import Control, Export, Kind, Labels, Part
from cupel.contract.modality import View
from cupel.contract.ontology import Ontology
from cupel.kinds import KINDS, MODALITIES
from cupel.kinds.category import CATEGORY
from cupel.kinds.items import TEXT
from cupel.kinds.projects import make_project

NONE = "none of them"


def _texts(labels: Labels) -> list[str | None]:
    return list(labels.to_pylist())


def _set_text(names: Sequence[str], ontology: Ontology) -> str:
    return json.dumps([name for name in ontology.classes if name in names], separators=(",", ":"))


def _set_parts(ontology: Ontology) -> tuple[Part, ...]:
    return tuple(Part(name, ("no", "yes")) for name in ontology.classes)


def _parse_set(text: str | None, ontology: Ontology) -> str | None:
    try:
        names = json.loads(text or "")
    except ValueError:
        return None
    is_set = isinstance(names, list) and set(names) <= set(ontology.classes) and len(set(names)) == len(names)
    return _set_text(names, ontology) if is_set else None


def _split_sets(labels: Labels, ontology: Ontology) -> "np.ndarray[Any, np.dtype[np.int64]]":
    sets = [None if text is None else json.loads(text) for text in _texts(labels)]
    rows = [[-1 if one is None else int(name in one) for name in ontology.classes] for one in sets]
    return np.array(rows, np.int64).reshape(-1, len(ontology.classes))


def _join_sets(places: "np.ndarray[Any, np.dtype[np.int64]]", ontology: Ontology) -> pa.Array:
    return pa.array(
        [
            None if (row < 0).any() else _set_text([ontology.classes[at] for at in np.flatnonzero(row)], ontology)
            for row in places
        ],
        pa.string(),
    )


def _set_controls(labeling: Labeling) -> tuple[Control, ...]:
    return (Control("topics", (*labeling.classes, NONE), is_multiple=True),)


def _read_set(chosen: Mapping[str, Sequence[str]], ontology: Ontology) -> str | None:
    names = chosen.get("topics", ())
    if list(names) == [NONE]:
        return "[]"
    return _set_text(names, ontology) if names and set(names) <= set(ontology.classes) else None


def _write_set(label: str, ontology: Ontology) -> Mapping[str, Sequence[str]]:
    return {"topics": json.loads(label) or [NONE]}


def _set_line(row: Mapping[str, Any], ontology: Ontology) -> Iterator[dict[str, Any]]:
    if row["label"] != "[]":
        yield {"text": row["text"], "topics": json.loads(row["label"])}


def _set_columns(labels: Labels, ontology: Ontology) -> dict[str, pa.Array]:
    is_yes = _split_sets(labels, ontology) == 1
    return {f"is_{name}": pa.array(is_yes[:, at]) for at, name in enumerate(ontology.classes)}


# A set of classes: one part a class, one control with an own choice for the empty set.
TOPICS = CATEGORY._replace(
    name="topics",
    summary="a set of classes",
    parts=_set_parts,
    split=_split_sets,
    join=_join_sets,
    parse=lambda labels, ontology: pa.array([_parse_set(text, ontology) for text in _texts(labels)], pa.string()),
    controls=_set_controls,
    read_controls=_read_set,
    write_controls=_write_set,
    columns=_set_columns,
    exports={"topics": Export("JSON Lines of text and topics; items without any are left out", _set_line)},
)

TONES = ("warm", "cold")


def _read_reply(chosen: Mapping[str, Sequence[str]], ontology: Ontology) -> str | None:
    about, tone = chosen.get("is_reply", ()), chosen.get("tone", ())
    if list(about) == ["no"] and not tone:
        return "no"
    return f"yes: {tone[0]}" if list(about) == ["yes"] and len(tone) == 1 and tone[0] in TONES else None


def _write_reply(label: str, ontology: Ontology) -> Mapping[str, Sequence[str]]:
    first, _, second = label.partition(": ")
    return {"is_reply": [first], "tone": [second] if second else []}


# Two questions, of which the second is asked after yes.
REPLIES = CATEGORY._replace(
    name="replies",
    controls=lambda labeling: (
        Control("is_reply", ("yes", "no"), title="Is it a reply?"),
        Control("tone", TONES, title="Which tone?", shown_if=("is_reply", ("yes",))),
    ),
    read_controls=_read_reply,
    write_controls=_write_reply,
)


def _parse_numbers(labels: Labels, ontology: Ontology) -> pa.Array:
    found: list[str | None] = []
    for text in _texts(labels):
        try:
            found.append(f"{float(text or ''):g}")
        except ValueError:
            found.append(None)
    return pa.array(found, pa.string())


def _are_near(one: Labels, other: Labels, ontology: Ontology) -> pa.Array:
    pairs = zip(_texts(one), _texts(other), strict=True)
    return pa.array([a is not None and b is not None and abs(float(a) - float(b)) <= 0.5 for a, b in pairs], pa.bool_())


# A number; half a unit up or down is the same.
NUMBERS = CATEGORY._replace(
    name="numbers",
    summary="a number",
    parts=lambda ontology: (),
    parse=_parse_numbers,
    is_same=_are_near,
    controls=lambda labeling: (),
    read_controls=lambda chosen, ontology: None,
    write_controls=lambda label, ontology: {},
)


def _split_moods(labels: Labels, ontology: Ontology) -> "np.ndarray[Any, np.dtype[np.int64]]":
    rows = [[-1, -1] if text is None else [text == "negative", text == "positive"] for text in _texts(labels)]
    return np.array(rows, np.int64).reshape(-1, 2)


def _mood_line(row: Mapping[str, Any], ontology: Ontology) -> Iterator[dict[str, Any]]:
    if row["label"] != "neutral":
        yield {"text": row["text"], "is_good": row["label"] == "positive"}


def _mood_columns(labels: Labels, ontology: Ontology) -> dict[str, pa.Array]:
    places = _split_moods(labels, ontology)
    return {"is_negative": pa.array(places[:, 0] == 1), "is_positive": pa.array(places[:, 1] == 1)}


# The labels of made releases, negative, neutral and positive, as two parts: said neither to be bad nor to be good.
MOODS = CATEGORY._replace(
    name="moods",
    parts=lambda ontology: (Part("negative", ("no", "yes")), Part("positive", ("no", "yes"))),
    split=_split_moods,
    columns=_mood_columns,
    exports={"moods": Export("JSON Lines of text and is_good; what is neither is left out", _mood_line)},
)

PICTURES = TEXT._replace(
    name="pictures", views=(View("Image", "image"),), about="image", fields=lambda content: {"image": content},
    has_text=False,
)  # fmt: skip

MADE_KINDS: tuple[Kind, ...] = (TOPICS, REPLIES, NUMBERS, MOODS)
KNOWN = Known((*KINDS, *MADE_KINDS), (*MODALITIES, PICTURES))


def made_project(
    kind: str,
    classes: Sequence[str],
    question: str = "Which?",
    modality: str | None = None,
    questions: Sequence[Mapping[str, Any]] = (),
    **tool: Any,
) -> Project:
    """Return a project of any kind, made or real."""
    names = {"first_field": "a", "second_field": "b"} if kind == "preference" else {}
    raw = {"deliveries": {"one": {"files": ["one.jsonl"], "licence": "CC0-1.0", **names}}, "modality": modality}
    live = {"url": "http://x.org", "annotators": {"a": "a@x.org"}, "experts": {"e": "e@x.org"}, **tool}
    return make_project(
        {
            "project": "p", "title": "T", "owner": "team@example.org", "raw": raw, "label_studio": live,
            "labeling": {
                "kind": kind, "question": question, "classes": list(classes), "questions": list(questions),
                "workforce": "label_studio",
                "experts": {"answers": 1, "description": "one expert"},
            },
            "cleaning": {"duplicate_similarity": None},
            "release": {"error_budget": 0.05, "audit_size": 100, "max_experts_seen_share": 0.9,
                        "certificate": {"nonce": "made for a test"}},
        },
        KNOWN,
    )  # fmt: skip
