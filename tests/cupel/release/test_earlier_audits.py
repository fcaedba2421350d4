import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from cupel.certificate.attempts import attempt_alpha
from cupel.cleaning.decide import clean_items, decide
from cupel.cleaning.duplicates.kept_items import CleanedBatch, earlier_items
from cupel.cleaning.duplicates.similar_items import BatchSignatures, signatures, similar_items
from cupel.cleaning.signals import item_signals
from cupel.config.project import Project
from cupel.contract.table import from_rows
from cupel.contract.tables.raw import RAW_ITEMS
from cupel.contract.tables.release import RELEASE_ITEMS, RELEASE_PLAN
from cupel.errors import ReleaseError
from cupel.kinds import projects
from cupel.lake.draw_log import DRAWS, Nonce, record_draw
from cupel.lake.lake import Lake
from cupel.lake.step import Step
from cupel.release.earlier_audits import AuditedBefore, SharedItems, hash_released_texts, read_earlier_audits
from cupel.release.plan import find_audited_before
from cupel.store.files import delete_folder
from tests.made_releases import make_terms


def make_texts(count: int, seed: int) -> list[str]:
    """Return texts of sixteen words with a comma, no two alike."""
    random = np.random.default_rng(seed)
    letters = list("abcdefghijklmnopqrstuvwxyz")
    words = [["".join(word) for word in random.choice(letters, (16, 6))] for _ in range(count)]
    return [f"{' '.join(one[:8])}, {' '.join(one[8:])}" for one in words]


FILMS, OTHERS = make_texts(12, 1), make_texts(12, 2)


class Deliveries:
    """A lake whose batches are cleaned for real, and whose releases are frozen and drawn without labels."""

    def __init__(self, root: Path, **cleaning: Any) -> None:
        self.lake = Lake(root, "small")
        self.register: list[str] = []
        self.cleaning = {"min_words": 1, **cleaning}

    @property
    def project(self) -> Project:
        deliveries = {batch: {"files": [f"{batch}.jsonl"], "licence": "MIT"} for batch in self.register}
        return projects.make_project(
            {
                "project": "small", "title": "Small", "owner": "nobody@example.org", "cleaning": self.cleaning,
                "raw": {"deliveries": deliveries},
                "labeling": {
                    "question": "Good?", "classes": ["yes", "no"], "overlap": {"first": 2, "most": 3}, "answers": ["a"],
                    "experts": {"answers": 1, "description": "one"},
                },
                "release": {"error_budget": 0.05, "audit_size": 2, "max_experts_seen_share": 0.9},
            }
        )  # fmt: skip

    def deliver(self, batch: str, texts: Sequence[str], place: int | None = None) -> list[str]:
        """Register a batch, at the end or elsewhere, and clean it; return the ids of the items that are kept."""
        if batch not in self.register:
            self.register.insert(len(self.register) if place is None else place, batch)
        before, settings = self.register[: self.register.index(batch)], self.project.cleaning
        raw = from_rows(
            [
                {"batch": batch, "item_id": f"i{row:03d}", "source_file": batch, "line": row + 1, "text": text,
                 "licence": "MIT"}
                for row, text in enumerate(texts)
            ], RAW_ITEMS,
        )  # fmt: skip
        signals = item_signals(raw, settings)
        own = signatures(signals, batch, settings)
        earlier = [BatchSignatures.of(self.lake.read("signatures", one), one) for one in before]
        pairs = similar_items(BatchSignatures.of(own, batch), earlier, raw, settings).pairs
        cleaned = [self._cleaned(one) for one in before]
        decision = decide(batch, raw, signals, pairs, settings, earlier_items(own["text_sha256"], pairs, cleaned))
        kept = clean_items(raw, signals, decision.decided)
        for table, rows in (("signatures", own), ("similar_items", pairs), ("clean_items", kept)):
            self.lake.write(table, batch, rows)
        return list(kept["item_id"].to_pylist())

    def _cleaned(self, batch: str) -> CleanedBatch:
        columns = ["item_id", "group_id", "source_file", "line", "licence"]
        return CleanedBatch(
            batch,
            lambda: self.lake.read("signatures", batch, ["item_id", "text_sha256"]),
            lambda: self.lake.read("clean_items", batch, columns),
        )

    def remove(self, batch: str) -> None:
        self.register.remove(batch)

    def find(self, release: str, *batches: str) -> AuditedBefore:
        """Return which attempt a release of some batches is, as it is found before the freeze."""
        step = Step(self.lake, self.project, release)
        names = pa.concat_tables(self.lake.read("clean_items", batch, ["batch", "item_id"]) for batch in batches)
        return find_audited_before(step, names, list(batches), self.lake)

    def audit(self, release: str, *batches: str, is_older: bool = False) -> AuditedBefore:
        """Freeze a release and draw its audit; an older one without a recorded draw, and without hashes of texts."""
        before = self.find(release, *batches)
        items = pa.concat_tables(self.lake.read("clean_items", batch) for batch in batches)
        common = {"release": release, "split": "train", "label": "yes", "decided_by": "x", "log_odds": 1.0}
        rows = [
            {**row, **common, "risk_rank": rank, "is_audited": True,
             "text_sha256": None if is_older else hash_released_texts(pa.array([row["text"]]))[0].as_py()}
            for rank, row in enumerate(items.to_pylist(), 1)
        ]  # fmt: skip
        terms = make_terms(
            len(rows), release=release, batches=batches, attempt=before.attempt, alpha=attempt_alpha(before.attempt),
            reason=before.sentence, audited_before=before.to_text(),
        )  # fmt: skip
        inputs = {f"signatures@{batch}": self.lake.version(f"signatures@{batch}") for batch in batches}
        self.lake.write("release_items", release, from_rows(rows, RELEASE_ITEMS))
        self.lake.write("release_plan", release, from_rows([terms.to_plan()], RELEASE_PLAN), inputs)
        if not is_older:
            self.draw(release)
        return before

    def draw(self, release: str) -> None:
        record_draw(self.lake.log(DRAWS), release, "audit", release, lambda commitment: Nonce("n", "project file"))


@pytest.fixture
def made(tmp_path: Path) -> Deliveries:
    """Twelve texts about films, delivered as `movies` and audited as `movies-r1`."""
    made = Deliveries(tmp_path)
    assert len(made.deliver("movies", FILMS)) == len(FILMS)
    assert made.audit("movies-r1", "movies") == AuditedBefore(1, 12, 0, ())
    return made


def written_anew(text: str) -> str:
    return f"  {text.upper()}\t \r\n\n"


def test_the_same_items_are_a_second_attempt_and_the_plan_says_why(made: Deliveries) -> None:
    again = made.audit("movies-r2", "movies")
    assert again == AuditedBefore(2, 12, 12, (SharedItems("movies-r1", 12, 0),))
    assert again.sentence == "attempt 2: 12 of its 12 items were audited before, in movies-r1"
    plan = made.lake.read("release_plan", "movies-r2").to_pylist()[0]
    assert json.loads(plan["audited_before"]) == [{"release": "movies-r1", "same": 12, "similar": 0}]
    assert made.find("movies-r3", "movies").sentence == (
        "attempt 3: 12 of its 12 items were audited before, in movies-r1 and movies-r2"
    )


@pytest.mark.parametrize("change", [str, written_anew, lambda text: text + "\n\n"])
def test_a_delivery_that_comes_again_under_another_name_is_known(made: Deliveries, change: Any) -> None:
    made.remove("movies")
    made.deliver("films", [change(text) for text in reversed(FILMS)])
    assert made.find("films-r1", "films") == AuditedBefore(2, 12, 12, (SharedItems("movies-r1", 12, 0),))


@pytest.mark.parametrize(
    "change",
    [
        lambda text: f"{text}.",
        lambda text: f"Truly {text}",
        lambda text: text.replace(",", ";"),
        lambda text: text.replace(", ", " ").upper(),
    ],
)
def test_an_edited_copy_is_linked_when_the_first_batch_is_gone(made: Deliveries, change: Any) -> None:
    made.remove("movies")
    made.deliver("films", [change(text) for text in FILMS])
    first = made.audit("films-r1", "films")
    assert first == AuditedBefore(2, 12, 12, (SharedItems("movies-r1", 0, 12),))
    # The link is kept: the first batch's next attempt counts the edited copy's.
    made.register = ["movies"]
    assert made.find("movies-r2", "movies").attempt == 3


def test_an_edited_copy_under_the_same_name_is_linked(made: Deliveries) -> None:
    made.deliver("movies", [f"{text} indeed." for text in FILMS])
    assert made.find("movies-r2", "movies") == AuditedBefore(2, 12, 12, (SharedItems("movies-r1", 0, 12),))


def test_an_edited_copy_put_before_the_first_batch_in_the_register_is_linked(made: Deliveries) -> None:
    made.deliver("films", [f"{text} indeed." for text in FILMS], place=0)
    assert made.find("films-r1", "films").attempt == 2


def test_cleaning_rejects_a_near_copy_of_what_is_registered(made: Deliveries) -> None:
    kept = made.deliver("films", [f"{text}." for text in FILMS[:6]] + OTHERS)
    assert kept == [f"i{row:03d}" for row in range(6, 18)]
    assert made.find("films-r1", "films") == AuditedBefore(1, 12, 0, ())


def test_what_cleaning_keeps_beside_a_copy_is_linked_by_what_it_compared(made: Deliveries) -> None:
    near = made.lake.read("similar_items", "movies").schema
    made.deliver("films", OTHERS)
    # A copy with a better licence is kept: the pair stands in similar_items all the same.
    pair = {"item_id": "i000", "earlier_batch": "movies", "earlier_item_id": "i003", "similarity": 0.9}
    made.lake.write("similar_items", "films", pa.Table.from_pylist([pair], near))
    assert made.find("films-r1", "films") == AuditedBefore(2, 12, 1, (SharedItems("movies-r1", 0, 1),))


@pytest.mark.parametrize("similarity", [None, 0.999])
def test_the_project_file_does_not_decide_what_was_audited_before(tmp_path: Path, similarity: float | None) -> None:
    made = Deliveries(tmp_path, duplicate_similarity=similarity)
    made.deliver("movies", FILMS)
    made.audit("movies-r1", "movies")
    made.remove("movies")
    made.deliver("films", [f"{text}." for text in FILMS])
    assert made.find("films-r1", "films").attempt == 2


def test_one_shared_item_is_enough(made: Deliveries) -> None:
    made.remove("movies")
    made.deliver("recipes", [*OTHERS, FILMS[4]])
    found = made.find("recipes-r1", "recipes")
    assert found.sentence == "attempt 2: 1 of its 13 items was audited before, in movies-r1"


def test_a_union_is_the_second_attempt_and_each_part_counts_what_it_was_in(made: Deliveries) -> None:
    made.deliver("recipes", OTHERS)
    assert made.audit("recipes-r1", "recipes").attempt == 1
    assert made.audit("all-r1", "movies", "recipes").attempt == 2
    late = made.audit("movies-r2", "movies")
    assert (late.attempt, made.audit("recipes-r2", "recipes").attempt) == (3, 3)
    assert late.sentence == "attempt 3: 12 of its 12 items were audited before, in movies-r1 and all-r1"


def test_a_release_that_is_computed_again_after_its_draw_counts_what_was_drawn_before_it(made: Deliveries) -> None:
    made.audit("movies-r2", "movies")
    made.audit("movies-r3", "movies")
    assert made.find("movies-r2", "movies").attempt == 2
    assert [audit.release for audit in read_earlier_audits(made.lake, "movies-r3")] == ["movies-r1", "movies-r2"]


def test_an_older_release_counts_by_its_stored_texts_and_comes_first(tmp_path: Path) -> None:
    made = Deliveries(tmp_path)
    made.deliver("movies", [f"{text}, writes someone@example.org" for text in FILMS])
    made.audit("movies-r1", "movies", is_older=True)
    made.remove("movies")
    made.deliver("films", [f"{text}, writes other@example.com" for text in FILMS])
    assert made.audit("films-r1", "films") == AuditedBefore(2, 12, 12, (SharedItems("movies-r1", 12, 0),))
    assert [audit.release for audit in read_earlier_audits(made.lake, "x-r1")] == ["movies-r1", "films-r1"]


@pytest.mark.parametrize("table", ["release_plan", "release_items"])
def test_deleting_a_release_does_not_start_the_count_again(made: Deliveries, table: str) -> None:
    delete_folder(made.lake.partition_folder(table, "movies-r1"))
    with pytest.raises(ReleaseError, match=f"release movies-r1: its audit was drawn, and .*{table}.* is not there"):
        made.find("movies-r2", "movies")


def test_a_release_that_was_refused_before_its_audit_is_no_attempt(made: Deliveries) -> None:
    terms = make_terms(0, release="movies-r2", batches=("movies",), status="refused", reason="a gate")
    made.lake.write("release_plan", "movies-r2", from_rows([terms.to_plan()], RELEASE_PLAN))
    assert made.find("movies-r3", "movies").attempt == 2
