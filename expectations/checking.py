"""What the checking gate asks: has every item one label of the ontology, and do people and checker agree?"""

import pyarrow as pa
import pyarrow.compute as pc

from cupel.lake.step import Step
from expectations import thresholds
from expectations.suite import Check, Measured, Suite, one_row, row_of, share, some_ids, view

_BY_ITEM = """
SELECT item_id, sum(is_clean) AS clean, sum(is_label) AS labels
FROM (SELECT item_id, 1 AS is_clean, 0 AS is_label FROM clean_items
      UNION ALL SELECT item_id, 0, 1 FROM labels)
GROUP BY item_id
HAVING sum(is_clean) <> 1 OR sum(is_label) <> 1
"""
_LABELS = """
SELECT count(*) AS labels,
       count(*) FILTER (NOT list_contains(?::VARCHAR[], label)) AS outside,
       count(predicted_label) AS predicted,
       count(*) FILTER (route = 'expert') AS to_experts
FROM labels
"""
_TEXTS = "SELECT DISTINCT label FROM labels ORDER BY label"
_OPINIONS = """
SELECT consensus_label, predicted_label, count(*) AS items FROM labels
WHERE consensus_label IS NOT NULL AND predicted_label IS NOT NULL GROUP BY ALL ORDER BY ALL
"""
_OUTSIDE = "SELECT item_id FROM labels WHERE NOT list_contains(?::VARCHAR[], label)"


def measure(step: Step) -> pa.Table:
    """Count the labels, those outside the ontology, and where people and checker differ."""
    view(step, "clean_items")
    view(step, "labels")
    kind, ontology = step.project.kind, step.project.labeling.ontology
    texts = step.lake.connection.execute(_TEXTS).to_arrow_table()["label"].cast(pa.string())
    known = [texts.filter(pc.equal(kind.parse(texts, ontology), texts)).to_pylist()]
    opinions = step.lake.connection.execute(_OPINIONS).to_arrow_table()
    people, checker = (opinions[name].cast(pa.string()) for name in ("consensus_label", "predicted_label"))
    differing = pc.sum(opinions["items"].filter(pc.invert(kind.is_same(people, checker, ontology)))).as_py() or 0
    odd = row_of(step, f"SELECT count(*) AS items FROM ({_BY_ITEM})")["items"]
    found = row_of(step, _LABELS, known)
    labels, predicted = found["labels"], found["predicted"]
    return one_row(
        {
            "items_without_label": Measured(odd, item_ids=some_ids(step, odd, f"SELECT item_id FROM ({_BY_ITEM})")),
            "labels_outside_ontology": Measured(
                found["outside"], item_ids=some_ids(step, found["outside"], _OUTSIDE, known)
            ),
            "checker_disagreement_share": Measured(share(differing, predicted)),
            "expected_expert_share": Measured(share(found["to_experts"], labels)),
            "checker_abstention_share": Measured(share(labels - predicted, labels)),
        }
    )


SUITE = Suite(
    stage="checking",
    table="labels",
    checks=(
        Check(
            thresholds.ITEMS_WITHOUT_LABEL,
            "How many items are clean without exactly one label, or have a label without being clean?",
            "Run the checking stage again; if it stays so, report it as a bug with the ids shown.",
        ),
        Check(
            thresholds.LABELS_OUTSIDE_ONTOLOGY,
            "How many labels are none of the project's classes?",
            "The classes were changed after labeling: run the labeling stage again, or put the class back.",
        ),
        Check(
            thresholds.CHECKER_DISAGREEMENT_SHARE,
            "On what share of the items that the checker judged does it contradict the annotators' consensus?",
            "Read a few of the items: if the people are right, choose another checker; if the checker is, mend the "
            "instructions.",
        ),
        Check(
            thresholds.EXPECTED_EXPERT_SHARE,
            "What share of the items do the routes send to experts?",
            "Ask one more annotator of every item (overlap), choose a better checker, or plan the experts' time.",
        ),
        Check(
            thresholds.CHECKER_ABSTENTION_SHARE,
            "On what share of the items does the checker abstain?",
            "A checker that learns from the labels needs more of them in every class.",
        ),
    ),
    measure=measure,
)
