"""The project file: one labeling effort in one YAML file, read strictly."""

import hashlib
import json
import re
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from cupel.errors import ProjectError

Share = Annotated[float, Field(ge=0, le=1)]
OpenShare = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]

SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def slug(name: str) -> str:
    """Return the name if it is safe as a path and a partition key.

    Raises:
        ValueError: It is not 1 to 64 of a-z, 0-9, _ and -, starting with a letter or digit.

    >>> slug("movies-2026")
    'movies-2026'
    """
    if not SLUG.fullmatch(name):
        raise ValueError(f"{name!r} is not a slug: 1 to 64 of a-z, 0-9, _ and -, starting with a letter or digit")
    return name


Slug = Annotated[str, AfterValidator(slug)]


class Section(BaseModel):
    """A part of the project file: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Delivery(Section):
    """One batch: the files that were delivered, and how to read a row."""

    files: tuple[str, ...] = Field(min_length=1)
    licence: str = Field(min_length=1)
    text_field: str = "text"
    id_field: str | None = "id"
    group_field: str | None = None


class Raw(Section):
    """Where the raw data come from; the order is the order of the register."""

    deliveries: dict[Slug, Delivery] = Field(min_length=1)


class Cleaning(Section):
    """What cleaning measures against; a null threshold is off, 0 is zero."""

    normalisation: Literal["NFC", "NFKC"] = "NFC"
    phone_region: str = Field("US", pattern="^[A-Z]{2}$")
    min_characters: Count | None = 1
    max_characters: Positive | None = 100_000
    min_words: Count | None = 2
    max_words: Positive | None = 20_000
    min_mean_word_length: float | None = None
    max_mean_word_length: float | None = 20.0
    min_letter_share: Share | None = 0.5
    max_symbol_word_share: float | None = 0.5
    max_repeated_line_share: Share | None = 0.3
    max_repeated_word_share: Share | None = None
    duplicate_similarity: OpenShare | None = 0.8
    group_similarity: OpenShare = 0.5
    shingle_characters: Positive = 5

    @model_validator(mode="after")
    def _duplicates_are_groups(self) -> "Cleaning":
        if self.duplicate_similarity is not None and self.group_similarity > self.duplicate_similarity:
            raise ValueError("group_similarity must not be above duplicate_similarity")
        return self


class Overlap(Section):
    """Annotators asked of every item at first, and at most when they disagree."""

    first: Positive = 2
    most: Positive = 3

    @model_validator(mode="after")
    def _most_is_most(self) -> "Overlap":
        if self.first > self.most:
            raise ValueError("first must not be above most")
        return self


class Experts(Section):
    """The expert protocol: what an expert's word is, and when an item is contested."""

    answers: Literal[1, 2] = 2
    description: str = Field(min_length=1)
    are_auditors_independent: bool = False


class Labeling(Section):
    """What is asked, of whom, and how often."""

    kind: Literal["category"] = "category"
    question: str = Field(min_length=1)
    classes: tuple[str, ...] = Field(min_length=2)
    overlap: Overlap = Overlap()
    workforce: Literal["recorded"] = "recorded"
    answers: tuple[str, ...] = Field(min_length=1)
    are_annotators_known: dict[Slug, bool] = {}
    experts: Experts
    gold: str | None = None

    @model_validator(mode="after")
    def _classes_differ(self) -> "Labeling":
        if len(set(self.classes)) != len(self.classes):
            raise ValueError("classes must differ from each other")
        return self


class Checking(Section):
    """The second check by a model, and when people are asked again."""

    checker: Literal["linear"] = "linear"
    folds: Annotated[int, Field(ge=2, le=20)] = 5
    seed: int = 7
    regularisation: Annotated[float, Field(gt=0)] = 4.0
    accept_log_odds: float = 3.0


class Splits(Section):
    """Shares of the splits; they add up to 1."""

    train: Share = 0.8
    validation: Share = 0.1
    test: Share = 0.1

    @model_validator(mode="after")
    def _shares_are_whole(self) -> "Splits":
        if abs(self.train + self.validation + self.test - 1) > 1e-9:
            raise ValueError("train, validation and test must add up to 1")
        return self


class Release(Section):
    """What a release holds, how good it must be, and what proof may cost."""

    holds: Literal["each_batch", "all_batches"] = "each_batch"
    error_budget: OpenShare
    audit_size: Positive
    max_experts_seen_share: Share
    seed: int = 20_140_601
    splits: Splits = Splits()
    description: str = ""
    citation: str = ""


class Prices(Section):
    """What an answer costs, and how long it takes where the source does not tell."""

    currency: str = "USD"
    annotator_answer: Annotated[float, Field(ge=0)] = 0.0
    expert_answer: Annotated[float, Field(ge=0)] = 0.0
    expert_seconds: Annotated[float, Field(ge=0)] = 30.0


class Threshold(Section):
    """A project's own threshold for a check, with its reason."""

    value: float
    reason: str = Field(min_length=1)


class ColumnExpectation(Section):
    """A stock Great Expectations column expectation of the team's own, on any table."""

    table: str
    expectation: str = Field(pattern="^Expect[A-Za-z0-9]+$")
    arguments: dict[str, Any]
    severity: Literal["critical", "warning"] = "critical"
    reason: str = Field(min_length=1)


class Project(Section):
    """One labeling effort; its sections are the stages of the chain, in their order."""

    project: Slug
    title: str
    description: str = ""
    owner: str
    language: str = "en"
    raw: Raw
    cleaning: Cleaning = Cleaning()
    labeling: Labeling
    checking: Checking = Checking()
    release: Release
    prices: Prices = Prices()
    thresholds: dict[str, Threshold] = {}
    expectations: tuple[ColumnExpectation, ...] = ()

    def section_hash(self, *sections: str) -> str:
        """Return 12 hexadecimal digits that change when one of the named sections does."""
        dump = self.model_dump(mode="json", include=set(sections))
        return hashlib.sha256(json.dumps(dump, sort_keys=True).encode()).hexdigest()[:12]


def load_project(path: Path) -> Project:
    """Read a project file.

    Args:
        path: A YAML file; its name without the ending is the project's name.

    Returns:
        The checked, frozen project.

    Raises:
        ProjectError: The file cannot be read, or a key or value is not allowed; names file, key,
            value and what is allowed.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ProjectError(f"{path}: no such project file") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ProjectError(f"{path}: not a YAML file: {error}") from error
    if not isinstance(content, dict):
        raise ProjectError(f"{path}: expected keys and values, found {type(content).__name__}")
    try:
        project = Project.model_validate(content)
    except ValidationError as error:
        raise ProjectError("\n".join(f"{path}: {_explain(problem)}" for problem in error.errors())) from None
    if project.project != path.stem:
        raise ProjectError(f"{path}: key project: found {project.project!r}, expected {path.stem!r}, the file's name")
    return project


def load_projects(folder: Path) -> list[Project]:
    """Return the projects of all YAML files in a folder, by name."""
    return [load_project(path) for path in sorted(folder.glob("*.yaml"))]


def _explain(problem: Any) -> str:
    key = ".".join(str(part) for part in problem["loc"]) or "(whole file)"
    if problem["type"] == "extra_forbidden":
        parent = ".".join(str(part) for part in problem["loc"][:-1])
        return f"key {key}: not known{' in ' + parent if parent else ''}; remove it or mend its name. Allowed: " + (
            ", ".join(_allowed(problem["loc"][:-1])) or "see docs/reference/project.md"
        )
    if problem["type"] == "missing":
        return f"key {key}: missing; add it"
    return f"key {key}: found {problem['input']!r}; {problem['msg']}"


def _allowed(location: tuple[Any, ...]) -> list[str]:
    """Return the keys that a section knows, following the model from the root."""
    model: Any = Project
    for part in location:
        field = model.model_fields.get(part) if isinstance(model, type) and issubclass(model, BaseModel) else None
        if field is None:
            return []
        model = field.annotation
    return list(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else []
