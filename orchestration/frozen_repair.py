"""Repairing what a release froze: no step makes it again, so it is put together of what is left, or rebuilt beside."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import pyarrow.parquet as pq

from cupel.contract.stages import STAGES
from cupel.contract.table import from_rows
from cupel.contract.tables import TABLES
from cupel.contract.tables.release import RELEASE_PLAN
from cupel.errors import CupelError
from cupel.lake.lake import COMMIT, Commit, Lake, parse_commit
from cupel.release import layout
from cupel.release.pieces import reader
from cupel.release.places import release_file, release_place
from cupel.store.files import find_files, read_file, temporary_folder
from cupel.store.sealed import seal_json
from orchestration.deployment import Deployment
from orchestration.rebuild import rebuild

PLAN = "release_plan"
Key = tuple[str, str]
FROZEN = next(step.tables for step in STAGES["release"].steps if step.freezes)


class FrozenRepair:
    """The repair of the tables that one release froze.

    Args:
        deployment: Where projects, data and lake are.
        lake: The project's lake.
        release: The release.
    """

    def __init__(self, deployment: Deployment, lake: Lake, release: str) -> None:
        self._deployment = deployment
        self._lake = lake
        self._release = release

    def restore(self, wanted: dict[str, str | None], moved: dict[str, Path]) -> Iterator[str]:
        """Put back tables as they were, where their hashes say that they are the same; yield what went wrong.

        Args:
            wanted: Hash of each table, if it is known; without it nothing could tell that a table is the same.
            moved: Where the damaged folders lie now.
        """
        known = {table: hash_ for table, hash_ in wanted.items() if hash_ is not None}
        sibling = self._sibling()
        left = [table for table in sorted(known, key=lambda table: table != PLAN)
                if not self._from_parts(table, known[table], moved.get(table), sibling)]  # fmt: skip
        if PLAN in left and sibling is not None and self._from_certificate(known[PLAN], sibling):
            left.remove(PLAN)
        if left and PLAN not in left:
            keys = {(table, self._release): known[table] for table in left}
            folders = {(table, self._release): path for table, path in moved.items()}
            yield from self.restore_from_rebuilt(keys, folders)[1]

    def restore_from_rebuilt(
        self, wanted: dict[Key, str], moved: dict[Key, Path], *, with_folder: bool = False
    ) -> tuple[set[Key], list[str]]:
        """Rebuild the release in a lake of its own, and bring what of it is the same; return what was, and problems.

        Args:
            wanted: Hash of each table, by table and partition.
            moved: Where the damaged folders lie now: what a table was made of is read there.
            with_folder: Bring the release's folder too, where its manifest is the same.
        """
        brought: set[Key] = set()
        with temporary_folder("cupel-lake-") as root:
            try:
                rebuild(self._deployment, self._lake.project, self._release, root)
            except CupelError as error:
                return brought, [f"it cannot be rebuilt: {error}"]
            copy = Lake(root, self._lake.project)
            for (table, partition), hash_ in wanted.items():
                made = copy.commit(table, partition)
                if made is None or made.hash != hash_:
                    continue
                then = (
                    read_moved_commit(moved.get((table, partition)))
                    or (self._sibling() if table in FROZEN else None)
                    or made
                )
                rows = reader(copy.read_batches(table, partition), TABLES[table])
                self._lake.write(table, partition, rows, then.inputs, then.code_version, is_sorted=True)
                if table == "manifest" and with_folder:
                    self._bring_folder(copy)
                brought.add((table, partition))
        return brought, []

    def _bring_folder(self, copy: Lake) -> None:
        """Copy the release's files, the manifest last: without one there is no release."""
        place = release_place(self._release)
        names = [one.name for one in copy.store.list(place)]
        for name in sorted(names, key=release_file(self._release, layout.MANIFEST_FILE).__eq__):
            with copy.store.open(name) as source, self._lake.store.new(place) as new:
                shutil.copyfileobj(source, new.file)
                new.put(name)

    def _sibling(self) -> Commit | None:
        """Return the commit of a table that was frozen in the same step: it has the same inputs and version."""
        for table in FROZEN:
            with suppress(CupelError):
                if (commit := self._lake.commit(table, self._release)) is not None:
                    return commit
        return None

    def _from_parts(self, table: str, hash_: str, moved: Path | None, sibling: Commit | None) -> bool:
        """Write the commit again, where its part is whole and a table frozen with it says what it was made of."""
        if moved is None or sibling is None:
            return False
        for part in find_files(moved, "part-*.parquet"):
            raw = read_file(part)
            sha256 = hashlib.sha256(raw).hexdigest()
            digest = hashlib.sha256(f"{TABLES[table].schema.to_string()}{part.name}".encode())
            if part.name != f"part-{sha256}.parquet" or digest.hexdigest() != hash_:
                continue
            folder, rows = self._lake.partition_name(table, self._release), pq.read_metadata(BytesIO(raw)).num_rows
            self._lake.store.put(f"{folder}/{part.name}", raw)
            content = {
                "table": table, "partition": self._release, "hash": hash_, "rows": rows,
                "parts": [{"name": part.name, "rows": rows, "bytes": len(raw), "sha256": sha256}],
                "inputs": sibling.inputs, "code_version": sibling.code_version,
            }  # fmt: skip
            self._lake.store.put(f"{folder}/{COMMIT}", seal_json(content))
            return True
        return False

    def _from_certificate(self, hash_: str, sibling: Commit) -> bool:
        """Write the plan again as the released certificate has it."""
        name = release_file(self._release, layout.CERTIFICATE_FILE)
        try:
            plan = dict(json.loads(self._lake.store.read(name))["plan"])
            rows = from_rows([{name: plan.get(name) for name in RELEASE_PLAN.schema.names}], RELEASE_PLAN)
        except (OSError, ValueError, LookupError, TypeError, CupelError):
            return False
        commit = self._lake.write(PLAN, self._release, rows, sibling.inputs, sibling.code_version)
        return commit.hash == hash_


def read_moved_commit(moved: Path | None) -> Commit | None:
    """Return the commit of a folder that was moved aside, if it can be read."""
    if moved is None:
        return None
    with suppress(OSError, ValueError, LookupError, TypeError, AttributeError):
        return parse_commit(read_file(moved / COMMIT))
    return None
