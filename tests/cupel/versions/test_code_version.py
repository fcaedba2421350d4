from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from cupel.config.project import Project
from cupel.contract.stages import STAGES, project_steps
from cupel.contract.tables import TABLES
from cupel.kinds.projects import make_project
from cupel.versions.code import Code, Lock
from cupel.versions.code_version import (
    LOCKS,
    OUTSIDE,
    ROOT,
    code_version,
    describe_change,
    gate_reach,
    gate_version,
    locked_versions,
    table_reach,
)

Edit = Callable[[str, str, str], None]
SETTINGS: dict[str, Any] = {
    "project": "tiny",
    "title": "Tiny",
    "owner": "team@example.org",
    "raw": {"deliveries": {name: {"files": [f"{name}.jsonl"], "licence": "MIT"} for name in ("one", "two")}},
    "labeling": {
        "question": "Which?",
        "classes": ["a", "b"],
        "overlap": {"first": 2, "most": 3},
        "answers": ["answers.csv"],
        "experts": {"answers": 1, "description": "one expert"},
    },
    "release": {"error_budget": 0.05, "audit_size": 100, "max_experts_seen_share": 0.9},
}
PAIRS = {"prompt_field": "p", "first_field": "a", "second_field": "b"}
VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "rounds": {"checking": {"rounds": True}},
    "contaminated": {"cleaning": {"contamination": {"what": "spam"}}},
    "preference": {
        "cleaning": {"duplicate_similarity": None},
        "raw": {"deliveries": {"one": {"files": ["one.jsonl"], "licence": "MIT", **PAIRS}}},
        "labeling": SETTINGS["labeling"] | {"kind": "preference", "classes": ["first", "second", "tie"]},
    },
}


def project(variant: str = "plain", **changes: Any) -> Project:
    return make_project(SETTINGS | VARIANTS[variant] | changes)


def tables(of: Project) -> list[str]:
    steps = [*project_steps(of, "batch"), *project_steps(of, "release")]
    return [table for step in steps for table in step.tables]


def hashes(of: Project, folder: Path) -> dict[str, tuple[Any, ...]]:
    """Return what names the code of each table and of each gate, as it stands in a folder."""
    code = Code(folder, OUTSIDE)
    found = {table: tuple(table_reach(of, table, code).files.items()) for table in tables(of)}
    gates = [gate for stage in STAGES.values() for gate in stage.suites] + list(of.kind.tables[:1])
    return found | {f"gate {gate}": tuple(gate_reach(of, gate, code).files.items()) for gate in gates}


def changed(of: Project, folder: Path, edit: Edit, *change: str) -> set[str]:
    before = hashes(of, folder)
    edit(*change)
    after = hashes(of, folder)
    return {name for name in before if before[name] != after[name]}


def stages(names: set[str]) -> set[str]:
    return {stage.name for stage in STAGES.values() for table in stage.tables if table in names}


def test_another_consensus_changes_what_is_made_by_it(copied: Path, edit: Edit) -> None:
    found = changed(project(), copied, edit, "cupel/kinds/category/consensus.py", "choice.method)", '"majority")')
    assert found == {"consensus"}


def test_how_overlap_is_found_changes_the_releases_overlaps_too(copied: Path, edit: Edit) -> None:
    found = changed(project(), copied, edit, "cupel/cleaning/overlap/index.py", "RUN = 13", "RUN = 14")
    assert found == {"item_signals", "release_overlaps"}


def test_a_comment_or_docstring_changes_nothing_anywhere(copied: Path, edit: Edit) -> None:
    before = {variant: hashes(project(variant), copied) for variant in VARIANTS}
    for path in sorted(copied.rglob("*.py")):
        text = path.read_text("utf-8")
        first = '"""' + text.split('"""')[1] + '"""'
        edit(path.relative_to(copied).as_posix(), first, f'# A comment.\n{first[:-3]} And more."""')
    assert {variant: hashes(project(variant), copied) for variant in VARIANTS} == before


@pytest.mark.parametrize(
    ("path", "old", "new", "variant", "expected"),
    [
        ("cupel/show/report_views.py", "WORST_ANNOTATORS = 10", "WORST_ANNOTATORS = 11", "plain", {"release"}),
        ("cupel/people/label_studio/calibration.py", '"calibration"', '"calibrated"', "plain", {"labeling"}),
        ("cupel/certificate/rising.py", "MOST_STEPS, MOST_GAIN = 40", "MOST_STEPS, MOST_GAIN = 41", "plain",
         {"release"}),
        ("cupel/kinds/preference/consensus.py", "_Z = 1.96", "_Z = 1.97", "plain", set()),
        ("cupel/kinds/preference/consensus.py", "_Z = 1.96", "_Z = 1.97", "preference", {"labeling"}),
        ("cupel/kinds/preference/differences.py", "REVISION = 1", "REVISION = 2", "plain", set()),
        ("cupel/kinds/preference/differences.py", "REVISION = 1", "REVISION = 2", "preference", {"checking"}),
        ("cupel/checking/llm.py", "PIECE_ITEMS = 1_024", "PIECE_ITEMS = 512", "plain", set()),
        ("cupel/modalities/text/scan/languages.toml", "[languages]", "[languages]\nxyz = ['a']", "plain", {"cleaning"}),
        ("cupel/show/templates/card.md.j2", "{", "A line.\n{", "plain", {"release"}),
        ("cupel/contract/tables/raw.py", "Hash of the file's bytes.", "SHA-256 of its bytes.", "plain", set()),
        ("cupel/contract/tables/raw.py", '"size_bytes", INTEGER', '"size_bytes", REAL', "plain", {"raw", "release"}),
        ("cupel/modalities/comparison.py", '"[prompt]", ', '"[asked]", ', "plain", set()),
        ("cupel/modalities/comparison.py", '"[prompt]", ', '"[asked]", ', "preference",
         {"raw", "labeling", "checking"}),
    ],
)  # fmt: skip
def test_a_changed_value_changes_the_stages_that_are_made_by_it(
    copied: Path, edit: Edit, path: str, old: str, new: str, variant: str, expected: set[str]
) -> None:
    found = changed(project(variant), copied, edit, path, old, new)
    assert stages({name for name in found if not name.startswith("gate ")}) == expected


def test_what_one_gate_asks_changes_no_table_and_no_other_gate(copied: Path, edit: Edit) -> None:
    for gate, path in [("raw", "raw"), ("annotators", "gold")]:
        found = changed(
            project(), copied, edit, f"expectations/{path}.py", "SUITE = Suite(", "SUITE = Suite(\n    *(),"
        )
        assert found == {f"gate {gate}"}


def test_no_way_from_raw_files_leads_through_what_comes_later() -> None:
    reached = {name.split("/")[1] for name in table_reach(project(), "raw_items").files if name.startswith("cupel/")}
    assert not reached & {"release", "certificate", "checking", "consensus", "people", "accept", "show"}


@pytest.mark.parametrize("variant", list(VARIANTS))
def test_every_module_that_a_version_names_is_followed_in_each_variant(variant: str) -> None:
    for table in tables(project(variant)):
        reach = table_reach(project(variant), table)
        assert f"{STAGES_MODULE[table]}.py" in reach.files, table
        assert len(reach.files) > 2


STAGES_MODULE = {table: stage.module.replace(".", "/") for stage in STAGES.values() for table in stage.tables}


def test_every_package_of_others_is_locked_under_the_name_that_is_asked_for() -> None:
    lock = Lock(*(ROOT / name for name in LOCKS))
    for variant in VARIANTS:
        for table in tables(project(variant)):
            wanted = table_reach(project(variant), table).distributions
            assert wanted <= set(lock.versions(wanted)), table


def test_a_package_brings_what_it_needs_itself(tmp_path: Path) -> None:
    path = tmp_path / "requirements.lock"
    path.write_text(
        "inner==1.0 \\\n    --hash=sha256:0\n    # via outer\n"
        "outer==2.0 ; python_version < '4' \\\n    --hash=sha256:1\n    # via\n    #   cupel (pyproject.toml)\n"
        "    #   other\nother==3.0 \\\n    --hash=sha256:2\n    # via cupel (pyproject.toml)\n"
    )
    assert Lock(path).versions(["outer"]) == {"inner": "1.0", "outer": "2.0"}
    assert Lock(path).versions(["other"]) == {"inner": "1.0", "other": "3.0", "outer": "2.0"}
    assert Lock(path).versions(["absent"]) == {}


def test_of_a_package_that_each_python_has_at_another_version_all_versions_count(tmp_path: Path) -> None:
    path = tmp_path / "requirements.lock"
    path.write_text(
        "numpy==2.4.6 ; python_full_version < '3.12'\n    # via scipy\n"
        "numpy==2.5.5 ; python_full_version >= '3.12'\n    # via scipy\n"
        "scipy==1.0\n"
    )
    assert Lock(path).versions(["scipy"]) == {"numpy": "2.4.6 2.5.5", "scipy": "1.0"}


def test_the_lock_of_the_sentence_model_counts_where_it_is_the_checker() -> None:
    lock, more = (Lock(*(ROOT / name for name in LOCKS[:number])) for number in (1, 2))
    for checker, added in [("linear", set()), ("embedding", {"onnxruntime", "tokenizers"})]:
        reach = table_reach(project(checking={"checker": checker}), "predictions")
        assert added == {"onnxruntime", "tokenizers"} & (
            locked_versions(reach, more).keys() - locked_versions(reach, lock).keys()
        )


def test_settings_are_those_of_the_stage_and_of_raw_files_the_deliverys_own() -> None:
    def versions(**changes: Any) -> dict[str, str]:
        return {table: code_version(project(**changes), table, "one") for table in tables(project())}

    before = versions()
    other = {"two": {"files": ["2.jsonl"], "licence": "MIT"}}
    assert versions(raw={"deliveries": SETTINGS["raw"]["deliveries"] | other}) == before
    own = {"one": {"files": ["1.jsonl"], "licence": "MIT"}}
    now = versions(raw={"deliveries": SETTINGS["raw"]["deliveries"] | own})
    assert stages({table for table in before if before[table] != now[table]}) == {"raw"}
    now = versions(labeling=SETTINGS["labeling"] | {"question": "Which one?"})
    assert stages({table for table in before if before[table] != now[table]}) == {
        "labeling", "checking", "tasks", "release",
    }  # fmt: skip
    now = versions(release=SETTINGS["release"] | {"error_budget": 0.02})
    assert stages({table for table in before if before[table] != now[table]}) == {"release"}


def test_the_budget_counts_for_predictions_where_experts_are_asked_by_it() -> None:
    release = SETTINGS["release"] | {"error_budget": 0.02}
    before, now = project("rounds"), project("rounds", release=release)
    differing = {table for table in tables(before) if code_version(before, table) != code_version(now, table)}
    assert stages(differing) == {"checking", "release"}
    assert "predictions" in differing


@pytest.mark.parametrize(
    ("variant", "changes", "table"),
    [
        ("plain", {"prices": {"expert_answer": 2.0}}, "routes"),
        ("rounds", {"prices": {"annotator_answer": 2.0}}, "routes"),
        ("plain", {"cleaning": {"max_overlap_share": 0.1}}, "release_overlaps"),
        ("plain", {"cleaning": {"overlap": [{"name": "exam", "path": "exam.jsonl"}]}}, "release_overlaps"),
    ],
)
def test_settings_of_another_stage_count_where_a_step_reads_them(
    variant: str, changes: dict[str, Any], table: str
) -> None:
    assert code_version(project(variant), table) != code_version(project(variant, **changes), table)


def test_calibration_counts_for_annotators_whether_there_is_a_server_or_not() -> None:
    people = {"annotators": {"ann": "ann@example.org"}, "experts": {"eve": "eve@example.org"}}
    live: dict[str, Any] = {"url": "http://localhost:8080", **people}

    def version(server: dict[str, Any] | None) -> str:
        labeling = SETTINGS["labeling"] | {"gold": "gold.csv"}
        return code_version(project(labeling=labeling, label_studio=server), "annotators")

    assert version(None) == version(live) != version(live | {"calibration": {"items": 10}})


@pytest.mark.parametrize(
    ("variant", "expected"),
    [
        ("plain", {"similar_items", "clean_items", "rejected_items"}),
        ("contaminated", {"similar_items", "sifted_items", "contamination_plan", "contamination_items"}),
    ],
)
def test_a_delivery_that_comes_before_others_counts_for_what_they_are_compared_with(
    variant: str, expected: set[str]
) -> None:
    own = SETTINGS["raw"]["deliveries"]
    before, later, earlier = (
        project(variant, raw={"deliveries": deliveries})
        for deliveries in (own, own | {"three": own["two"]}, {"zero": own["one"], **own})
    )

    def differing(now: Project) -> set[str]:
        return {
            table for table in tables(before) if code_version(before, table, "two") != code_version(now, table, "two")
        }

    assert differing(later) == set()
    assert differing(earlier) == expected


def test_a_change_of_a_steps_own_settings_is_told_in_words() -> None:
    assert describe_change("a-b", "a-c", "routes") == (
        "settings of labeling or checking or prices.annotator_answer or prices.expert_answer changed"
    )


def test_names_of_licences_count_for_cleaning_and_their_terms_do_not() -> None:
    def version(*licences: dict[str, Any]) -> str:
        return code_version(project(licences=list(licences)), "clean_items")

    mit, other = {"name": "MIT"}, {"name": "CC-BY-4.0"}
    assert version(mit, other) != version(other, mit)
    assert version(mit) == version(mit | {"until": "2030-01-01"})


def test_a_threshold_changes_what_gates_ask_and_no_table() -> None:
    stricter = {"thresholds": {"kept_share": {"value": 0.9, "reason": "most is kept here"}}}
    assert gate_version(project(), "cleaning") != gate_version(project(**stricter), "cleaning")
    for table in tables(project()):
        assert code_version(project(), table) == code_version(project(**stricter), table)


def test_a_change_is_told_in_words() -> None:
    assert describe_change("a-b", "a-c", "labels") == "settings of labeling or checking changed"
    assert describe_change("a-b", "c-b", "labels") == "code or libraries changed"
    assert describe_change("a-b", "c-d", "raw_items") == "settings of raw.deliveries and code or libraries changed"


def test_a_version_is_the_same_for_the_code_at_work_whoever_asks_first() -> None:
    for variant in (*VARIANTS, *reversed(VARIANTS)):
        fresh = Code(ROOT, OUTSIDE)
        for table in tables(project(variant)):
            assert table_reach(project(variant), table) == table_reach(project(variant), table, fresh)


def test_every_table_has_a_stage_a_function_and_a_schema_under_its_name() -> None:
    written = [table for stage in STAGES.values() for table in stage.tables]
    assert sorted(written) == sorted(TABLES)
    for stage in STAGES.values():
        described = vars(import_module(f"cupel.contract.tables.{stage.name}"))
        for step in stage.steps:
            assert callable(getattr(import_module(stage.module), step.name)), step.name
            assert all(described[table.upper()] is TABLES[table] for table in step.tables)


@pytest.mark.parametrize("variant", list(VARIANTS))
def test_each_table_of_a_project_is_written_by_one_step(variant: str) -> None:
    assert len(tables(project(variant))) == len(set(tables(project(variant))))


def test_what_decides_no_value_is_there() -> None:
    code = Code(ROOT)
    for name in OUTSIDE:
        assert code.path(name) is not None, name
