"""The project file: one labeling effort in one YAML file, read strictly; what holds across its sections."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import Field, PrivateAttr, ValidationError, ValidationInfo, model_validator

from cupel.config.base import Name, Positive, Section
from cupel.config.checking import Checking
from cupel.config.cleaning import Cleaning
from cupel.config.crew import check_models
from cupel.config.expectations import ColumnExpectation
from cupel.config.images import Images
from cupel.config.label_studio import LabelStudio
from cupel.config.labeling import Labeling
from cupel.config.licences import Licence, check_terms, explain_unknown_licence
from cupel.config.operation import Operation
from cupel.config.prices import Prices
from cupel.config.problems import format_problems
from cupel.config.raw import Raw
from cupel.config.release import Release
from cupel.config.strict_yaml import read_yaml
from cupel.config.thresholds import Threshold
from cupel.contract.format_check import check_number
from cupel.contract.format_numbers import PROJECT_FILE
from cupel.contract.kind import Kind, column_names
from cupel.contract.modality import Modality
from cupel.contract.tables.release import TRAINING_SET
from cupel.errors import FormatError, ProjectError
from cupel.store.files import read_text

Named = TypeVar("Named", Kind, Modality)


class Known(NamedTuple):
    """The label kinds and the modalities that projects may name."""

    kinds: tuple[Kind, ...]
    modalities: tuple[Modality, ...]


class Project(Section):
    """One labeling effort; its sections are the stages of the chain, in their order."""

    project: Name
    """The project's name, that of the file."""
    title: str
    """A title."""
    description: str = ""
    """What it is about."""
    owner: str = Field(pattern=r"^(team:[A-Za-z0-9_-]+|[^@\s]+@[^@\s]+)$")
    """Who answers for it: an e-mail address or `team:name`."""
    language: str = "en"
    """Language of the texts, ISO 639."""
    format: Positive = PROJECT_FILE
    """Format of the file; one that a newer Cupel introduced is refused."""
    raw: Raw
    """Where the raw data come from."""
    licences: tuple[Licence, ...] = ()
    """The licences of all items and their terms, the better first; empty: any licence, and no terms."""
    cleaning: Cleaning = Cleaning()
    """What cleaning measures against."""
    images: Images = Images()
    """How images are read, cleaned and released, where items are images."""
    labeling: Labeling
    """What is asked, of whom, how often."""
    checking: Checking = Checking()
    """The second check."""
    label_studio: LabelStudio | None = None
    """The Label Studio server; required where it is the workforce."""
    release: Release
    """What a release holds and how good it must be."""
    prices: Prices = Prices()
    """What people cost."""
    operation: Operation = Operation()
    """When the daemon works on it, and whom it tells."""
    thresholds: dict[str, Threshold] = {}
    """Own thresholds of checks, by the check's name."""
    expectations: tuple[ColumnExpectation, ...] = ()
    """Own column expectations."""

    _kind: Kind = PrivateAttr()
    _modality: Modality = PrivateAttr()

    @model_validator(mode="after")
    def _labels_and_items_are_known(self, info: ValidationInfo) -> "Project":
        known: Known = (info.context or {})["known"]
        self._kind = _find("labeling.kind", self.labeling.kind, known.kinds)
        self._modality = _find("raw.modality", self.raw.modality or self._kind.modality, known.modalities)
        # One after the other: where a kind has refused something, it cannot be asked for the parts of a label.
        for wrong in chain(self._kind.check(self), self._modality.check(self), _check_parts(self)):
            raise ValueError(wrong)
        own = [column.name for column in TRAINING_SET.columns]
        of_kind = column_names(self._kind, self.labeling.ontology)
        for name in of_kind:
            if name in own:
                raise ValueError(f"labeling, {name}: a release has a column of that name; name the question otherwise")
        for name in self.release.carry:
            if name in (*own, *of_kind):
                raise ValueError(f"release.carry, {name}: a release has a column of that name already; remove it")
        return self

    @model_validator(mode="after")
    def _licences_are_known(self) -> "Project":
        check_terms(self.licences, self.release.purpose, self.cleaning.allowed_licences)
        read = dict(self.raw.deliveries) | ({} if self.raw.inbox is None else {"inbox": self.raw.inbox})
        for name, delivery in read.items():
            if why := explain_unknown_licence(delivery.licence, self.licence_names):
                raise ValueError(f"raw, {name}: licence: {why}")
            if delivery.licence_field is not None and delivery.licence_field in delivery.text_fields:
                raise ValueError(f"raw, {name}: licence_field names a field of the text; name another")
        return self

    @model_validator(mode="after")
    def _live_people_are_named(self) -> "Project":
        if self.labeling.workforce != "label_studio":
            return self
        if self.label_studio is None:
            raise ValueError("labeling.workforce is label_studio; add a section label_studio with url and people")
        if self.label_studio.shows_disagreement and not self.labeling.experts.are_auditors_independent:
            raise ValueError(
                "label_studio.shows_disagreement: experts who also audit would tell audits by its absence; set "
                "labeling.experts.are_auditors_independent and name auditors, or leave it out"
            )
        if self.label_studio.calibration is not None and self.labeling.gold is None:
            raise ValueError("label_studio.calibration: asks items of known label; name their file in labeling.gold")
        if not all(self.labeling.are_annotators_known.values()):
            raise ValueError("labeling.are_annotators_known: in Label Studio every annotator is known; remove false")
        if self.labeling.experts.are_auditors_independent != bool(self.label_studio.auditors):
            raise ValueError(
                "label_studio.auditors: name them where labeling.experts.are_auditors_independent, and only there"
            )
        return self

    @model_validator(mode="after")
    def _models_are_counted_apart(self) -> "Project":
        is_of_classes = not self.kind.tables and len(self.kind.parts(self.labeling.ontology)) == 1
        if (self.labeling.models or self.labeling.pre_labels is not None) and not is_of_classes:
            raise ValueError("labeling.models, pre_labels: a label must be one of the classes; remove them")
        if self.labeling.models and self.checking.rounds:
            raise ValueError("checking.rounds: experts weigh people against the checker there; remove it, or models")
        if (live := self.label_studio) is not None:
            check_models(self.labeling.models, {*live.annotators, *live.experts, *live.auditors})
            if live.prediction_share == 1 and self.labeling.gold is not None:
                raise ValueError(
                    "label_studio.prediction_share: at 1, a task without an opinion is hidden gold, and everybody "
                    "can tell; leave some without, or remove labeling.gold"
                )
        return self

    @model_validator(mode="after")
    def _planted_items_are_known(self) -> "Project":
        if self.release.certificate.planted_errors is not None and self.labeling.gold is None:
            raise ValueError(
                "release.certificate.planted_errors: items of known label are planted; name their file in labeling.gold"
            )
        return self

    @model_validator(mode="after")
    def _budgets_are_of_what_there_is(self) -> "Project":
        by = self.release.certificate.by
        known = self.labeling.ontology.class_names
        for name in by.get("class", {}):
            if name not in known:
                raise ValueError(f"release.certificate.by.class: found {name!r}; allowed: {', '.join(known[:20])}")
        for name, budget in by.get("language", {}).items():
            promised = self.release.languages.get(name)
            if promised is not None and promised.error_budget not in (None, budget.wrong):
                raise ValueError(
                    f"release.certificate.by.language, release.languages: {name} has two budgets, {budget.wrong} and "
                    f"{promised.error_budget}; keep one"
                )
        return self

    @property
    def kind(self) -> Kind:
        """What a label is."""
        return self._kind

    @property
    def modality(self) -> Modality:
        """What an item is."""
        return self._modality

    @property
    def licence_names(self) -> tuple[str, ...]:
        """The names of the project's licences, the better first."""
        return tuple(licence.name for licence in self.licences)


def read_project(path: Path, known: Known) -> Project:
    """Read a project file.

    Args:
        path: A YAML file; its name without the ending is the project's name.
        known: The label kinds and modalities that there are.

    Returns:
        The checked, frozen project.

    Raises:
        ProjectError: The file cannot be read, is of a newer format, or a key or value is not allowed; names file,
            key, value and what is allowed.
    """
    try:
        content = read_yaml(read_text(path))
    except FileNotFoundError:
        raise ProjectError(f"{path}: no such project file") from None
    except OSError as error:
        raise ProjectError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise ProjectError(f"{path}: not a project's YAML: {error}") from None
    if not isinstance(content, dict):
        raise ProjectError(f"{path}: expected keys and values, found {type(content).__name__}")
    _check_format(content.get("format"), path)
    try:
        project = make_project(content, known)
    except ValidationError as error:
        raise ProjectError(format_problems(path, error, Project)) from None
    if project.project != path.stem:
        raise ProjectError(f"{path}: key project: found {project.project!r}, expected {path.stem!r}, the file's name")
    return project


def make_project(content: Mapping[str, Any], known: Known) -> Project:
    """Return a project of the content of its file.

    Args:
        content: Keys and values.
        known: The label kinds and modalities that there are.

    Raises:
        ValidationError: A key or value is not allowed.
    """
    return Project.model_validate(content, context={"known": known})


def change_project(project: Project, content: Mapping[str, Any]) -> Project:
    """Return a project of other content, of the same kind and modality."""
    return make_project(content, Known((project.kind,), (project.modality,)))


def _check_parts(project: Project) -> Iterator[str]:
    """Yield what knows labels of one class only, where a label has other parts than that."""
    ontology, checking = project.labeling.ontology, project.checking
    if [part.classes for part in project.kind.parts(ontology)] == [ontology.classes]:
        return
    if checking.checker not in ("linear", "embedding"):
        yield f"checking.checker: found {checking.checker!r}; kind {project.kind.name} allows linear and embedding"
    if checking.route_by_price:
        yield f"checking.route_by_price: kind {project.kind.name} cannot weigh prices; remove it"


def _find(key: str, name: str, known: Sequence[Named]) -> Named:
    for one in known:
        if one.name == name:
            return one
    raise ValueError(f"{key}: found {name!r}; allowed: {', '.join(one.name for one in known)}")


def _check_format(number: Any, path: Path) -> None:
    """Refuse a newer format before its keys are found unknown; what is no number, the model refuses."""
    if isinstance(number, int):
        try:
            check_number(max(number, 1), PROJECT_FILE, str(path))
        except FormatError as error:
            raise ProjectError(str(error)) from None
