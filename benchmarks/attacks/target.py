"""The project that is attacked: made-up sentences, a crew of three, an expert, one certified release."""

import json
import logging
import random
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from cupel.config.project import Project
from cupel.kinds.projects import load_project
from cupel.lake.lake import Lake
from cupel.release.places import release_folder
from orchestration.dagster_internals import LOGGER_OF_SKIPPED_STEPS
from orchestration.deployment import REPOSITORY, Deployment

NAME, BATCH, RELEASE = "attacked", "one", "one-r1"
# Dagster's record, which no attack needs; and a copy of the project to which more was delivered.
HOME, LATER = "home", "later"
ITEMS = 600
CREW_ERROR = 0.05
WORDS = {
    "warm": ["sun", "fire", "summer", "ember", "desert", "lava", "toast", "candle"],
    "cold": ["ice", "snow", "winter", "glacier", "frost", "arctic", "hail", "freezer"],
}
OTHER = {"warm": "cold", "cold": "warm"}
FILLER = [
    "the", "of", "and", "was", "near", "under", "over", "with", "some", "many", "few",
    "old", "new", "bright", "dark", "small", "large", "one", "two", "three",
]  # fmt: skip


class Item(NamedTuple):
    """An item and its right label."""

    item_id: str
    text: str
    truth: str


class Target(NamedTuple):
    """A deployment of its own: an attack may spoil all of it."""

    folder: Path

    @property
    def deployment(self) -> Deployment:
        """Its places."""
        return Deployment(self.folder / "projects", self.folder / "data", str(self.folder / "lake"))

    @property
    def lake(self) -> Lake:
        """Its lake."""
        return Lake(str(self.folder / "lake"), NAME)

    @property
    def project(self) -> Project:
        """Its project, as the file has it now."""
        return load_project(self.folder / "projects" / f"{NAME}.yaml")

    @property
    def release(self) -> Path:
        """The folder of its certified release."""
        return Path(release_folder(self.lake, RELEASE))


def make_target(folder: Path) -> Target:
    """Make the project, and take it through the chain to a certified release."""
    target, items = Target(folder), make_items(ITEMS, seed=1)
    write_delivery(target, BATCH, items)
    write_answers(target, [*crew_answers(BATCH, items, seed=2), *expert_answers(BATCH, items)])
    write_project(target, [BATCH])
    run_chain(target)
    if not target.release.is_dir():
        raise SystemExit(f"the small project has no certified release in {target.release}; nothing can be attacked")
    return target


@contextmanager
def copy_target(target: Target, folder: Path) -> Iterator[Target]:
    """Yield a copy of a target that may be spoiled; it is removed afterwards."""
    copy = Target(Path(shutil.copytree(target.folder, folder, ignore=shutil.ignore_patterns(HOME, LATER))))
    if (target.folder / LATER).is_dir():
        (folder / LATER).symlink_to(target.folder / LATER)
    try:
        yield copy
    finally:
        shutil.rmtree(folder)


def make_items(number: int, seed: int, first: int = 0) -> list[Item]:
    """Make items whose sentences do not resemble each other."""
    rng = random.Random(seed)
    items = []
    for place in range(first, first + number):
        truth = rng.choice(list(WORDS))
        words = rng.sample(WORDS[truth], 2) + rng.sample(FILLER, 5)
        words += ["".join(rng.choices("abcdefghijklmnoprstuvw", k=6)) for _ in range(6)]
        rng.shuffle(words)
        items.append(Item(f"i{place}", " ".join(words), truth))
    return items


def write_delivery(target: Target, batch: str, items: Iterable[Item]) -> None:
    """Write a batch as JSON Lines."""
    rows = [json.dumps({"id": item.item_id, "text": item.text}) for item in items]
    put(target, f"{batch}.jsonl", "\n".join(rows) + "\n")


def crew_answers(batch: str, items: Iterable[Item], seed: int) -> Iterator[str]:
    """Yield what three annotators say, who err now and then."""
    rng = random.Random(seed)
    for item in items:
        for annotator in ("ann", "bob", "cy"):
            said = OTHER[item.truth] if rng.random() < CREW_ERROR else item.truth
            yield f"{batch},{item.item_id},label,{annotator},{said}"


def expert_answers(batch: str, items: Iterable[Item]) -> Iterator[str]:
    """Yield what an honest expert says."""
    for item in items:
        yield f"{batch},{item.item_id},expert,eve,{item.truth}"


def write_answers(target: Target, rows: Iterable[str]) -> None:
    """Write the recorded answers, in the place of those that were there."""
    put(target, "answers.csv", "\n".join(["batch,item_id,purpose,annotator,label", *rows]) + "\n")


def put(target: Target, name: str, content: str | bytes) -> None:
    """Write a file of the project's data."""
    path = target.folder / "data" / NAME / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def write_project(target: Target, files: Iterable[str] | dict[str, str], **release: Any) -> None:
    """Write the project file.

    Args:
        target: The target.
        files: Its batches; or of each batch its file.
        release: What the section `release` says otherwise.
    """
    named = files if isinstance(files, dict) else {batch: f"{batch}.jsonl" for batch in files}
    content = {
        "project": NAME,
        "title": "Warm or cold",
        "owner": "team@example.org",
        "raw": {
            "deliveries": {batch: {"files": [f"{NAME}/{file}"], "licence": "CC0-1.0"} for batch, file in named.items()}
        },
        "labeling": {
            "question": "Warm or cold?",
            "classes": list(WORDS),
            "overlap": {"first": 3, "most": 3},
            "answers": [f"{NAME}/answers.csv"],
            "experts": {"answers": 1, "description": "one expert"},
        },
        "release": {"error_budget": 0.05, "audit_size": 200, "max_experts_seen_share": 0.9, **release},
    }
    path = target.folder / "projects" / f"{NAME}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content, sort_keys=False))


def run_chain(target: Target) -> None:
    """Do what `make run` does.

    Raises:
        SystemExit: A run broke.
    """
    # These take seconds to load, and most attacks need none of them.
    import dagster as dg

    from orchestration.rounds import Rounds

    logging.getLogger("dagster").setLevel(logging.ERROR)
    logging.getLogger(LOGGER_OF_SKIPPED_STEPS).setLevel(logging.CRITICAL)
    home = target.folder / HOME
    home.mkdir(exist_ok=True)
    shutil.copy(REPOSITORY / "orchestration" / "dagster.yaml", home)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        done = Rounds(target.project, target.deployment, instance).run()
    if done.broken:
        raise SystemExit(f"{done.broken[0].job}, {done.broken[0].partition}: {done.broken[0].error}")
