"""The live workforce: people in Label Studio, who are asked now and answer when they will."""

import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from cupel.config.project import Project
from cupel.consensus.coding import ItemIds
from cupel.errors import WorkforceError
from cupel.lake.lake import Lake
from cupel.lake.send_back_log import SendBack
from cupel.people.answers.annotations import UNFIT
from cupel.people.answers.guidelines import translate_answers, version_of_task, versions_of
from cupel.people.answers.sent_back import SENT_BACK as SENT_BACK_REASON
from cupel.people.answers.sent_back import Rework, mark_answers, rework_by_item
from cupel.people.answers.shown_labels import ShownLabelsLog
from cupel.people.label_studio.calibration import COLUMNS, PURPOSE, Item, Standing, calibration_answers, standings
from cupel.people.label_studio.client import Client, MissingError
from cupel.people.label_studio.configuration import KEY, OTHERS, SENT_BACK, shown_hash, task_data
from cupel.people.label_studio.disagreement import CHECKER, disagreement
from cupel.people.label_studio.events import Event, Events, event
from cupel.people.label_studio.groups import REWORK, Group, groups, task_key
from cupel.people.label_studio.matching import SOURCE, Arrived, answers_of, by_time, matched
from cupel.people.label_studio.pictures import Preview, no_preview, with_pictures
from cupel.people.label_studio.predictions import labels_of, predictions
from cupel.people.label_studio.publish import Publisher, Wanted
from cupel.people.label_studio.pull import is_due, latest, read_as, still_recent, unread_tasks
from cupel.people.label_studio.record import CHANGED, Record, Records
from cupel.people.label_studio.versions import Users, Version, people, users_of, versions
from cupel.people.tool_annotation import entries, fields_of


class LabelStudioWorkforce:
    """Puts open tasks to people in Label Studio, and returns what arrived since the last time.

    One collection: everything that changed is pulled when the first task is put; `answer` and `rest` return it, and
    `end`, when all of it is in the log, remembers how far was read and publishes what is still open. A collection
    that dies in between is done again, and the log knows what it has.

    Args:
        project: The project, with a section `label_studio`.
        lake: Its lake, with the log and the records.
        environment: Holds the token.
        sleep: How waiting is done.
        known: Returns the items that annotators answer first, with their labels, as they are at a collection; needed
            where the project asks for a calibration.
        hidden: Returns a batch's items of hidden gold; needed where annotators are shown the checker's opinion.
        preview: Returns a file's preview; needed where items are files that the server does not find itself.

    Raises:
        WorkforceError: The token is not set.
    """

    def __init__(
        self,
        project: Project,
        lake: Lake,
        environment: Mapping[str, str] = os.environ,
        sleep: Callable[[float], object] = time.sleep,
        known: Callable[[], Mapping[Item, str]] = dict,
        hidden: Callable[[str], Collection[str]] = lambda batch: (),
        preview: Preview = no_preview,
    ) -> None:
        if project.label_studio is None:
            raise WorkforceError(f"project {project.project}: key label_studio: missing; add it")
        self._project, self._lake, self._settings = project, lake, project.label_studio
        self._known_now, self._hidden, self._preview = known, hidden, preview
        self._client = Client(project.label_studio, environment, sleep)
        self._records, self._events = Records(lake), Events(lake)
        self._begin()

    def _begin(self) -> None:
        self._is_pulled = False
        self._send_backs = self._lake.send_backs.read()
        self._groups = groups(self._project, has_rework=bool(self._send_backs))
        self._standings: dict[str, Standing] | None = None
        self._known: Mapping[Item, str] = {}
        self._record: dict[str, Record] = {}
        self._arrived: dict[tuple[str, str], list[Arrived]] = {}
        self._open: dict[str, dict[tuple[str, str], int]] = {group.name: {} for group in self._groups}
        self._seen: list[Event] = []
        self._keys: dict[str, dict[str, tuple[str, str]]] = {}
        self._reworks: dict[str, Mapping[str, Rework]] = {}
        self._versions = versions_of(self._lake, self._project)

    def unasked(self, batch: str, item_ids: ItemIds) -> pa.Table:
        """Return no answers: what nobody asked for is told by `rest`."""
        return answers_of([])

    def answer(self, tasks: pa.Table) -> pa.Table:
        """Return what arrived for these open tasks; the others stay open and are published at the end.

        Args:
            tasks: Columns task_id, batch, item_id, purpose, slot of TASKS or RELEASE_TASKS.

        Raises:
            WorkforceError: The server cannot be read.
        """
        self._pull()
        found: list[tuple[str | None, str, Arrived]] = []
        for batch in tasks["batch"].unique().to_pylist():
            asked = tasks.filter(pc.equal(tasks["batch"], batch)).to_pylist()
            for group in self._groups:
                ours = [task for task in asked if self._is_asked(group, task)]
                pairs = self._matched(group, batch, ours)
                found += [(task["task_id"], task["purpose"], one) for task, one in pairs]
                done = {task["task_id"] for task, _ in pairs}
                for task in ours:
                    if task["task_id"] not in done and self._is_current(task["task_id"]):
                        item = (batch, task["item_id"])
                        self._open[group.name][item] = self._open[group.name].get(item, 0) + 1
        return answers_of(found)

    def _is_asked(self, group: Group, task: Mapping[str, Any]) -> bool:
        """Tell whether a task is put to a group: of the annotators' those about items sent back are rework."""
        if task["purpose"] not in group.purposes:
            return False
        return "label" not in group.purposes or (task["item_id"] in self._rework(task["batch"])) == group.sees_reason

    def _sent_back(self, batch: str) -> list[SendBack]:
        return [one for one in self._send_backs if one.batch == batch]

    def _rework(self, batch: str) -> Mapping[str, Rework]:
        """Return what is asked anew of each item of a batch that was sent back."""
        if batch not in self._reworks:
            self._reworks[batch] = rework_by_item(self._sent_back(batch))
        return self._reworks[batch]

    def _is_current(self, task_id: str) -> bool:
        """Tell whether a task is put under the guideline in force: nobody is asked under an older one."""
        return not self._versions or version_of_task(task_id) == self._versions[-1].shown

    def rest(self) -> pa.Table:
        """Return what arrived although no open task asks for it: too many, edited, or by somebody else."""
        self._pull()
        found = [
            (None, group.unasked_purpose, one)
            for group in self._groups
            for (name, _), waiting in self._arrived.items()
            if name == group.name
            for one in waiting
        ]
        self._arrived = {}
        return answers_of(found)

    def end(self) -> None:
        """Remember how far was read, and publish what is open; everything returned must be in the log.

        Raises:
            WorkforceError: The server cannot be written to, or its projects are not as they were left.
        """
        self._pull()
        self._calibrate()
        self._events.append(self._seen)
        for group in self._groups:
            self._records.write(group.name, self._record[group.name])
        for group in self._groups:
            self._publish(group)
        self._begin()

    def _calibrate(self) -> None:
        """Ask for the calibration what is not answered yet; ask nothing else before enough have passed."""
        wanted, asked = self._settings.calibration, self._open["annotators"]
        if wanted is None:
            return
        if (asked or self._open.get(REWORK)) and len(self._known) < wanted.items:
            raise WorkforceError(
                f"label_studio.calibration.items: {wanted.items} known items are to be asked first, and labeling.gold "
                f"knows {len(self._known)} clean ones; what was answered is in the log. Add known labels, or ask fewer"
            )
        said = calibration_answers(self._lake, self._versions, self._project.kind)
        done = {((row["batch"], row["item_id"]), row["annotator"]) for row in said}
        for item in self._known:
            if left := sum((item, name) not in done for name in self._settings.annotators):
                self._open[PURPOSE][item] = left
        passed = sum(standing.passed_at is not None for standing in self.standings().values())
        if passed < self._project.labeling.overlap.first:
            asked.clear()
            self._open.get(REWORK, {}).clear()

    def _pull(self) -> None:
        """Read what changed in the groups' projects, once a collection."""
        if self._is_pulled:
            return
        lake_id, users = self._records.lake_id(), None
        if self._settings.calibration is not None:
            self._known = self._known_now()
        for group in self._groups:
            record = self._record[group.name] = self._records.read(group.name)
            if record.project_id is None:
                continue
            users = self._users() if users is None else users
            try:
                self._pull_group(group, record, lake_id, users)
            except MissingError:
                raise WorkforceError(
                    f"{self._settings.url}: project {record.project_id} ({group.name}) is gone there; what was "
                    f"answered is in the log. Restore it, or remove {self._records.folder}/{group.name}.json and "
                    ".parquet to publish anew"
                ) from None
        self._is_pulled = True

    def _pull_group(self, group: Group, record: Record, lake_id: str, users: Users) -> None:
        now = datetime.now(UTC)
        is_snapshot = is_due(record.snapshot_at, self._settings.snapshot_hours, now)
        project_id, cursor = record.project_id or 0, record.cursor
        there: set[int] = set()
        tasks: set[int] = set()
        by_task = {put.tool_task: key for key, put in record.puts.items()}
        found: list[Arrived] = []
        if is_snapshot:
            record.recent = {}
        for task in unread_tasks(self._client, project_id, None if is_snapshot else cursor, record.recent):
            cursor = latest(cursor, task)
            record.recent[task["id"]] = read_as(task)
            tasks.add(task["id"])
            key = by_task.get(task["id"], str(fields_of(task.get("data")).get(KEY)))
            item, is_changed = self._item_of(group, key), self._is_changed(group, record, key, task)
            if key in record.puts and record.puts[key].tool_task == task["id"]:
                record.puts[key] = record.puts[key]._replace(people=people(task))
            for version in versions(lake_id, task, users, self._project):
                there.add(version.annotation_id)
                if item is None:
                    self._seen.append(
                        event(group.name, "unknown_task", project_id, task["id"], version.annotation_id, None)
                    )
                    continue
                who = group.people.get(version.person or "")
                if who is None:
                    self._seen.append(
                        event(group.name, "stranger", project_id, task["id"], version.annotation_id, item)
                    )
                if version.flagged is not None:
                    said = (task["id"], version.annotation_id, item, version.flagged)
                    self._seen.append(event(group.name, "flagged", project_id, *said))
                unfit = "task_changed" if is_changed else self._unfit(group, who, version)
                found.append(
                    Arrived(*item, who, project_id, version, unfit, self._guideline_of(lake_id, group, key, item))
                )
        self._keep_new(group, found)
        if is_snapshot:
            self._seen += self._deleted(group, project_id, there)
            for key in [key for key, put in record.puts.items() if put.tool_task not in tasks]:
                gone = record.puts.pop(key)
                lost = (gone.tool_task, None, (gone.batch, gone.item_id))
                self._seen.append(event(group.name, "task_deleted", project_id, *lost))
            record.snapshot_at = now.isoformat(timespec="seconds")
        record.cursor, record.recent = cursor, still_recent(record.recent, cursor)

    def _guideline_of(self, lake_id: str, group: Group, key: str, item: tuple[str, str]) -> str:
        """Return the version that an item was put under, by its key; "" where it was put under none."""
        names = (version.shown for version in self._versions)
        keys = (
            (name, task_key(lake_id, group.name, *item, name, n)) for name in names for n in self._numbers(group, *item)
        )
        return next((name for name, there in keys if there == key), "")

    def _numbers(self, group: Group, batch: str, item_id: str) -> range:
        """Return the numbers that an item may have been put to a group under: of rework one a send-back."""
        if not group.sees_reason:
            return range(1)
        rework = self._rework(batch).get(item_id)
        return range(1, 1 if rework is None else rework.number + 1)

    def _is_changed(self, group: Group, record: Record, key: str, task: Mapping[str, Any]) -> bool:
        """Tell whether a task does not show what was published, and remember it."""
        put, shown = record.puts.get(key), shown_hash(fields_of(task.get("data")))
        if put is None or put.shown in (None, shown):
            return False
        item = (put.batch, put.item_id)
        self._seen.append(event(group.name, "task_changed", record.project_id or 0, task["id"], None, item, shown))
        if put.tool_task == task["id"]:
            record.puts[key] = put._replace(shown=CHANGED)
        return True

    def _unfit(self, group: Group, who: str | None, version: Version) -> str | None:
        """Return why a version counts for nothing, whatever is asked; None where it may count."""
        if self._settings.calibration is None or "label" not in group.purposes or who is None:
            return None
        passed_at = self.standings()[who].passed_at
        is_late = passed_at is not None and version.answered_at is not None and version.answered_at >= passed_at
        return None if is_late else "not_calibrated"

    def standings(self) -> dict[str, Standing]:
        """Return how far each annotator is with the calibration, by the log and what has just arrived."""
        if self._settings.calibration is None:
            return {}
        if self._standings is None:
            said = calibration_answers(self._lake, self._versions, self._project.kind)
            new = [one for (name, _), some in self._arrived.items() if name == PURPOSE for one in some]
            said += [
                dict(zip(COLUMNS, (*one[:3], one.version.label, one.version.answered_at), strict=True))
                for one in sorted(new, key=by_time)
            ]
            self._standings = standings(
                self._settings.annotators, self._known, self._settings.calibration, said, self._project.kind,
                self._project.labeling.ontology,
            )  # fmt: skip
        return self._standings

    def _keep_new(self, group: Group, found: list[Arrived]) -> None:
        """Keep the versions that the log does not have, by batch, in the order of their time."""
        batches: dict[str, dict[str, Arrived]] = {}
        for one in found:
            batches.setdefault(one.batch, {})[one.version.answer_id] = one
        for batch, theirs in batches.items():
            known = set(self._lake.answers.read(batch, columns=["answer_id"])["answer_id"].to_pylist())
            new = [one for name, one in theirs.items() if name not in known]
            if new:
                self._arrived[group.name, batch] = sorted(new, key=by_time)

    def _deleted(self, group: Group, project_id: int, there: set[int]) -> Iterator[Event]:
        """Yield the annotations in the log that the group's project does not hold any more."""
        log = self._lake.answers.read(columns=["source", "batch", "item_id"])
        begins = f"{SOURCE}:{project_id}:"
        for row in log.filter(pc.starts_with(log["source"], begins)).to_pylist():
            tool_task, annotation_id = map(int, row["source"].removeprefix(begins).split(":")[:2])
            if annotation_id not in there:
                item = (row["batch"], row["item_id"])
                yield event(group.name, "deleted", project_id, tool_task, annotation_id, item)

    def _matched(self, group: Group, batch: str, tasks: list[dict[str, Any]]) -> list[tuple[dict[str, Any], Arrived]]:
        arrived = self._arrived.get((group.name, batch), [])
        if not arrived or not tasks:
            return []
        columns = ["item_id", "annotator", "label", "source", "sequence", "answered_at"]
        said = self._lake.answers.read(batch, group.purposes, None if self._versions else columns)
        read = translate_answers(said, self._versions, self._project.kind).answers
        if "label" in group.purposes and (sent_back := self._sent_back(batch)):
            read = read.filter(pa.array(~mark_answers(read, sent_back).flags[SENT_BACK_REASON]))
        log = read.to_pylist()
        labels = self._known_labels([*(row["label"] for row in log), *(one.version.label for one in arrived)])
        answered = {
            (row["item_id"], row["annotator"])
            for row in log
            if (row["label"] in labels or (row["label"] is None and group.may_be_undecided))
            and row["source"].rpartition(":")[2] not in UNFIT
        }
        removed = {name for name, action in self._lake.actions.in_force(batch).items() if not action.weight}
        pairs = matched(group, tasks, arrived, answered, labels, removed if "label" in group.purposes else ())
        done = {one.version.answer_id for _, one in pairs}
        self._arrived[group.name, batch] = [one for one in arrived if one.version.answer_id not in done]
        return pairs

    def _known_labels(self, said: Iterable[str | None]) -> set[str]:
        """Return those of some answers that are labels of the project."""
        texts = sorted({label for label in said if label is not None})
        parsed = self._project.kind.parse(pa.array(texts, pa.string()), self._project.labeling.ontology)
        return {text for text, label in zip(texts, parsed.to_pylist(), strict=True) if label is not None}

    def _publish(self, group: Group) -> None:
        record, lake_id = self._record[group.name], self._records.lake_id()
        wanted = {
            self._key(lake_id, group, batch, item): Wanted(batch, item, answers)
            for (batch, item), answers in self._open[group.name].items()
        }

        def save(with_table: bool) -> None:
            self._records.write(group.name, record, with_table=with_table)

        publisher = Publisher(
            self._client, self._project, lake_id, group, record, save, lambda key: self._item_of(group, key),
            instruction=self._versions[-1].text or "" if self._versions else "",
        )  # fmt: skip
        try:
            publisher.publish(
                wanted, lambda keys: self._data(group, {key: wanted[key] for key in keys}),
                lambda keys: self._predictions(group, {key: wanted[key] for key in keys}),
            )  # fmt: skip
        finally:
            self._events.append(publisher.events)

    def _key(self, lake_id: str, group: Group, batch: str, item_id: str) -> str:
        """Return the key that an item is put to a group under now."""
        number = self._numbers(group, batch, item_id)[-1]
        return task_key(lake_id, group.name, batch, item_id, self._guideline, number)

    def _predictions(self, group: Group, wanted: Mapping[str, Wanted]) -> dict[str, dict[str, Any]]:
        """Return the opinions that are shown beside annotators' tasks, by key; nobody else is shown any."""
        found: dict[str, dict[str, Any]] = {}
        if group.purposes != ("label",) or group.sees_reason or self._settings.prediction_share is None:
            return found
        for batch in sorted({item.batch for item in wanted.values()}):
            ours = [(key, item.item_id) for key, item in wanted.items() if item.batch == batch]
            opinions = predictions(self._project, self._lake, batch, ours, self._hidden(batch))
            if self._project.labeling.pre_labels == CHECKER:
                labels = labels_of(self._lake, batch, ours, self._hidden(batch))
                ShownLabelsLog(self._lake).append_tasks(batch, labels, opinions.keys())
            found |= opinions
        return found

    def _data(self, group: Group, wanted: Mapping[str, Wanted]) -> dict[str, dict[str, str]]:
        """Return what the tasks show, by key."""
        found = {}
        for batch in {item.batch for item in wanted.values()}:
            ours = {item.item_id: key for key, item in wanted.items() if item.batch == batch}
            for piece in self._lake.read_batches("clean_items", batch, columns=["item_id", "text"]):
                rows = piece.filter(pc.is_in(piece["item_id"], value_set=pa.array(list(ours), pa.string())))
                for row in rows.to_pylist():
                    key = ours[row["item_id"]]
                    shown = task_data(self._project, key, row["text"])
                    found[key] = with_pictures(self._project, batch, shown, self._preview)
            if group.sees_reason:
                for item, key in ours.items():
                    found.get(key, {})[SENT_BACK] = self._rework(batch)[item].asked
            if group.sees_disagreement:
                said = disagreement(self._project, self._lake, batch, list(ours))
                for item, key in ours.items():
                    found.get(key, {})[OTHERS] = said[item]
        if missing := [item.item_id for key, item in wanted.items() if key not in found]:
            raise WorkforceError(f"item {missing[0]!r} has an open task and is not clean any more; run the chain again")
        return found

    def _item_of(self, group: Group, key: str) -> tuple[str, str] | None:
        """Return batch and item of a key; keys that the record does not know are looked for among all clean items."""
        put = self._record[group.name].puts.get(key)
        if put is not None:
            return put.batch, put.item_id
        if group.name not in self._keys:
            lake_id = self._records.lake_id()
            self._keys[group.name] = {
                task_key(lake_id, group.name, batch, item, version, number): (batch, item)
                for batch, item in self._clean_items()
                for version in ["", *(version.shown for version in self._versions)]
                for number in self._numbers(group, batch, item)
            }
        return self._keys[group.name].get(key)

    def _clean_items(self) -> Iterable[tuple[str, str]]:
        for batch in self._lake.partitions("clean_items"):
            for piece in self._lake.read_batches("clean_items", batch, columns=["item_id"]):
                yield from ((batch, item) for item in piece["item_id"].to_pylist())

    @property
    def _guideline(self) -> str:
        """The version in force, as it is shown; "" where the project's guideline has none."""
        return self._versions[-1].shown if self._versions else ""

    def _users(self) -> Users:
        listed = self._client.get("/api/users/")
        return users_of(entries(listed if isinstance(listed, list) else fields_of(listed).get("results")))
