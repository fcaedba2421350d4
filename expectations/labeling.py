"""What the labeling gate asks: have enough people answered, do they agree, and does nobody decide alone?"""

import pyarrow as pa

from cupel.config.project import Project
from cupel.lake.step import Step
from cupel.people.answers.guidelines import OLDER
from cupel.people.answers.sent_back import REASONS as SEND_BACK_REASONS
from expectations import thresholds
from expectations.suite import Check, Measured, Suite, one_row, row_of, share, some_ids, view

JUDGED_BY = "judged by the lower end of its 95% jackknife interval over items"

_BY_ITEM = """
SELECT item_id, sum(is_clean) AS clean, sum(is_consensus) AS consensus, max(said) AS said, sum(answered) AS answered
FROM (SELECT item_id, 1 AS is_clean, 0 AS is_consensus, 0 AS said, 0 AS answered FROM clean_items
      UNION ALL SELECT item_id, 0, 1, votes, 0 FROM consensus
      UNION ALL SELECT item_id, 0, 0, 0, count(*) FROM annotations GROUP BY item_id)
GROUP BY item_id
"""
# What so many annotators skipped or flagged goes to experts: no annotation of it is missing; as in `checking.routes`.
_UNDECIDED = """
SELECT item_id FROM rejected_answers WHERE reason = 'undecided'
GROUP BY item_id HAVING count(DISTINCT annotator) + count(*) FILTER (annotator IS NULL) >= $2
"""
_SHORT = f"clean > 0 AND answered < $1 AND item_id NOT IN ({_UNDECIDED})"
NEVER = 2**31 - 1
# What says nothing of who gave it: a changed guideline, or a send-back, has its item asked again.
_ASKED_ANEW = (OLDER, *SEND_BACK_REASONS)
_ANEW = f"SELECT count(*) AS anew FROM rejected_answers WHERE reason IN {_ASKED_ANEW}"
_ODD = "clean <> 1 OR consensus <> 1 OR said <> answered"
_ITEMS = f"""
SELECT count(*) FILTER (clean > 0) AS items,
       count(*) FILTER ({_ODD}) AS odd,
       count(*) FILTER ({_SHORT}) AS short_items,
       coalesce(sum($1 - answered) FILTER ({_SHORT}), 0)::BIGINT AS missing
FROM ({_BY_ITEM})
"""
_LARGEST = """
SELECT coalesce(sum(answers), 0)::BIGINT AS answers, max(answers) FILTER (annotator IS NOT NULL) AS largest
FROM (SELECT annotator, count(*) AS answers FROM annotations GROUP BY annotator)
"""
_VOTES = "SELECT item_id, label, count(*) AS votes FROM annotations GROUP BY ALL ORDER BY item_id, label"


def measure(step: Step) -> pa.Table:
    """Count the annotations of every item, and measure how far people agree."""
    for table in ("clean_items", "annotations", "consensus", "rejected_answers"):
        view(step, table)
    rejected = _count_rejected(step)
    overlap = step.project.labeling.overlap
    asked = [overlap.first, overlap.most_undecided or NEVER]
    found, people = row_of(step, _ITEMS, asked), row_of(step, _LARGEST)
    odd = some_ids(step, found["odd"], f"SELECT item_id FROM ({_BY_ITEM}) WHERE {_ODD}")
    short = some_ids(step, found["missing"], f"SELECT item_id FROM ({_BY_ITEM}) WHERE {_SHORT}", asked)
    agreement = _agreement(step)
    return one_row(
        {
            "items_without_consensus": Measured(found["odd"], item_ids=odd),
            "annotations_missing": Measured(found["missing"], item_ids=short),
            "rejected_answer_share": Measured(share(rejected, rejected + people["answers"])),
            "agreement": agreement,
            "agreement_customary": agreement,
            "largest_answer_share": Measured(share(people["largest"], people["answers"])),
        },
        items=found["items"],
        short_items=found["short_items"],
    )


def _count_rejected(step: Step) -> int:
    """Count rejected answers; those whose items a declared change of the guideline or a send-back asks again aside."""
    return step.uses("rejected_answers").rows - int(row_of(step, _ANEW)["anew"])


def awaited(metrics: pa.Table) -> str | None:
    """Say how many items and annotations are awaited."""
    if "short_items" not in metrics.column_names or not metrics["short_items"][0].as_py():
        return None
    short, items = metrics["short_items"][0].as_py(), metrics["items"][0].as_py()
    missing = int(metrics["annotations_missing"][0].as_py())
    return f"{short:,} of {items:,} items await {missing:,} annotations"


def knows_annotators(project: Project, partition: str | None) -> bool:
    """Tell whether the annotators of a batch, or of any batch, are known."""
    known = project.labeling.are_annotators_known
    batches = list(project.raw.deliveries) if partition is None else [partition]
    return any(known.get(batch, True) for batch in batches)


def _agreement(step: Step) -> Measured:
    votes = step.lake.connection.execute(_VOTES).to_arrow_table()
    name, found = next(step.project.kind.agreement(votes, step.project.labeling.ontology))
    return Measured(found.value, found.lower, note=f"{name}; {JUDGED_BY}")


SUITE = Suite(
    stage="labeling",
    table="consensus",
    beside=("annotations", "rejected_answers"),
    checks=(
        Check(
            thresholds.ITEMS_WITHOUT_CONSENSUS,
            "How many items are clean without a consensus, in the consensus without being clean, or counted with "
            "other annotations than they have?",
            "Run the labeling stage again; if it stays so, report it as a bug with the ids shown.",
        ),
        Check(
            thresholds.ANNOTATIONS_MISSING,
            "How many annotations are still missing, for every clean item to have overlap.first of them?",
            "Nothing is wrong: the gate is open until the annotators have answered the open tasks.",
        ),
        Check(
            thresholds.REJECTED_ANSWER_SHARE,
            "What share of the answers do not count?",
            "Count the reasons in rejected_answers: unknown_label points to the labeling tool, undecided to the "
            "instructions, unknown_item to answers for another delivery.",
        ),
        Check(
            thresholds.AGREEMENT,
            "How far do annotators agree beyond chance, by Krippendorff's alpha, at least (lower bound)?",
            "Mend question, classes or instructions, and label a small batch again before the whole of it.",
            judges_bound=True,
        ),
        Check(
            thresholds.AGREEMENT_CUSTOMARY,
            "Does Krippendorff's alpha reach what is customary for tentative conclusions (lower bound)?",
            "Expect a larger share of items to go to experts; more annotators an item help where they are careless, "
            "a sharper question where they differ.",
            judges_bound=True,
        ),
        Check(
            thresholds.LARGEST_ANSWER_SHARE,
            "What share of the annotations is one known annotator's, at most?",
            "Spread the open tasks over more people; where one person is meant to label all, say so in thresholds.",
            applies=knows_annotators,
        ),
    ),
    measure=measure,
    awaited=awaited,
)
