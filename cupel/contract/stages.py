"""The stages of the chain. One record a stage; what a stage is made of is written here and nowhere else."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from graphlib import TopologicalSorter
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from cupel.config.project import Project

Partition: TypeAlias = Literal["batch", "release"]


def always(project: "Project") -> bool:
    """Say that every project has it."""
    return True


def has_kind_tables(project: "Project") -> bool:
    """Tell whether the consensus of the project's label kind writes tables of its own."""
    return bool(project.kind.tables)


def has_no_kind_tables(project: "Project") -> bool:
    """Tell whether the consensus of the project's label kind writes no other table."""
    return not project.kind.tables


def has_texts(project: "Project") -> bool:
    """Tell whether the project's items are texts."""
    return project.modality.has_text


def has_images(project: "Project") -> bool:
    """Tell whether the project's items are images: no others are without text."""
    return not project.modality.has_text


def has_contamination(project: "Project") -> bool:
    """Tell whether people say which items are wanted."""
    return project.cleaning.contamination is not None


def decides_texts_by_rules(project: "Project") -> bool:
    """Tell whether rules and duplicates alone decide which texts are kept."""
    return project.modality.has_text and project.cleaning.contamination is None


def has_rounds(project: "Project") -> bool:
    """Tell whether experts decide items before labels are frozen."""
    return project.checking.rounds


def has_no_rounds(project: "Project") -> bool:
    """Tell whether labels are frozen as annotators and checker leave them."""
    return not project.checking.rounds


def has_models(project: "Project") -> bool:
    """Tell whether models answer beside people."""
    return bool(project.labeling.models)


def has_pre_labels(project: "Project") -> bool:
    """Tell whether some answers were given after a label was shown."""
    return project.labeling.pre_labels is not None


def has_no_models(project: "Project") -> bool:
    """Tell whether people alone answer."""
    return not project.labeling.models


def combine(*tests: Callable[["Project"], bool]) -> Callable[["Project"], bool]:
    """Return the test whether all tests hold."""
    return lambda project: all(test(project) for test in tests)


class StageStep(NamedTuple):
    """One function of a stage: an asset of Dagster.

    Attributes:
        name: Name of the function in the stage's module.
        tables: Tables that it writes at once.
        made_from: Tables that these are made from.
        when: Whether a project has the step; of steps that write the same table a project has one.
        may_wait: It may write nothing, while answers are awaited.
        freezes: What it wrote stays, whatever becomes of the tables that it was made from.
        settings: Keys of the project file that decide its values beside its stage's.
        technology: What the page shows beside it.
    """

    name: str
    tables: tuple[str, ...]
    made_from: tuple[str, ...] = ()
    when: Callable[["Project"], bool] = always
    may_wait: bool = False
    freezes: bool = False
    settings: tuple[str, ...] = ()
    technology: tuple[str, ...] = ("parquet",)


class Stage(NamedTuple):
    """One stage of the chain.

    Attributes:
        name: Its name; the group of its tables on the page.
        partition: What it is done for, one at a time; None where it is not partitioned.
        module: Where its functions are.
        steps: Its functions.
        settings: Keys of the project file that decide its values, as `raw` or `release.error_budget`. The last part may
            be `*`: the entry that is named as the partition; all entries where none is. Or it is `<`: the names of the
            entries before that one.
        gate: The table that its gate judges, and that stands for it: what comes after waits for it.
        suites: Where the checks of its gate are declared, as `module:name`; of tables with a gate of their own, too.
        is_for_later_batches: Later batches read it, so it is rebuilt with them although no release holds its batch.
    """

    name: str
    partition: Partition | None
    module: str
    steps: tuple[StageStep, ...]
    settings: tuple[str, ...] = ()
    gate: str | None = None
    suites: Mapping[str, str] = MappingProxyType({})
    is_for_later_batches: bool = False

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that some project's steps write, each once."""
        return tuple(dict.fromkeys(table for step in self.steps for table in step.tables))


_MEASURED = ("raw_items", "item_signals", "signatures", "similar_items")
# Of alike items the earliest in the register is kept.
_EARLIER_BATCHES = ("raw.deliveries.<",)
_CONTAMINATION_PLANNED = ("contamination_plan", "contamination_items")
_ROUNDS_MADE_FROM = ("clean_items", "annotations", "consensus", "round_answers")
_AUDITED = ("release_plan", "release_items", "audit", "planted_verdicts")
# Whom to ask next may depend on what an answer costs.
_PRICES_WEIGHED = ("prices.annotator_answer", "prices.expert_answer")
_HANDED_OVER = (
    "training_set", "withheld_items", "cuts", "stage_errors", "release_tasks", "expert_answers", "planted_items",
    "planted_verdicts", "left_out_items", "slice_bounds",
)  # fmt: skip
_PROVEN = ("certificate", "release_plan", "release_items", "audit", "adjudications")

_STAGES = (
    Stage("answers", None, "assets.inbox", (StageStep("collect_answers", ("answers",)),)),
    Stage(
        "raw", "batch", "assets.raw", gate="raw_items", suites={"raw": "expectations.raw:SUITE"},
        is_for_later_batches=True, settings=("raw.deliveries.*",),
        steps=(
            StageStep("read_files", ("raw_items", "rejected_rows", "deliveries"), technology=("parquet", "duckdb")),
        ),
    ),
    Stage(
        "cleaning", "batch", "assets.cleaning", gate="clean_items", suites={"cleaning": "expectations.cleaning:SUITE"},
        is_for_later_batches=True,
        # Which licences there are, and which is better, decides what is kept; their terms do not.
        settings=("cleaning", "licence_names"),
        steps=(
            StageStep("measure", ("item_signals",), ("raw_items",), when=has_texts, technology=("python",)),
            StageStep("sign", ("signatures",), ("item_signals",), when=has_texts, technology=("python",)),
            StageStep(
                "compare", ("similar_items",), ("raw_items", "signatures"), when=has_texts, settings=_EARLIER_BATCHES,
                technology=("python",),
            ),
            StageStep(
                "decide_items", ("clean_items", "rejected_items"), _MEASURED, when=decides_texts_by_rules,
                settings=_EARLIER_BATCHES,
            ),
            StageStep(
                "measure_images", ("image_files", "image_signals", "signatures"), ("raw_items",), when=has_images,
                settings=("images",), technology=("python",),
            ),
            StageStep(
                "compare_images", ("similar_items",), ("raw_items", "image_signals"), when=has_images,
                settings=(*_EARLIER_BATCHES, "images"), technology=("python",),
            ),
            StageStep(
                "decide_images", ("clean_items", "rejected_items"),
                ("raw_items", "image_files", "image_signals", "signatures", "similar_items"), when=has_images,
                settings=(*_EARLIER_BATCHES, "images"),
            ),
            StageStep(
                "sift_items", ("sifted_items",), _MEASURED, when=has_contamination, settings=_EARLIER_BATCHES
            ),
            StageStep(
                "decide_wanted_items", ("clean_items", "rejected_items"),
                (*_MEASURED, "sifted_items", *_CONTAMINATION_PLANNED, "contamination_answers", "contamination_result"),
                when=has_contamination, may_wait=True,
            ),
        ),
    ),
    Stage(
        "contamination", "batch", "assets.contamination", is_for_later_batches=True,
        settings=("cleaning", "licence_names"),
        steps=(
            StageStep(
                "sort_contamination_answers", ("contamination_answers", "rejected_contamination_answers"),
                ("sifted_items", "answers"), when=has_contamination, settings=("labeling.models",),
            ),
            StageStep(
                "design_contamination", _CONTAMINATION_PLANNED,
                ("sifted_items", "item_signals", "contamination_answers"), when=has_contamination,
                settings=_EARLIER_BATCHES,
            ),
            StageStep(
                "ask_about_contamination", ("contamination_tasks",),
                (*_CONTAMINATION_PLANNED, "contamination_answers", "rejected_contamination_answers"),
                when=has_contamination,
            ),
            StageStep(
                "cut_contamination", ("contamination_cuts", "contamination_result", "contamination_sources"),
                (*_CONTAMINATION_PLANNED, "contamination_answers"), when=has_contamination,
            ),
        ),
    ),
    Stage(
        "labeling", "batch", "assets.labeling", gate="consensus", settings=("labeling",),
        suites={
            "labeling": "expectations.labeling:SUITE", "annotators": "expectations.gold:SUITE",
        },
        steps=(
            StageStep("sort_answers", ("annotations", "rejected_answers"), ("clean_items", "answers")),
            StageStep(
                "find_consensus", ("consensus",), ("clean_items", "annotations"),
                when=combine(has_no_kind_tables, has_no_models), technology=("numpy",),
            ),
            StageStep(
                "find_consensus_with_models", ("consensus",), ("people_consensus", "model_answers"), when=has_models,
                technology=("numpy",),
            ),
            StageStep(
                "compare_responses", ("responses", "habits", "consensus"), ("clean_items", "annotations"),
                when=has_kind_tables, technology=("scipy",),
            ),
            StageStep(
                "rate_annotators", ("annotators", "annotator_findings", "vendors"), ("clean_items", "annotations"),
                # Where there is a calibration, the known labels that it has shown measure nobody.
                settings=("label_studio.calibration",), technology=("numpy",),
            ),
        ),
    ),
    Stage(
        "crew", "batch", "assets.crew", settings=("labeling",),
        steps=(
            StageStep(
                "sort_model_answers", ("model_answers", "rejected_model_answers"), ("clean_items", "answers"),
                when=has_models,
            ),
            StageStep(
                "find_people_consensus", ("people_consensus",), ("clean_items", "annotations"), when=has_models,
                technology=("numpy",),
            ),
            StageStep(
                "rate_models", ("models",),
                ("clean_items", "annotations", "people_consensus", "model_answers", "rejected_model_answers"),
                when=has_models, settings=("label_studio.calibration",), technology=("numpy",),
            ),
            StageStep(
                "measure_anchoring", ("shown_answers", "anchoring"), ("clean_items", "annotations", "predictions"),
                when=combine(has_pre_labels, has_no_models), technology=("numpy",),
            ),
            StageStep(
                "measure_anchoring_with_models", ("shown_answers", "anchoring"),
                ("clean_items", "annotations", "predictions", "model_answers"),
                when=combine(has_pre_labels, has_models), technology=("numpy",),
            ),
        ),
    ),
    Stage(
        "checking", "batch", "assets.checking", gate="labels", suites={"checking": "expectations.checking:SUITE"},
        settings=("labeling", "checking"),
        steps=(
            StageStep(
                "predict", ("predictions",), ("clean_items", "consensus"),
                when=combine(has_no_rounds, has_no_models, has_texts), technology=("scikitlearn",),
            ),
            StageStep(
                "predict", ("predictions",), ("clean_items", "consensus", "image_signals"),
                when=combine(has_no_rounds, has_no_models, has_images), technology=("scikitlearn",),
            ),
            StageStep(
                # What the checker learns is what people say: a model's word is not counted twice.
                "predict_beside_models", ("predictions",), ("clean_items", "people_consensus"), when=has_models,
                technology=("scikitlearn",),
            ),
            StageStep(
                "sort_round_answers", ("round_answers", "rejected_round_answers"), ("clean_items", "answers"),
                when=has_rounds,
            ),
            StageStep(
                "predict_with_experts", ("predictions", "round_items"), _ROUNDS_MADE_FROM,
                when=combine(has_rounds, has_texts),
                # Experts are asked by what the audit will ask for.
                settings=("release.error_budget",), technology=("scikitlearn",),
            ),
            StageStep(
                "predict_with_experts", ("predictions", "round_items"), (*_ROUNDS_MADE_FROM, "image_signals"),
                when=combine(has_rounds, has_images), settings=("release.error_budget",), technology=("scikitlearn",),
            ),
            StageStep(
                "route", ("routes",), ("consensus", "predictions", "rejected_answers"),
                when=combine(has_no_rounds, has_no_models), settings=_PRICES_WEIGHED, technology=("numpy",),
            ),
            StageStep(
                "route_beside_models", ("routes",),
                ("people_consensus", "consensus", "predictions", "rejected_answers"), when=has_models,
                settings=_PRICES_WEIGHED, technology=("numpy",),
            ),
            StageStep(
                "route_by_verdicts", ("routes",),
                ("annotations", "rejected_answers", "consensus", "predictions", "round_items"), when=has_rounds,
                settings=_PRICES_WEIGHED, technology=("numpy",),
            ),
            StageStep(
                "decide_labels", ("labels",), ("consensus", "predictions", "routes"), when=has_no_rounds,
                may_wait=True,
            ),
            StageStep(
                "decide_labels_after_rounds", ("labels",), ("consensus", "predictions", "routes", "round_items"),
                when=has_rounds, may_wait=True,
            ),
        ),
    ),
    Stage(
        "tasks", "batch", "assets.tasks", settings=("labeling",),
        steps=(
            StageStep("ask_annotators", ("tasks",), ("annotations", "rejected_answers", "routes"), when=has_no_rounds),
            StageStep(
                "ask_people", ("tasks",),
                ("annotations", "rejected_answers", "routes", "round_items", "rejected_round_answers"),
                when=has_rounds,
            ),
        ),
    ),
    Stage(
        "release", "release", "assets.release", gate="certificate", suites={"release": "expectations.release:SUITE"},
        settings=("labeling", "release", "prices", "licences"),
        steps=(
            StageStep(
                "freeze_release", ("release_plan", "release_items", "left_out_items", "planted_items"),
                ("clean_items", "similar_items", "signatures", "labels"), may_wait=True, freezes=True,
            ),
            StageStep(
                "sort_expert_answers", ("expert_answers", "rejected_expert_answers"),
                ("release_plan", "release_items", "answers"),
            ),
            StageStep(
                "try_auditors", ("planted_verdicts",),
                ("release_plan", "release_items", "planted_items", "expert_answers"),
            ),
            StageStep(
                "hold_audit", ("audit",), ("release_plan", "release_items", "expert_answers", "planted_verdicts"),
            ),
            StageStep("find_cut", ("cuts",), ("release_plan", "release_items", "audit", "planted_verdicts")),
            StageStep("adjudicate", ("adjudications",), (*_AUDITED, "cuts", "expert_answers")),
            StageStep(
                "ask_experts", ("release_tasks",),
                ("release_plan", "rejected_expert_answers", "audit", "adjudications", "planted_verdicts"),
            ),
            StageStep("estimate_stage_errors", ("stage_errors",), (*_AUDITED, "annotations")),
            StageStep("conclude_audit", ("audit_result",), (*_AUDITED, "cuts", "adjudications")),
            StageStep("bound_slices", ("slice_bounds",), (*_AUDITED, "cuts", "adjudications")),
            StageStep(
                "count_languages", ("release_languages",), (*_AUDITED, "adjudications", "item_signals"),
                when=has_texts,
            ),
            StageStep(
                "count_images", ("release_languages",), (*_AUDITED, "adjudications", "image_files"), when=has_images,
            ),
            StageStep(
                "look_for_overlaps", ("release_overlaps",), ("release_items",),
                # Frozen items are held against the sets that the project names now.
                settings=("cleaning.overlap", "cleaning.max_overlap_share"),
            ),
            StageStep(
                "certify", ("certificate",),
                (
                    "release_plan", "expert_answers", "audit", "adjudications", "planted_verdicts", "audit_result",
                    "slice_bounds", "release_languages", "release_overlaps",
                ),
                may_wait=True,
            ),
            StageStep("release", ("training_set", "withheld_items"), _PROVEN),
            StageStep(
                "hand_over", ("manifest",), _HANDED_OVER, when=has_texts, technology=("parquet", "croissant"),
            ),
            StageStep(
                "hand_over_images", ("manifest",), (*_HANDED_OVER, "image_files"), when=has_images,
                settings=("images",), technology=("parquet", "croissant"),
            ),
        ),
    ),
    Stage(
        "gates", None, "expectations.gate", (StageStep("judge_stage", ("gate_results",)),),
        settings=("thresholds", "expectations", "cleaning", "labeling", "release", "licences"),
    ),
)  # fmt: skip

# Where what a label kind asks of its own tables is measured.
KIND_GATE = "expectations.kind_tables:measure"

STAGES: dict[str, Stage] = {stage.name: stage for stage in _STAGES}


def stage_of(table: str) -> Stage:
    """Return the stage that writes a table.

    Raises:
        KeyError: No stage writes it.
    """
    for stage in STAGES.values():
        if table in stage.tables:
            return stage
    raise KeyError(table)


def partitioned_stages(partition: Partition) -> list[Stage]:
    """Return the stages that are done for a batch, or for a release, in the order of the chain."""
    return [stage for stage in STAGES.values() if stage.partition == partition]


def project_steps(project: "Project", partition: Partition) -> list[StageStep]:
    """Return what a project does for a batch or release, each step after those that write what it is made from."""
    steps = [step for stage in partitioned_stages(partition) for step in stage.steps if step.when(project)]
    writer = {table: place for place, step in enumerate(steps) for table in step.tables}
    before = {
        place: sorted(writer[table] for table in step.made_from if table in writer) for place, step in enumerate(steps)
    }
    return [steps[place] for place in TopologicalSorter(before).static_order()]


def tables_before(project: "Project", tables: Iterable[str], partition: Partition) -> set[str]:
    """Return all tables of the same batch or release that some tables are made from, directly or through others."""
    made_from = {table: step.made_from for step in project_steps(project, partition) for table in step.tables}
    found, waiting = set[str](), [before for table in tables for before in made_from.get(table, ())]
    while waiting:
        table = waiting.pop()
        if table in made_from and table not in found:
            found.add(table)
            waiting.extend(made_from[table])
    return found


def find_step(project: "Project", table: str) -> StageStep | None:
    """Return the step with which a project writes a table; None where it does not."""
    found = (step for step in stage_of(table).steps if table in step.tables and step.when(project))
    return next(found, None)


def frozen_tables() -> Iterator[str]:
    """Yield the tables that stay as they were first written."""
    for stage in STAGES.values():
        for step in stage.steps:
            if step.freezes:
                yield from step.tables
