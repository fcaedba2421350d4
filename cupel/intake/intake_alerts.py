"""Alerts of a collection: what was not taken from the inbox, and questions that nobody has answered yet."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from cupel.config.operation import AlertKind
from cupel.config.project import Project
from cupel.intake.alerts import Alert, alert, end_alerts, standing_alerts
from cupel.lake.lake import Lake
from cupel.people.answers.collect import open_tasks
from cupel.sources.inbox import Taken
from cupel.store.files import stat_file

REFUSED: tuple[AlertKind, ...] = ("refused",)
OPEN: tuple[AlertKind, ...] = ("open",)
OPEN_TO_DO = "Let them be answered: in the labeling tool, or as a file of answers in the inbox."


def tell_of_intake(lake: Lake, project: Project, inbox: Path, taken: Sequence[Taken], run_id: str) -> list[str]:
    """Tell of each arrival that was refused, once; what was taken under the same name ends its alert.

    Args:
        lake: The project's lake.
        project: The project; it says whom to tell.
        inbox: The project's inbox.
        taken: What became of what lay there.
        run_id: The run that took it.

    Returns:
        What went wrong in telling.
    """
    problems = []
    for row in taken:
        if row.outcome == "refused":
            path = inbox / row.name if stat_file(inbox / row.name) else inbox / "answers" / row.name
            about = Alert(
                lake.project, row.name, "refused", f"{row.name} was not taken: {row.reason}",
                f"Mend {path}, or take it away; it is looked at again when it changes.", run_id,
                str(path), row.reason, f"cat '{path}.refused.txt'",
            )  # fmt: skip
            problems += alert(lake, project.operation.alerts, about)
        else:
            end_alerts(lake, row.name, REFUSED, f"{row.name}: {row.outcome}")
    return problems


def tell_of_open_questions(
    lake: Lake, project: Project, batches: Sequence[str], releases: Sequence[str], run_id: str
) -> list[str]:
    """Tell of batches and releases that wait for people, once for each purpose, where the project asks for it.

    Args:
        lake: The project's lake.
        project: The project; it says whether and whom to tell.
        batches: Its batches.
        releases: Its unfinished releases.
        run_id: The run that has asked the workforce.

    Returns:
        What went wrong in telling.
    """
    if "open" not in project.operation.alerts.kinds:
        return []
    problems = []
    waiting: dict[str, Counter[str]] = {}
    for kind, names in (("batch", batches), ("release", releases)):
        for name in names:
            tasks = open_tasks(lake, [name], []) if kind == "batch" else open_tasks(lake, [], [name])
            if tasks.num_rows:
                waiting[name] = Counter(tasks["purpose"].to_pylist())
    for name in {row["partition"] for row in standing_alerts(lake) if row["kind"] == "open"} - set(waiting):
        end_alerts(lake, name, OPEN, "no question is open any more")
    for name, purposes in waiting.items():
        counts = ", ".join(f"{count:,} of purpose {purpose}" for purpose, count in sorted(purposes.items()))
        about = Alert(
            lake.project, name, "open", f"questions wait for people: {counts}", OPEN_TO_DO, run_id,
            f"table {'release_tasks' if name in releases else 'tasks'}", "its gate stays open until then",
            f"make gate PROJECT={lake.project} BATCH={name}", f"open {', '.join(sorted(purposes))}",
        )  # fmt: skip
        problems += alert(lake, project.operation.alerts, about)
    return problems
