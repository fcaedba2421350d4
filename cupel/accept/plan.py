"""The plan of an audit: all that is fixed before a label is checked, and the draw that follows from it."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)

from cupel.accept.budget import percent
from cupel.accept.delivery import Delivery
from cupel.certificate import acceptance
from cupel.certificate.acceptance_plan import Terms, plan_first_looks, smallest_first_look
from cupel.certificate.attempts import attempt_alpha
from cupel.certificate.plan import AuditPlan
from cupel.errors import AuditError

# The default audit passes a delivery whose true error is a third of the budget with nine chances in ten:
# a vendor who stays well inside the budget is not turned away by bad luck.
GUESSED_ERROR_OF_BUDGET = 1 / 3
CHANCE_TO_PASS = 0.9
TABLE_SIZES_OF_CHOSEN = (0.25, 0.5, 1.0, 2.0, 4.0)
TABLE_ERRORS_OF_BUDGET = (0.0, 1 / 3, 0.5, 1.0, 2.0)
# Browsers and spreadsheets keep whole numbers exact up to 53 bits.
SEED_BITS = 53


class Record(BaseModel):
    """Anything written down for good: frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PartBudget(Record):
    """A budget for a part of the delivery, a class or a value of a column: which share may be wrong, or missed."""

    by: str
    value: str
    counts: Literal["wrong", "missed"]
    share: float = Field(gt=0, lt=1)

    @property
    def option(self) -> str:
        """Return the budget as it is written on the command line."""
        return f"{self.by}:{self.value}:{self.counts}={percent(self.share, 4)}"


class Settings(Record):
    """What the buyer decides; kept in the plan, so that a later call cannot decide otherwise.

    `kind` is None where a label is one class; only then `classes` may not be empty. `least_overlap` is the overlap from
    which on two marks are the same, where labels are marks. `max_undecided` is the largest
    share of the items that may be such that nobody can decide them; None where they count as wrong, and in plans of an
    earlier version. `budgets` are those beside that of the whole, `slices` the columns whose values are bounded as
    classes are. `annotator_columns` are those of a table that hold one annotator's answers each.
    """

    error_budget: float = Field(gt=0, lt=1)
    contested: Literal["aside", "wrong"] = "aside"
    max_undecided: float | None = Field(default=None, gt=0, lt=1)
    label_column: str | None
    id_column: str | None
    text_column: str | None
    annotator_column: str | None
    classes: tuple[str, ...]
    kind: str | None = None
    least_overlap: float | None = Field(default=None, gt=0, le=1)
    budgets: tuple[PartBudget, ...] = ()
    slices: tuple[str, ...] = ()
    annotator_columns: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _classes_are_named(self) -> "Settings":
        if not self.classes and self.kind is None:
            raise ValueError("classes: expected one or more")
        return self

    @property
    def promise(self) -> tuple[object, ...]:
        """Return what an acceptance would say: two audits of one delivery with the same promise are a second throw."""
        kind = (self.kind, self.least_overlap)
        return self.error_budget, self.contested, self.max_undecided, kind, frozenset(self.budgets)

    @model_serializer(mode="wrap")
    def _leave_out_what_is_not_set(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Write plans of an earlier version as they were: they knew nothing of what came later."""
        content: dict[str, Any] = serialize(self)
        return {name: value for name, value in content.items() if name not in _LATER or value}


_LATER = ("kind", "least_overlap", "max_undecided", "budgets", "slices", "annotator_columns")
NonceSource = Literal["system", "option"]


class EarlierAudit(Record):
    """Items that were audited before: how many, how many more are nearly the same as such, and in which delivery last.

    `size_alone` is the size that would be chosen had none been, `size_needed` the size chosen by the attempt's alpha.
    """

    items: int
    near_items: int
    delivery: str
    at: str
    size_alone: int = 0
    size_needed: int = 0


class PlannedPart(Record):
    """A part of the delivery that is bounded: a class, or a value of a column, and how many labels are of it.

    Of those at least `drawn` are checked at the first look, and at least `drawn_others` of all others, which the class
    may miss; 0 where no budget asks for them.
    """

    by: str
    value: str
    labels: int
    drawn: int = 0
    drawn_others: int = 0


class Plan(Record):
    """The plan of the first look, which fixes the sizes of all later ones.

    `sizes` are the cumulative sizes of the looks, `drawn` the ids of the first look in the order of the draw.
    `delivery_sha256` is the hash of what was parsed, `file_sha256` that of the file's bytes. All but what the draw adds
    is frozen: `freeze_sha256` is its hash, the nonce came after it, and the seed is made of both.

    Version 1 knew a delivery by its file's bytes, took its seed from the system alone, and its looks are the attempts.
    Version 2 knew no parts, and spent nothing on their bounds.
    """

    version: Literal[1, 2, 3] = 3
    delivery: str
    delivery_sha256: str
    file_sha256: str | None = None
    labels: int
    rejected: int
    settings: Settings
    attempt: int = Field(default=1, ge=1)
    earlier: EarlierAudit | None = None
    freeze_sha256: str = ""
    nonce: str = ""
    nonce_source: NonceSource = "system"
    seed: int = Field(default=0, ge=0, lt=1 << SEED_BITS)
    sizes: tuple[int, ...]
    look: Literal[1] = 1
    size: int
    alpha: float
    shown: tuple[str, ...]
    parts: tuple[PlannedPart, ...] = ()
    drawn: tuple[str, ...] = ()

    @model_serializer(mode="wrap")
    def _leave_out_no_parts(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Write plans of an earlier version as they were."""
        content: dict[str, Any] = serialize(self)
        return {name: value for name, value in content.items() if name != "parts" or value}

    @property
    def key(self) -> str:
        """Return 12 hexadecimal digits that name the plan: delivery, settings, seed and sizes."""
        content = self.model_dump_json(include={"delivery_sha256", "settings", "seed", "sizes"})
        return hashlib.sha256(content.encode()).hexdigest()[:12]

    def key_of(self, nonce: str, nonce_source: NonceSource) -> str:
        """Return the key that the plan has once it is drawn by a nonce."""
        return seed_plan(self, nonce, nonce_source).key

    @property
    def fixed(self) -> acceptance.Delivery:
        """What the verdict needs to know of the plan."""
        most = self.sizes[-1] if self.sizes[-1] < self.labels else None
        return acceptance.Delivery(
            self.labels, self.settings.error_budget, self.sizes[0], most, self.settings.contested == "aside",
            self.settings.max_undecided, self.version == 1, self.version >= 3, len(self.settings.budgets),
        )  # fmt: skip

    @property
    def nonce_beforehand(self) -> int | None:
        """Return the number that was chosen before the draw, if one was."""
        if self.version == 1:
            return self.seed
        return int(self.nonce) if self.nonce_source == "option" else None


class LaterLook(Record):
    """The plan of a later look: only the further items; everything else is the first plan's.

    It is frozen and drawn like the first, among the items that no look before has drawn. Version 1 went on with the
    first look's draw; its looks hold neither attempt nor nonce. `parts` says of each part of the plan how many of its
    items, and of all others, are drawn at least; null where only the whole is drawn, and in earlier versions.
    """

    plan: str
    look: int
    size: int
    alpha: float
    attempt: int | None = None
    before: int | None = None
    freeze_sha256: str = ""
    nonce: str = ""
    nonce_source: NonceSource = "system"
    parts: tuple[tuple[int, int], ...] | None = None
    drawn: tuple[str, ...]

    @model_serializer(mode="wrap")
    def _leave_out_no_parts(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Write looks of an earlier version as they were."""
        content: dict[str, Any] = serialize(self)
        return {name: value for name, value in content.items() if name != "parts" or value is not None}


# What of a plan the draw adds.
_DRAWN_LATER = {"freeze_sha256", "nonce", "nonce_source", "seed", "drawn"}


def hash_terms(terms: Plan | LaterLook) -> str:
    """Return the hash of all that is fixed before the draw."""
    content = json.dumps(terms.model_dump(mode="json", exclude=_DRAWN_LATER), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()


def make_seed(freeze_sha256: str, nonce: str) -> int:
    """Return the seed that follows from what was frozen and from the nonce that came after it."""
    digest = hashlib.sha256(f"{freeze_sha256}/{nonce}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> (64 - SEED_BITS)


class Choice(NamedTuple):
    """The size of the audit, why it is that, and what it and other sizes mean."""

    size: int
    reason: str
    errors: tuple[float, ...]
    table: list[AuditPlan]


def terms_of(labels: int, settings: Settings, attempt: int) -> Terms:
    """Return what a look at that attempt must show."""
    return Terms(labels, settings.error_budget, attempt, settings.contested == "aside", settings.max_undecided, True)


def choose_size(terms: Terms, audit: int | None = None) -> Choice:
    """Choose how many labels to audit at the first look.

    Args:
        terms: What it must show, and the attempt whose alpha it may spend.
        audit: Size that the buyer wants; None chooses.

    Returns:
        The size with its reason, and a table of sizes by true error.

    Raises:
        AuditError: The buyer's size is not 1 to the number of labels.
    """
    labels, error_budget = terms.population, terms.error_budget
    best = smallest_first_look(terms, error_budget * GUESSED_ERROR_OF_BUDGET, CHANCE_TO_PASS)
    # Rounding a third of a small budget up to whole labels may exceed it; then only no error at all passes.
    best = best or smallest_first_look(terms, 0.0, CHANCE_TO_PASS)
    size = audit if audit is not None else best.drawn if best else labels
    if not 1 <= size <= labels:
        raise AuditError(f"--audit {size}: expected 1 to {labels}, the labels that may be judged")
    reason = "asked for with --audit"
    if audit is None:
        reason = f"the smallest with at least {CHANCE_TO_PASS:.0%} chance to pass when a third of the budget is wrong"
    sizes = sorted({min(labels, max(1, round(size * times))) for times in TABLE_SIZES_OF_CHOSEN})
    errors = tuple(min(1.0, error_budget * times) for times in TABLE_ERRORS_OF_BUDGET)
    return Choice(size, reason, errors, plan_first_looks(terms, sizes, errors))


def make_plan(
    delivery: Delivery,
    delivery_sha256: str,
    settings: Settings,
    size: int,
    at_most: int | None,
    shown: Sequence[str],
    attempt: int = 1,
    earlier: EarlierAudit | None = None,
    parts: tuple[PlannedPart, ...] = (),
) -> Plan:
    """Fix an audit; nothing random exists yet.

    Args:
        delivery: The delivery.
        delivery_sha256: Hash of what was parsed.
        settings: What the buyer decided.
        size: Labels of the first look.
        at_most: Labels that the buyer would check at the very most; None means all.
        shown: Columns that the sheet will show.
        attempt: Of the first look.
        earlier: Which items were audited before.
        parts: Which are bounded, and how many are checked for them.

    Raises:
        AuditError: `at_most` is below the first look or above the labels.
    """
    labels = len(delivery.labels)
    return Plan(
        delivery=delivery.path.name,
        delivery_sha256=delivery_sha256,
        file_sha256=delivery.sha256,
        labels=labels,
        rejected=len(delivery.rejected),
        settings=settings,
        attempt=attempt,
        earlier=earlier,
        sizes=acceptance.look_sizes(labels, size, at_most),
        size=size,
        alpha=attempt_alpha(attempt),
        shown=tuple(shown),
        parts=parts,
    )


def seed_plan(plan: Plan, nonce: str, nonce_source: NonceSource) -> Plan:
    """Return a frozen plan with its nonce and the seed that follows."""
    frozen = hash_terms(plan)
    seed = make_seed(frozen, nonce)
    return plan.model_copy(
        update={"freeze_sha256": frozen, "nonce": nonce, "nonce_source": nonce_source, "seed": seed}
    )  # fmt: skip


RecordT = TypeVar("RecordT", bound=Record)


def parse_record(name: str, content: str, kind: type[RecordT]) -> RecordT:
    """Read a record back.

    Raises:
        AuditError: The file was altered so that it is no plan any more.
    """
    try:
        return kind.model_validate_json(content)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"])) or "(whole file)"
        raise AuditError(
            f"{name}: not a plan of an audit: {where}: {problem['msg']}; a plan is never edited. Restore the folder, "
            "or remove it and start a new audit"
        ) from None
