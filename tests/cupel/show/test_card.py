import dataclasses
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from cupel.contract.tables.release import TRAINING_SET
from cupel.errors import ReleaseError
from cupel.release.folder import write_release
from cupel.show.card import render_card, size_category
from cupel.show.release_documents import describe_release
from cupel.store.local import LocalStore


def front_matter(card: str) -> dict[str, Any]:
    head, _, _ = card.removeprefix("---\n").partition("\n---\n")
    content: dict[str, Any] = yaml.safe_load(head)
    return content


def test_the_front_matter_is_what_hubs_read(certified: Any) -> None:
    found = front_matter(render_card(certified.facts))
    assert found["license"] == "mit"
    assert found["language"] == ["en"]
    assert found["task_categories"] == ["text-classification"]
    assert found["size_categories"] == ["n<1K"]
    assert found["pretty_name"] == "Tiny <films> & | papers"
    assert [row["split"] for row in found["configs"][0]["data_files"]] == ["train", "validation", "test"]


def test_several_licences_are_all_named(certified: Any) -> None:
    facts = dataclasses.replace(certified.facts, licences={"CC-BY-4.0": 1, "MIT": 3})
    assert front_matter(render_card(facts))["license"] == ["cc-by-4.0", "mit"]


def test_the_card_says_the_certificate_word_for_word_and_every_column(certified: Any) -> None:
    card = render_card(certified.facts)
    assert certified.facts.certificate["wording"] in card
    assert all(f"| `{column.name}` |" in card for column in TRAINING_SET.columns)
    assert "one panel" in card
    assert "Nobody (2026)." in card


def test_paths_of_the_card_lead_to_the_data(certified: Any, provenance: Any, tmp_path: Path) -> None:
    write_release(LocalStore(tmp_path), "r", certified.facts, certified.tables, provenance, describe_release)
    card = (tmp_path / "r" / "README.md").read_text()
    for row in front_matter(card)["configs"][0]["data_files"]:
        assert (tmp_path / "r" / row["path"]).is_file()
    query = next(line for line in card.splitlines() if line.startswith("SELECT"))
    counts = duckdb.connect().execute(query.replace("'data/", f"'{tmp_path}/r/data/")).fetchall()
    assert dict(counts) == certified.facts.labels


def test_there_is_no_card_without_a_certificate(unaudited: Any) -> None:
    with pytest.raises(ReleaseError, match="no certificate"):
        render_card(unaudited.facts)


@pytest.mark.parametrize(("items", "name"), [(999, "n<1K"), (1_000, "1K<n<10K"), (10**9, "n>1B")])
def test_size_categories_begin_at_their_lower_end(items: int, name: str) -> None:
    assert size_category(items) == name


def test_a_checker_that_abstained_from_everything_is_not_called_wrong(certified: Any) -> None:
    said = render_card(certified.facts)
    assert "gave a second opinion" in said
    assert "Checker (model alone)" in said
    silent = [{"check": "checker_abstention_share", "observed": 1.0}]
    batches = [dataclasses.replace(batch, gates=[*batch.gates, *silent]) for batch in certified.facts.batches]
    abstained = render_card(dataclasses.replace(certified.facts, batches=batches))
    assert "abstained from every item" in abstained
    assert "Checker (model alone)" not in abstained
