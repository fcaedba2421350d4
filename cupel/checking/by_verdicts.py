"""By verdicts: which consensus of the same answers experts bear out, once they have spoken on some items."""

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from cupel.checking.label_fusion import LabelFusion
from cupel.checking.people_alone import fuse_people
from cupel.consensus.verdict_step import VERDICT_WEIGHT
from cupel.contract.kind import Kind
from cupel.contract.ontology import Ontology


@dataclass(frozen=True)
class VerdictSettings:
    """What experts' verdicts must say and weigh.

    Attributes:
        another: Nats by which verdicts must be likelier under another consensus than under the one that was chosen
            without experts.
        weight: What an item with a verdict counts where annotators are judged; see `judge_by_verdicts`.
        is_order_shared: Where no model speaks all methods have a say in the order; see `fuse_people`.
    """

    another: float = 4.0
    weight: float = VERDICT_WEIGHT
    is_order_shared: bool = True


AS_MEASURED = VerdictSettings()


def fuse_by_verdicts(
    consensuses: Mapping[str, pa.Table],
    predictions: pa.Table,
    kind: Kind,
    ontology: Ontology,
    verdicts: Mapping[str, str],
    annotations: pa.Table | None = None,
    settings: VerdictSettings = AS_MEASURED,
) -> tuple[str, LabelFusion]:
    """Return what people and checker believe together, people's answers being read as experts' verdicts bear out.

    Held-out answers choose the method that predicts answers best. Where annotators share their mistakes that
    is one that learns the mistakes; verdicts tell, and answers alone cannot. So a few verdicts may call in
    another method: each is given its weights by them, and the one under which they are likeliest counts. Where no
    model says anything, verdicts judge annotators too, and all methods have a say in the order; see `fuse_people`.

    Args:
        consensuses: CONSENSUS of one batch by method; the first is the one chosen without experts, and counts
            until another is likelier by so many nats as the settings say.
        predictions: PREDICTIONS of the same items.
        kind: The label kind.
        ontology: What a label may say.
        verdicts: Experts' labels by item id; without any the first consensus counts.
        annotations: ANNOTATIONS that the consensuses are made from, labels being of one part; None leaves labels and
            order to the method that counts, whether a model speaks or not.
        settings: What verdicts must say and weigh.

    Returns:
        The method, and the fusion of its consensus.

    Raises:
        TableError: Tables hold different items, or a verdict speaks of an item or label not known.
    """
    first, *others = consensuses
    method, best = first, kind.fuse(consensuses[first], predictions, ontology, verdicts)
    least = best.fit + settings.another
    for name in others if verdicts else ():
        found = kind.fuse(consensuses[name], predictions, ontology, verdicts)
        if found.fit > least:
            method, best, least = name, found, found.fit
    if annotations is None or has_opinion(predictions) or not settings.is_order_shared:
        return method, best
    return method, fuse_people(consensuses, method, annotations, predictions, kind, ontology, verdicts, settings.weight)


def has_opinion(predictions: pa.Table) -> bool:
    """Tell whether a model says anything of any item."""
    return bool(predictions["posterior"].null_count < predictions.num_rows)
