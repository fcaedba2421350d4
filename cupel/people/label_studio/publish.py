"""Publishing: a group's project on the server, and the open items in it; twice is once."""

import html
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from cupel.config.project import Project
from cupel.errors import WorkforceError
from cupel.people.label_studio.client import Client, InDoubtError, MissingError
from cupel.people.label_studio.configuration import (
    KEY,
    OTHERS,
    asked_choices,
    configuration,
    flag_in,
    is_configuration_of,
    shown_hash,
    shows_others,
)
from cupel.people.label_studio.events import Event, event
from cupel.people.label_studio.groups import Group
from cupel.people.label_studio.pull import changed_tasks
from cupel.people.label_studio.record import CHANGED, Put, Record
from cupel.people.label_studio.versions import people
from cupel.people.tool_annotation import entries, fields_of

IMPORTED_TASKS = 500
TRIES = 3
PROJECTS_A_PAGE = 100


Data = Callable[[Sequence[str]], Mapping[str, dict[str, str]]]
Predictions = Callable[[Sequence[str]], Mapping[str, dict[str, Any]]]


def no_predictions(keys: Sequence[str]) -> Mapping[str, dict[str, Any]]:
    """Show nobody's opinion."""
    return {}


class Wanted(NamedTuple):
    """An item with open questions: how many answers are wanted of the group."""

    batch: str
    item_id: str
    answers: int


class Publisher:
    """Puts what a group is asked on the server.

    Args:
        client: The server.
        project: The project.
        lake_id: The lake's own id.
        group: Who is asked.
        record: What is known of the group's project there; kept up to date.
        save: Writes the record, before and after what cannot be taken back; true: with the table of what lies there.
        item_of: Returns batch and item of a key of this group; None where it is no key of this lake.
        instruction: The guideline that people are shown before they begin; "" where the project has none.
    """

    def __init__(
        self,
        client: Client,
        project: Project,
        lake_id: str,
        group: Group,
        record: Record,
        save: Callable[[bool], None],
        item_of: Callable[[str], tuple[str, str] | None],
        instruction: str = "",
    ) -> None:
        self._client = client
        self._project = project
        self._group = group
        self._record = record
        self._save = save
        self._item_of = item_of
        self._instruction = instruction
        # Found again where the reply to its making was lost; also tells it from projects of other lakes.
        self._mark = f"cupel/{lake_id}/{project.project}/{group.name}"
        self.events: list[Event] = []

    def publish(self, wanted: Mapping[str, Wanted], data: Data, predictions: Predictions = no_predictions) -> int:
        """Put the open items of a group on the server, and close those that are open no more.

        Args:
            wanted: All open items by key, in the order in which they are to be answered.
            data: Returns what tasks of these keys show.
            predictions: Returns the opinions shown beside tasks of these keys, as far as any is.

        Returns:
            How many items are newly there.

        Raises:
            WorkforceError: The server fails or refuses, the project is gone, or its configuration was changed.
        """
        if not wanted and self._record.project_id is None:
            return 0
        self._ensure_project()
        self._forget_changed()
        if self._record.is_in_doubt:
            self._look(lambda keys: data([key for key in keys if key in wanted]))
            self._record.is_in_doubt = False
            self._save(True)
        most = self._project.label_studio.most_open if self._project.label_studio else 0
        self._close_others(wanted)
        self._ask_again(wanted, most)
        is_open = sum(put.is_open for put in self._record.puts.values())
        new = [key for key in wanted if key not in self._record.puts][: max(most - is_open, 0)]
        if new:
            shown, opinions = data(new), predictions(new)
            # Whoever dies from here on leaves a doubt, and who comes next looks what is there.
            self._record.is_in_doubt = True
            self._save(False)
            # What was under way when its reply was lost may still arrive: then the next round looks once more.
            self._record.is_in_doubt = any(
                [
                    self._import(new[at : at + IMPORTED_TASKS], shown, wanted, opinions)
                    for at in range(0, len(new), IMPORTED_TASKS)
                ]
            )
            self._ask_again({key: wanted[key] for key in new}, most)
        self._save(True)
        return len(new)

    def _ensure_project(self) -> None:
        """Make the group's project, or hold the one there against what was made."""
        record, flag = self._record, self._project.label_studio.flag if self._project.label_studio else None
        sees = self._group.sees_disagreement
        config = configuration(self._project, flag, shows_others=sees, shows_reason=self._group.sees_reason)
        found = self._found() if record.project_id is None else self._client.get(f"/api/projects/{record.project_id}/")
        if found is None:
            found = self._made(config)
        about = fields_of(found)
        if not isinstance(about.get("id"), int) or self._mark not in str(about.get("description")):
            raise WorkforceError(
                f"Label Studio project {record.project_id} is not the one of {self._group.name}: its description lacks "
                f"{self._mark}; put it back there, or restore the server"
            )
        there = about.get("label_config")
        is_ours, asks = there == record.configuration, is_configuration_of(there, self._project)
        if not asks or (is_ours and (flag_in(there), shows_others(there)) != (flag, sees)):
            if not is_ours:
                raise WorkforceError(
                    f"Label Studio project {about['id']} ({self._group.name}): its labeling configuration was changed "
                    f"and does not ask for {asked_choices(self._project)} any more; put it back: {config}"
                )
            # Ours is what changed: the project file.
            about = fields_of(self._client.patch(f"/api/projects/{about['id']}/", {"label_config": config}))
        if about.get("show_collab_predictions", False) != self._shows_predictions:
            body = {"show_collab_predictions": self._shows_predictions}
            about = fields_of(self._client.patch(f"/api/projects/{about['id']}/", body))
        if self._instruction and about.get("expert_instruction") != self._shown_instruction["expert_instruction"]:
            about = fields_of(self._client.patch(f"/api/projects/{about['id']}/", self._shown_instruction))
        if record.project_id != about["id"] or record.configuration != about.get("label_config"):
            record.project_id, record.configuration = about["id"], str(about.get("label_config"))
            self._save(False)

    @property
    def _shows_predictions(self) -> bool:
        """Annotators may see the checker's opinion where the project wants it; nobody else ever does."""
        wanted = self._project.label_studio and self._project.label_studio.prediction_share is not None
        return bool(wanted) and self._group.purposes == ("label",) and not self._group.sees_reason

    @property
    def _shown_instruction(self) -> dict[str, Any]:
        """The guideline as the server shows it, which takes it for HTML: every character and line as it was written."""
        if not self._instruction:
            return {}
        shown = html.escape(self._instruction).replace("\n", "<br>\n")
        return {"expert_instruction": shown, "show_instruction": True}

    def _made(self, config: str) -> Any:
        body = {
            "title": f"{self._project.title[:30]}: {self._group.name}"[:50],
            "description": f"{self._project.labeling.question} [{self._mark}]",
            "label_config": config,
            "maximum_annotations": self._group.answers,
            "show_collab_predictions": self._shows_predictions,
            "show_ground_truth_first": False,
            "skip_queue": "REQUEUE_FOR_OTHERS",
            **self._shown_instruction,
        }
        for _ in range(TRIES):
            try:
                return self._client.post_once("/api/projects/", body)
            except InDoubtError as error:
                problem = error
                if (found := self._found()) is not None:
                    return found
        raise problem

    def _found(self) -> Any:
        """Return the group's project on the server, if it is there."""
        page, seen = 1, 0
        while True:
            listed = self._client.get("/api/projects/", page=page, page_size=PROJECTS_A_PAGE)
            there = entries(listed if isinstance(listed, list) else fields_of(listed).get("results"))
            for one in there:
                if self._mark in str(one.get("description")):
                    return one
            seen += len(there)
            if not there or isinstance(listed, list) or seen >= int(fields_of(listed).get("count") or 0):
                return None
            page += 1

    def _import(
        self, keys: Sequence[str], data: Mapping[str, dict[str, str]], wanted: Mapping[str, Wanted],
        opinions: Mapping[str, dict[str, Any]],
    ) -> bool:  # fmt: skip
        """Import tasks; return whether a reply was lost on the way."""
        left = list(keys)
        had_doubt = False
        for _ in range(TRIES):
            body = [{"data": data[key]} | ({"predictions": [opinions[key]]} if key in opinions else {}) for key in left]
            path = f"/api/projects/{self._record.project_id}/import"
            try:
                reply = fields_of(self._client.post_once(path, body, return_task_ids="true", commit_to_project="true"))
            except InDoubtError as error:
                problem: WorkforceError = error
                had_doubt = True
                self._look(lambda keys: {key: data[key] for key in keys if key in data})
            else:
                ids = reply.get("task_ids")
                if isinstance(ids, list) and len(ids) == len(left) and all(isinstance(one, int) for one in ids):
                    for key, tool_task in zip(left, ids, strict=True):
                        batch, item_id, _ = wanted[key]
                        shown = shown_hash(data[key])
                        self._record.puts[key] = Put(batch, item_id, tool_task, 0, self._group.answers, shown)
                else:
                    problem = WorkforceError(f"Label Studio project {self._record.project_id}: an import told no ids")
                    self._look(lambda keys: {key: data[key] for key in keys if key in data})
            left = [key for key in left if key not in self._record.puts]
            if not left:
                return had_doubt
        raise problem

    def _look(self, data: Data) -> None:
        """Read which items lie on the server as `data` has them, and close those that lie there twice."""
        listed = [(str(fields_of(task.get("data")).get(KEY)), task) for task in self._listed()]
        meant = data([key for key in dict.fromkeys(key for key, _ in listed) if key not in self._record.puts])
        for key, task in listed:
            known, item, shown = self._record.puts.get(key), self._item_of(key), shown_hash(fields_of(task["data"]))
            if key in meant and not _is_same(fields_of(task["data"]), meant[key]):
                continue  # somebody changed it, so it is not what is asked
            if known is None and item is not None:
                overlap = _count(task.get("overlap"), self._group.answers)
                self._record.puts[key] = Put(*item, task["id"], people(task), overlap, shown)
            elif known is not None and known.tool_task != task["id"] and known.shown in (None, shown):
                self._close(task["id"])
                self.events.append(
                    event(self._group.name, "second_task", self._record.project_id or 0, task["id"], None, item)
                )

    def _listed(self) -> Iterator[dict[str, Any]]:
        return changed_tasks(self._client, self._record.project_id or 0, None)

    def _close(self, tool_task: int) -> None:
        # Never deleted: somebody may be answering it just now.
        self._client.patch(f"/api/tasks/{tool_task}/", {"is_labeled": True, "overlap": 1})

    def _forget_changed(self) -> None:
        """Ask nobody any more about tasks that somebody changed; while they have open questions they are put anew."""
        for key in [key for key, put in self._record.puts.items() if put.shown == CHANGED]:
            with self._unless_gone(key):
                self._close(self._record.puts[key].tool_task)
                del self._record.puts[key]

    def _close_others(self, wanted: Mapping[str, Wanted]) -> None:
        """Ask nobody any more about items that lie open and have no open question."""
        for key in [key for key, put in self._record.puts.items() if put.is_open and key not in wanted]:
            put = self._record.puts[key]
            with self._unless_gone(key):
                self._close(put.tool_task)
                self._record.puts[key] = put._replace(overlap=put.people)

    def _ask_again(self, wanted: Mapping[str, Wanted], most: int) -> None:
        """Have the server ask as many people as are wanted about items that lie there, with at most so many open."""
        places = most - sum(put.is_open for put in self._record.puts.values())
        for key in [key for key in wanted if key in self._record.puts]:
            put = self._record.puts[key]
            asked = put.people + wanted[key].answers
            if asked == put.overlap or (not put.is_open and places <= 0):
                continue
            with self._unless_gone(key):
                self._client.patch(f"/api/tasks/{put.tool_task}/", {"overlap": asked, "is_labeled": False})
                self._record.puts[key] = put._replace(overlap=asked)
                places -= not put.is_open

    @contextmanager
    def _unless_gone(self, key: str) -> Iterator[None]:
        """Forget an item whose task was deleted on the server: while it has open questions it is put there anew."""
        try:
            yield
        except MissingError:
            del self._record.puts[key]


def _is_same(there: Mapping[str, Any], meant: Mapping[str, Any]) -> bool:
    """Tell whether a task asks what is meant; what others said of the item may have changed meanwhile."""
    one, other = ({name: value for name, value in data.items() if name != OTHERS} for data in (there, meant))
    return one == other


def _count(value: object, otherwise: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else otherwise
