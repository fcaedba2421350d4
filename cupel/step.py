"""One step: a stage's work on one partition. It remembers what it read, and writes say what they were made from."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pyarrow as pa

import cupel
from cupel.annotators.actions import Action
from cupel.config.project import Project
from cupel.errors import LakeError
from cupel.lake import ABSENT, ROWS_PER_GROUP, Commit, Data, Lake
from cupel.tables import TABLES

# The settings and the code that decide a stage's values; a change of either makes its tables stale.
SECTIONS = {
    "raw": ("raw",),
    "cleaning": ("cleaning",),
    "contamination": ("cleaning",),
    "labeling": ("labeling",),
    "checking": ("labeling", "checking"),
    "tasks": ("labeling",),
    "release": ("labeling", "release", "prices", "licences"),
    "gates": ("thresholds", "expectations", "cleaning", "labeling", "release", "licences"),
}
PACKAGES = {
    "raw": ("sources", "preference"),
    "cleaning": ("cleaning", "languages"),
    "contamination": ("cleaning", "certificate", "checking", "answers"),
    "labeling": ("consensus", "preference", "answers", "annotators"),
    "checking": ("checking", "consensus", "preference"),
    "tasks": ("answers",),
    "release": ("release", "certificate", "answers"),
    "gates": (),
}
# Where experts decide before the freeze, they are asked by what the audit will ask for.
PACKAGES_OF_ROUNDS = ("answers", "certificate")
# What decides values beside Python: rules as data, and the model of languages.
CODE = (".py", ".toml", ".npz")


class Step:
    """What a stage works with: the project, the lake, one partition.

    Args:
        lake: The project's lake.
        project: The project.
        partition: Batch or release.
    """

    def __init__(self, lake: Lake, project: Project, partition: str) -> None:
        self.lake = lake
        self.project = project
        self.partition = partition
        self._inputs: dict[str, str] = {}

    @property
    def inputs(self) -> dict[str, str]:
        """Names and content hashes of all that was read so far."""
        return dict(self._inputs)

    def read(self, table: str, partition: str | None = None, columns: Sequence[str] | None = None) -> pa.Table:
        """Return a table or some of its columns, and remember its hash.

        Args:
            table: Name of the table.
            partition: Another partition than this step's.
            columns: Columns to read; None for all.
        """
        self.uses(table, partition)
        return self.lake.read(table, partition or self.partition, columns)

    def is_there(self, table: str, partition: str) -> bool:
        """Tell whether a table of another partition is there, and remember the answer."""
        if self.lake.commit(table, partition) is None:
            self._inputs[f"{table}@{partition}"] = ABSENT
            return False
        self.uses(table, partition)
        return True

    def read_batches(
        self, table: str, partition: str | None = None, columns: Sequence[str] | None = None, rows: int = ROWS_PER_GROUP
    ) -> Iterator[pa.Table]:
        """Yield a table or some of its columns in pieces, in the order of its key, and remember its hash.

        Args:
            table: Name of the table.
            partition: Another partition than this step's.
            columns: Columns to read; None for all.
            rows: Most rows of a piece.
        """
        self.uses(table, partition)
        return self.lake.read_batches(table, partition or self.partition, rows, columns)

    def uses(self, table: str, partition: str | None = None) -> Commit:
        """Remember that a table is an input, without reading it; return its commit."""
        partition = partition or self.partition
        commit = self.lake.commit(table, partition)
        if commit is None:
            raise LakeError(f"table {table}, partition {partition}: not there yet; run the stage that writes it")
        self._inputs[f"{table}@{partition}"] = commit.hash
        return commit

    def answers(self, batch: str, *purposes: str) -> pa.Table:
        """Return the answers of a batch for these purposes, and remember how far the log reached."""
        self._inputs[f"answers:{'+'.join(purposes)}@{batch}"] = self.lake.answers.version(batch, purposes)
        return self.lake.answers.read(batch, purposes)

    def actions(self, batch: str) -> dict[str, Action]:
        """Return what was done about annotators of a batch and holds, by name, and remember it."""
        self._inputs[f"actions@{batch}"] = self.lake.actions.version(batch)
        return self.lake.actions.in_force(batch)

    def file(self, name: str, sha256: str) -> None:
        """Remember a file from outside the lake by its hash."""
        self._inputs[f"file:{name}"] = sha256

    def write(self, table: str, data: Data, is_sorted: bool = False) -> Commit:
        """Write a table of this step's partition, with all inputs so far.

        Args:
            table: Name of the table.
            data: Its rows.
            is_sorted: They come in the order of the table's key already.
        """
        version = code_version(self.project, TABLES[table].stage, self.partition)
        return self.lake.write(table, self.partition, data, self._inputs, version, is_sorted)


def code_version(project: Project, stage: str, partition: str | None = None) -> str:
    """Return what changes when a stage's code or settings do.

    Args:
        project: The project.
        stage: A stage of `cupel.tables`.
        partition: For the raw stage, the batch: only its own delivery's settings count. None for all.

    Returns:
        12 hexadecimal digits of the code, a dash, 12 of the settings.
    """
    settings = project.section_hash(*SECTIONS[stage])
    if stage == "raw" and partition in project.raw.deliveries:
        delivery = project.raw.deliveries[partition]
        settings = hashlib.sha256(delivery.model_dump_json().encode()).hexdigest()[:12]
    if stage in ("cleaning", "contamination") and project.licences:
        # Which licences there are, and which is better, decides what is kept; their terms do not.
        names = json.dumps([settings, project.licence_names])
        settings = hashlib.sha256(names.encode()).hexdigest()[:12]
    packages = PACKAGES[stage]
    if stage == "checking" and project.checking.rounds:
        settings = hashlib.sha256(f"{settings}/{project.release.error_budget}".encode()).hexdigest()[:12]
        packages = (*packages, *PACKAGES_OF_ROUNDS)
    return f"{_code_hash(packages)}-{settings}"


@cache
def _code_hash(packages: tuple[str, ...]) -> str:
    digest = hashlib.sha256()
    root = Path(cupel.__file__).parent
    for package in packages:
        for path in sorted(path for path in (root / package).glob("**/*") if path.suffix in CODE):
            digest.update(path.read_bytes())
    digest.update((root / "tables.py").read_bytes())
    lock = root.parent / "requirements.lock"
    if lock.is_file():  # other versions of libraries may give other values
        digest.update(lock.read_bytes())
    if not packages:  # gates: what they ask is declared beside the library
        for path in sorted((root.parent / "expectations").glob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
