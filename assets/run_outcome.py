"""What a run says of itself when a gate refused or is open: tags that the page shows beside it."""

from typing import Final, Literal

import dagster as dg

OUTCOME = "cupel/outcome"
WHY = "cupel/why"
REPORT = "cupel/report"
MOST_OF_A_TAG = 250

OutcomeWord = Literal["REFUSED", "OPEN", "PASSED"]
REFUSED: Final = "REFUSED"
OPEN: Final = "OPEN"
PASSED: Final = "PASSED"


def tag_run(instance: dg.DagsterInstance, run_id: str, word: OutcomeWord, why: str, link: str | None = None) -> None:
    """Let a run say that a gate refused, or is open; the first refusal stays, whatever comes after.

    Args:
        instance: Where the run is recorded.
        run_id: The run.
        word: What the gate came to; PASSED is not said.
        why: In a line.
        link: Where the report is; None where there is none.
    """
    run = instance.get_run_by_id(run_id)
    if word == PASSED or (run is not None and run.tags.get(OUTCOME) == REFUSED):
        return
    tags = {OUTCOME: word, WHY: why if len(why) <= MOST_OF_A_TAG else f"{why[: MOST_OF_A_TAG - 1]}…"}
    instance.add_run_tags(run_id, tags if link is None else tags | {REPORT: link})
