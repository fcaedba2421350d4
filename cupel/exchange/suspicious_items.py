"""Suspicious items of a release as files that cleanlab, Argilla and FiftyOne read: what to look at again, and why.

The order is that of `relabel_next.csv`: labels that experts found wrong, then those that no expert has settled, the
riskiest first. It is a suggestion without proof.
"""

import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cupel.contract.columns import TEXT
from cupel.contract.kind import Kind
from cupel.errors import OutputError, ReleaseError
from cupel.lake.lake import Lake
from cupel.release.dataset_features import find_classes
from cupel.release.names import find_rows
from cupel.release.probabilities import find_probabilities
from cupel.release.relabel import MOST, relabel_rows
from cupel.release.release_audit import ReleaseAudit, read_release_audit
from cupel.store.files import is_folder, make_folder, put_file, stat_file

NAME = ["batch", "item_id"]


class SuspiciousItems(NamedTuple):
    """The items of a release, and which of them to look at again.

    Attributes:
        release: The release.
        kind: What a label is; None: one class, and nothing else was frozen.
        audit: The release with what experts have said so far.
        items: RELEASE_ITEMS in their order of risk, with `probability` and what experts say: `is_judged`, `is_wrong`.
        listed: What to look at again, as `relabel_rows` returns it, with `probability` and `predicted_label`.
    """

    release: str
    kind: Kind | None
    audit: ReleaseAudit
    items: pa.Table
    listed: pa.Table


class WrittenList(NamedTuple):
    """What was written: the folder, the items in it, and those left out, with the reason."""

    folder: Path
    items: int
    left_out: int
    reason: str


def find_suspicious(lake: Lake, release: str, known: Iterable[Kind], most: int = MOST) -> SuspiciousItems:
    """Return the items of a release, certified or not, and those to look at again.

    Args:
        lake: The project's lake.
        release: The release.
        known: The label kinds that there are.
        most: Items listed at most.

    Raises:
        LakeError: The release was never planned.
        ReleaseError: It was refused before anything was frozen.
    """
    audit = read_release_audit(lake, release, "audit", "adjudications", columns=["log_odds"], known=known)
    if not audit.items.num_rows:
        raise ReleaseError(f"release {release}: no items were frozen, so none are suspicious; see its report")
    items = lake.read("release_items", release).sort_by("risk_rank")
    said = audit.verdicts["expert_label"].take(audit.verdict_of)
    is_judged = pc.is_valid(audit.verdict_of)
    is_wrong = pc.fill_null(pc.not_equal(said, items["label"]), False)
    items = items.append_column("probability", find_probabilities(items["log_odds"], is_judged))
    items = items.append_column("is_judged", is_judged).append_column("is_wrong", is_wrong)
    listed = relabel_rows(lake, audit, most)
    rows = pa.array(pc.subtract(listed["risk_rank"], 1).to_numpy())
    for name in ("probability", "predicted_label"):
        listed = listed.append_column(name, items[name].take(rows))
    return SuspiciousItems(release, audit.kind, audit, items, listed)


def write_for_cleanlab(found: SuspiciousItems, lake: Lake, folder: Path) -> WrittenList:
    """Write labels, out-of-sample probabilities and an issues table as cleanlab takes them.

    `labels.npy` (places in `classes.json`) and `pred_probs.npy` (items x classes, the checker's out of sample) are what
    `find_label_issues`, `get_label_quality_scores` and Datalab ask for; `issues.parquet` has a row for each of theirs,
    in the same order, with the columns of Datalab's label issues. Items without an opinion of the checker are left out.

    Raises:
        ReleaseError: A label is more than one class.
    """
    classes = found.audit.terms.classes
    if found.kind is not None or not classes:
        raise ReleaseError(
            f"release {found.release}: a label is more than one class, and cleanlab's label issues are of one; use "
            "--format argilla"
        )
    posterior = _find_posteriors(found, lake, len(classes))
    rows = np.flatnonzero(~np.isnan(posterior).any(axis=1))
    items, posterior = found.items.take(pa.array(rows)), posterior[rows]
    labels = pc.index_in(items["label"], value_set=pa.array(classes, TEXT)).to_numpy().astype(np.int64)
    # What the checker says now: it may have learned since the freeze, and the table must fit the probabilities.
    likeliest = posterior.argmax(axis=1)
    is_doubted = pc.and_not(pa.array(likeliest != labels), items["is_judged"])
    issues = pa.table({
        **{name: items[name] for name in (*NAME, "text")},
        "is_label_issue": pc.or_(items["is_wrong"], is_doubted), "label_score": items["probability"],
        "given_label": items["label"], "predicted_label": pa.array(classes, TEXT).take(pa.array(likeliest)),
    })  # fmt: skip
    files = {
        "labels.npy": _npy(labels), "pred_probs.npy": _npy(posterior), "classes.json": _json(list(classes)),
        "issues.parquet": _parquet(issues),
    }  # fmt: skip
    _write(folder, files)
    return WrittenList(folder, len(rows), found.items.num_rows - len(rows), "the checker has no opinion of them")


def write_for_argilla(found: SuspiciousItems, lake: Lake, folder: Path) -> WrittenList:
    """Write the listed items as a dataset that `argilla.Dataset.from_disk` reads: settings, and a record an item.

    Each question suggests the label as it stands, with its probability where the label is one answer.
    """
    asked = _questions(found)
    answers = _answers(found, list(asked))
    records = []
    for place, row in enumerate(found.listed.to_pylist()):
        score = {} if row["probability"] is None or len(asked) > 1 else {"score": row["probability"]}
        given = {name: values[place] for name, values in answers.items() if values[place] is not None}
        metadata = {name: row[name] for name in ("batch", "item_id", "risk_rank", "probability", "predicted_label")}
        records.append({
            "id": f"{row['batch']}/{row['item_id']}",
            "fields": {"text": row["text"], "reason": row["reason"]},
            "metadata": {name: value for name, value in metadata.items() if value is not None},
            "suggestions": {name: {"value": v, "agent": found.release, **score} for name, v in given.items()},
            "responses": {}, "vectors": {}, "status": "pending",
        })  # fmt: skip
    settings = {
        "guidelines": f"Suspicious labels of {found.release}. The suggestion is the label as it stands.",
        "fields": [_field("text", "Item"), _field("reason", "Why it is asked")],
        "questions": list(asked.values()),
        "vectors": [],
        "metadata": [
            _metadata(name, kind)
            for name, kind in (
                ("batch", "terms"), ("item_id", "terms"), ("risk_rank", "integer"), ("probability", "float"),
                ("predicted_label", "terms"),
            )
        ],
        "allow_extra_metadata": False,
        "distribution": {"strategy": "overlap", "min_submitted": 1},
        "mapping": None,
    }  # fmt: skip
    about = {"name": f"{found.release}-suspicious", "status": "draft", "allow_extra_metadata": False}
    files = {".argilla/dataset.json": about, ".argilla/settings.json": settings, "records.json": records}
    _write(folder, {name: _json(content) for name, content in files.items()})
    return WrittenList(folder, len(records), 0, "")


def write_for_fiftyone(found: SuspiciousItems, lake: Lake, folder: Path) -> WrittenList:
    """Write the labels of the listed images as FiftyOne's type FiftyOneImageClassificationDataset has them.

    `labels.json` names images by their path in the delivery's folder, without its ending: that folder is the
    `data_path`. Images that lie elsewhere, by address, are left out.

    Raises:
        ReleaseError: Items are no images, or a label is more than one class.
    """
    if not any(lake.commit("image_files", batch) is not None for batch in found.audit.terms.batches):
        raise ReleaseError(f"release {found.release}: its items are no images; use --format cleanlab or argilla")
    if found.kind is not None:
        raise ReleaseError(
            f"release {found.release}: a label is more than one class, and FiftyOne's classification is of one; use "
            "--format argilla"
        )
    rows = [row for row in found.listed.to_pylist() if "://" not in row["text"]]
    labels = {
        row["text"].rpartition(".")[0] or row["text"]: {
            "label": row["label"], "confidence": row["probability"],
            "attributes": {name: row[name] for name in ("batch", "item_id", "reason", "risk_rank", "predicted_label")},
        }
        for row in rows
    }  # fmt: skip
    _write(folder, {"labels.json": _json({"classes": list(found.audit.terms.classes), "labels": labels})})
    return WrittenList(folder, len(labels), found.listed.num_rows - len(labels), "they lie at an address")


FORMATS: Mapping[str, Callable[[SuspiciousItems, Lake, Path], WrittenList]] = {
    "cleanlab": write_for_cleanlab, "argilla": write_for_argilla, "fiftyone": write_for_fiftyone,
}  # fmt: skip


def _find_posteriors(found: SuspiciousItems, lake: Lake, classes: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return what the checker gives each class of each item, shape items x classes; NaN where it has no opinion."""
    posterior = np.full((found.items.num_rows, classes), np.nan)
    for batch in found.audit.terms.batches:
        said = lake.read("predictions", batch, ["item_id", "posterior"])
        said = said.filter(pc.is_valid(said["posterior"]))
        said = said.append_column("batch", pa.repeat(pa.scalar(batch, TEXT), said.num_rows))
        (rows,) = find_rows(found.items, said)
        values = np.array(said["posterior"].to_pylist(), np.float64).reshape(-1, classes)
        posterior[rows[rows >= 0]] = values[rows >= 0]
    return posterior


def _questions(found: SuspiciousItems) -> dict[str, dict[str, Any]]:
    """Return a question for each thing that a label says, by name."""
    terms = found.audit.terms
    if found.kind is None:
        return {"label": _question("label", terms.classes, is_list=False)}
    columns = found.kind.columns(pa.array([], TEXT), terms.ontology)
    classes = find_classes(found.kind, terms.ontology)
    return {
        name: _question(name, classes[name], is_list=pa.types.is_list(column.type))
        for name, column in columns.items() if name in classes
    }  # fmt: skip


def _answers(found: SuspiciousItems, names: Sequence[str]) -> dict[str, list[Any]]:
    """Return what the labels that are listed answer to each question."""
    if found.kind is None:
        return {"label": found.listed["label"].to_pylist()}
    columns = found.kind.columns(found.listed["label"], found.audit.terms.ontology)
    return {name: columns[name].to_pylist() for name in names}


def _question(name: str, classes: Sequence[str], *, is_list: bool) -> dict[str, Any]:
    kind = "multi_label_selection" if is_list else "label_selection"
    options = [{"value": one, "text": one, "description": None} for one in classes]
    settings: dict[str, Any] = {"type": kind, "options": options, "visible_options": None}
    if is_list:
        settings["options_order"] = "natural"
    return {"name": name, "title": name, "description": None, "required": False, "type": kind, "settings": settings}


def _field(name: str, title: str) -> dict[str, Any]:
    return {
        "name": name, "title": title, "description": None, "required": True, "type": "text",
        "settings": {"type": "text", "use_markdown": False},
    }  # fmt: skip


def _metadata(name: str, kind: str) -> dict[str, Any]:
    limits = {"values": None} if kind == "terms" else {"min": None, "max": None}
    settings = {"type": kind, "visible_for_annotators": True, **limits}
    return {"name": name, "title": name, "visible_for_annotators": True, "settings": settings}


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files into a new or empty folder."""
    if taken := [name for name in files if stat_file(folder / name) is not None]:
        raise OutputError(f"--to: {folder / taken[0]} is there already; name a new folder, or remove it")
    if not is_folder(folder.parent):
        raise OutputError(f"--to: {folder.parent} is not there; make it, or name another folder")
    for name, content in files.items():
        make_folder((folder / name).parent)
        put_file(folder / name, content)


def _npy(values: np.ndarray[Any, Any]) -> bytes:
    sink = io.BytesIO()
    np.save(sink, values, allow_pickle=False)
    return sink.getvalue()


def _parquet(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return bytes(memoryview(sink.getvalue()))


def _json(content: Any) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()
