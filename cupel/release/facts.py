"""The facts of a release: all that its summary, card and report tell, gathered from the tables."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.certificate.auditors import PlantedKinds
from cupel.config.prices import Prices
from cupel.config.project import Project
from cupel.lake.draw_log import DRAWS, find_draw
from cupel.lake.gates import gate_rows, gated_stages
from cupel.lake.lake import Lake
from cupel.lake.send_back_log import SendBack
from cupel.release.anchoring import judge_by_audit
from cupel.release.contamination import Contaminated, Together, contaminated, together
from cupel.release.frozen_terms import FrozenTerms
from cupel.release.guidelines import ReleaseGuideline, find_guideline
from cupel.release.relabel import by_rank
from cupel.release.release_audit import ReleaseAudit, Verdicts, read_release_audit
from cupel.release.rework import ReworkCount, count_rework
from cupel.release.undecided_experts import find_undecided_experts
from cupel.release.witnessed_draws import find_witnessed_draws

Row = dict[str, Any]

# What facts tell of a delivery is read from these, from the outcomes of its gates and from the log of actions.
BATCH_TABLES = (
    "deliveries", "rejected_rows", "rejected_items", "clean_items", "labels", "annotations", "rejected_answers",
    "annotators", "annotator_findings", "vendors", "models", "model_answers", "rejected_model_answers", "anchoring",
    "shown_answers", "contamination_tasks", "contamination_answers", "rejected_contamination_answers",
    "contamination_result", "contamination_cuts", "contamination_items", "contamination_plan", "contamination_sources",
)  # fmt: skip


@dataclass(frozen=True)
class Cost:
    """What people did and what it costs, and `models`: the price of what models of the crew answered."""

    annotator_answers: int
    expert_answers: int
    expert_hours: float
    total: float
    currency: str
    model_answers: int = 0
    models: float = 0.0


@dataclass(frozen=True)
class BatchFacts:
    """One delivery on its way through the chain; counts of rows and items."""

    batch: str
    rows_in: int
    rejected: dict[str, int]
    items_clean: int
    items_labelled: int
    annotations: int
    rejected_answers: dict[str, int]
    deliveries: list[Row]
    annotators: list[Row]
    annotator_findings: list[Row]
    vendors: list[Row]
    actions: list[Row]
    routes: dict[str, int]
    tasks_open: int
    gates: list[Row]
    contamination: Contaminated | None = None
    contamination_answers: int = 0
    models: list[Row] = field(default_factory=list)
    anchoring: list[Row] = field(default_factory=list)
    send_backs: list[SendBack] = field(default_factory=list)
    rework: list[ReworkCount] = field(default_factory=list)

    @property
    def gate(self) -> str:
        """The outcome of all gates together: pass, fail or open."""
        return outcome(self.gates)


@dataclass(frozen=True)
class ReleaseFacts:
    """One release, its batches, its audit and its certificate."""

    project: Project
    release: str
    batches: list[BatchFacts]
    terms: FrozenTerms
    result: Row | None
    certificate: Row | None
    cuts: list[Row]
    stage_errors: list[Row]
    gates: list[Row]
    splits: dict[str, int]
    labels: dict[str, int]
    released: int
    withheld: int
    cost: Cost
    worst: list[Row] = field(default_factory=list)
    languages: list[Row] = field(default_factory=list)
    licences: dict[str, int] = field(default_factory=dict)
    left_out: int = 0
    overlaps: list[Row] = field(default_factory=list)
    guideline: ReleaseGuideline | None = None
    slice_bounds: list[Row] = field(default_factory=list)
    undecided: list[Row] = field(default_factory=list)
    planted_kinds: PlantedKinds | None = None
    second_draw: Row | None = None
    witnessed_draws: dict[str, Row] = field(default_factory=dict)

    @property
    def together(self) -> Together | None:
        """Bounds of what is unwanted, and unwanted or wrong, in the release."""
        return together([batch.contamination for batch in self.batches], self.released, self.result)

    @property
    def verdict(self) -> str:
        """PASS, REFUSED or OPEN."""
        if not self.terms.is_frozen or (self.result and self.result["status"] == "refused"):
            return "REFUSED"
        if self._lapse is not None and not self.released:
            return "REFUSED"
        if any(row["outcome"] == "fail" and row["severity"] == "critical" for row in self.gates):
            return "REFUSED"
        return "PASS" if self.released else "OPEN"

    @property
    def reason(self) -> str:
        """Why, in words that a manager understands."""
        why = self._reason
        return why if self._lapse is None else f"{why.rstrip('.')}; {self._lapse}"

    @property
    def _lapse(self) -> str | None:
        return None if self.guideline is None else self.guideline.lapse

    @property
    def _reason(self) -> str:
        if not self.terms.is_frozen:
            return str(self.terms.reason)
        failed = [row["check"] for row in self.gates if row["outcome"] == "fail" and row["severity"] == "critical"]
        if self.result and (not failed or self.result["status"] == "refused"):
            return str(self.result["reason"])
        return f"checks failed: {', '.join(failed)}" if failed else "the audit has not begun"


def outcome(gates: Iterable[Row]) -> str:
    """Return fail if a critical check failed, else open if any is open, else pass; open without any check."""
    rows = list(gates)
    if any(row["outcome"] == "fail" and row["severity"] == "critical" for row in rows):
        return "fail"
    return "open" if not rows or any(row["outcome"] == "open" for row in rows) else "pass"


def batch_facts(lake: Lake, batch: str, frozen: dict[str, str] | None = None) -> BatchFacts:
    """Gather the facts of one delivery; tables that are not there yet count as empty.

    Args:
        lake: The project's lake.
        batch: The delivery.
        frozen: Hashes of tables that a release froze, see `contaminated`.
    """
    deliveries = _rows(lake, "deliveries", batch)
    rejected = Counter(_counts(lake, "rejected_rows", batch, "reason"))
    rejected.update(_counts(lake, "rejected_items", batch, "reason"))
    gates = gate_rows(lake, batch, gated_stages("batch"))
    asked = _counts(lake, "contamination_tasks", batch, "is_answered")
    return BatchFacts(
        batch=batch,
        rows_in=sum(row["rows_in"] for row in deliveries),
        rejected=dict(sorted(rejected.items())),
        items_clean=_count(lake, "clean_items", batch),
        items_labelled=_count(lake, "labels", batch),
        annotations=_count(lake, "annotations", batch),
        rejected_answers=_counts(lake, "rejected_answers", batch, "reason"),
        deliveries=deliveries,
        annotators=_rows(lake, "annotators", batch),
        annotator_findings=_rows(lake, "annotator_findings", batch),
        vendors=_rows(lake, "vendors", batch),
        actions=[action._asdict() for action in lake.actions.read(batch)],
        routes=_counts(lake, "routes", batch, "route"),
        tasks_open=_counts(lake, "tasks", batch, "is_answered").get(False, 0) + asked.get(False, 0),
        gates=gates,
        contamination=contaminated(lake, batch, frozen),
        contamination_answers=asked.get(True, 0),
        models=_rows(lake, "models", batch),
        anchoring=_rows(lake, "anchoring", batch),
        send_backs=lake.send_backs.read(batch),
    )


def release_facts(lake: Lake, project: Project, release: str) -> ReleaseFacts:
    """Gather the facts of one release.

    Raises:
        LakeError: The release was never planned.
    """
    audit = read_release_audit(lake, release, "audit", "planted_verdicts", "expert_answers", known=[project.kind])
    commit = lake.commit("release_plan", release)
    frozen = {} if commit is None else commit.inputs
    found = [batch_facts(lake, batch, frozen) for batch in audit.terms.batches]
    batches = [
        replace(
            one, anchoring=one.anchoring + judge_by_audit(lake, audit, one.batch),
            rework=count_rework(lake, project, one.batch, release),
        )
        for one in found
    ]  # fmt: skip
    return ReleaseFacts(
        project=project,
        release=release,
        batches=batches,
        terms=audit.terms,
        result=_first(_rows(lake, "audit_result", release)),
        certificate=_first(_rows(lake, "certificate", release)),
        cuts=_rows(lake, "cuts", release),
        stage_errors=_rows(lake, "stage_errors", release),
        gates=gate_rows(lake, release, ["release"]),
        splits=_counts(lake, "training_set", release, "split"),
        labels=_counts(lake, "training_set", release, "label"),
        released=_count(lake, "training_set", release),
        withheld=_count(lake, "withheld_items", release),
        cost=_cost(project.prices, batches, lake, release),
        worst=_worst(lake, audit),
        languages=_rows(lake, "release_languages", release),
        licences=_counts(lake, "training_set", release, "licence"),
        overlaps=_rows(lake, "release_overlaps", release),
        left_out=_count(lake, "left_out_items", release),
        guideline=find_guideline(lake, audit.terms),
        slice_bounds=_rows(lake, "slice_bounds", release),
        undecided=[found._asdict() for found in find_undecided_experts(audit)],
        planted_kinds=audit.planted_kinds,
        second_draw=_second_draw(lake, audit),
        witnessed_draws=find_witnessed_draws(lake, release),
    )


def _second_draw(lake: Lake, audit: ReleaseAudit) -> Row | None:
    """Return the event that drew which adjudicated items are judged again; None where none was drawn."""
    found = find_draw(lake.log(DRAWS).read(), audit.terms.release, "adjudicators") if audit.second_nonce else None
    return None if found is None else dict(found)


def _cost(prices: Prices, batches: list[BatchFacts], lake: Lake, release: str) -> Cost:
    expert = _counts(lake, "release_tasks", release, "is_answered").get(True, 0)
    expert += sum(facts.contamination_answers for facts in batches)
    annotator = sum(facts.annotations + sum(facts.rejected_answers.values()) for facts in batches)
    models = [row for facts in batches for row in facts.models]
    of_models = sum(row["cost"] for row in models)
    return Cost(
        annotator_answers=annotator,
        expert_answers=expert,
        expert_hours=expert * prices.expert_seconds / 3600,
        total=annotator * prices.annotator_answer + expert * prices.expert_answer + of_models,
        currency=prices.currency,
        model_answers=sum(row["answers"] + row["rejected_answers"] for row in models),
        models=of_models,
    )


def _worst(lake: Lake, audit: ReleaseAudit, most: int = 10) -> list[Row]:
    """Return the audited labels that were wrong although they looked safest."""
    wrong = np.flatnonzero(Verdicts.of(audit.audit).is_wrong)
    if not wrong.size:
        return []
    safest = wrong[np.argsort(audit.rows.audit[wrong], kind="stable")][:most]
    ranks = audit.items["risk_rank"].take(pa.array(audit.rows.audit[safest]))
    said = audit.audit["expert_label"].take(pa.array(safest)).to_pylist()
    rows = by_rank(lake, audit.terms.release, ranks).to_pylist()
    return [{**row, "expert_label": label} for row, label in zip(rows, said, strict=True)]


def _table(lake: Lake, table: str, partition: str, columns: list[str] | None = None) -> pa.Table | None:
    return None if lake.commit(table, partition) is None else lake.read(table, partition, columns)


def _rows(lake: Lake, table: str, partition: str) -> list[Row]:
    content = _table(lake, table, partition)
    return [] if content is None else list(content.to_pylist())


def _first(rows: list[Row]) -> Row | None:
    return rows[0] if rows else None


def _count(lake: Lake, table: str, partition: str) -> int:
    commit = lake.commit(table, partition)
    return 0 if commit is None else commit.rows


def _counts(lake: Lake, table: str, partition: str, column: str) -> dict[Any, int]:
    content = _table(lake, table, partition, [column])
    if content is None:
        return {}
    counts = pc.value_counts(content[column]).to_pylist()
    return dict(sorted((entry["values"], entry["counts"]) for entry in counts))
