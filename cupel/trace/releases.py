"""What became of one item in a release: frozen, audited or not, judged by experts, handed over as what."""

import json
import re
from dataclasses import dataclass
from typing import Any

from cupel.contract.format_check import check_number
from cupel.contract.format_numbers import RELEASE
from cupel.errors import FormatError, LakeError
from cupel.release import layout
from cupel.release.frozen_terms import FrozenTerms
from cupel.release.places import release_file, release_place
from cupel.store.store import MissingError, Store, describe_place, hash_content
from cupel.trace.label_id import LabelId
from cupel.trace.reading import Reader, Row, equal
from cupel.trace.stages import Gate, gates


@dataclass(frozen=True)
class Standing:
    """A release that holds the item's batch: its row of release_plan, and whether it holds the item."""

    release: str
    plan: Row
    is_held: bool


@dataclass(frozen=True)
class File:
    """The file of the release's folder that the item lies in; `is_intact`: its bytes are as the manifest says."""

    path: str
    sha256: str
    is_intact: bool


@dataclass(frozen=True)
class Folder:
    """The release's folder: its hash as its manifest tells it, and the item's file, if it is in one."""

    path: str
    release_sha256: str
    file: File | None


@dataclass(frozen=True)
class Released:
    """One release as one item sees it: rows of its tables, None where there is none (yet).

    `item` is its row of release_items; `verdict` of audit or adjudications; `audit_result` and `certificate`
    speak of the whole release; `training` or `withheld` of the item at its end, `left_out` where
    the release was frozen without it.
    """

    release: str
    plan: Row
    item: Row | None
    audit: Row | None
    adjudication: Row | None
    tasks: tuple[Row, ...]
    audit_result: Row | None
    certificate: Row | None
    training: Row | None
    withheld: Row | None
    left_out: Row | None
    gates: tuple[Gate, ...]
    folder: Folder | None

    @property
    def terms(self) -> FrozenTerms:
        """What the plan freezes.

        Raises:
            CupelError: It is not as a release is frozen with.
        """
        return FrozenTerms.from_plan(self.plan)

    @property
    def is_accepted(self) -> bool | None:
        """Whether the item's label stands without an expert; None while the audit is open."""
        if self.item is None or self.audit_result is None or self.audit_result["status"] == "open":
            return None
        return bool(self.item["risk_rank"] <= self.audit_result["accepted"])


def standings(reader: Reader, name: LabelId) -> tuple[Standing, ...]:
    """Return the releases that hold an item's batch, the latest first.

    Later is what knows more answers; of those that know the same, what has the greater number.
    """
    found = []
    for release in reader.partitions("release_plan"):
        plan = reader.one("release_plan", release)
        if plan is not None and name.batch in plan["batches"]:
            is_held = _item(reader, name, release) is not None
            found.append(Standing(release, plan, is_held))
    return tuple(sorted(found, key=lambda one: _age(one.release, one.plan), reverse=True))


def _age(release: str, plan: Row) -> tuple[int, int, str]:
    number = re.search(r"-r([0-9]{1,9})$", release)
    return plan["answers_until"], int(number[1]) if number else 0, release


def choose(standing: tuple[Standing, ...], reader: Reader, name: LabelId, release: str | None) -> Standing | None:
    """Return the release to tell of: the one that is named, or the latest that holds the item.

    Raises:
        LakeError: The release that is named is not there, or does not hold the item's batch.
    """
    if release is None:
        return next((one for one in standing if one.is_held), standing[0] if standing else None)
    for one in standing:
        if one.release == release:
            return one
    there = reader.partitions("release_plan")
    with_batch = ", ".join(one.release for one in standing) or "none"
    if release in there:
        raise LakeError(
            f"release {release!r} does not hold batch {name.batch}; of the releases, these do: {with_batch}"
        )
    raise LakeError(f"release {release!r}: not planned; releases with batch {name.batch}: {with_batch}")


def released(reader: Reader, name: LabelId, standing: Standing) -> Released:
    """Return what became of an item in a release."""
    release, own = standing.release, equal(batch=name.batch, item_id=name.item_id)
    training = reader.one("training_set", release, own)
    withheld = reader.one("withheld_items", release, own)
    return Released(
        release=release,
        plan=standing.plan,
        item=_item(reader, name, release),
        audit=reader.one("audit", release, own),
        adjudication=reader.one("adjudications", release, own),
        tasks=tuple(reader.rows("release_tasks", release, own)),
        audit_result=reader.one("audit_result", release),
        certificate=reader.one("certificate", release),
        training=training,
        withheld=withheld,
        left_out=reader.one("left_out_items", release, own),
        gates=gates(reader, release, name.item_id),
        folder=_folder(reader, release, training, withheld),
    )


def _item(reader: Reader, name: LabelId, release: str) -> Row | None:
    return reader.one("release_items", release, equal(batch=name.batch, item_id=name.item_id))


def _folder(reader: Reader, release: str, training: Row | None, withheld: Row | None) -> Folder | None:
    """Return the release's folder; None where it was not handed over, or lies elsewhere now."""
    store, place = reader.lake.store, describe_place(reader.lake.store, release_place(release))
    told = describe_place(store, release_file(release, layout.MANIFEST_FILE))
    try:
        manifest: dict[str, Any] = json.loads(store.read(release_file(release, layout.MANIFEST_FILE)).decode())
        check_number(manifest.get("format", 1), RELEASE, place)
        said = {str(file["path"]): str(file["sha256"]) for file in manifest["files"]}
        sha256 = str(manifest["release_sha256"])
    except MissingError:
        return None
    except FormatError as error:
        reader.fails(str(error))
        return None
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        reader.fails(f"{told}: not the manifest of a release: {error}")
        return None
    if sha256 != layout.release_sha256(manifest):
        reader.fails(f"{told}: altered: it is not what its release_sha256 covers")
    name = None if withheld is None else layout.WITHHELD_FILE
    name = name if training is None else f"data/{training['split']}.parquet"
    if name is not None and name not in layout.TABLE_FILES:
        reader.fails(f"training_set: split {training['split'] if training else None!r}: no file of a release")
        name = None
    file = None if name is None else File(name, said.get(name, ""), _sha256(store, release, name) == said.get(name))
    return Folder(place, sha256, file)


def _sha256(store: Store, release: str, name: str) -> str | None:
    try:
        return hash_content(store, release_file(release, name))
    except (MissingError, OSError):
        return None
