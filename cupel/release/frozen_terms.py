"""Frozen terms: what a release is frozen with before anybody audits it, stored as a row of RELEASE_PLAN."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cupel.certificate.design import Design, FixedSequence, design_text, parse_design
from cupel.certificate.result import Terms
from cupel.certificate.slice_budgets import budgets_text, parse_budgets
from cupel.contract.kind import Kind, are_equal
from cupel.contract.ontology import Ontology, Question
from cupel.errors import AuditError, ReleaseError
from cupel.release.terms import LicenceTerms

# Columns that are a field of the same name and type.
_COPIED = (
    "release", "status", "reason", "attempt", "alpha", "error_budget", "audit_size", "seed", "answers_until", "items",
    "items_sha256", "expert_answers", "experts_description", "max_experts_seen_share", "are_auditors_independent",
)  # fmt: skip
# Likewise, where they are there: plans of older versions have none.
_LATER = ("freeze_sha256", "nonce", "nonce_source", "max_undecided_share", "audited_before")
# What a plan says that was not fixed before the draw: it follows from it, or is the draw itself.
_DRAWN = ("status", "reason", "audit_size", "freeze_sha256", "nonce", "nonce_source", "seed")
# What is declared of the experts, and known of the items before anybody audits them, stands beside the design.
_BESIDE = ("adjudicators_audited", "planted_errors", "undecided")
# So does the label kind, where labels with different texts may be the same or a label has several parts; and what it
# asks, where that is several questions, or what makes two marks the same.
_KIND, _QUESTIONS, _LEAST_OVERLAP = "kind", "questions", "least_overlap"
GUIDELINE = "guideline"
# The names of the crew's models, whose answers are no expert's.
_MODELS = "models"
# And the hash of the items of known label, of which the planted ones are drawn.
KNOWN_ITEMS = "known_items_sha256"
# The hash of what items are sliced by; where it stands, classes and slices are bounded. Then the budgets of some.
SLICES, _BUDGETS = "slices_sha256", "budgets"
# Of what stands beside the design, the texts.
_TEXTS_BESIDE = {
    GUIDELINE: "the version of a guideline",
    KNOWN_ITEMS: "the hash of the items of known label",
    SLICES: "the hash of what items are sliced by",
}


@dataclass(frozen=True, kw_only=True)
class FrozenTerms(Terms):
    """The terms of one release; each is a column of RELEASE_PLAN, and explained there, or stands in its `design`.

    `licence_terms` are None where the project names no licences, `kind` where labels are the same if their texts are
    have one part, `guideline` where the project's has no versions,
    `known_items_sha256` where none are planted, `slices_sha256` where an older version froze it.
    """

    release: str
    batches: tuple[str, ...]
    status: str
    reason: str | None
    alpha: float
    audit_size: int
    seed: int
    answers_until: int
    items: int
    items_sha256: str
    classes: tuple[str, ...]
    expert_answers: int
    experts_description: str
    are_auditors_independent: bool
    licence_terms: LicenceTerms | None = None
    kind: str | None = None
    questions: tuple[Question, ...] = ()
    least_overlap: float | None = None
    guideline: str | None = None
    known_items_sha256: str | None = None
    models: tuple[str, ...] = ()
    freeze_sha256: str | None = None
    nonce: str | None = None
    nonce_source: str | None = None
    max_undecided_share: float | None = None
    audited_before: str | None = None
    slices_sha256: str | None = None

    @property
    def ontology(self) -> Ontology:
        """What a label may say."""
        return Ontology(self.classes, self.questions, self.least_overlap)

    @property
    def is_frozen(self) -> bool:
        """Whether it may be audited; else it was refused before."""
        return self.status == "frozen"

    @classmethod
    def from_plan(cls, plan: Mapping[str, Any]) -> "FrozenTerms":
        """Return the terms of a row of RELEASE_PLAN; plans of before designs existed have a fixed sequence.

        Raises:
            AuditError: The design is none.
            ReleaseError: The row is not as a release is frozen with.
        """
        try:
            design, beside = _parse_design(plan.get("design"), plan["audit_size"])
            later: dict[str, Any] = {name: plan.get(name) for name in _LATER}
            return cls(
                **{name: plan[name] for name in _COPIED}, **later, **beside, design=design,
                batches=tuple(plan["batches"]), classes=tuple(plan["classes"]),
                licence_terms=LicenceTerms.from_plan(plan),
            )  # fmt: skip
        except (LookupError, TypeError, AttributeError) as error:
            why = f"{type(error).__name__}: {error}"
            raise ReleaseError(f"the plan is not as a release is frozen with: {why}") from None

    def to_plan(self) -> dict[str, Any]:
        """Return the row of RELEASE_PLAN that `from_plan` reads."""
        licences = {"purpose": None, "day": None, "licences": None}
        return {
            **{name: getattr(self, name) for name in (*_COPIED, *_LATER)},
            "batches": list(self.batches),
            "classes": list(self.classes),
            "design": self._design_column(),
            **(licences if self.licence_terms is None else self.licence_terms.to_plan()),
        }

    def hash_freeze(self) -> str:
        """Return the hash of all that was fixed before the draw: the items, by their own hash, and every term."""
        fixed = {name: value for name, value in self.to_plan().items() if name not in _DRAWN}
        fixed["design"] = self._design_text()  # the column is null where the size of the audit says all
        return hashlib.sha256(_as_json(fixed).encode()).hexdigest()

    def _design_column(self) -> str | None:
        """Return the column `design`: null for a plain fixed sequence, whose size is the column `audit_size`."""
        is_plain = not self._beside and isinstance(self.design, FixedSequence)
        return None if is_plain else self._design_text()

    def _design_text(self) -> str:
        return _as_json({**json.loads(design_text(self.design)), **self._beside})

    @property
    def _beside(self) -> dict[str, Any]:
        """What stands beside the design."""
        beside = {
            name: value for name in (*_BESIDE, _KIND, _LEAST_OVERLAP, *_TEXTS_BESIDE) if (value := getattr(self, name))
        }
        if self.questions:
            beside[_QUESTIONS] = [question._asdict() for question in self.questions]
        if self.models:
            beside[_MODELS] = list(self.models)
        if self.budgets:
            beside[_BUDGETS] = budgets_text(self.budgets)
        return beside


def name_kind(kind: Kind, ontology: Ontology) -> str | None:
    """Return the name of a label kind as it is frozen; None where labels are one part, the same if their texts are."""
    is_plain = kind.is_same is are_equal and len(kind.parts(ontology)) == 1
    return None if is_plain else kind.name


def find_kind(terms: FrozenTerms, known: Iterable[Kind]) -> Kind | None:
    """Return the label kind that a release was frozen with; None where labels are the same if their texts are.

    Args:
        terms: Of the release.
        known: The kinds that there are: those of this Cupel, or the project's own.

    Raises:
        AuditError: It is none of these.
    """
    if terms.kind is None:
        return None
    kinds = {kind.name: kind for kind in known}
    if terms.kind not in kinds:
        raise AuditError(
            f"release {terms.release}: its labels are of the kind {terms.kind!r}; known here: {', '.join(kinds)}; "
            "use a Cupel, or a project file, that has that kind"
        )
    return kinds[terms.kind]


def find_models(terms: FrozenTerms, now: Collection[str]) -> Collection[str]:
    """Return the names of models, whose answers are no expert's: those that the release was frozen with.

    Who could call an expert a model once the audit is under way could have what that expert found asked anew.

    Args:
        terms: Of the release.
        now: Names of the project's models now, which count where an older version froze the release without them.
    """
    return now if terms.freeze_sha256 is None else terms.models


def _parse_design(text: str | None, audit_size: int) -> tuple[Design, dict[str, Any]]:
    """Return the design, and what is declared beside it."""
    if text is None:
        return parse_design(None, audit_size), {}
    try:
        content = json.loads(text)
        beside = {name: content.pop(name) for name in (*_BESIDE, *_TEXTS_BESIDE) if name in content}
        kind, questions = content.pop(_KIND, None), content.pop(_QUESTIONS, [])
        models, budgets = content.pop(_MODELS, []), content.pop(_BUDGETS, [])
        least_overlap = content.pop(_LEAST_OVERLAP, None)
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise AuditError(f"design: found {text!r}; expected JSON as a release is frozen with") from None
    for name, what in _TEXTS_BESIDE.items():
        if not isinstance(beside.get(name, ""), str):
            raise AuditError(f"design: {name}: found {beside[name]!r}; expected {what}")
    for name, number in ((name, beside[name]) for name in _BESIDE if name in beside):
        if not isinstance(number, int) or isinstance(number, bool) or number < 1:
            raise AuditError(f"design: {name}: found {number!r}; expected a number of items, 1 or more")
    if not isinstance(kind, str | None):
        raise AuditError(f"design: kind: found {kind!r}; expected the name of a label kind")
    if least_overlap is not None and (not isinstance(least_overlap, float | int) or not 0 < least_overlap <= 1):
        raise AuditError(f"design: {_LEAST_OVERLAP}: found {least_overlap!r}; expected a share above 0")
    if not isinstance(models, list) or not all(isinstance(name, str) for name in models):
        raise AuditError(f"design: {_MODELS}: found {models!r}; expected names of models")
    asked = tuple(_parse_question(question) for question in questions) if isinstance(questions, list) else None
    if asked is None or None in asked:
        raise AuditError("design: questions: expected name, kind, classes and asked_if of each, as they were frozen")
    return parse_design(_as_json(content), audit_size), {
        **beside,
        _KIND: kind,
        _QUESTIONS: asked,
        _LEAST_OVERLAP: least_overlap,
        _MODELS: tuple(models),
        _BUDGETS: parse_budgets(budgets),
        "bounds_slices": SLICES in beside,
    }


def _parse_question(found: Any) -> Question | None:
    """Return a question as it was frozen; None where it is none."""
    try:
        asked_if = tuple((str(name), tuple(map(str, classes))) for name, classes in found["asked_if"])
        question = Question(found["name"], found["kind"], tuple(found["classes"]), asked_if)
    except (LookupError, TypeError, ValueError):
        return None
    texts = (question.name, question.kind, *question.classes)
    return question if all(isinstance(text, str) for text in texts) and len(found) == len(Question._fields) else None


def _as_json(content: Mapping[str, Any]) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"))
