"""By verdicts: which consensus of the same answers experts bear out, once they have spoken on some items."""

from collections.abc import Mapping, Sequence

import pyarrow as pa

from cupel.checking.fusion import Fusion, fuse

# Nats by which verdicts must be likelier under another consensus than under the one that was chosen without experts.
ANOTHER = 4.0


def fuse_by_verdicts(
    consensuses: Mapping[str, pa.Table], predictions: pa.Table, classes: Sequence[str], verdicts: Mapping[str, str]
) -> tuple[str, Fusion]:
    """Return what people and checker believe together, people's answers being read as experts' verdicts bear out.

    Held-out answers choose the method that predicts answers best. Where annotators share their mistakes that
    is one that learns the mistakes; verdicts tell, and answers alone cannot. So a few verdicts may call in
    another method: each is given its weights by them, and the one under which they are likeliest counts.

    Args:
        consensuses: CONSENSUS of one batch by method; the first is the one chosen without experts, and counts
            until another is likelier by `ANOTHER`.
        predictions: PREDICTIONS of the same items.
        classes: The ontology.
        verdicts: Experts' labels by item id; without any the first consensus counts.

    Returns:
        The method, and the fusion of its consensus.

    Raises:
        TableError: Tables hold different items, or a verdict speaks of an item or class not known.
    """
    first, *others = consensuses
    method, best = first, fuse(consensuses[first], predictions, classes, verdicts)
    least = best.fit + ANOTHER
    for name in others if verdicts else ():
        found = fuse(consensuses[name], predictions, classes, verdicts)
        if found.fit > least:
            method, best, least = name, found, found.fit
    return method, best
