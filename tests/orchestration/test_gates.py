"""On the graph a failed critical check blocks what comes after; a warning and an open gate do not."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster_duckdb import DuckDBResource

from assets.asset_tags import STAGE
from assets.behind_gates import hold_behind_gates
from assets.bench import Bench
from assets.run_outcome import OUTCOME, WHY
from cupel.config.raw import Delivery, Raw
from cupel.contract.stages import stage_of
from cupel.contract.table import from_rows
from cupel.contract.tables import TABLES
from cupel.contract.tables.gates import GATE_RESULTS
from cupel.kinds import KNOWN
from cupel.kinds.projects import load_project
from cupel.lake.gates import batch_state, gate_partition, gate_rows
from cupel.lake.lake import Commit, Lake
from cupel.versions.code_version import gate_version
from expectations.suites import project_suites
from orchestration.gates import gates

SETTINGS: dict[str, Any] = {
    "project": "tiny",
    "title": "Tiny",
    "owner": "team@example.org",
    "raw": {"deliveries": {"one": {"files": ["a.jsonl"], "licence": "MIT"}}},
    "labeling": {
        "question": "Is it?",
        "classes": ["no", "yes"],
        "answers": ["answers.csv"],
        "experts": {"description": "two people"},
    },
    "release": {
        "error_budget": 0.02,
        "audit_size": 100,
        "max_experts_seen_share": 0.3,
        "certificate": {"nonce": "made for a test"},
    },
}
EXPECTATION = {
    "table": "raw_items",
    "expectation": "ExpectColumnValueLengthsToBeBetween",
    "arguments": {"column": "text", "max_value": 20},
    "reason": "our tool shows no more",
}
# Tables of the tiny chain, each with those it is made from: raw, and what labeling is judged by.
DEPS = {
    "raw_items": [], "rejected_rows": [], "deliveries": [], "clean_items": ["raw_items"],
    "annotations": ["clean_items"], "rejected_answers": ["clean_items"], "consensus": ["annotations"],
    "annotators": ["consensus"], "predictions": ["consensus"],
}  # fmt: skip
Rows = list[dict[str, Any]]


class Chain:
    """A chain of assets that write the rows they are given, with the project's gates between them."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        path = folder / "tiny.yaml"
        path.write_text(yaml.safe_dump(SETTINGS | changes))
        self.project = load_project(path)
        self.lake = Lake(folder / "lake", "tiny")
        self.rows = flawless()
        duckdb = DuckDBResource(database=":memory:")
        lake = str(folder / "lake")
        self.bench = Bench(
            projects_folder=str(path.parent), lake_root=lake, data_root=str(folder), known=KNOWN, duckdb=duckdb
        )
        self.instance = dg.DagsterInstance.ephemeral()
        self.instance.add_dynamic_partitions("batches", ["one", "two"])

    def definitions(self) -> dg.Definitions:
        batches = dg.DynamicPartitionsDefinition(name="batches")
        releases = dg.DynamicPartitionsDefinition(name="releases")
        assets = [self._asset(table, batches) for table in DEPS]
        checks = [
            check
            for check in gates(self.project, batches, releases)
            if all(key.asset_key.path[-1] in DEPS for key in check.check_keys)
            and all(key.path[-1] in DEPS for key in check.keys_by_input_name.values())
        ]
        checks = [check for check in checks if "cleaning" not in check.node_def.name]
        bound = dg.with_resources([*assets, *checks], {"bench": self.bench})
        job = dg.define_asset_job("job", dg.AssetSelection.assets(*assets))
        return dg.Definitions(
            assets=bound[: len(assets)],
            asset_checks=bound[len(assets) :],
            jobs=[job],
            executor=dg.in_process_executor,
        )

    def run(self, partition: str = "one") -> dg.ExecuteInProcessResult:
        quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
        job = self.definitions().resolve_job_def("job")
        return job.execute_in_process(
            instance=self.instance, partition_key=partition, raise_on_error=False, run_config=quiet
        )

    def ran(self, result: dg.ExecuteInProcessResult) -> set[str]:
        return {event.asset_key.path[-1] for event in result.get_asset_materialization_events()}

    def _let_through(self, gate: str, commit: Commit) -> None:
        row = {"stage": gate, "partition": commit.partition, "check": "made", "outcome": "pass", "severity": "critical"}
        judged = {
            "table_name": commit.table,
            "table_hash": commit.hash,
            "comparison": "at most",
            "reason": "",
            "item_ids": [],
        }
        name = gate_partition(gate, commit.partition)
        self.lake.write(
            "gate_results", name, from_rows([row | judged], GATE_RESULTS), {}, gate_version(self.project, gate)
        )

    def tags(self, result: dg.ExecuteInProcessResult) -> tuple[str | None, str | None]:
        run = self.instance.get_run_by_id(result.run_id)
        assert run is not None
        return run.tags.get(OUTCOME), run.tags.get(WHY)

    def _asset(self, table: str, batches: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
        deps = [dg.AssetKey(["tiny", name]) for name in DEPS[table]]
        tags = {STAGE: stage_of(table).name}
        spec = dg.AssetSpec(["tiny", table], deps=deps, partitions_def=batches, skippable=True, tags=tags)

        def write(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
            with bench.step(context) as step:
                commit = step.lake.write(table, step.partition, from_rows(self.rows[table], TABLES[table]))
                if table == "clean_items":  # the tiny chain has not what its gate asks for
                    self._let_through("cleaning", commit)
                return dg.MaterializeResult(asset_key=spec.key, data_version=dg.DataVersion(commit.hash))

        return dg.multi_asset(name=table, specs=[spec])(hold_behind_gates(write))


def flawless() -> dict[str, Rows]:
    names = [f"i{number}" for number in range(10)]
    place = {"batch": "one", "source_file": "a.jsonl", "licence": "MIT"}
    items = [place | {"item_id": name, "line": line, "text": name} for line, name in enumerate(names, 1)]
    counts = {"format": "jsonl", "sha256": "0", "size_bytes": 1, "rows_in": 10, "rows_read": 10, "rows_rejected": 0}
    return {table: [] for table in DEPS} | {
        "raw_items": items,
        "deliveries": [place | counts],
        "clean_items": [item | {"group_id": "g", "language": "und"} for item in items],
        "annotations": [
            {"item_id": name, "sequence": 2 * place + slot, "annotator": "ab"[slot], "label": ["no", "yes"][place % 2]}
            for place, name in enumerate(names)
            for slot in range(2)
        ],
        "consensus": [{"item_id": name, "votes": 2, "is_tie": False} for name in names],
    }


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[Chain]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield Chain(tmp_path)


def outcomes(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    return {evaluation.check_name: evaluation for evaluation in result.get_asset_check_evaluations()}


def test_a_chain_that_passes_runs_to_its_end_and_leaves_results_as_data(chain: Chain) -> None:
    result = chain.run()
    assert result.success
    assert chain.ran(result) == set(DEPS)
    found = outcomes(result)
    assert {name for name, evaluation in found.items() if not evaluation.passed} == set()
    rows = gate_rows(chain.lake, "one")
    assert {row["check"] for row in rows} == {*found, "made"}
    assert {(row["outcome"], row["table_hash"]) for row in rows if row["stage"] == "raw"} == {
        ("pass", chain.lake.commit("raw_items", "one").hash)  # type: ignore[union-attr]
    }


def test_a_failed_critical_check_blocks_all_that_comes_after(chain: Chain) -> None:
    chain.rows["deliveries"][0]["rows_in"] = 11
    result = chain.run()
    assert result.success
    assert chain.ran(result) == {"raw_items", "rejected_rows", "deliveries"}
    evaluation = outcomes(result)["rows_unaccounted"]
    assert (evaluation.passed, evaluation.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert list(evaluation.metadata)[:5] == ["outcome", "observed", "allowed", "why", "what to do"]
    assert evaluation.metadata["outcome"].value == "REFUSED"
    assert evaluation.metadata["observed"].value == 1
    assert evaluation.metadata["allowed"].value == "at most 0"
    assert list(evaluation.metadata)[-1] == "table hash"
    assert chain.tags(result) == ("REFUSED", "rows_unaccounted: measured 1, allowed at most 0")
    assert batch_state(chain.lake, "one").outcome == "fail"


def test_a_failing_batch_blocks_only_itself(chain: Chain) -> None:
    good = flawless()
    chain.rows["deliveries"][0]["rows_in"] = 11
    assert chain.tags(chain.run("one"))[0] == "REFUSED"
    chain.rows = good
    passed = chain.run("two")
    assert chain.ran(passed) == set(DEPS)
    assert chain.tags(passed) == (None, None)


def test_a_failed_warning_is_shown_and_blocks_nothing(chain: Chain) -> None:
    chain.rows["deliveries"].append(
        chain.rows["deliveries"][0] | {"source_file": "b.jsonl", "rows_in": 0, "rows_read": 0}
    )
    result = chain.run()
    assert result.success
    evaluation = outcomes(result)["empty_files"]
    assert (evaluation.passed, evaluation.severity) == (False, dg.AssetCheckSeverity.WARN)


def test_an_open_gate_does_not_pass_and_blocks_nothing(chain: Chain) -> None:
    chain.rows["annotations"] = chain.rows["annotations"][:10]
    chain.rows["consensus"] = [row | {"votes": 2 if k < 5 else 0} for k, row in enumerate(chain.rows["consensus"])]
    result = chain.run()
    assert result.success
    assert "predictions" in chain.ran(result)
    assert "agreement" not in outcomes(result)
    assert chain.tags(result) == ("OPEN", "5 of 10 items await 10 annotations")
    (observed,) = [
        event for event in result.all_node_events if event.event_type == dg.DagsterEventType.ASSET_OBSERVATION
    ]
    assert observed.asset_observation_data.asset_observation.metadata["awaited"].value == (
        "5 of 10 items await 10 annotations"
    )
    # Without the cleaning gate, the state is missing there; labeling itself says open.
    assert {row["outcome"] for row in gate_rows(chain.lake, "one", ["labeling"])} == {"open"}


def test_a_teams_expectation_blocks_like_any_check(tmp_path: Path) -> None:
    chain = Chain(tmp_path, expectations=[EXPECTATION])
    chain.rows["raw_items"][3]["text"] = "a text longer than the team allows"
    result = chain.run()
    assert chain.tags(result)[0] == "REFUSED"
    assert "clean_items" not in chain.ran(result)
    evaluation = outcomes(result)["team_text_value_lengths_to_be_between"]
    assert evaluation.metadata["items"].value == ["i3"]
    assert "longer than" not in str(evaluation)


def test_a_teams_expectation_on_a_table_without_a_gate_makes_one(tmp_path: Path) -> None:
    own = EXPECTATION | {"table": "annotations", "expectation": "ExpectColumnValuesToBeInSet"}
    chain = Chain(tmp_path, expectations=[own | {"arguments": {"column": "label", "value_set": ["yes"]}}])
    result = chain.run()
    assert chain.tags(result)[0] == "REFUSED"
    assert "annotations" in chain.ran(result)
    assert "consensus" not in chain.ran(result)
    assert {row["check"] for row in gate_rows(chain.lake, "one") if row["table_name"] == "annotations"} == {
        "team_label_values_to_be_in_set"
    }


def test_a_batch_without_known_annotators_is_not_asked_who_dominates(tmp_path: Path) -> None:
    known = {"are_annotators_known": {"one": False, "two": True}}
    two = SETTINGS["raw"]["deliveries"]["one"]
    chain = Chain(
        tmp_path,
        labeling=SETTINGS["labeling"] | known,
        raw={"deliveries": {"one": two, "two": two}},
    )
    result = chain.run()
    assert result.success
    assert "largest_answer_share" not in outcomes(result)
    assert "largest_answer_share" in outcomes(chain.run("two"))


def test_every_check_is_described_by_question_threshold_reason_and_remedy(chain: Chain) -> None:
    batches, releases = (dg.DynamicPartitionsDefinition(name=name) for name in ("batches", "releases"))
    made = gates(chain.project, batches, releases)
    specs = {spec.name: spec for check in made for spec in check.check_specs}
    assert specs["kept_share"].description == (
        "What share of the raw items did cleaning keep? Allowed: at least 0.5. Where more is dropped than kept, the "
        "delivery or the rules are wrong: look before paying for labels. When it fails: Count the reasons in "
        "rejected_items: a rule of the cleaning section does not fit this source, or the delivery is poor and should "
        "go back."
    )
    assert specs["kept_share"].blocking
    assert not specs["changed_share"].blocking
    assert specs["error_bound"].partitions_def == releases
    assert specs["kept_share"].partitions_def == batches
    assert specs["kept_share"].asset_key == dg.AssetKey(["tiny", "clean_items"])


def test_what_is_asked_of_batches_of_the_inbox_is_on_the_graph_before_the_first_has_come(tmp_path: Path) -> None:
    inbox = {"licence": "MIT", "language_field": "lang"}
    project = Chain(tmp_path, raw={"inbox": inbox}).project
    batches, releases = (dg.DynamicPartitionsDefinition(name=name) for name in ("batches", "releases"))
    names = {spec.name for check in gates(project, batches, releases) for spec in check.check_specs}
    delivered = project.model_copy(update={"raw": Raw(deliveries={"one": Delivery(files=("a.jsonl",), **inbox)})})
    asked = {check.name for suite in project_suites(delivered) for check in suite.asked(delivered)}
    assert {"largest_answer_share", "declared_otherwise_share"} <= asked
    assert asked <= names
