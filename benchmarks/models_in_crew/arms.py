"""Arms: the ways in which a model may take part in a label, each as the labels that it gives."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from benchmarks.double_check.folder import Crowd
from benchmarks.double_check.opinions import opinions
from benchmarks.models_in_crew.crews import SETTINGS, Crew
from cupel.checking.fuse_models import fuse_beside_models
from cupel.checking.fusion import fuse_beliefs
from cupel.checking.opinions import Opinions, batch_of, predictions_of, reasons
from cupel.consensus.coding import Integers, Reals, by_item, code, lists_of, vectors, vote_counts
from cupel.consensus.consensus import consensus
from cupel.consensus.model_voices import add_voices
from cupel.contract.columns import TEXT

METHOD = "dawid_skene"


def chances(crowd: Crowd, crew: Crew) -> Iterator[tuple[str, Reals]]:
    """Yield each arm's belief, shape items x classes; the label is the likeliest class, a tie is shared out.

    `majority`: heads counted. `union`: a model is one more annotator of the method. `voice`: ours. Behind a plus are
    the models in the crew. With `, checked` a checker comes on top: the linear one, or `model as checker` the model.
    """
    ids, classes = list(crowd.item_ids), crowd.classes
    people = consensus(crew.annotations, ids, classes, METHOD)
    alone = vectors(by_item(people)["posterior"], len(classes))
    yield "people: majority", _shares(crew.annotations, crowd)
    yield "people", alone
    for names in (("linear",), ("linear", "next"), ("linear", "other")):
        if not set(names) <= set(crew.models):
            continue
        told = " + ".join(names)
        every = pa.concat_tables([crew.annotations, *(_answers(crew, name, crowd) for name in names)])
        yield f"majority + {told}", _shares(every, crowd)
        union = consensus(every, ids, classes, METHOD)
        yield f"union + {told}", vectors(by_item(union)["posterior"], len(classes))
        joint = add_voices(alone, [crew.models[name] for name in names])
        yield f"voice + {told}", joint.posterior
        if len(names) == 1:
            yield from _checked(crowd, crew, people, union, joint.posterior)


def _checked(crowd: Crowd, crew: Crew, people: pa.Table, union: pa.Table, joint: Reals) -> Iterator[tuple[str, Reals]]:
    ids, classes = pa.array(crowd.item_ids, TEXT), crowd.classes
    items = pa.table({"item_id": ids, "group_id": pa.nulls(len(ids), TEXT)})
    batch = batch_of(items, people, classes, SETTINGS)
    said = Opinions(crew.scores, reasons(np.isnan(crew.scores[:, 0]), "no opinion"))
    yield "people, model as checker", _fused(people, predictions_of(batch, said, "model", "1"), classes)
    table = by_item(people)
    voiced = table.set_column(
        table.column_names.index("posterior"), "posterior", lists_of(joint, ~np.isnan(joint[:, 0]))
    )
    has_checker = crowd.texts is not None or (crowd.features is not None and crowd.model is None)
    if not has_checker:
        return
    learned = opinions(crowd._replace(model=None), people)
    yield "people, checked", _fused(people, learned, classes)
    yield "voice + linear, checked", fuse_beside_models(people, voiced, learned, classes).parts[0].posterior
    yield "voice + linear, checked, weight by all", _fused(voiced, learned, classes)
    twice = opinions(crowd._replace(model=None), voiced)
    yield "voice + linear, checked, learned from both", _fused(voiced, twice, classes)
    yield "union + linear, checked, learned from both", _fused(union, opinions(crowd, union), classes)


def error(chance: Reals, truth: Integers) -> float:
    """Return the share of items whose likeliest class is wrong; of classes equally likely, one is drawn."""
    rows = np.flatnonzero(truth >= 0)
    values = np.round(np.where(np.isnan(chance[rows]), 0.0, chance[rows]), 12)
    top = values == values.max(axis=1, keepdims=True)
    return float(1 - (top[np.arange(len(rows)), truth[rows]] / top.sum(axis=1)).mean())


def _answers(crew: Crew, name: str, crowd: Crowd) -> pa.Table:
    said = crew.models[name]
    rows = np.flatnonzero(said >= 0)
    columns = {
        "item_id": pa.array(crowd.item_ids, TEXT).take(pa.array(rows)),
        "annotator": pa.repeat(pa.scalar(f"model {name}", TEXT), len(rows)),
        "label": pa.array(crowd.classes, TEXT).take(pa.array(said[rows])),
    }
    return pa.table(columns)


def _shares(annotations: pa.Table, crowd: Crowd) -> Reals:
    counts = vote_counts(code(annotations, list(crowd.item_ids), crowd.classes))
    return np.asarray(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))


def _fused(consensus: pa.Table, predictions: pa.Table, classes: tuple[str, ...]) -> Reals:
    """Return what people and checker believe together, shape items x classes, by item id."""
    crowd, model = (vectors(by_item(table)["posterior"], len(classes)) for table in (consensus, predictions))
    return fuse_beliefs(pa.array(sorted(consensus["item_id"].to_pylist())), crowd, model).posterior
