"""The tables that a trace rests on: their hashes now, and those that the release was made from."""

from dataclasses import dataclass

from cupel.contract.stages import stage_of
from cupel.errors import LakeError
from cupel.lake.recorded_inputs import recorded_hashes
from cupel.trace.reading import Reader


@dataclass(frozen=True)
class TableUsed:
    """One table: its hash now, None where it is not there, and the hash that the release rests on, if that is known."""

    name: str
    hash: str | None
    frozen: str | None

    @property
    def is_changed(self) -> bool:
        """Whether the release was made from another one."""
        return self.hash is not None and self.frozen not in (None, self.hash)


def tables_used(reader: Reader, release: str | None) -> tuple[TableUsed, ...]:
    """Return all tables that a reader asked for, by name; other releases' are left out, and those that one never had.

    Args:
        reader: The reader, after it has read.
        release: The release to compare with; None where there is none.
    """
    frozen = {} if release is None else _frozen(reader, release)
    is_over = release is not None and release in reader.partitions("manifest")
    return tuple(
        TableUsed(name, commit and commit.hash, frozen.get(name))
        for name, commit in sorted(reader.commits.items())
        if stage_of(name.partition("@")[0]).partition != "release"
        or (name.rpartition("@")[2] == release and not (is_over and commit is None and name not in frozen))
    )


def _frozen(reader: Reader, release: str) -> dict[str, str]:
    try:
        recorded = recorded_hashes(reader.lake, release)
    except (LakeError, KeyError, TypeError, OSError) as error:
        reader.fails(f"release {release}: what it was made from cannot be told: {error}")
        return {}
    return {**recorded.ended, **recorded.frozen}
