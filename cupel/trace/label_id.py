"""The id of a label, as people give it: which item of which batch of which project it stands on."""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

import duckdb

from cupel.contract.stages import partitioned_stages
from cupel.errors import LakeError
from cupel.lake.lake import Lake
from cupel.store.files import is_folder, list_folder
from cupel.trace.reading import Reader, equal

MOST_CHARACTERS = 2_000
FORMS = "expected BATCH/ITEM_ID or RELEASE/ITEM_ID, such as movies/17, with or without PROJECT/ before it"


class LabelId(NamedTuple):
    """Project, batch and item; `item_id` may also be a row of the delivery, as `file:line`."""

    project: str
    batch: str
    item_id: str

    def __str__(self) -> str:
        """Return the id as it is given on the command line."""
        return "/".join(self)


class Found(NamedTuple):
    """What a label id names: the item, the release if it names one, and a reader of the project's lake."""

    label_id: LabelId
    release: str | None
    reader: Reader


class _Reading(NamedTuple):
    """One way to take a label id apart; `holds` is a batch or release of the project."""

    project: str
    holds: str
    item_id: str

    def __str__(self) -> str:
        return "/".join(self)


def find(root: Path, text: str) -> Found:
    """Find what a label id names; whether there is such an item is not looked up.

    Args:
        root: Folder of the deployment's lake.
        text: `[project/]batch/item_id`, or `[project/]release/item_id`; where a release holds several batches, also
            `[project/]release/batch/item_id`. An item's id may hold slashes itself. The project may be left out
            where no other one has a batch or release of that name.

    Raises:
        LakeError: It is malformed, names nothing that is in the lake, or could name several; says what is there.
    """
    _check(text)
    lakes = _lakes(root)
    readings = list(_readings(lakes, text))
    if not readings:
        raise LakeError(_unknown(lakes, text))
    if len(readings) > 1:
        several = ", ".join(repr(str(reading)) for reading in readings)
        raise LakeError(f"label id {_short(text)}: could be any of {several}; name one of them")
    project, holds, item_id = readings[0]
    reader = Reader(lakes[project])
    if holds in _batches(reader.lake):
        return Found(LabelId(project, holds, item_id), None, reader)
    return Found(_of_release(reader, holds, item_id), holds, reader)


def _check(text: str) -> None:
    if "/" not in text or not all(text.split("/", 1)):
        raise LakeError(f"label id {_short(text)}: {FORMS}")
    if len(text) > MOST_CHARACTERS:
        raise LakeError(f"label id {_short(text)}: longer than {MOST_CHARACTERS:,} characters; {FORMS}")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise LakeError(f"label id {_short(text)}: not UTF-8; {FORMS}") from None
    if "\0" in text:
        raise LakeError(f"label id {_short(text)}: holds a null character; {FORMS}")


def _lakes(root: Path) -> dict[str, Lake]:
    """Return the lakes of a deployment's projects, by name."""
    if not is_folder(root):
        raise LakeError(f"{root}: no lake here; name its folder with --lake or CUPEL_LAKE")
    names = [path.name for path in list_folder(root) if is_folder(path / "tables")]
    if not names:
        raise LakeError(f"{root}: no project in this lake yet; `make run` makes the first tables")
    # For so few rows more threads cost more than they bring.
    connection = duckdb.connect(config={"threads": 1})
    return {name: Lake(root, name, connection) for name in names}


def _readings(lakes: dict[str, Lake], text: str) -> Iterator[_Reading]:
    """Yield what a text can mean; where it begins with a project and a batch or release of it, nothing else."""
    project, *rest = text.split("/", 2)
    if project in lakes and len(rest) == 2 and rest[1] and rest[0] in _names(lakes[project]):
        yield _Reading(project, rest[0], rest[1])
        return
    holds, item_id = text.split("/", 1)
    yield from (_Reading(name, holds, item_id) for name, lake in lakes.items() if holds in _names(lake))


def _names(lake: Lake) -> list[str]:
    return [*_batches(lake), *lake.partitions("release_plan")]


def _batches(lake: Lake) -> list[str]:
    tables = [table for stage in partitioned_stages("batch") for table in stage.tables]
    return sorted({batch for table in tables for batch in lake.partitions(table)})


def _of_release(reader: Reader, release: str, item_id: str) -> LabelId:
    """Return the item that a release's name and an id name."""
    project, plan = reader.lake.project, reader.one("release_plan", release)
    batches: Sequence[str] = plan["batches"] if plan else ()
    if len(batches) == 1:
        return LabelId(project, batches[0], item_id)
    before, _, after = item_id.partition("/")
    if before in batches and after:
        return LabelId(project, before, after)
    holding = [row["batch"] for row in reader.rows("release_items", release, equal(item_id=item_id), ["batch"])]
    if len(holding) == 1:
        return LabelId(project, holding[0], item_id)
    of = f"{len(holding)} of its batches have" if holding else "none of its batches has"
    raise LakeError(
        f"release {release}: {of} an item {_short(item_id)}; name the batch, one of "
        f"{', '.join(holding or batches) or 'none'}: {project}/{release}/BATCH/ITEM_ID"
    )


def _unknown(lakes: dict[str, Lake], text: str) -> str:
    """Return the message for an id whose project, batch or release is not there: what is, and what comes near."""
    project, *rest = text.split("/", 2)
    if project in lakes and len(rest) == 2:
        names = _names(lakes[project])
        near = [f"{project}/{name}/{rest[1]}" for name in get_close_matches(rest[0], names)]
        what = f"project {project} has no batch or release {rest[0]!r}; it has {', '.join(names) or 'none yet'}"
    else:
        names = sorted({name for lake in lakes.values() for name in _names(lake)})
        near = [f"{name}/{'/'.join(rest)}" for name in get_close_matches(project, [*lakes, *names])]
        what = (
            f"no batch or release {project!r} in the lake; its projects: {', '.join(lakes)}; batches and releases: "
            f"{', '.join(names[:20]) or 'none yet'}"
        )
    return f"label id {_short(text)}: {what}{f'. Meant is perhaps {near[0]!r}' if near else ''}; {FORMS}"


def _short(text: str) -> str:
    return repr(text if len(text) <= 100 else text[:99] + "…")
