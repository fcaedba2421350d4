"""A small lake in which every check passes, and from which single rows can be changed."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from cupel.cleaning.contamination.concluding import concluded
from cupel.config.project import Project
from cupel.contract.table import from_rows
from cupel.contract.tables import TABLES
from cupel.kinds.projects import make_project
from cupel.lake.guideline_log import GUIDELINES, record_guideline
from cupel.lake.lake import Lake
from cupel.lake.step import Step
from cupel.release.terms import LicenceTerms

Row = dict[str, Any]
BATCH = "first"
RELEASE = "first-r1"
CLASSES = ("no", "yes")

NO_CHANGE: Row = {}
SETTINGS: Row = {
    "project": "tiny",
    "title": "Tiny",
    "owner": "team@example.org",
    "raw": {"deliveries": {"first": {"files": ["a.jsonl"], "licence": "MIT"}}},
    "labeling": {
        "question": "Is it?",
        "classes": CLASSES,
        "overlap": {"first": 2, "most": 3},
        "answers": ["answers.csv"],
        "experts": {"description": "two people"},
    },
    "release": {"error_budget": 0.02, "audit_size": 100, "max_experts_seen_share": 0.3},
}


def project_of(**changes: Any) -> Project:
    return make_project(SETTINGS | changes)


class World:
    """A lake whose tables are written from rows that default to flawless ones."""

    def __init__(self, root: Path, connection: duckdb.DuckDBPyConnection, **changes: Any) -> None:
        self.project = project_of(**changes)
        self.lake = Lake(root, "tiny", connection)

    def step(self, partition: str = BATCH) -> Step:
        return Step(self.lake, self.project, partition)

    def write(self, table: str, rows: list[Row], partition: str = BATCH) -> None:
        self.lake.write(table, partition, from_rows(rows, TABLES[table]))

    def raw(self, items: int = 40, rejected: int = 0, empty_files: int = 0, rows_in: int | None = None) -> None:
        line = {"batch": BATCH, "source_file": "a.jsonl", "licence": "MIT"}
        names = [f"i{number:03}" for number in range(items)]
        self.write("raw_items", [line | {"item_id": n, "line": k, "text": n} for k, n in enumerate(names, 1)])
        bad = {"batch": BATCH, "source_file": "a.jsonl", "reason": "broken_json", "evidence": "{"}
        self.write("rejected_rows", [bad | {"line": items + k} for k in range(1, rejected + 1)])
        file = line | {"format": "jsonl", "sha256": "0", "size_bytes": 1}
        counts = {"rows_in": items + rejected if rows_in is None else rows_in, "rows_read": items}
        none = {"rows_in": 0, "rows_read": 0, "rows_rejected": 0}
        files = [file | counts | {"rows_rejected": rejected}]
        files += [file | none | {"source_file": f"empty{k}.jsonl"} for k in range(empty_files)]
        self.write("deliveries", files)

    def cleaning(
        self, kept: int = 40, rejected: int = 0, changed: int = 0, declared_otherwise: int = 0, **texts: str
    ) -> None:
        self.raw(kept + rejected)
        names = [f"i{number:03}" for number in range(kept + rejected)]
        place = {"batch": BATCH, "source_file": "a.jsonl"}
        signal = dict.fromkeys((one.name for one in TABLES["item_signals"].columns if not one.is_optional), 0)
        signals = [
            signal
            | {"item_id": n, "text": texts.get(n, n), "text_sha256": texts.get(n, n), "is_changed": k < changed}
            | {"language": "und", "repairs": [], "removed_lines": [], "is_declared_language": k >= declared_otherwise}
            for k, n in enumerate(names)
        ]
        self.write("item_signals", signals)
        self.write("similar_items", [])
        clean = {"group_id": "g", "licence": "MIT", "language": "und"}
        self.clean = [
            place | clean | {"item_id": n, "line": k, "text": texts.get(n, n)} for k, n in enumerate(names[:kept], 1)
        ]
        self.write("clean_items", self.clean)
        self.write(
            "rejected_items",
            [place | {"item_id": n, "line": k, "reason": "short"} for k, n in enumerate(names[kept:], kept + 1)],
        )

    def images(self, unreadable: int = 0, placed: int = 0) -> None:
        """Write 50 images, of which so many cannot be read, and so many of the others say where they were taken."""
        self.cleaning(kept=50 - unreadable, rejected=unreadable)
        names = [f"i{number:03}" for number in range(50)]
        self.write(
            "image_files",
            [
                {"item_id": name, "location": name, "metadata": ["EXIF", "place"] if number < placed else ["EXIF"]}
                | ({"problem": "damaged"} if number >= 50 - unreadable else {})
                for number, name in enumerate(names)
            ],
        )
        empty = {"shingle_count": 0, "shingles": b"", "bands": b"", "sketch": b""}
        self.write("signatures", [empty | {"batch": BATCH, "item_id": name, "text_sha256": name} for name in names])

    def similar(self, similarity: float, earlier: str = "i000", batch: str = BATCH) -> None:
        pair = {"item_id": "i001", "earlier_batch": batch, "earlier_item_id": earlier, "similarity": similarity}
        self.write("similar_items", [pair])

    def contamination(self, unwanted: int = 0, strays: int = 0) -> None:
        """Write an audit of 100 of 200 ranked items that found so many, and what is kept; strays are kept besides."""
        names = [f"i{number:03}" for number in range(200)]
        plan = dict.fromkeys((column.name for column in TABLES["contamination_plan"].columns), 0) | {
            "batch": BATCH, "status": "frozen", "design_sha256": "0", "attempt": 1, "alpha": 0.04, "confidence": 0.95,
            "at_most": 0.1, "good": "good", "what": "spam", "description": "", "candidates": 200, "strictest": 150,
            "loosest": 200, "audit_size": 100, "items_sha256": "0",
        }  # fmt: skip
        items = [
            {"batch": BATCH, "item_id": name, "source_file": "a.jsonl", "score": float(k), "rank": k + 1}
            | {"use": None if k % 2 else "audit"}
            for k, name in enumerate(names)
        ]
        said = {"batch": BATCH, "purpose": "contamination_audit", "annotator": "eve"}
        answers = [
            said | {"sequence": k + 1, "item_id": name, "label": "spam" if k < 2 * unwanted else "good"}
            for k, name in enumerate(names) if not k % 2
        ]  # fmt: skip
        self.write("contamination_plan", [plan])
        self.write("contamination_items", items)
        self.write("contamination_answers", answers)
        tables = [
            from_rows(rows, TABLES[f"contamination_{name}"]) for name, rows in (("items", items), ("answers", answers))
        ]
        found = concluded(plan, *tables)
        self.write("contamination_result", found.result.to_pylist())
        kept = [name for name, is_kept in zip(names, found.is_kept, strict=True) if is_kept]
        left = [name for name in names if name not in kept]
        self.cleaning(200)
        clean = {row["item_id"]: row for row in self.clean}
        self.write("clean_items", [clean[name] for name in sorted([*kept[strays:], *left[:strays]])])

    def labeling(self, votes: list[str] | None = None, rejected: int = 0, names: str = "abcd") -> None:
        """Write the answers of each item: a letter an annotation, y or n; annotators take turns by `names`."""
        votes = votes if votes is not None else ["yy", "nn"] * 20
        self.cleaning(len(votes))
        rows: list[Row] = []
        for item, answers in enumerate(votes):
            for answer in answers:
                who = names[len(rows) % len(names)]
                label = {"y": "yes", "n": "no"}.get(answer, answer)
                rows.append(
                    {"item_id": f"i{item:03}", "sequence": len(rows), "annotator": None if who == "?" else who}
                    | {"label": label}
                )
        self.write("annotations", rows)
        self.write(
            "consensus",
            [{"item_id": f"i{k:03}", "votes": len(answers), "is_tie": False} for k, answers in enumerate(votes)],
        )
        bad = {"item_id": "x", "annotator": "a", "reason": "unknown_item"}
        self.write("rejected_answers", [bad | {"sequence": 10_000 + k} for k in range(rejected)])

    def gold(self, answers: int, right: int) -> None:
        self.labeling()
        person = {"annotator": "a", "answers": answers, "answer_share": 1.0}
        self.write("annotators", [person | {"gold_answers": answers, "gold_right": right, "comparable": 0}])

    def responses(self, responses: int = 30, cyclic: int = 0, first_of_equals: float = 0.5) -> None:
        """Write responses, some of them in a cycle, and two annotators of the same habit."""
        known = {"prompt_id": "p", "comparisons": 1, "answers": 2} | dict.fromkeys(
            ("strength", "strength_low", "strength_high"), 0.0
        )
        self.write(
            "responses", [known | {"response_id": f"r{k:03}", "is_in_cycle": k < cyclic} for k in range(responses)]
        )
        habit = {"answers": 10, "first_share": 0.5, "skill": 1.0, "first_of_equals": first_of_equals}
        self.write("habits", [habit | {"annotator": name} for name in "ab"])

    def labels(self, items: int = 40, differing: int = 0, abstained: int = 0, experts: int = 0, **labels: str) -> None:
        self.cleaning(items)
        fixed = {"log_odds": 1.0, "decided_by": "people and checker", "reason": "r", "consensus_label": "yes"}
        self.write(
            "labels",
            [
                fixed
                | {"item_id": f"i{k:03}", "label": labels.get(f"i{k:03}", "yes")}
                | {"predicted_label": None if k < abstained else "no" if k < abstained + differing else "yes"}
                | {"route": "expert" if k < experts else "accept"}
                for k in range(items)
            ],
        )

    def released(self, certificate: Row | None = None, **changes: Any) -> None:
        same = {
            "release": RELEASE, "status": "certified", "error_budget": 0.02, "confidence": 0.95, "error_bound": 0.01,
            "error_bound_with_contested": 0.1, "experts_seen_share": 0.2, "items": 1000,
        }  # fmt: skip
        counts = dict.fromkeys(("accepted", "to_adjudicate", "adjudicated", "audit_wrong", "audit_contested"), 0)
        counts |= {"attempt": 1, "audited": 200, "contested": 0, "experts_seen": 200, "repaired": 0}
        audit = same | counts | {"reason": "r", "alpha": 0.04, "undecided_bound": 0.05} | changes
        self.write("audit_result", [audit], RELEASE)
        frozen = {"wording": "w", "items_sha256": "f", "are_auditors_independent": False}
        row = same | frozen | {name: value for name, value in changes.items() if name in same}
        self.write("certificate", [row | (certificate or {})], RELEASE)
        plan = {"release": RELEASE, "batches": [BATCH], "status": "frozen", "attempt": 1, "alpha": 0.04}
        plan |= {"error_budget": row["error_budget"], "audit_size": 200, "seed": 1, "answers_until": 1}
        plan |= {"classes": ["yes", "no"], "expert_answers": 1, "experts_description": "one expert"}
        plan |= {"max_experts_seen_share": 0.3, "are_auditors_independent": False}
        self.plan = plan | {"items": 1000, "items_sha256": "f"}
        self.write("release_plan", [self.plan], RELEASE)
        self.undecided(0)

    def undecided(self, left: int) -> None:
        """Write the answers of two experts on the same items, of which one leaves so many undecided."""
        self.write("audit", [], RELEASE)
        said = {"batch": BATCH, "purpose": "audit", "label": "yes"}
        answers = [
            said | {"sequence": 2 * k + place, "item_id": f"i{k:03}", "annotator": expert}
            | ({"label": None} if expert == "a" and k < left else {})
            for k in range(20) for place, expert in enumerate("ab")
        ]  # fmt: skip
        self.write("expert_answers", answers, RELEASE)

    def guided(self, is_replaced: bool) -> None:
        """Write two releases: one under the guideline in force, and an earlier one that is certified.

        The earlier one is of the same guideline, or of one that it has replaced.
        """
        self.released()
        own = record_guideline(self.lake.log(GUIDELINES), self.project, Path(), 0)
        assert own is not None
        design = {"method": "fixed_sequence", "size": 200, "guideline": "0" * 64 if is_replaced else own.version}
        earlier = {"release": "first-r0", "design": json.dumps(design)}
        self.write("release_plan", [self.plan | earlier], "first-r0")
        certificate = self.lake.read("certificate", RELEASE).to_pylist()[0]
        self.write("certificate", [certificate | {"release": "first-r0"}], "first-r0")

    def licensed(self, day: str) -> None:
        """Write a release of one item of the first licence, frozen on a day with the project's licences."""
        self.released()
        terms = LicenceTerms.of_project(self.project, date.fromisoformat(day))
        assert terms is not None
        self.write("release_plan", [self.plan | terms.to_plan()], RELEASE)
        self.frozen(self.project.licence_names[0])

    def frozen(self, licence: str) -> None:
        item = dict.fromkeys((column.name for column in TABLES["release_items"].columns), "x") | {
            "release": RELEASE, "batch": BATCH, "line": 1, "log_odds": 1.0, "risk_rank": 1, "is_audited": True,
            "licence": licence,
        }  # fmt: skip
        self.write("release_items", [item], RELEASE)

    def overlapping(self, items_over: int, change: Row | None = NO_CHANGE) -> None:
        """Write a release of one item, held against an evaluation set; a change of None: against none."""
        self.released()
        self.frozen("MIT")
        row = {"release": RELEASE, "reference_set": "sums", "source_file": "sums.jsonl", "sha256": "0", "references": 9}
        row |= {"not_looked_for": 0, "items": 1, "most_share": 0.5, "items_over": items_over, "item_ids": []}
        row |= {"evidence": "first/x holds sums, row 1"}
        self.write("release_overlaps", [] if change is None else [row | change], RELEASE)

    def budgeted(self, is_kept: bool) -> None:
        self.released()
        budgets = [{"by": "class", "value": "yes", "counts": "wrong", "share": 0.05}]
        design = {"method": "fixed_sequence", "size": 200, "budgets": [
            budget | {"design": {"method": "fixed_sequence", "size": 50}} for budget in budgets
        ]}  # fmt: skip
        self.write("release_plan", [self.plan | {"design": json.dumps(design), "items": 1}], RELEASE)
        for table in ("audit_result", "certificate"):
            self.write(table, [self.lake.read(table, RELEASE).to_pylist()[0] | {"items": 1}], RELEASE)
        self.frozen("MIT")
        row = {"release": RELEASE, "by": "class", "value": "yes", "items": 100, "is_kept": is_kept}
        row |= dict.fromkeys(("items_left", "audited", "wrong", "missed"), 5)
        row |= dict.fromkeys(("wrong_upper", "missed_upper", "wrong_budget", "missed_budget"))
        self.write("slice_bounds", [row], RELEASE)

    def promised(self, is_kept: bool, language: str = "eng_Latn") -> None:
        self.released()
        row = {"release": RELEASE, "language": language, "promised_items": 5, "is_kept": is_kept}
        row |= dict.fromkeys(("items_in", "items", "withheld", "audited", "wrong"), 5)
        self.write("release_languages", [row], RELEASE)


@pytest.fixture(scope="session")
def connection() -> duckdb.DuckDBPyConnection:
    """Return the one connection of all tests here: opening a hundred takes longer than what they are for."""
    return duckdb.connect(config={"threads": 1})


@pytest.fixture
def world(tmp_path: Path, connection: duckdb.DuckDBPyConnection) -> Callable[..., World]:
    """Return a maker of worlds; its arguments change the project's settings."""
    made: list[int] = []

    def make(**changes: Any) -> World:
        made.append(1)
        return World(tmp_path / str(len(made)), connection, **changes)

    return make
