"""The project file's section `labeling`: what is asked, of whom, how often."""

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator

from cupel.config.base import ColumnName, Positive, Section, Share, Slug, is_unset
from cupel.config.crew import CrewModel, check_models
from cupel.config.guideline import SHOWN_DIGITS, Change
from cupel.contract.ontology import Ontology, Question


class Overlap(Section):
    """Annotators asked of every item at first, and at most when they disagree."""

    first: Positive = 2
    """Annotators asked of every item."""
    most: Positive = 3
    """Annotators asked at most, where the first disagree with each other or with the checker."""
    most_undecided: Positive | None = 3
    """Skips and flags of annotators after which an item is put to an expert for certain; null: asked for ever."""
    least_share: Share = 0.01
    """The checker's doubts keep a batch waiting while at least this share of its items awaits an answer; 0: always."""

    @model_validator(mode="after")
    def _most_is_most(self) -> "Overlap":
        if self.first > self.most:
            raise ValueError("first must not be above most")
        return self


class Experts(Section):
    """The expert protocol: what an expert's word is, and when an item is contested."""

    answers: Literal[1, 2] = 2
    """1: one expert's word is the verdict. 2: two, blind to each other, and a third where they differ."""
    description: str = Field(min_length=1)
    """Who the experts are; the certificate quotes it."""
    are_auditors_independent: bool = False
    """Auditors are other people than those who adjudicate."""
    keys: str | None = Field(None, min_length=1, exclude_if=is_unset)
    """Trust file of who signs answers, relative to the data folder (`cupel key add`); null: signatures are ignored."""


Deed = Literal["warn", "weigh_down", "remove"]


class Policies(Section):
    """What is done about an annotator of whom something was found: warn (it is shown), weigh_down, or remove."""

    guessing: Deed = "warn"
    """The answers say nothing of their items."""
    constant: Deed = "warn"
    """The same, and nearly all of them are one and the same."""
    copying: Deed = "warn"
    """Answers copied from an annotator who was first."""
    colluding: Deed = "warn"
    """Answers shared with others beyond what the items explain, nobody being always first."""
    worsening: Deed = "warn"
    """The answers got worse in the course of the work."""
    below_bar: Deed = "warn"
    """Fewer answers on hidden gold (`labeling.gold`) are right than `least_right` asks, chance aside."""
    least_right: Share | None = None
    """The bar: share of the answers on hidden gold that must be right; null: none is set."""
    hurried: Deed = "warn"
    """Most answers took less than a third of the others' time on the same items."""
    weight: Share = 0.25
    """What the answers of an annotator who is weighed down count for."""

    @property
    def weighs_down(self) -> bool:
        """Whether anybody may be weighed down."""
        return "weigh_down" in self.model_dump().values()


class QuestionSettings(Section):
    """One of several questions about an item."""

    name: ColumnName
    """Its name; a column of the release."""
    question: str = Field(min_length=1)
    """What annotators are asked."""
    kind: str = "category"
    """Label kind of its answers."""
    classes: tuple[str, ...]
    """What may be answered."""
    asked_if: dict[str, tuple[str, ...]] = {}
    """By earlier question, the answers after which it is asked; empty: it is always asked."""

    @property
    def frozen(self) -> Question:
        """What is frozen with a release."""
        return Question(self.name, self.kind, self.classes, tuple(self.asked_if.items()))


Consensus = Literal[
    "auto", "majority", "dawid_skene", "fast_dawid_skene", "skilled_dawid_skene", "one_coin", "ibcc", "ebcc", "glad"
]


class Labeling(Section):
    """What is asked, of whom, and how often."""

    kind: str = "category"
    """Label kind: category, a class of the ontology; preference, which of two responses is better; multilabel, a set of
    classes; questions, answers to several questions; spans, marked parts of a text."""
    question: str = Field(min_length=1)
    """What annotators are asked."""
    classes: tuple[str, ...] = ()
    """The ontology: two classes or more, where a label answers one question."""
    questions: tuple[QuestionSettings, ...] = Field((), exclude_if=is_unset)
    """Label kind questions: the questions about an item, in the order in which they are asked."""
    least_overlap: Annotated[float, Field(gt=0, le=1)] | None = Field(None, exclude_if=is_unset)
    """Kinds of marks: the overlap (intersection over union) from which on two marks of a class are the same; a label is
    wrong where one of its marks, or of the expert's, has no such partner."""
    guideline: str | None = Field(None, min_length=1, max_length=1 << 20, exclude_if=is_unset)
    """The text that people label by, or `file:` and a path relative to the data folder; null: it has no versions."""
    changes: tuple[Change, ...] = Field((), exclude_if=is_unset)
    """Changes of guideline or ontology, the newest last; without one a changed guideline is refused."""
    consensus: Consensus = "dawid_skene"
    """How annotators' answers to a category become one belief; auto: the method that predicts held-out answers best."""
    overlap: Overlap = Overlap()
    """How many annotators an item gets."""
    workforce: Literal["recorded", "label_studio"] = "recorded"
    """Who answers: recorded, from files; label_studio, people there, where no file answers already."""
    answers: tuple[str, ...] = ()
    """Files of recorded answers, relative to the data folder: CSV or Parquet. More may come through the inbox."""
    are_annotators_known: dict[Slug, bool] = {}
    """By batch, whether answers name their annotator; true where not given."""
    experts: Experts
    """The expert protocol."""
    gold: str | None = None
    """File of known labels (batch, item_id, label) that measure annotators (and planted, auditors); null: none."""
    policies: Policies = Policies()
    """What is done about annotators of whom something was found."""
    vendors: dict[Slug, tuple[str, ...]] = {}
    """Annotators by vendor, where several deliver; they are compared on equal terms."""
    models: tuple[CrewModel, ...] = Field((), exclude_if=is_unset)
    """Models that answer beside people, counted apart from them; kind category only."""
    pre_labels: Annotated[str, Field(min_length=1)] | None = Field(None, exclude_if=is_unset)
    """Whose labels some answers were given after seeing: `checker`, or a model of `models`; null: nobody's."""

    @model_validator(mode="after")
    def _classes_differ(self) -> "Labeling":
        if len(set(self.classes)) != len(self.classes):
            raise ValueError("classes must differ from each other")
        return self

    @model_validator(mode="after")
    def _models_are_no_people(self) -> "Labeling":
        check_models(self.models, {name for theirs in self.vendors.values() for name in theirs})
        names = [model.name for model in self.models]
        if self.pre_labels is not None and self.pre_labels not in ("checker", *names):
            raise ValueError(f"pre_labels: found {self.pre_labels!r}; one of {', '.join(('checker', *names))}")
        return self

    @model_validator(mode="after")
    def _changes_are_of_a_guideline(self) -> "Labeling":
        if self.changes and self.guideline is None:
            raise ValueError("changes: they are of a guideline; name it in guideline")
        starts = [change.from_version[:SHOWN_DIGITS] for change in self.changes]
        if twice := next((one for place, one in enumerate(starts) if one in starts[:place]), None):
            raise ValueError(f"changes: two start from version {twice}; keep one, or start the later from what it made")
        return self

    @model_validator(mode="after")
    def _bar_has_gold(self) -> "Labeling":
        if self.policies.least_right is not None and self.gold is None:
            raise ValueError("policies.least_right: a bar is held against hidden gold; name its file in gold")
        return self

    @model_validator(mode="after")
    def _annotators_have_one_vendor(self) -> "Labeling":
        names = sorted(name for theirs in self.vendors.values() for name in theirs)
        if twice := next((one for one, other in pairwise(names) if one == other), None):
            raise ValueError(f"annotator {twice!r} stands twice in vendors; keep one")
        return self

    @property
    def ontology(self) -> Ontology:
        """What a label may say."""
        return Ontology(self.classes, tuple(question.frozen for question in self.questions), self.least_overlap)
