from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from forged_releases import failed, rewrite
from pydantic import ValidationError

from cupel.config.project import Known
from cupel.contract.ontology import Ontology
from cupel.contract.tables.release import TRAINING_SET
from cupel.kinds import KINDS, MODALITIES
from cupel.kinds.projects import make_project
from cupel.release import layout
from cupel.release.folder import write_release
from cupel.release.kind_columns import table_of
from cupel.release.verify import verify_release
from cupel.show.card import render_card
from cupel.show.release_documents import describe_release
from cupel.store.local import LocalStore
from made_kinds import MOODS
from made_releases import CLASSES, PROVENANCE, Made, make_release

KNOWN = Known((*KINDS, MOODS), MODALITIES)
READABLE = "every table can be read and has its columns"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_release(tmp_path_factory.mktemp("moods"), kind=MOODS)


@pytest.fixture
def folder(made: Made, tmp_path: Path) -> Path:
    assert made.tables is not None
    write_release(LocalStore(tmp_path), "r", made.facts, made.tables, PROVENANCE, describe_release)
    return tmp_path / "r"


@pytest.mark.parametrize("kind", KINDS[:2])
def test_kinds_whose_label_says_all_leave_the_training_set_as_it_is(kind: Any) -> None:
    assert table_of(kind, Ontology(CLASSES)) == TRAINING_SET


def test_a_release_holds_the_columns_of_its_kind_behind_its_own(folder: Path) -> None:
    for name in layout.DATA_FILES:
        table = pq.read_table(folder / name)
        assert table.column_names == [*(c.name for c in TRAINING_SET.columns), "is_negative", "is_positive"]
        for row in table.to_pylist():
            assert (row["is_negative"], row["is_positive"]) == (row["label"] == "negative", row["label"] == "positive")
    assert failed(verify_release(folder, KNOWN)) == set()


def test_card_and_metadata_describe_them_and_count_by_part(folder: Path, made: Made) -> None:
    card = render_card(made.facts)
    assert "| `is_negative` |" in card
    assert f"| negative: yes | {made.facts.labels['negative']} |" in card
    assert f"| negative: no | {made.facts.released - made.facts.labels['negative']} |" in card
    assert '"train/is_positive"' in (folder / "croissant.json").read_text()
    assert '"sc:Boolean"' in (folder / "croissant.json").read_text()


def test_a_column_that_says_something_else_than_the_label_is_found(folder: Path) -> None:
    rewrite(folder, "data/train.parquet", lambda rows: [{**rows[0], "is_positive": None}, *rows[1:]])
    assert READABLE in failed(verify_release(folder, KNOWN))


def test_columns_that_are_missing_or_too_many_are_found(folder: Path, certified: Any, tmp_path: Path) -> None:
    path = folder / "data/test.parquet"
    pq.write_table(pq.read_table(path).drop_columns("is_negative"), path)
    assert READABLE in failed(verify_release(folder, KNOWN))
    write_release(LocalStore(tmp_path), "plain", certified.facts, certified.tables, PROVENANCE, describe_release)
    path = tmp_path / "plain/data/test.parquet"
    table = pq.read_table(path)
    pq.write_table(table.append_column("is_negative", table["label"]), path)
    assert READABLE in failed(verify_release(tmp_path / "plain", KNOWN))


def test_a_release_of_a_kind_that_is_not_known_has_not_passed(folder: Path) -> None:
    assert READABLE in failed(verify_release(folder))


def test_a_column_that_would_hide_one_of_the_training_set_is_refused_in_the_project_file() -> None:
    questions = [{"name": name, "question": "Which?", "classes": ["a", "b"]} for name in ("topic", "text")]
    content = {
        "project": "p", "title": "T", "owner": "team@example.org",
        "raw": {"deliveries": {"one": {"files": ["one.jsonl"], "licence": "MIT"}}},
        "labeling": {
            "kind": "questions", "question": "Read it.", "questions": questions,
            "experts": {"answers": 1, "description": "one"},
        },
        "release": {"error_budget": 0.05, "audit_size": 100, "max_experts_seen_share": 0.9},
    }  # fmt: skip
    with pytest.raises(ValidationError, match="text: a release has a column of that name; name the question otherwise"):
        make_project(content)
