"""What a run says of itself when a gate refused or is open: tags that the page shows beside it."""

from typing import Final, Literal

import dagster as dg

OUTCOME = "cupel/outcome"
WHY = "cupel/why"
REPORT = "cupel/report"
# Names the run that the outcome is of: one that is executed again is given the tags of the run before it.
OUTCOME_OF = ".dagster/cupel/outcome_of"
MOST_OF_A_TAG = 250

OutcomeWord = Literal["REFUSED", "OPEN", "PASSED"]
REFUSED: Final = "REFUSED"
OPEN: Final = "OPEN"
PASSED: Final = "PASSED"


def own_outcome(run: dg.DagsterRun) -> str | None:
    """Return what a gate came to in a run; None where none has said so, also where the run it repeats has."""
    is_own = run.parent_run_id is None or run.tags.get(OUTCOME_OF) == run.run_id
    return run.tags.get(OUTCOME) if is_own else None


def tag_run(instance: dg.DagsterInstance, run_id: str, word: OutcomeWord, why: str, link: str | None = None) -> None:
    """Let a run say that a gate refused, or is open; the first refusal stays, whatever comes after.

    Args:
        instance: Where the run is recorded.
        run_id: The run.
        word: What the gate came to; PASSED is said only in place of what a run that is executed again was given.
        why: In a line.
        link: Where the report is; None where there is none.
    """
    run = instance.get_run_by_id(run_id)
    own = None if run is None else own_outcome(run)
    is_inherited = run is not None and own is None and OUTCOME in run.tags
    if own == REFUSED or (word == PASSED and not is_inherited):
        return
    tags = {
        OUTCOME: word,
        OUTCOME_OF: run_id,
        WHY: why if len(why) <= MOST_OF_A_TAG else f"{why[: MOST_OF_A_TAG - 1]}…",
    }
    instance.add_run_tags(run_id, tags if link is None else tags | {REPORT: link})
