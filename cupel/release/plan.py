"""Planning a release: which batches it holds, whether their gates let it be, which attempt it is."""

import re

import pyarrow as pa

from cupel.certificate.attempts import attempt_alpha
from cupel.errors import ReleaseError
from cupel.lake import Lake
from cupel.project import Project
from cupel.release.freeze import Frozen, freeze
from cupel.release.gates import batch_state
from cupel.step import Step
from cupel.tables import RELEASE_PLAN, from_rows

ALL = "all"
_NAME = re.compile(r"(?P<holds>.+)-r(?P<number>[1-9][0-9]*)")


def release_name(holds: str, number: int) -> str:
    """Return the name of a batch's (or `all` batches') release.

    >>> release_name("movies", 2)
    'movies-r2'
    """
    return f"{holds}-r{number}"


def batches_of(release: str, project: Project) -> list[str]:
    """Return the batches that a release is to hold, in the order of the register.

    Raises:
        ReleaseError: The name is not that of a release, or names no batch of the project.
    """
    holds = _parse(release)["holds"]
    if holds == ALL:
        return list(project.raw.deliveries)
    if holds not in project.raw.deliveries:
        raise ReleaseError(
            f"release {release!r}: the project has no batch {holds!r}; it has {', '.join(project.raw.deliveries)}"
        )
    return [holds]


def attempt_of(lake: Lake, release: str, batches: list[str]) -> int:
    """Return how often these batches have been put to an audit, this release included.

    Every other release counts that was frozen and holds one of the batches, whatever its name: its audit
    has been looked at, or may have been.
    """
    others = [lake.read("release_plan", name).to_pylist()[0] for name in lake.partitions("release_plan")]
    held = [
        plan for plan in others if plan["release"] != release and plan["status"] == "frozen"
        and set(plan["batches"]) & set(batches)
    ]  # fmt: skip
    return 1 + len(held)


def is_finished(lake: Lake, release: str) -> bool:
    """Tell whether a release has come to its end: handed over, or refused. It is never computed again."""
    plan = lake.commit("release_plan", release)
    if plan is not None and lake.read("release_plan", release)["status"][0].as_py() == "refused":
        return True
    certificate = lake.commit("certificate", release)
    if certificate is not None and lake.read("certificate", release)["status"][0].as_py() == "refused":
        return lake.commit("gate_results", f"release--{release}") is not None
    return lake.commit("manifest", release) is not None


def plan_release(step: Step) -> tuple[pa.Table, pa.Table | None]:
    """Freeze a release, or refuse it where a gate is closed.

    Args:
        step: A step whose partition is the release's name.

    Returns:
        RELEASE_PLAN of one row, and RELEASE_ITEMS, None when refused.
    """
    release, settings = step.partition, step.project.release
    wanted = batches_of(release, step.project)
    states = {batch: batch_state(step.lake, batch, step.project) for batch in wanted}
    passed = [batch for batch in wanted if states[batch].outcome == "pass"]
    attempt = attempt_of(step.lake, release, passed)
    if not passed:
        reason = "; ".join(f"{batch}: {states[batch].stage} gate: {states[batch].reason}" for batch in wanted)
        return _plan(step, wanted, attempt, reason, None, 0), None
    frozen = freeze(
        release,
        [step.read("labels", batch) for batch in passed],
        [step.read("clean_items", batch) for batch in passed],
        settings,
        attempt,
        [(batch, step.read("similar_items", batch)) for batch in passed],
    )
    until = max(_last_answer(step, batch) for batch in passed)
    return _plan(step, passed, attempt, None, frozen, until), frozen.items


def _plan(
    step: Step, batches: list[str], attempt: int, reason: str | None, frozen: Frozen | None, until: int
) -> pa.Table:
    settings = step.project.release
    row = {
        "release": step.partition,
        "batches": batches,
        "status": "refused" if frozen is None else "frozen",
        "reason": reason,
        "attempt": attempt,
        "alpha": attempt_alpha(attempt),
        "error_budget": settings.error_budget,
        "audit_size": 0 if frozen is None else min(settings.audit_size, frozen.items.num_rows),
        "seed": 0 if frozen is None else frozen.seed,
        "answers_until": until,
        "items": 0 if frozen is None else frozen.items.num_rows,
        "items_sha256": "" if frozen is None else frozen.sha256,
    }
    return from_rows([row], RELEASE_PLAN)


def _last_answer(step: Step, batch: str) -> int:
    answers = step.read("annotations", batch)["sequence"].to_pylist()
    return max([*answers, *step.read("rejected_answers", batch)["sequence"].to_pylist()], default=0)


def _parse(release: str) -> dict[str, str]:
    match = _NAME.fullmatch(release)
    if match is None:
        raise ReleaseError(f"release {release!r}: expected <batch>-r<number> or {ALL}-r<number>, such as movies-r1")
    return match.groupdict()
