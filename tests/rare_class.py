"""A delivery in which 3% of all labels, but 24% of those of its rare class, are wrong, and its audits in memory."""

from pathlib import Path

import numpy as np

from cupel.accept.delivery import Delivery, read_delivery
from cupel.accept.folder import take_look
from cupel.accept.judging import Prices, Verdict, judge_delivery
from cupel.accept.label_rules import ONE_CLASS
from cupel.accept.looks import Drawn, draw_later_look, draw_look, freeze_later_look, sample_first_look
from cupel.accept.part_index import find_insides
from cupel.accept.part_plan import parse_parts, plan_parts
from cupel.accept.plan import Plan, Settings, make_plan, seed_plan
from label_buyer import write_csv

LABELS, RARE = 4_000, 240


class RareClass:
    """The delivery: 240 of 4,000 labels are spam, of which so many are wrong; so many of the others should be spam.

    Args:
        folder: Where to write it.
        rare_wrong: Labels spam that are wrong.
        missed: Other labels that should be spam.
    """

    def __init__(self, folder: Path, rare_wrong: int = 58, missed: int = 62) -> None:
        rows, self.truth = [["id", "text", "label", "site"]], {}
        for number in range(LABELS):
            label = "spam" if number < RARE else ("ham", "news")[number % 2]
            is_missed = RARE <= number < RARE + missed
            truth = "ham" if number < rare_wrong else "spam" if is_missed else label
            self.truth[f"i{number}"] = truth
            rows.append([f"i{number}", f"text {number}", label, ("a", "b", "")[number % 3]])
        write_csv(folder / "mail.csv", rows)
        self.delivery: Delivery = read_delivery(folder / "mail.csv")
        self.ids = [one.item_id for one in self.delivery.labels]
        self._planned: dict[object, Plan] = {}
        self.wrong_share = np.mean([one.label != self.truth[one.item_id] for one in self.delivery.labels])

    def plan(self, nonce: int, *by: str, size: int = 400, contested: str = "aside") -> Plan:
        """Return a plan of the delivery's audit against 5%, frozen and seeded."""
        key = by, size, contested
        if key not in self._planned:
            self._planned[key] = self._make_plan(by, size, contested)
        return seed_plan(self._planned[key], str(nonce), "option")

    def _make_plan(self, by: tuple[str, ...], size: int, contested: str) -> Plan:
        asked = parse_parts(by)
        settings = Settings.model_validate(
            {"error_budget": 0.05, "label_column": "label", "id_column": "id", "text_column": "text",
             "annotator_column": None, "classes": self.delivery.classes, "budgets": asked.budgets,
             "slices": asked.slices, "contested": contested}
        )  # fmt: skip
        parts = plan_parts(self.delivery, ONE_CLASS, settings, 1, size)
        return make_plan(self.delivery, "a", settings, size, None, (), parts=parts)

    def judge(self, plan: Plan, looks: list[Drawn] | None = None, undecided: frozenset[str] = frozenset()) -> Verdict:
        """Judge looks by what is true; the first, where none are given."""
        looks = looks or [self.first_look(plan)]
        answers = {item: None if item in undecided else self.truth[item] for one in looks for item in one.ids}
        return judge_delivery(plan, self.delivery, looks, answers, Prices(), None)

    def first_look(self, plan: Plan) -> Drawn:
        """Return the first look of a plan."""
        insides = find_insides(self.delivery, ONE_CLASS, plan.parts)
        samples = sample_first_look(plan, self.ids, insides) if plan.settings.budgets else None
        return Drawn(1, 0, draw_look(plan, self.ids, insides), 1, samples)

    def later_look(self, plan: Plan, looks: list[Drawn], verdict: Verdict, nonce: str = "n") -> Drawn:
        """Return the look that a verdict asks for."""
        assert verdict.next_look is not None
        insides = find_insides(self.delivery, ONE_CLASS, plan.parts)
        earlier = [one.samples for one in looks if one.samples is not None]
        whole = sum(len(one.whole) for one in earlier)
        frozen = freeze_later_look(
            plan, verdict.next_look.look, looks[-1].size, 2, whole, verdict.next_look.look_sizes
        )  # fmt: skip
        seen = [item for one in looks for item in one.ids]
        later = draw_later_look(frozen, nonce, "system", self.ids, seen, insides, earlier)
        return take_look(plan, later, self.ids, looks, insides)
