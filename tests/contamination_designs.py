"""Items of which some are unwanted, experts who know which, and the rounds of a design, without a lake."""

import random
from typing import Any

import numpy as np
import pyarrow as pa

from cupel.cleaning.contamination.candidates import Candidates, Examples, no_examples
from cupel.cleaning.contamination.concluding import Concluded, concluded
from cupel.cleaning.contamination.designing import Designed, designed
from cupel.config.contamination import Contamination, ContaminationAnswers
from cupel.tables import CONTAMINATION_ANSWERS, from_rows

UNWANTED = ["win", "cash", "prize", "click", "offer", "free"]
WANTED = ["tree", "river", "stone", "bread", "window", "garden"]
SCHEMA = pa.schema([(name, pa.string()) for name in ("batch", "item_id", "source_file", "text_sha256")])
COMMON = ["the", "and", "with", "some", "near", "under", "many"]


def settings(**changes: Any) -> Contamination:
    answers = ContaminationAnswers(train=80, audit=150, pilot=60, step=20)
    return Contamination(**({"what": "spam", "at_most": 0.05, "answers": answers} | changes))


class Items:
    """Items whose words tell what is unwanted, but for a share that looks like the other kind."""

    def __init__(self, size: int = 500, share: float = 0.15, blurred: float = 0.02, seed: int = 1) -> None:
        rng = random.Random(seed)
        self.ids = [f"i{number:05}" for number in range(size)]
        self.unwanted = {item for item in self.ids if rng.random() < share}
        texts = []
        for item in self.ids:
            looks = (item in self.unwanted) != (rng.random() < blurred)
            texts.append(" ".join(rng.sample(UNWANTED if looks else WANTED, 3) + rng.choices(COMMON, k=5)))
        self.texts = pa.chunked_array([pa.array(texts, pa.string())])
        self.answers = CONTAMINATION_ANSWERS.schema.empty_table()

    @property
    def candidates(self) -> Candidates:
        columns = {
            "batch": ["one"] * len(self.ids),
            "item_id": self.ids,
            "source_file": ["a" if number % 3 else "b" for number in range(len(self.ids))],
            "text_sha256": self.texts,
        }
        return Candidates(
            "one", pa.table(columns, schema=SCHEMA), lambda: iter([self.texts.slice(0, 200), self.texts.slice(200)])
        )

    def answer(self, design: Designed, said: dict[str, str | None] | None = None) -> int:
        """Let an expert answer what is open; return how many there were."""
        known = set(self.answers["item_id"].to_pylist())
        asked = [row for row in design.items.to_pylist() if row["use"] and row["item_id"] not in known]
        rows = [
            {
                "sequence": self.answers.num_rows + place, "batch": "one", "item_id": row["item_id"],
                "purpose": "contamination_audit" if row["use"] == "audit" else "contamination", "annotator": "eve",
                "label": (said or {}).get(row["item_id"], "spam" if row["item_id"] in self.unwanted else "good"),
            }
            for place, row in enumerate(asked, 1)
        ]  # fmt: skip
        self.answers = pa.concat_tables([self.answers, from_rows(rows, CONTAMINATION_ANSWERS)])
        return len(rows)

    def follow(self, terms: Contamination, before: Designed | None = None, earlier: Examples | None = None) -> Designed:
        """Go through rounds until nothing is asked."""
        design = before
        while True:
            design = designed(self.candidates, self.answers, design, terms, lambda _: earlier or no_examples())
            if not self.answer(design):
                return design

    def conclude(self, design: Designed) -> tuple[Concluded, dict[str, Any]]:
        found = concluded(design.plan.to_pylist()[0], design.items, self.answers)
        return found, found.result.to_pylist()[0]

    def unwanted_share(self, found: Concluded) -> float:
        kept = [item for item, is_kept in zip(self.ids, found.is_kept, strict=True) if is_kept]
        return len(self.unwanted.intersection(kept)) / len(kept) if kept else 0.0


def flags(values: list[bool]) -> np.ndarray:
    return np.array(values, np.bool_)
