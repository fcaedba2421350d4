"""One step: a stage's work on one partition. It remembers what it read, and writes say what they were made from."""

from collections.abc import Iterator, Sequence

import pyarrow as pa

from cupel.config.project import Project
from cupel.errors import LakeError
from cupel.lake.annotator_actions import Action
from cupel.lake.draw_log import AWAITED, DRAWS
from cupel.lake.guideline_log import GUIDELINES, GuidelineVersion, check_in_force, name_history, read_versions
from cupel.lake.lake import ABSENT, ROWS_PER_GROUP, Commit, Data, Lake
from cupel.lake.log_references import check_references
from cupel.lake.send_back_log import SEND_BACKS, SendBack, name_send_backs
from cupel.versions.code_version import code_version


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
        """Return the answers of a batch for these purposes, and remember how far the log reached.

        Raises:
            AnswerError: The log is damaged, or lacks what a table of the batch or of this step was made from.
        """
        check_references(self.lake, {batch, self.partition})
        self._inputs[f"answers:{'+'.join(purposes)}@{batch}"] = self.lake.answers.version(batch, purposes)
        return self.lake.answers.read(batch, purposes)

    def actions(self, batch: str) -> dict[str, Action]:
        """Return what was done about annotators of a batch and holds, by name, and remember it; see `answers`."""
        check_references(self.lake, {batch, self.partition})
        self._inputs[f"actions@{batch}"] = self.lake.actions.version(batch)
        return self.lake.actions.in_force(batch)

    def send_backs(self, batch: str) -> list[SendBack]:
        """Return the send-backs of a batch, the earliest first, and remember them if there are any; see `answers`."""
        check_references(self.lake, {batch, self.partition})
        found = self.lake.send_backs.read(batch)
        if found:  # what is made where nothing was ever sent back is as it was before there were send-backs
            self._inputs[f"{SEND_BACKS}@{batch}"] = name_send_backs(found)
        return found

    def light(self, batch: str) -> dict[str, float]:
        """Return the weights of a batch's annotators who are weighed down, by name; see `actions`."""
        return {name: action.weight for name, action in self.actions(batch).items() if action.weight}

    def guidelines(self) -> list[GuidelineVersion]:
        """Return the versions of the project's guideline, the last being in force, and remember them.

        None of a project without a guideline.

        Raises:
            ProjectError: The project file asks for another ontology than the version in force.
        """
        if self.project.labeling.guideline is None:
            return []
        found = read_versions(self.lake.log(GUIDELINES))
        check_in_force(found, self.project)
        self._inputs[f"{GUIDELINES}@{self.partition}"] = name_history(found)
        return found

    def awaits_draw(self) -> None:
        """Remember that a draw awaits its witness: what is written now is made anew until it is there."""
        self._inputs[f"{DRAWS}@{self.partition}"] = AWAITED

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
        version = code_version(self.project, table, self.partition)
        return self.lake.write(table, self.partition, data, self._inputs, version, is_sorted)
