"""Whether a table is what a run would make of it now; not what its gate says of it."""

from pathlib import Path

from cupel.config.project import Project
from cupel.contract.stages import stage_of
from cupel.lake.lake import Commit, Lake
from cupel.lake.send_back_log import READERS, SEND_BACKS
from cupel.sources.files import known_sha256, source_files
from cupel.sources.register import delivery_folder
from cupel.store.files import is_file
from cupel.versions.code_version import code_version, describe_change


def why_not_as_made(lake: Lake, project: Project, data: Path, table: str, partition: str) -> str | None:
    """Return why a table is not what a run would write now, whatever its gate says; None if it is.

    Args:
        lake: The project's lake.
        project: The project, its registered deliveries among them.
        data: Folder that deliveries of the project file are named relative to.
        table: A table of the chain.
        partition: Batch or release.
    """
    commit = lake.commit(table, partition)
    if commit is None:
        return "it was never made"
    version = code_version(project, table, partition)
    if commit.code_version != version:
        return describe_change(commit.code_version, version, table)
    changed = [name for name, value in commit.inputs.items() if not _is_file(name) and lake.version(name) != value]
    if changed:
        return f"{changed[0]} changed"
    sent_back = f"{SEND_BACKS}@{partition}"
    # What was made before anything was sent back names no send-backs among its inputs.
    if table in READERS and sent_back not in commit.inputs and lake.send_backs.read(partition):
        return f"{sent_back} changed"
    if not has_all_parts(lake, commit):
        return "a part of it is missing or cut short"
    return _why_files_differ(lake, project, data, commit)


def has_all_parts(lake: Lake, commit: Commit) -> bool:
    """Tell whether every file of a table that its commit names is there, of the size that was written."""
    return lake.has_parts(commit)


def _why_files_differ(lake: Lake, project: Project, data: Path, commit: Commit) -> str | None:
    remembered = {name.removeprefix("file:"): value for name, value in commit.inputs.items() if _is_file(name)}
    found: dict[str, str | None]
    if stage_of(commit.table).name == "raw":
        folder = delivery_folder(lake, commit.partition, data)
        patterns = project.raw.deliveries[commit.partition].files
        files = source_files(commit.partition, patterns, folder, project.modality.endings)
        found = {file.name: known_sha256(file.path) for file in files}
    else:
        found = {name: known_sha256(data / name) if is_file(data / name) else None for name in remembered}
    names = sorted(name for name in {*found, *remembered} if found.get(name) != remembered.get(name))
    return f"file {names[0]} changed" if names else None


def _is_file(name: str) -> bool:
    return name.startswith("file:")
