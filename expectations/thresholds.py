"""Every number that can fail a check, with its reason; and how a project's own settings change it."""

import math
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from cupel.config.project import Project
from cupel.contract.kind import Kind
from cupel.errors import ProjectError

Comparison = Literal["at most", "at least"]
Severity = Literal["critical", "warning"]
Unit = Literal["share", "count", "alpha"]

LOWEST: dict[Unit, float] = {"share": 0, "count": 0, "alpha": -1}
HIGHEST: dict[Unit, float] = {"share": 1, "count": math.inf, "alpha": 1}


class Threshold(NamedTuple):
    """What one check is held to.

    `check` names it everywhere: on the page, in `gate_results`, in the project file. Critical blocks
    what comes after, a warning does not. `value` is a share (0 to 1), a count, or an alpha (-1 to 1);
    it is None where the project's own setting, `setting`, is the threshold.
    """

    check: str
    value: float | None
    comparison: Comparison
    severity: Severity
    unit: Unit
    reason: str
    setting: str | None = None


class Limit(NamedTuple):
    """A threshold as it holds for one project: the value, and why it is what it is."""

    check: str
    value: float
    comparison: Comparison
    severity: Severity
    unit: Unit
    reason: str

    @property
    def wording(self) -> str:
        """The limit in words, such as `at most 0.05`."""
        return f"{self.comparison} {self.value:g}"


def _none_at_all(check: str, reason: str, severity: Severity = "critical") -> Threshold:
    return Threshold(check, 0, "at most", severity, "count", reason)


# Raw
ROWS_UNACCOUNTED = _none_at_all(
    "rows_unaccounted", "Nothing is lost: every row of a delivery becomes an item or a rejected row."
)
ITEMS_READ = Threshold(
    "items_read", 1, "at least", "critical", "count", "A delivery without a single item is a mistake, not a batch."
)
UNREADABLE_ROW_SHARE = Threshold(
    "unreadable_row_share", 0.05, "at most", "critical", "share",
    "Stray rows break; when one in twenty does, the file or its description is wrong, and what is left is no "
    "fair picture of the delivery.",
)  # fmt: skip
IDS_REPEATED = _none_at_all("ids_repeated", "Answers find their item by its id; two items with one id share answers.")
EMPTY_FILES = _none_at_all(
    "empty_files", "An empty file is mostly an export that broke off; the rest can be used all the same.", "warning"
)

# Cleaning
ITEMS_UNACCOUNTED = _none_at_all(
    "items_unaccounted", "Nothing is lost: every raw item is kept or rejected with a reason, and never both."
)
KEPT_SHARE = Threshold(
    "kept_share", 0.5, "at least", "critical", "share",
    "Where more is dropped than kept, the delivery or the rules are wrong: look before paying for labels.",
)  # fmt: skip
EXACT_DUPLICATES_LEFT = _none_at_all(
    "exact_duplicates_left", "A text that stands twice is paid for twice, and may end up in two splits."
)
NEAR_DUPLICATES_LEFT = _none_at_all(
    "near_duplicates_left", "Texts as alike as the project's duplicate_similarity are one text to a model."
)
PRIVATE_DATA_LEFT = _none_at_all(
    "private_data_left", "A released e-mail address, phone or card number cannot be called back."
)
CHANGED_SHARE = Threshold(
    "changed_share", 0.5, "at most", "warning", "share",
    "When normalising changes more than half of the texts, the encoding of the delivery deserves a look.",
)  # fmt: skip
UNREADABLE_IMAGE_SHARE = Threshold(
    "unreadable_image_share", 0.02, "at most", "warning", "share",
    "A file now and then is damaged; where more are, the delivery is incomplete or its paths are wrong.",
)  # fmt: skip
PLACES_LEFT = _none_at_all(
    "places_left", "Where a picture was taken often says who took it; once released it cannot be called back.",
    severity="warning",
)  # fmt: skip
CONTAMINATION_BOUND = Threshold(
    "contamination_bound", None, "at most", "critical", "share",
    "The upper confidence bound of what is unwanted among the kept items, not its estimate, must keep what the "
    "project allows.",
    setting="cleaning.contamination.at_most",
)  # fmt: skip
CONTAMINATED_ITEMS_LEFT = _none_at_all(
    "contaminated_items_left", "The bound speaks of what lies before the cut, less what people found to be unwanted."
)
DECLARED_OTHERWISE_SHARE = Threshold(
    "declared_otherwise_share", 0.2, "at most", "warning", "share",
    "Where the model finds another language than one in five declared, the column is wrong, or the model is.",
)  # fmt: skip

# Labeling
ITEMS_WITHOUT_CONSENSUS = _none_at_all(
    "items_without_consensus", "The consensus speaks of every clean item, of no other, and of all its annotations."
)
ANNOTATIONS_MISSING = _none_at_all(
    "annotations_missing", "An item that fewer people answered than the project's overlap.first is not judged yet."
)
REJECTED_ANSWER_SHARE = Threshold(
    "rejected_answer_share", 0.05, "at most", "warning", "share",
    "Answers that cannot count cost as much as those that do; one in twenty points to the tool or the instructions.",
)  # fmt: skip
AGREEMENT = Threshold(
    "agreement", 0.2, "at least", "critical", "alpha",
    "Below this, people hardly agree more than by chance: the question, not the people, must be mended before "
    "experts are paid. Above it, the certificate measures the error itself.",
)  # fmt: skip
AGREEMENT_CUSTOMARY = Threshold(
    "agreement_customary", 0.667, "at least", "warning", "alpha",
    "Krippendorff (2004) draws tentative conclusions from 0.667 on; subjective questions stay below it and need "
    "more annotators or experts.",
)  # fmt: skip
LARGEST_ANSWER_SHARE = Threshold(
    "largest_answer_share", 0.5, "at most", "critical", "share",
    "One person's habits must not decide more than half of a batch.",
)  # fmt: skip
GOLD_ACCURACY = Threshold(
    "gold_accuracy", 0.6, "at least", "critical", "share",
    "Annotators who miss two in five items with a known answer do not understand the question.",
)  # fmt: skip

# Checking
ITEMS_WITHOUT_LABEL = _none_at_all("items_without_label", "Every clean item has exactly one label, and no other has.")
LABELS_OUTSIDE_ONTOLOGY = _none_at_all(
    "labels_outside_ontology", "A label that the project does not know cannot be learned or audited."
)
CHECKER_DISAGREEMENT_SHARE = Threshold(
    "checker_disagreement_share", 0.4, "at most", "warning", "share",
    "Where people and checker differ so often, one of them is weak and the second check is worth little.",
)  # fmt: skip
EXPECTED_EXPERT_SHARE = Threshold(
    "expected_expert_share", None, "at most", "warning", "share",
    "An estimate of what the release will cost in experts' time; only the audit's bound decides.",
    setting="release.max_experts_seen_share",
)  # fmt: skip
CHECKER_ABSTENTION_SHARE = Threshold(
    "checker_abstention_share", 0.2, "at most", "warning", "share",
    "An item on which the checker abstains has had no second check.",
)  # fmt: skip

# Release
RELEASE_CERTIFIED = Threshold(
    "release_certified", 1, "at least", "critical", "count", "Only a certified release may be used."
)
CERTIFICATE_DIFFERS = _none_at_all(
    "certificate_differs", "The certificate must say what the audit found, of the very labels that were frozen."
)
ERROR_BOUND = Threshold(
    "error_bound", None, "at most", "critical", "share",
    "The upper confidence bound of the label error, not its estimate, must keep the error budget.",
    setting="release.error_budget",
)  # fmt: skip
EXPERTS_SEEN_SHARE = Threshold(
    "experts_seen_share", None, "at most", "critical", "share",
    "What proof may cost; beyond it, labels by experts alone are the better buy.",
    setting="release.max_experts_seen_share",
)  # fmt: skip
ADJUDICATIONS_MISSING = _none_at_all(
    "adjudications_missing",
    "What the audit did not accept is an expert's to say; one left out is not covered by the bound.",
)
CONTESTED_SHARE = Threshold(
    "contested_share", None, "at most", "critical", "share",
    "What experts leave undecided is neither right nor wrong for the certificate: a wrong label could hide there.",
    setting="release.certificate.max_undecided_share",
)  # fmt: skip
ITEMS_OVERLAPPING = _none_at_all(
    "items_overlapping", "A model that was trained on the questions of its examination shows nothing in it."
)
ITEMS_FORBIDDEN = _none_at_all(
    "items_forbidden", "An item that its terms forbid cannot be called back once others, or a model, have it."
)
CERTIFICATES_LAPSED = _none_at_all(
    "certificates_lapsed",
    "Who holds an earlier release should know that its labels follow a guideline that another has replaced.",
    "warning",
)
UNDECIDED_EXPERTS = _none_at_all(
    "undecided_experts",
    "Who leaves undecided what others decide hides the errors that they were asked to find, or is asked what they do "
    "not know.",
    "warning",
)
PROMISES_BROKEN = _none_at_all(
    "promises_broken", "Who trains for a language relies on what was promised of it: so many items, so few errors."
)
BUDGETS_BROKEN = _none_at_all(
    "budgets_broken", "Who pays for one class relies on its own budget: the whole may be right where it is wrong."
)
ERROR_BOUND_WITH_CONTESTED = Threshold(
    "error_bound_with_contested", 0.2, "at most", "warning", "share",
    "Who counts contested items as wrong should know when that adds up to one in five.",
)  # fmt: skip

THRESHOLDS: dict[str, Threshold] = {
    threshold.check: threshold
    for threshold in (
        ROWS_UNACCOUNTED, ITEMS_READ, UNREADABLE_ROW_SHARE, IDS_REPEATED, EMPTY_FILES,
        ITEMS_UNACCOUNTED, KEPT_SHARE, EXACT_DUPLICATES_LEFT, NEAR_DUPLICATES_LEFT, PRIVATE_DATA_LEFT, CHANGED_SHARE,
        DECLARED_OTHERWISE_SHARE, UNREADABLE_IMAGE_SHARE, PLACES_LEFT,
        CONTAMINATION_BOUND, CONTAMINATED_ITEMS_LEFT,
        ITEMS_WITHOUT_CONSENSUS, ANNOTATIONS_MISSING, REJECTED_ANSWER_SHARE, AGREEMENT, AGREEMENT_CUSTOMARY,
        LARGEST_ANSWER_SHARE, GOLD_ACCURACY,
        ITEMS_WITHOUT_LABEL, LABELS_OUTSIDE_ONTOLOGY, CHECKER_DISAGREEMENT_SHARE, EXPECTED_EXPERT_SHARE,
        CHECKER_ABSTENTION_SHARE,
        RELEASE_CERTIFIED, CERTIFICATE_DIFFERS, ERROR_BOUND, EXPERTS_SEEN_SHARE, ADJUDICATIONS_MISSING,
        CONTESTED_SHARE, UNDECIDED_EXPERTS, ERROR_BOUND_WITH_CONTESTED, PROMISES_BROKEN, BUDGETS_BROKEN,
        ITEMS_FORBIDDEN, ITEMS_OVERLAPPING, CERTIFICATES_LAPSED,
    )
}  # fmt: skip


def of_kind(kind: Kind) -> dict[str, Threshold]:
    """Return the thresholds of what a label kind asks of its own tables, by check."""
    return {
        check.name: Threshold(check.name, check.value, check.comparison, check.severity, check.unit, check.reason)
        for check in kind.checks
    }


def limits(project: Project) -> dict[str, Limit]:
    """Return every threshold as it holds for a project, by check; none that rests on a section that it lacks.

    Args:
        project: Its `thresholds` replace values and reasons; its settings give those that it decides.

    Raises:
        ProjectError: A name in `thresholds` is no check, a check's threshold is another setting of the
            project, or a value cannot be.
    """
    known = THRESHOLDS | of_kind(project.kind)
    for name, own in project.thresholds.items():
        _check_override(known, project.project, name, own.value)
    found = {check: _limit(project, threshold) for check, threshold in known.items()}
    return {check: limit for check, limit in found.items() if limit is not None}


def _limit(project: Project, threshold: Threshold) -> Limit | None:
    value, reason = threshold.value, threshold.reason
    own = project.thresholds.get(threshold.check)
    if own is not None:
        value, reason = own.value, f"{own.reason} (the project's own threshold)"
    if value is None:
        setting = _setting(project, threshold.setting or "")
        if setting is None:
            return None
        value, reason = float(setting), f"{reason} (the project's {threshold.setting})"
    return Limit(threshold.check, value, threshold.comparison, threshold.severity, threshold.unit, reason)


def _setting(project: Project, name: str) -> Any:
    found: Any = project
    for part in name.split("."):
        found = None if found is None else getattr(found, part)
    return found


def _check_override(known: Mapping[str, Threshold], project: str, name: str, value: float) -> None:
    where = f"project {project}: key thresholds.{name}"
    threshold = known.get(name)
    if threshold is None:
        raise ProjectError(f"{where}: no check has this name; the checks are {', '.join(known)}")
    if threshold.setting:
        raise ProjectError(f"{where}: set {threshold.setting} instead; the check is held to it")
    low, high = LOWEST[threshold.unit], HIGHEST[threshold.unit]
    if not low <= value <= high:
        raise ProjectError(f"{where}.value: found {value}, expected a {threshold.unit} from {low:g} to {high:g}")
