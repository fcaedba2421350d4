"""Attacks by deliveries: items that were audited come again under another name, and are to count as new.

All of them are delivered at once, after the first batch was taken out of the project file: each brings a hundred items
of it that no other brings. So each is counted for what it shares with the first release, and for nothing else.
"""

import csv
import io
import json
import logging
import random
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.attacks.accepted_files import LOOK_ALIKE
from benchmarks.attacks.attack import Attack, AttackError, Finding, Outcome
from benchmarks.attacks.target import (
    BATCH,
    ITEMS,
    LATER,
    NAME,
    OTHER,
    RELEASE,
    Item,
    Target,
    crew_answers,
    make_items,
    put,
    run_chain,
    write_answers,
    write_delivery,
    write_project,
)
from cupel.lake.lake import Lake
from cupel.lake.step import Step
from cupel.release.earlier_audits import read_earlier_audits
from cupel.release.plan import find_audited_before

DOOR = "deliveries"
SHARED = 100
# A character that nobody sees and cleaning keeps: it joins letters for sorting, and has no shape.
SHAPELESS = "\u034f"
SKIPPED = shutil.ignore_patterns("home")


class Delivery(NamedTuple):
    """A delivery of after the first audit.

    `truth` of its items is what the crew says, whatever is true; `is_table` is delivered as CSV with a byte order mark.
    """

    batch: str
    items: list[Item]
    is_table: bool = False


def make_deliveries() -> list[Delivery]:
    """Return all that is delivered after the first audit."""
    known = make_items(ITEMS, seed=1)
    parts = [known[place : place + SHARED] for place in range(0, ITEMS, SHARED)]
    rng = random.Random(13)
    fresh = make_items(2 * SHARED, seed=14, first=ITEMS)
    return [
        Delivery("renamed", parts[0]),
        Delivery("encoded", [_encode(item) for item in reversed(parts[1])], True),
        Delivery("relabelled", [item._replace(truth=OTHER[item.truth]) for item in parts[2]]),
        Delivery("mixed", [*parts[3][: SHARED // 2], *fresh[: SHARED // 2]]),
        Delivery("letters", [item._replace(text=item.text.translate(LOOK_ALIKE)) for item in parts[3][SHARED // 2 :]]),
        Delivery("near", [item._replace(text=f"{item.text} indeed") for item in parts[4]]),
        Delivery("padded", [item._replace(text=f"{item.text} {_make_words(item, rng)}") for item in parts[5]]),
        Delivery("shapeless", [item._replace(text=SHAPELESS.join(item.text)) for item in parts[0]]),
        Delivery("fresh", fresh[SHARED:]),
    ]


def _encode(item: Item) -> Item:
    return item._replace(text=item.text.upper().replace(" ", "\u00a0 ").replace("E", "E\u200b"))


def _make_words(item: Item, rng: random.Random) -> str:
    return " ".join("".join(rng.choices("abcdefghijklmnop", k=6)) for _ in range(len(item.text) // 5))


def deliver_all(target: Target) -> None:
    """Deliver all of it to a copy of the target, whose project file no longer names the first batch; freeze it."""
    if (target.folder / LATER).is_dir():
        return
    begun = target.folder.with_name(f"{target.folder.name}-{LATER}")
    later = Target(Path(shutil.copytree(target.folder, begun)))
    deliveries = make_deliveries()
    for one in deliveries:
        if one.is_table:
            put(later, f"{one.batch}.csv", _format_table(one.items))
        else:
            write_delivery(later, one.batch, one.items)
    write_answers(later, _answer_all(deliveries))
    files = {one.batch: f"{one.batch}.{'csv' if one.is_table else 'jsonl'}" for one in deliveries}
    write_project(later, files, audit_size=SHARED // 2)
    run_chain(later)
    begun.rename(target.folder / LATER)


def _answer_all(deliveries: Iterable[Delivery]) -> Iterator[str]:
    """Yield the crew's answers; no expert answers, so that each release stays as it was frozen."""
    first = make_items(ITEMS, seed=1)
    yield from crew_answers(BATCH, first, seed=2)
    for number, one in enumerate(deliveries):
        yield from crew_answers(one.batch, one.items, seed=20 + number)


def _format_table(items: Iterable[Item]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows([["id", "text"], *([item.item_id, item.text] for item in items)])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def read_attempt(target: Target, batch: str) -> Finding:
    """Return which attempt the release of a later delivery is.

    Raises:
        AttackError: It was not frozen, so nothing was counted.
    """
    plan = _find_plan(target, batch)
    if plan["status"] != "frozen":
        raise AttackError(f"{batch}-r1 is {plan['status']}: {plan['reason']}")
    if plan["attempt"] == 1:
        return Finding(Outcome.NOT_CAUGHT, "attempt 1")
    shared = {one["release"]: one for one in json.loads(plan["audited_before"])}
    if RELEASE not in shared:
        raise AttackError(f"{batch}-r1 is attempt {plan['attempt']}, but not for {RELEASE}: {plan['audited_before']}")
    return Finding(Outcome.COUNTED, str(plan["reason"]))


def _find_plan(target: Target, batch: str) -> dict[str, Any]:
    lake = Lake(str(target.folder / LATER / "lake"), NAME)
    if lake.commit("release_plan", f"{batch}-r1") is None:
        raise AttackError(f"{batch}-r1 was never planned")
    plan: dict[str, Any] = lake.read("release_plan", f"{batch}-r1").to_pylist()[0]
    return plan


def deliver(batch: str) -> Callable[[Target], Finding]:
    """Return the attack by one delivery."""
    return lambda target: read_attempt(target, batch)


def turn_search_off(target: Target) -> Finding:
    """Deliver items with a word added to each, and set `cleaning.duplicate_similarity` to null before the freeze."""
    return _count_with(target, None)


def raise_similarity(target: Target) -> Finding:
    """Deliver items with a word added to each, and raise `cleaning.duplicate_similarity` to .999 before the freeze."""
    return _count_with(target, 0.999)


def _count_with(target: Target, similarity: float | None) -> Finding:
    """Return which attempt the near copies are, counted anew with another similarity."""
    later = Target(target.folder / LATER)
    cleaning = later.project.cleaning.model_copy(update={"duplicate_similarity": similarity})
    project = later.project.model_copy(update={"cleaning": cleaning})
    project._kind = later.project.kind
    step = Step(later.lake, project, "near-r1")
    items = later.lake.read("release_items", "near-r1", ["batch", "item_id"])
    found = find_audited_before(step, items, ["near"], later.lake)
    return Finding(Outcome.COUNTED if found.attempt > 1 else Outcome.NOT_CAUGHT, found.sentence or "attempt 1")


def draw_side_by_side(target: Target) -> Finding:
    """Put a delivery to two audits at the same moment, in two processes, so that neither knows of the other."""
    later = Target(Path(shutil.copytree(target.folder / LATER, target.folder / "copied", ignore=SKIPPED)))
    names = ("renamed-r2", "renamed-r3")
    children = [get_context("fork").Process(target=freeze_release, args=(later, name)) for name in names]
    for child in children:
        child.start()
    for child in children:
        child.join()
    found = [name for name in names if later.lake.commit("release_plan", name) is not None]
    if len(found) < len(names):
        raise AttackError(f"of {' and '.join(names)} only {found} were frozen")
    attempts = [later.lake.read("release_plan", name)["attempt"][0].as_py() for name in names]
    words = f"attempts {attempts[0]} and {attempts[1]}"
    return Finding(Outcome.COUNTED if attempts[0] != attempts[1] else Outcome.NOT_CAUGHT, words)


def freeze_release(target: Target, release: str) -> None:
    """Freeze a release, as a run on Dagster's page does.

    Raises:
        AttackError: The run broke.
    """
    import dagster as dg

    from orchestration.jobs import release_job
    from orchestration.runs import RunRequest, RunsInProcess
    from orchestration.wiring import deployment_definitions

    logging.getLogger("dagster").setLevel(logging.ERROR)
    definitions = deployment_definitions([target.project], target.deployment)
    tables = ["release_items", "planted_items", "left_out_items", "release_plan"]
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(f"{NAME}_releases", [release])
        request = RunRequest(release_job(NAME), release, tables, str(uuid.uuid4()))
        run = RunsInProcess(instance).execute(definitions, request)
    if run.error:
        raise AttackError(run.error)


def rename_project(target: Target) -> Finding:
    """Deliver the same rows to a project of another name in the same lake."""
    audits = read_earlier_audits(Lake(str(target.folder / "lake"), "renamed"), "one-r1")
    words = f"{len(audits)} earlier audits are known there, so it is attempt {1 + len(audits)}"
    return Finding(Outcome.COUNTED if audits else Outcome.NOT_CAUGHT, words)


_C, _N = Outcome.COUNTED, Outcome.NOT_CAUGHT
_DELIVERED = (
    ("fresh-items", "fresh", "Nothing: items that nobody has delivered before are the control.", Outcome.PASSED),
    ("delivery-renamed", "renamed", "Deliver the rows under another batch name, the first batch taken out.", _C),
    (
        "delivery-encoded-and-reordered",
        "encoded",
        "Deliver them as CSV, reversed, in capitals, with characters that nobody sees.",
        _C,
    ),
    ("delivery-relabelled", "relabelled", "Deliver them to a crew that says the opposite.", _C),
    ("delivery-mixed", "mixed", "Deliver fifty of them among fifty new items.", _C),
    ("delivery-letters-replaced", "letters", "Deliver them with Cyrillic letters that look the same.", _N),
    (
        "delivery-characters-without-shape",
        "shapeless",
        "Deliver them with a character that has no shape, U+034F, between all letters.",
        _N,
    ),
    ("delivery-a-word-added", "near", "Deliver them with a word added to each.", _C),
    ("delivery-a-sentence-added", "padded", "Deliver them with a made-up sentence added to each, as long as it.", _N),
)
ATTACKS = (
    *(Attack(name, DOOR, done, said, deliver(batch)) for name, batch, done, said in _DELIVERED),
    Attack("delivery-near-copies-not-searched", DOOR, str(turn_search_off.__doc__), _C, turn_search_off),
    Attack("delivery-near-copies-similarity-raised", DOOR, str(raise_similarity.__doc__), _C, raise_similarity),
    Attack("delivery-drawn-side-by-side", DOOR, str(draw_side_by_side.__doc__), _C, draw_side_by_side),
    Attack("delivery-to-another-project", DOOR, str(rename_project.__doc__), _N, rename_project),
)
