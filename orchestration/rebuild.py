"""Rebuilding: a release is made once more of its deliveries and answers, in a lake of its own, and compared."""

import uuid
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import dagster as dg
import pyarrow.compute as pc
import yaml

from cupel.cleaning.mask_key import bring_key
from cupel.config.licences import Licence
from cupel.config.project import Project, change_project
from cupel.contract.stages import project_steps, stage_of
from cupel.contract.table import from_rows
from cupel.contract.tables import TABLES
from cupel.contract.tables.contamination import CONTAMINATION_ITEMS, CONTAMINATION_PLAN
from cupel.contract.tables.release import RELEASE_PLAN
from cupel.errors import DrawnBeforeError, LakeError, ReleaseError
from cupel.intake.collect_inputs import current_project
from cupel.kinds.projects import load_project
from cupel.lake.answer_segments import read_segment, summary
from cupel.lake.answers_log import AnswersLog
from cupel.lake.draw_log import DRAWS, bring_draws
from cupel.lake.gates import GateState, batch_state, refuse_for_terms, release_state
from cupel.lake.guideline_log import GUIDELINES, bring_versions, read_versions
from cupel.lake.lake import Commit, Lake
from cupel.lake.send_back_log import SEND_BACKS, bring_send_backs
from cupel.lake.step import Step
from cupel.people.answers.guidelines import versions_until
from cupel.people.answers.known_labels import known_labels
from cupel.people.answers.signed_answers import SIGNED_ANSWERS, copy_signed_files
from cupel.release.audit_design import frozen_settings, settings_now
from cupel.release.days import recorded_day
from cupel.release.facts import BATCH_TABLES
from cupel.release.frozen_terms import FrozenTerms
from cupel.release.plan import is_finished, plan_release
from cupel.sources.register import Register, with_registered
from cupel.store.files import link, put_file, stat_file, temporary_folder
from orchestration.compared import Comparison, Made, compare, find_answer, read_manifest
from orchestration.deployment import Deployment
from orchestration.freshness import stale_tables
from orchestration.jobs import batch_job, release_job
from orchestration.older_releases import refuse_older
from orchestration.runs import RunRequest, RunsInProcess
from orchestration.wiring import deployment_definitions

# What a plan says of contamination once it is frozen.
_WHEN_FROZEN = [column.name for column in CONTAMINATION_PLAN.columns if column.is_optional]


class KnownAnswers(NamedTuple):
    """Sequence numbers of the last answers that a release knew: its labels, and in the end its experts' too."""

    labels: int
    all: int


def rebuild(
    deployment: Deployment, name: str, release: str, root: Path, say: Callable[[str], None] = lambda words: None
) -> Comparison:
    """Make a release once more, and compare it with the one that is there.

    The deployment's own lake is only read.

    Args:
        deployment: Where projects, data and lake are.
        name: The project.
        release: The release; it must have come to its end, certified or refused.
        root: Where the lake is made that the release is rebuilt in.
        say: Gets a line for each part of the work.

    Raises:
        ReleaseError: There is no such release, it is not finished, of an older format, or the project no longer names
            its batches.
        LakeError: The root holds the project already, or lies in the deployment's lake; or a part of the
            plan or of the experts' answers was altered.
        AnswerError: The answers log is cut short or cannot be read.
    """
    lake = Lake(deployment.lake, name)
    lake.answers = AnswersLog(lake.store, is_tolerant=True)  # the comparison says what was altered
    file = load_project(deployment.projects / f"{name}.yaml", deployment.known)
    plan = _plan(lake, release)
    refuse_older(deployment, lake, release)
    batches = _batches(with_registered(file, lake), plan)
    copy = _empty_lake(lake, root)
    with temporary_folder("cupel-rebuild-") as folder, dg.DagsterInstance.ephemeral() as instance:
        then, notes = as_frozen(file, plan)
        then = under_guideline(then, lake, plan)
        _bring_deliveries(lake, copy, batches)
        bring_key(lake.folder, copy.folder)
        bring_draws(copy.log(DRAWS), lake.log(DRAWS).read(), release)
        frozen_under = FrozenTerms.from_plan(plan).guideline
        bring_versions(copy.log(GUIDELINES), versions_until(read_versions(lake.log(GUIDELINES)), frozen_under))
        copy_signed_files(copy.log(SIGNED_ANSWERS), lake.log(SIGNED_ANSWERS).read())
        _write_project(then, batches, folder)
        there = Deployment(folder, deployment.data, str(root), known=deployment.known)
        made = _Rebuilding(lake, copy, there, plan, instance, say).run(batches)
    return compare(lake, copy, plan, batches, made._replace(notes=notes))


class _Rebuilding:
    """The work: the batches as they were when the release was frozen, the freeze, and what experts said."""

    def __init__(
        self,
        lake: Lake,
        copy: Lake,
        deployment: Deployment,
        plan: dict[str, Any],
        instance: dg.DagsterInstance,
        say: Callable[[str], None],
    ) -> None:
        self.lake = lake
        self.copy = copy
        self.data = deployment.data
        self.plan = plan
        self.instance = instance
        self.say = say
        self.project = current_project(deployment.projects, copy, deployment.known)
        self.definitions = deployment_definitions([self.project], deployment)
        self.problems: dict[str, str] = {}
        self.is_broken = False

    def run(self, batches: list[str]) -> Made:
        """Make the release; what cannot be made has its reason in the problems."""
        release, known = self.plan["release"], known_answers(self.lake, self.plan)
        self._append(known.labels)
        self._bring_attempts()
        self.copy.actions.append(one for one in self.lake.actions.read() if one.answers_until <= known.labels)
        # A send-back names the releases that were frozen before it.
        before = [
            one for one in self.lake.send_backs.read()
            if release not in one.releases and one.answers_until <= known.labels
        ]  # fmt: skip
        bring_send_backs(self.copy.send_backs, before)
        self.instance.add_dynamic_partitions(f"{self.project.project}_batches", batches)
        self.instance.add_dynamic_partitions(f"{self.project.project}_releases", [release])
        for batch in batches:
            self._run(batch_job(self.project.project), batch, is_beside=batch not in self.plan["batches"])
        frozen = self._commits(batches)
        if not self.is_broken:
            self._freeze()
        if self.plan["status"] == "frozen" and self.copy.commit("release_items", release) is not None:
            self._append(known.all)
            self._bring_later_actions()
            for batch in self._went_on_before_the_end():
                self._run(batch_job(self.project.project), batch)
            self._run(release_job(self.project.project), release)
        return Made(frozen, self.problems)

    def _bring_attempts(self) -> None:
        """Let the audits of contamination be the attempts that they were: the log does not tell how often one looked.

        Only attempt, design and the answers known before are brought; where the design is another, so is the attempt.
        """
        commit = self.lake.commit("release_plan", self.plan["release"])
        frozen = {} if commit is None else commit.inputs
        for batch in self.plan["batches"]:
            name = f"contamination_plan@{batch}"
            if name not in frozen or frozen[name] != self.lake.version(name):
                continue
            row = self.lake.read("contamination_plan", batch).to_pylist()[0]
            if row["known_until"]:
                begun = row | {"status": "learning"} | dict.fromkeys(_WHEN_FROZEN)
                for table, rows in ((CONTAMINATION_PLAN, [begun]), (CONTAMINATION_ITEMS, [])):
                    self.copy.write(table.name, batch, from_rows(rows, table), {}, "an earlier design")

    def _run(self, job: str, partition: str, is_beside: bool = False) -> None:
        steps = project_steps(self.project, "release" if job == release_job(self.project.project) else "batch")
        tables = stale_tables(self.copy, self.project, self.data, partition, steps)
        # Of a batch that is not in the release later ones need what their items may resemble.
        tables = [table for table in tables if not is_beside or stage_of(table).is_for_later_batches]
        if not tables:
            return
        self.say(f"{partition}: {tables[0]} … {tables[-1]}")
        run = RunsInProcess(self.instance).execute(
            self.definitions, RunRequest(job, partition, tables, str(uuid.uuid4()))
        )
        if run.error:
            self.problems[partition], self.is_broken = run.error, True
        elif job == release_job(self.project.project):
            self._tell(partition, release_state(self.copy, partition, self.project))
        elif not is_beside:
            self._tell(partition, batch_state(self.copy, partition, self.project))

    def _tell(self, partition: str, state: GateState) -> None:
        if state.outcome != "pass":
            self.problems[partition] = f"{state.stage} gate: {state.reason}"

    def _freeze(self) -> None:
        """Freeze what the release holds: nothing beside it, and as the attempt that it was."""
        release = self.plan["release"]
        self.say(f"{release}: release_plan … manifest")
        # The gate tells of certificates under a guideline that was replaced.
        tables = ("release_plan", "certificate") if FrozenTerms.from_plan(self.plan).guideline else ("release_plan",)
        for other in other_plans(self.lake, self.plan):
            for table in tables:
                if (commit := self.lake.commit(table, other)) is not None:
                    content = self.lake.read(table, other)
                    self.copy.write(table, other, content, commit.inputs, commit.code_version)
        step = Step(self.copy, _holding(self.project, self.plan["batches"]), release)
        day = partial(recorded_day, self.copy, release, date.fromisoformat(self.plan["day"] or date.min.isoformat()))
        try:
            planned = plan_release(
                step, lambda batch: known_labels(step, self.data, batch), day, self.lake, is_again=True
            )
        except DrawnBeforeError as error:  # what would be frozen now is another
            self.problems[release] = str(error)
            return
        if planned.terms is None:
            self.problems[release] = planned.awaited or "it cannot be frozen"
            return
        if planned.items is not None:
            step.write("release_items", planned.items)
        if planned.planted is not None:
            step.write("planted_items", planned.planted)
        if planned.left_out is not None:
            step.write("left_out_items", planned.left_out)
        plan = step.write("release_plan", from_rows([planned.terms.to_plan()], RELEASE_PLAN))
        if planned.forbidden:
            refuse_for_terms(step, plan, planned.forbidden, str(planned.terms.reason))

    def _append(self, until: int) -> None:
        """Bring the answers up to one that are not there yet, in their order: so they get the same hashes."""
        there = self.copy.answers.head().sequence
        self.lake.answers.hash_at(until)  # raises where the log ends before it
        for segment in self.lake.answers.segments():
            if (about := summary(segment)).last > there and about.first <= until:
                records = read_segment(segment)
                is_wanted = pc.and_(pc.greater(records["sequence"], there), pc.less_equal(records["sequence"], until))
                self.copy.answers.append(records.filter(is_wanted))

    def _bring_later_actions(self) -> None:
        """Let annotators and items sent back be as they were at the release's end; its report tells of them."""
        told = self._told()
        for batch in self.plan["batches"]:
            number = int(told.get(f"actions@{batch}", "0").partition(":")[0])
            self.copy.actions.append(self.lake.actions.read(batch)[len(self.copy.actions.read(batch)) : number])
            number = int(told.get(f"{SEND_BACKS}@{batch}", "0").partition(":")[0])
            bring_send_backs(self.copy.send_backs, self.lake.send_backs.read(batch)[:number])

    def _went_on_before_the_end(self) -> list[str]:
        """Return batches that later answers had changed already when the release came to its end; it tells of them."""
        told = self._told()
        changed = {name.rpartition("@")[2] for name, version in told.items()
                   if name.rpartition("@")[0] in BATCH_TABLES and version != self.copy.version(name)}  # fmt: skip
        return [batch for batch in self.plan["batches"] if batch in changed]

    def _told(self) -> dict[str, str]:
        """Return what the release was made from when it came to its end, by `table@batch`."""
        commits = [self.lake.commit(table, self.plan["release"]) for table in ("stage_errors", "manifest")]
        return {name: version for commit in commits if commit is not None for name, version in commit.inputs.items()}

    def _commits(self, batches: list[str]) -> dict[str, Commit]:
        found = [self.copy.commit(table, batch) for batch in batches for table in TABLES]
        return {f"{commit.table}@{commit.partition}": commit for commit in found if commit is not None}


def known_answers(lake: Lake, plan: dict[str, Any]) -> KnownAnswers:
    """Return how far the answers log reached for a release.

    Args:
        lake: The project's lake.
        plan: The release's row of RELEASE_PLAN.
    """
    labels = plan["answers_until"]
    if plan["status"] == "refused":  # nothing was frozen, so the plan does not say
        tables = ("annotations", "rejected_answers")
        labels = max((_last(lake, table, batch) for batch in plan["batches"] for table in tables), default=0)
    experts = [_last(lake, table, plan["release"]) for table in ("expert_answers", "rejected_expert_answers")]
    head = read_manifest(lake, plan["release"]).get("answers_head")
    handed_over = None if head is None else find_answer(lake, head)
    return KnownAnswers(labels, max(labels, *experts, handed_over or 0))


def other_plans(lake: Lake, plan: dict[str, Any]) -> list[str]:
    """Return the frozen releases that made a release the attempt that it was.

    Which they were is not recorded, only how many. Earlier releases of the same name are surely among
    them; of the others those with the fewest attempts come first.
    """
    holds, _, number = plan["release"].rpartition("-r")
    surely, maybe = [], []
    for name in lake.partitions("release_plan"):
        other = lake.read("release_plan", name).to_pylist()[0]
        is_counted = other["status"] == "frozen" and set(other["batches"]) & set(plan["batches"])
        if is_counted and name.rpartition("-r")[0] == holds:
            surely += [name] if int(name.rpartition("-r")[2]) < int(number) else []
        elif is_counted:
            maybe.append((other["attempt"], other["answers_until"], name))
    return surely + [name for *_, name in sorted(maybe)][: max(plan["attempt"] - 1 - len(surely), 0)]


def as_frozen(project: Project, plan: dict[str, Any]) -> tuple[Project, list[str]]:
    """Return the project with the terms that a release was frozen with, and what is said of those that changed."""
    release, labeling, experts = project.release, project.labeling, project.labeling.experts
    frozen_terms = FrozenTerms.from_plan(plan)
    licence_terms = frozen_terms.licence_terms
    terms = {
        "release.error_budget": (release.error_budget, frozen_terms.error_budget),
        "release.max_experts_seen_share": (release.max_experts_seen_share, frozen_terms.max_experts_seen_share),
        "licences": (_terms(project.licences), _terms(licence_terms.licences if licence_terms else ())),
        "release.purpose": (release.purpose, licence_terms.purpose if licence_terms else release.purpose),
        "labeling.classes": (labeling.classes, frozen_terms.classes),
        "labeling.experts.answers": (experts.answers, frozen_terms.expert_answers),
        "labeling.experts.description": (experts.description, frozen_terms.experts_description),
        "labeling.experts.are_auditors_independent": (
            experts.are_auditors_independent,
            frozen_terms.are_auditors_independent,
        ),
    }
    changed = {key: values for key, values in terms.items() if values[0] != values[1]}
    then = _with(project, {key: value or () if key == "licences" else value for key, (_, value) in changed.items()})
    if frozen_terms.is_frozen:
        now, frozen = settings_now(then.release, frozen_terms), frozen_settings(frozen_terms)
        of_audit = {f"release.{key}": (now.get(key), value) for key, value in frozen.items() if now.get(key) != value}
        if frozen["certificate.planted_errors"] and project.labeling.gold is None:
            raise ReleaseError(
                f"release {plan['release']}: known labels were planted in its audit, but the project no longer names "
                f"their file; put labeling.gold back in {project.project}.yaml"
            )
        then, changed = _with(then, {key: value for key, (_, value) in of_audit.items()}), changed | of_audit
    notes = [
        f"{key}: the project file says {now!r}, the release was frozen with {frozen!r}, and is rebuilt with that"
        for key, (now, frozen) in changed.items()
    ]
    return then, notes


def under_guideline(project: Project, lake: Lake, plan: dict[str, Any]) -> Project:
    """Return the project with the guideline that a release was frozen under, and the changes that led to it.

    Raises:
        ReleaseError: The lake's log of versions does not hold its text.
    """
    if project.labeling.guideline is None:
        return project
    versions = versions_until(read_versions(lake.log(GUIDELINES)), FrozenTerms.from_plan(plan).guideline)
    if not versions:
        return _with(project, {"labeling.guideline": None, "labeling.changes": []})
    if versions[-1].text is None:
        raise ReleaseError(
            f"release {plan['release']}: the text of its guideline is not in the lake; restore the folder "
            f"{GUIDELINES} from a copy"
        )
    changes = [one.change.model_dump(mode="json") for one in versions if one.change is not None]
    values = {"guideline": versions[-1].text, "question": versions[-1].question, "changes": changes}
    return _with(project, {f"labeling.{key}": value for key, value in values.items()})


def _terms(licences: tuple[Licence, ...]) -> list[dict[str, Any]] | None:
    """Return licences as a plan holds them."""
    return [licence.model_dump(mode="json") for licence in licences] or None


def _with(project: Project, values: dict[str, Any]) -> Project:
    """Return the project with other values of some keys."""
    content = project.model_dump(mode="json", exclude_unset=True)  # steps read it often: the shorter, the faster
    for key, value in values.items():
        section: Any = content
        *path, last = key.split(".")
        for part in path:
            section = section.setdefault(part, {})
        section[last] = value
    return change_project(project, content)


def _plan(lake: Lake, release: str) -> dict[str, Any]:
    there = lake.partitions("release_plan")
    if release not in there:
        raise ReleaseError(
            f"release {lake.project}/{release}: not in the lake {lake.root}; "
            + (f"it holds {', '.join(there)}" if there else "it holds no release of this project")
        )
    if not is_finished(lake, release):
        raise ReleaseError(
            f"release {release}: not finished yet, so there is nothing to compare with; rebuild it when it is "
            "certified or refused"
        )
    return dict(lake.read("release_plan", release).to_pylist()[0])


def _batches(project: Project, plan: dict[str, Any]) -> list[str]:
    """Return the batches that a release depends on: its own, and those before them in the register."""
    register = list(project.raw.deliveries)
    if gone := [batch for batch in plan["batches"] if batch not in register]:
        raise ReleaseError(
            f"release {plan['release']}: the project no longer names {', '.join(gone)}; put it back under "
            f"raw.deliveries of {project.project}.yaml, in its old place, with its files in the data folder"
        )
    return register[: 1 + max(register.index(batch) for batch in plan["batches"])]


def _empty_lake(lake: Lake, root: Path) -> Lake:
    real = lake.root.resolve()
    if root.resolve().is_relative_to(real):
        raise LakeError(f"{root}: lies in the lake {lake.root}, which is only read; name a folder outside it")
    copy = Lake(root, lake.project)
    if stat_file(copy.folder) is not None:
        raise LakeError(f"{copy.folder}: there is something already; name an empty folder")
    return copy


def _bring_deliveries(lake: Lake, copy: Lake, batches: list[str]) -> None:
    """Let registered deliveries be found from the other lake as from their own; their files stay where they are."""
    register, target = Register(lake), Register(copy)
    brought = [entry for entry in register.entries() if entry.batch in batches]
    target.bring(brought)
    for entry in brought:
        link(target.folder(entry.batch), register.folder(entry.batch).resolve())


def _write_project(project: Project, batches: list[str], folder: Path) -> None:
    content = _holding(project, batches).model_dump(mode="json", exclude_unset=True)
    put_file(folder / f"{project.project}.yaml", yaml.safe_dump(content, allow_unicode=True, sort_keys=False).encode())


def _holding(project: Project, batches: list[str]) -> Project:
    """Return the project with only some of its deliveries."""
    deliveries = {name: delivery for name, delivery in project.raw.deliveries.items() if name in batches}
    return project.model_copy(update={"raw": project.raw.model_copy(update={"deliveries": deliveries})})


def _last(lake: Lake, table: str, partition: str) -> int:
    if lake.commit(table, partition) is None:
        return 0
    return max(lake.read(table, partition, ["sequence"])["sequence"].to_pylist(), default=0)
