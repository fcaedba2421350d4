"""Nothing walks past a gate, whatever executor runs the step."""

import dagster as dg
import pytest

from assets.run_outcome import OUTCOME, REFUSED, WHY
from cupel.config.project import Project
from cupel.contract.stages import partitioned_stages, project_steps, stage_of, tables_before
from cupel.contract.table import from_rows
from cupel.contract.tables.gates import GATE_RESULTS
from cupel.errors import GateError
from cupel.kinds.projects import load_project
from cupel.lake.gates import check_gates_before, gate_of, gate_partition
from cupel.lake.lake import Lake
from cupel.lake.step import Step
from orchestration.deployment import Deployment
from orchestration.jobs import batch_job
from orchestration.rounds import Rounds
from orchestration.wiring import deployment_definitions
from small_project import write_project

Finished = tuple[Deployment, Project, Lake]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    deployment = write_project(tmp_path_factory.mktemp("guard"), items=300)
    project = load_project(deployment.projects / "small.yaml")
    rounds = Rounds(project, deployment, dg.DagsterInstance.ephemeral())
    assert rounds.run().broken == []
    return deployment, rounds.project, rounds.lake


@pytest.fixture
def outcome(finished: Finished, request: pytest.FixtureRequest):  # type: ignore[no-untyped-def]
    """Return a function that changes what a gate said; what it said before comes back after the test."""
    _, _, lake = finished
    before = {}

    def say(gate: str, partition: str, **changes: object) -> None:
        name = gate_partition(gate, partition)
        commit = lake.commit("gate_results", name)
        assert commit is not None
        rows = lake.read("gate_results", name)
        before.setdefault(name, (rows, commit))
        changed = [row | changes for row in rows.to_pylist()]
        lake.write("gate_results", name, from_rows(changed, GATE_RESULTS), commit.inputs, commit.code_version)

    yield say
    for name, (rows, commit) in before.items():
        lake.write("gate_results", name, rows, commit.inputs, commit.code_version)


def guarded(project: Project) -> list[tuple[str, str, str]]:
    """Return each table of the chain with each gated table that stands before it, and its batch or release."""
    names = {"batch": "one", "release": "one-r1"}
    return [
        (table, before, names[partition])
        for partition in ("batch", "release")
        for step in project_steps(project, partition)  # type: ignore[arg-type]
        for table in step.tables
        for before in tables_before(project, [table], partition)  # type: ignore[arg-type]
        if stage_of(before).gate == before
    ]


def test_every_step_passes_while_the_gates_before_it_have_passed(finished: Finished) -> None:
    _, project, lake = finished
    asked = guarded(project)
    assert {before for _, before, _ in asked} == {
        stage.gate for partition in ("batch", "release") for stage in partitioned_stages(partition)  # type: ignore[arg-type]
        if stage.gate not in (None, "labels")
    }  # fmt: skip
    for table, _, partition in asked:
        check_gates_before(Step(lake, project, partition), [table])


def test_no_step_passes_a_gate_that_failed(finished: Finished, outcome) -> None:  # type: ignore[no-untyped-def]
    _, project, lake = finished
    for table, before, partition in guarded(project):
        outcome(gate_of(before), partition, outcome="fail", severity="critical")
        with pytest.raises(GateError, match=f"{table} stand behind the {gate_of(before)} gate.*checks failed"):
            check_gates_before(Step(lake, project, partition), [table])
        outcome(gate_of(before), partition, outcome="pass")


def test_no_step_passes_a_gate_that_judged_another_table(finished: Finished, outcome) -> None:  # type: ignore[no-untyped-def]
    _, project, lake = finished
    for table, before, partition in guarded(project):
        (judged,) = {row["table_hash"] for row in _rows(lake, gate_of(before), partition)}
        outcome(gate_of(before), partition, table_hash="0" * 64)
        with pytest.raises(GateError, match="judged other tables"):
            check_gates_before(Step(lake, project, partition), [table])
        outcome(gate_of(before), partition, table_hash=judged)


def test_an_open_gate_lets_through_what_asks(finished: Finished, outcome) -> None:  # type: ignore[no-untyped-def]
    _, project, lake = finished
    outcome("labeling", "one", outcome="open")
    check_gates_before(Step(lake, project, "one"), ["tasks"])


def test_no_step_goes_on_with_a_table_from_before_its_gate_opened_again(finished: Finished, outcome) -> None:  # type: ignore[no-untyped-def]
    _, project, lake = finished
    judged = lake.version("certificate@one-r1")
    for table_hash in ("", judged):
        outcome("release", "one-r1", outcome="open", table_hash=table_hash, reason="answers are awaited")
        for table in ("training_set", "manifest"):
            with pytest.raises(GateError, match=f"{table} stand behind the release gate, and answers are awaited"):
                check_gates_before(Step(lake, project, "one-r1"), [table])


def test_a_step_that_is_run_without_the_checks_before_it_writes_nothing(finished: Finished, outcome) -> None:  # type: ignore[no-untyped-def]
    deployment, project, lake = finished
    outcome("cleaning", "one", outcome="fail", severity="critical")
    before = lake.commit("annotations", "one")
    job = deployment_definitions([project], deployment).resolve_job_def(batch_job("small"))
    instance = dg.DagsterInstance.ephemeral()
    instance.add_dynamic_partitions("small_batches", ["one"])
    result = job.execute_in_process(
        asset_selection=[dg.AssetKey(["small", table]) for table in ("annotations", "rejected_answers")],
        partition_key="one", instance=instance, raise_on_error=False,
    )  # fmt: skip
    assert result.success  # a refusal is an outcome, and the run says so
    assert not result.get_asset_materialization_events()
    run = instance.get_run_by_id(result.run_id)
    assert run is not None
    assert run.tags[OUTCOME] == REFUSED
    assert "stand behind the cleaning gate" in run.tags[WHY]
    assert lake.commit("annotations", "one") == before


def test_a_step_whose_gate_judged_other_tables_is_broken_and_not_refused(finished: Finished, outcome) -> None:  # type: ignore[no-untyped-def]
    deployment, project, _ = finished
    outcome("cleaning", "one", table_hash="0" * 64)
    job = deployment_definitions([project], deployment).resolve_job_def(batch_job("small"))
    instance = dg.DagsterInstance.ephemeral()
    instance.add_dynamic_partitions("small_batches", ["one"])
    result = job.execute_in_process(
        asset_selection=[dg.AssetKey(["small", table]) for table in ("annotations", "rejected_answers")],
        partition_key="one", instance=instance, raise_on_error=False,
    )  # fmt: skip
    assert not result.success
    assert "judged other tables" in str(result.all_events)


def _rows(lake: Lake, gate: str, partition: str) -> list[dict[str, object]]:
    return list(lake.read("gate_results", gate_partition(gate, partition)).to_pylist())
