"""The summary of a project's deliveries for machines: `summary.json`, the same keys for each delivery."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from cupel.config.project import Project
from cupel.release.facts import BatchFacts, ReleaseFacts, Row


class Delivery(NamedTuple):
    """A delivery, and the release that holds it, if there is one."""

    batch: BatchFacts
    release: ReleaseFacts | None = None

    @property
    def verdict(self) -> str:
        """PASS, REFUSED or OPEN; a delivery that never got to a release is not a pass."""
        if self.release is not None:
            return self.release.verdict
        return "REFUSED" if self.batch.gate == "fail" else "OPEN"

    @property
    def reason(self) -> str:
        """Why, in words that a manager understands."""
        return self.release.reason if self.release is not None else batch_reason(self.batch)


def deliveries(facts: Sequence[ReleaseFacts | BatchFacts]) -> list[Delivery]:
    """Return one entry a delivery, in the order given; a release stands for each of its deliveries, once."""
    found: dict[str, Delivery] = {}
    for one in facts:
        held = [Delivery(one)] if isinstance(one, BatchFacts) else [Delivery(batch, one) for batch in one.batches]
        for delivery in held:
            found.setdefault(delivery.batch.batch, delivery)
    return list(found.values())


def batch_reason(facts: BatchFacts) -> str:
    """Return why a delivery has no release yet."""
    failed = [row for row in facts.gates if row["outcome"] == "fail" and row["severity"] == "critical"]
    if failed:
        return "checks failed: " + "; ".join(f"{row['check']} ({row['stage']}): {row['reason']}" for row in failed)
    waiting = [str(row["reason"]) for row in facts.gates if row["outcome"] == "open"]
    if facts.tasks_open:
        waiting.append(f"{facts.tasks_open:,} questions wait for an answer")
    if waiting:
        return "waiting: " + "; ".join(waiting)
    return "all checks passed; no release is planned yet" if facts.gates else "no stage has been judged yet"


def stage_error(facts: ReleaseFacts | None, decided_by: str) -> Row | None:
    """Return the row of STAGE_ERRORS for one way to decide labels, or None where there is no estimate."""
    rows = [] if facts is None else facts.stage_errors
    return next((row for row in rows if row["decided_by"] == decided_by and row["error"] is not None), None)


def summary(
    project: Project,
    facts: Sequence[ReleaseFacts | BatchFacts],
    releases: Mapping[str, str],
    reports: Mapping[str, str],
) -> dict[str, Any]:
    """Return what `summary.json` holds.

    Args:
        project: The project.
        facts: Of each delivery its release's facts, or its own where it never got to a release.
        releases: Folder of each release that was written, by the release's name.
        reports: Report of each release, by the release's name.

    Returns:
        `project` and `deliveries`: by batch, always the same keys; null where a thing is not known.
    """
    found = {}
    for delivery in deliveries(facts):
        name = delivery.release.release if delivery.release else ""
        paths = {"release": releases.get(name), "report": reports.get(name)}
        found[delivery.batch.batch] = {**_delivery(project, delivery), **paths}
    return {"project": project.project, "deliveries": found}


def _delivery(project: Project, delivery: Delivery) -> dict[str, Any]:
    batch, facts = delivery.batch, delivery.release
    result: Row = (facts.result if facts else None) or {}
    crew, consensus = stage_error(facts, "one annotator"), stage_error(facts, "consensus")
    return {
        "items_in": batch.rows_in,
        "rejected": batch.rejected,
        "rejected_answers": batch.rejected_answers,
        "items_labelled": batch.items_labelled,
        "crew_error": crew and crew["error"],
        "consensus_error": consensus and consensus["error"],
        "adjudicated": result.get("adjudicated"),
        "audited": result.get("audited"),
        "audit_wrong": result.get("audit_wrong"),
        "contested": result.get("contested"),
        "error_bound": result.get("error_bound"),
        "error_bound_with_contested": result.get("error_bound_with_contested"),
        "confidence": result.get("confidence"),
        "error_budget": facts.terms.error_budget if facts else project.release.error_budget,
        "gate": delivery.verdict,
        "gate_reason": delivery.reason,
        "released": facts.released if facts else 0,
        "experts_seen_share": result.get("experts_seen_share"),
        **_guideline(facts),
    }


def _guideline(facts: ReleaseFacts | None) -> dict[str, Any]:
    """Return under which guideline the labels were made, and that another is in force since; no key without one."""
    if facts is None or facts.guideline is None:
        return {}
    return {"guideline": facts.guideline.version.version, "guideline_lapse": facts.guideline.lapse}
