"""The plan of an audit: all that is fixed before a label is checked, and the draw that follows from it."""

import hashlib
import secrets
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

from cupel.accept.delivery import Delivery
from cupel.certificate import acceptance
from cupel.certificate.attempts import attempt_alpha, attempt_levels
from cupel.certificate.plan import AuditPlan, plan_audits, smallest_audit
from cupel.certificate.sample import draw
from cupel.errors import AuditError

# The default audit passes a delivery whose true error is a third of the budget with nine chances in ten:
# a vendor who stays well inside the budget is not turned away by bad luck.
GUESSED_ERROR_OF_BUDGET = 1 / 3
CHANCE_TO_PASS = 0.9
TABLE_SIZES_OF_CHOSEN = (0.25, 0.5, 1.0, 2.0, 4.0)
TABLE_ERRORS_OF_BUDGET = (0.0, 1 / 3, 0.5, 1.0, 2.0)
# Browsers and spreadsheets keep whole numbers exact up to 53 bits.
SEED_BITS = 53
# The draw names items by batch and id; a delivery is one batch.
BATCH = "delivery"


class Record(BaseModel):
    """Anything written down for good: frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Settings(Record):
    """What the buyer decides; kept in the plan, so that a later call cannot decide otherwise.

    `kind` is None where a label is one class; only then `classes` may not be empty.
    """

    error_budget: float = Field(gt=0, lt=1)
    contested: Literal["aside", "wrong"] = "aside"
    label_column: str | None
    id_column: str | None
    text_column: str | None
    annotator_column: str | None
    classes: tuple[str, ...]
    kind: str | None = None

    @model_validator(mode="after")
    def _classes_are_named(self) -> "Settings":
        if not self.classes and self.kind is None:
            raise ValueError("classes: expected one or more")
        return self

    @model_serializer(mode="wrap")
    def _leave_out_one_class(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Write plans about single classes as they were before there were kinds."""
        content: dict[str, Any] = serialize(self)
        return {name: value for name, value in content.items() if (name, value) != ("kind", None)}


class Plan(Record):
    """The plan of the first look, which fixes all later ones.

    `sizes` are the cumulative sizes of the looks, `drawn` the ids of the first look in the order of the draw.
    """

    version: Literal[1] = 1
    delivery: str
    delivery_sha256: str
    labels: int
    rejected: int
    settings: Settings
    seed: int = Field(ge=0, lt=1 << SEED_BITS)
    sizes: tuple[int, ...]
    look: Literal[1] = 1
    size: int
    alpha: float
    shown: tuple[str, ...]
    drawn: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Return 12 hexadecimal digits that name the plan: delivery, settings, seed and sizes."""
        content = self.model_dump_json(include={"delivery_sha256", "settings", "seed", "sizes"})
        return hashlib.sha256(content.encode()).hexdigest()[:12]

    @property
    def fixed(self) -> acceptance.Delivery:
        """What the verdict needs to know of the plan."""
        most = self.sizes[-1] if self.sizes[-1] < self.labels else None
        return acceptance.Delivery(
            self.labels, self.settings.error_budget, self.sizes[0], most, self.settings.contested == "aside"
        )


class LaterLook(Record):
    """The plan of a later look: only the further items; everything else is the first plan's."""

    plan: str
    look: int
    size: int
    alpha: float
    drawn: tuple[str, ...]


class Choice(NamedTuple):
    """The size of the audit, why it is that, and what it and other sizes mean."""

    size: int
    reason: str
    errors: tuple[float, ...]
    table: list[AuditPlan]


def choose_size(labels: int, error_budget: float, contested: str, audit: int | None) -> Choice:
    """Choose how many labels to audit at the first look.

    Args:
        labels: Labels that may be judged.
        error_budget: Highest share of wrong labels.
        contested: aside or wrong: what items become that cannot be decided.
        audit: Size that the buyer wants; None chooses.

    Returns:
        The size with its reason, and a table of sizes by true error.

    Raises:
        AuditError: The buyer's size is not 1 to `labels`.
    """
    levels = attempt_levels(1, contested == "aside")
    guess = error_budget * GUESSED_ERROR_OF_BUDGET
    best = smallest_audit(labels, error_budget, levels, guess, CHANCE_TO_PASS)
    # Rounding a third of a small budget up to whole labels may exceed it; then only no error at all passes.
    best = best or smallest_audit(labels, error_budget, levels, 0.0, CHANCE_TO_PASS)
    size = audit if audit is not None else best.drawn if best else labels
    if not 1 <= size <= labels:
        raise AuditError(f"--audit {size}: expected 1 to {labels}, the labels that may be judged")
    reason = "asked for with --audit"
    if audit is None:
        reason = f"the smallest with at least {CHANCE_TO_PASS:.0%} chance to pass when a third of the budget is wrong"
    sizes = sorted({min(labels, max(1, round(size * times))) for times in TABLE_SIZES_OF_CHOSEN})
    errors = tuple(min(1.0, error_budget * times) for times in TABLE_ERRORS_OF_BUDGET)
    return Choice(size, reason, errors, plan_audits(labels, error_budget, levels, sizes, errors))


def make_plan(
    delivery: Delivery, settings: Settings, size: int, at_most: int | None, seed: int | None, shown: Sequence[str]
) -> Plan:
    """Fix an audit; nothing is drawn yet.

    Args:
        delivery: The delivery.
        settings: What the buyer decided.
        size: Labels of the first look.
        at_most: Labels that the buyer would check at the very most; None means all.
        seed: For a repetition; None takes a fresh one from the operating system, which nobody can have known
            while the labels could still change.
        shown: Columns that the sheet will show.

    Raises:
        AuditError: `at_most` is below the first look or above the labels.
    """
    labels = len(delivery.labels)
    return Plan(
        delivery=delivery.path.name,
        delivery_sha256=delivery.sha256,
        labels=labels,
        rejected=len(delivery.rejected),
        settings=settings,
        seed=secrets.randbits(SEED_BITS) if seed is None else seed,
        sizes=acceptance.look_sizes(labels, size, at_most),
        size=size,
        alpha=attempt_alpha(1),
        shown=tuple(shown),
    )


class Drawn(NamedTuple):
    """A look that was drawn: its number, and the ids it added to those before, in the order of the draw."""

    look: int
    before: int
    ids: tuple[str, ...]

    @property
    def size(self) -> int:
        """Labels drawn so far, this look's included."""
        return self.before + len(self.ids)


def draw_look(plan: Plan, ids: Sequence[str], look: int, before: int) -> tuple[str, ...]:
    """Return the ids that a look adds, in the order of the draw.

    Args:
        plan: The plan.
        ids: Ids of all labels that may be judged, in any order.
        look: Number of the look.
        before: Labels drawn by earlier looks.
    """
    positions = draw([(BATCH, item) for item in ids], plan.sizes[look - 1], plan.seed)
    return tuple(ids[position] for position in positions[before:])


def later_look(plan: Plan, ids: Sequence[str], look: int, before: int) -> LaterLook:
    """Plan a later look: the further items of the same draw."""
    drawn = draw_look(plan, ids, look, before)
    return LaterLook(plan=plan.key, look=look, size=plan.sizes[look - 1], alpha=attempt_alpha(look), drawn=drawn)


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
