"""CVAT's tasks, as the head of an export tells them: who was assigned, and which task an image or track is of."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from typing import NamedTuple

from cupel.exchange.imports.cvat.element_keys import text_at, unread_elements
from cupel.people.tool_annotation import Notice, UnreadKey

ASSIGNEE = ("assignee/username", "assignee")
# What is read of a task or job, from its element on.
READ_OF_TASK = frozenset(
    {"id", "name", "subset", "assignee", "assignee.username", "type"}
    | {f"{many}.{one}.{key}" for many, one in (("segments", "segment"), ("jobs", "job"))
       for key in ("start", "stop", "start_frame", "stop_frame", "assignee", "assignee.username", "type")}
)  # fmt: skip


class CvatJob(NamedTuple):
    """A part of a task's frames, both ends included: who it was assigned to, and whether it is a ground truth job."""

    start: int
    stop: int
    assignee: str | None
    is_truth: bool


class CvatTask(NamedTuple):
    """A task, or a job that was exported by itself."""

    kind: str
    id: str | None
    name: str | None
    subset: str | None
    assignee: str | None
    is_truth: bool
    jobs: tuple[CvatJob, ...] = ()

    @property
    def called(self) -> str | None:
        """Return its name, else its number."""
        return self.name or self.id

    def job_of(self, frame: str | None) -> CvatJob | None:
        """Return the job that a frame is of; None where the export does not tell."""
        if frame is None or not frame.isdecimal():
            return None
        return next((job for job in self.jobs if job.start <= int(frame) <= job.stop), None)


def read_tasks(root: ElementTree.Element) -> list[CvatTask]:
    """Return the tasks of an export: one, or those of a project."""
    return [_task(element) for element in _elements(root)]


def task_of(element: ElementTree.Element, tasks: list[CvatTask]) -> CvatTask | None:
    """Return the task that an image or track is of: by its number, else by its subset, else the only one."""
    number, subset = element.get("task_id"), element.get("subset")
    for key, wanted in (("id", number), ("subset", subset)):
        found = [task for task in tasks if wanted and getattr(task, key) == wanted]
        if len(found) == 1:
            return found[0]
    return tasks[0] if len(tasks) == 1 and (not number or tasks[0].id in (None, number)) else None


def describe_tasks(name: str, root: ElementTree.Element, tasks: list[CvatTask]) -> Iterator[Notice | UnreadKey]:
    """Yield what of the head is not read, and where it does not tell who annotated."""
    for task in tasks:
        segments = [job for job in task.jobs if not job.is_truth]
        if len(segments) > 1 and task.assignee and not any(job.assignee for job in segments):
            yield Notice(
                f"{name}: task {task.called} has {len(segments)} jobs, and CVAT's export does not say who was assigned "
                f"to which: all answers are taken as {task.assignee}'s, whom the task is assigned to"
            )
    tasked = list(_elements(root))
    for meta in root.findall("meta"):
        yield from _head("meta", meta, tasked)


def _head(path: str, element: ElementTree.Element, tasked: list[ElementTree.Element]) -> Iterator[UnreadKey]:
    """Yield what of an element of the head is not read: all, but of tasks what is read of them."""
    if element in tasked:
        yield from unread_elements(1, path, element, READ_OF_TASK)
        return
    bare = ElementTree.Element(element.tag, element.attrib)
    bare.text = element.text
    yield from unread_elements(1, path, bare)
    for child in element:
        yield from _head(f"{path}.{child.tag}", child, tasked)


def _elements(root: ElementTree.Element) -> Iterator[ElementTree.Element]:
    for path in ("meta/task", "meta/job", "meta/project/tasks/task", "meta/project/task"):
        yield from root.iterfind(path)


def _task(element: ElementTree.Element) -> CvatTask:
    jobs = [_job(one) for path in ("jobs/job", "segments/segment") for one in element.iterfind(path)]
    return CvatTask(
        element.tag, text_at(element, "id"), text_at(element, "name"), text_at(element, "subset"),
        text_at(element, *ASSIGNEE), _is_truth(element), tuple(job for job in jobs if job is not None),
    )  # fmt: skip


def _job(element: ElementTree.Element) -> CvatJob | None:
    start, stop = text_at(element, "start", "start_frame"), text_at(element, "stop", "stop_frame")
    if start is None or stop is None or not (start.isdecimal() and stop.isdecimal()):
        return None
    return CvatJob(int(start), int(stop), text_at(element, *ASSIGNEE), _is_truth(element))


def _is_truth(element: ElementTree.Element) -> bool:
    return (text_at(element, "type") or "").replace(" ", "_").lower() == "ground_truth"
