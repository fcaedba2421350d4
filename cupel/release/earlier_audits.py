"""Earlier audits: which items were audited before in this lake, by their content, and which attempt a release is."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.certificate.families import Families, Keys, add_audit, count_attempt, find_keys, parse_keys, sort_keys
from cupel.certificate.hypergeometric import Integers
from cupel.cleaning.duplicates.folded_texts import hash_texts, view_text_bytes
from cupel.errors import ReleaseError
from cupel.lake.cached_rows import rows_of
from cupel.lake.draw_log import DRAWN, DRAWS
from cupel.lake.lake import Lake
from cupel.modalities.text.privacy.tokens import KEYED
from cupel.release.names import find_rows

FOLDED = "text_sha256"
_NAMES = ["batch", "item_id"]
_MOST_NAMED = 3


class EarlierAudit(NamedTuple):
    """A release whose audit came before, what it held, and what it was found to resemble.

    Attributes:
        release: Its name.
        attempt: The attempt that it was.
        batches: Its batches.
        keys: The distinct keys of its items, ascending.
        resembled: Releases that came before it and hold items that its own resemble.
    """

    release: str
    attempt: int
    batches: tuple[str, ...]
    keys: Keys
    resembled: tuple[str, ...] = ()


class SharedItems(NamedTuple):
    """How many items of a release an earlier one held as they are, and how many others resemble one that it held."""

    release: str
    same: int
    similar: int


class AuditedBefore(NamedTuple):
    """Which attempt a release is, and why: how many of its items were audited before, and in which releases."""

    attempt: int
    items: int
    audited: int
    releases: tuple[SharedItems, ...]

    @property
    def sentence(self) -> str | None:
        """Why it is not the first attempt; None where it is."""
        if self.attempt == 1:
            return None
        names = [one.release for one in self.releases]
        listed = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
        if len(names) > _MOST_NAMED:
            listed = f"{', '.join(names[:_MOST_NAMED])} and {len(names) - _MOST_NAMED} other releases"
        verb = "was" if self.audited == 1 else "were"
        counts = f"{self.audited:,} of its {self.items:,} items {verb} audited before"
        return f"attempt {self.attempt}: {counts}, in {listed}"

    def to_text(self) -> str | None:
        """Return the column `audited_before` of RELEASE_PLAN; None where no item was audited before."""
        found = [one._asdict() for one in self.releases]
        return json.dumps(found, separators=(",", ":")) if found else None


def read_earlier_audits(lake: Lake, release: str) -> list[EarlierAudit]:
    """Return the audits that were drawn in a lake before that of a release, in the order of their draws.

    Those of before draws were recorded come first, by the answers that they knew.

    Args:
        lake: The project's lake.
        release: A release; where its own audit was drawn already, what was drawn later is not among them.

    Raises:
        ReleaseError: A release was drawn, and its tables are gone.
        LakeError: A part of one is gone or was altered.
    """
    drawn = [one["release"] for one in lake.log(DRAWS).read() if (one["event"], one["part"]) == (DRAWN, "audit")]
    is_drawn = set(drawn)
    undrawn = [
        plan for name in lake.partitions("release_plan")
        if name not in is_drawn and (plan := rows_of(lake, "release_plan", name)[0])["status"] == "frozen"
    ]  # fmt: skip
    undrawn.sort(key=lambda plan: (plan["answers_until"], plan["attempt"], plan["release"]))
    order = [plan["release"] for plan in undrawn if plan["release"] != release]
    order += drawn[: drawn.index(release)] if release in is_drawn else drawn
    return [_read_audit(lake, name) for name in order]


def build_families(audits: Sequence[EarlierAudit]) -> Families:
    """Return the families after some audits, in the order in which these were drawn."""
    families, known = Families.empty(), dict[str, Keys]()
    for audit in audits:
        families = add_audit(families, _with_resembled(audit.keys, audit.resembled, known), audit.attempt)
        known[audit.release] = audit.keys
    return families


def count_shared(
    keys: Keys, similar: Mapping[str, Integers], audits: Sequence[EarlierAudit], families: Families
) -> AuditedBefore:
    """Return which attempt an audit of some items is, and what it shares with earlier ones.

    A release that its items merely resemble counts as a whole: all families of that one's items are touched.

    Args:
        keys: The items' keys, a row an item.
        similar: For a release, the rows of items that resemble one of its items.
        audits: What came before.
        families: `build_families` of these.
    """
    shared, is_audited, known = list[SharedItems](), np.zeros(len(keys), np.bool_), dict[str, Keys]()
    for audit in audits:
        is_same = find_keys(audit.keys, keys) >= 0
        is_similar = np.zeros(len(keys), np.bool_)
        is_similar[similar.get(audit.release, [])] = True
        is_similar &= ~is_same
        is_audited |= is_same | is_similar
        known[audit.release] = audit.keys
        if is_same.any() or is_similar.any():
            shared.append(SharedItems(audit.release, int(is_same.sum()), int(is_similar.sum())))
    resembled = [one.release for one in shared if one.similar]
    attempt = count_attempt(families, _with_resembled(keys, resembled, known))
    return AuditedBefore(attempt, len(keys), int(is_audited.sum()), tuple(shared))


def read_keys(hashes: pa.ChunkedArray | pa.Array) -> Keys:
    """Return the keys of a column of SHA-256 digests in hexadecimal digits, none null, a row an item."""
    found = view_text_bytes(hashes)
    return parse_keys(found.data[found.offsets[0] : found.offsets[-1]].tobytes())


def hash_released_texts(texts: pa.ChunkedArray | pa.Array) -> pa.Array:
    """Return the hash by which cleaning knows texts that have been kept: who is spoken of makes no two."""
    plain = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    return hash_texts(pc.replace_substring_regex(plain, KEYED, r"<\1>"))


def _with_resembled(keys: Keys, resembled: Sequence[str], known: Mapping[str, Keys]) -> Keys:
    return np.concatenate([keys, *(known[name] for name in resembled if name in known)])


def _read_audit(lake: Lake, release: str) -> EarlierAudit:
    for table in ("release_plan", "release_items"):
        if lake.commit(table, release) is None:
            raise ReleaseError(
                f"release {release}: its audit was drawn, and {lake.partition_folder(table, release)} is not there: "
                f"nobody can tell which items were audited. Run the release again, or bring the tables release_plan "
                "and release_items of it back from a copy of the lake; deleting a release undoes no attempt"
            )
    plan = rows_of(lake, "release_plan", release)[0]
    shared: list[dict[str, Any]] = json.loads(plan["audited_before"] or "[]")
    resembled = tuple(one["release"] for one in shared if one["similar"])
    return EarlierAudit(release, plan["attempt"], tuple(plan["batches"]), _read_release_keys(lake, release), resembled)


def _read_release_keys(lake: Lake, release: str) -> Keys:
    """Return the distinct keys of a release's items, ascending; of older releases by their stored texts."""
    hashes = lake.read("release_items", release, [FOLDED])[FOLDED]
    if hashes.null_count:
        texts = lake.read_batches("release_items", release, columns=["text"])
        is_image = lake.commit("image_files", rows_of(lake, "release_plan", release)[0]["batches"][0]) is not None
        hashes = (
            _find_file_hashes(lake, release)
            if is_image
            else pa.chunked_array([hash_released_texts(piece["text"]) for piece in texts], pa.string())
        )
    return sort_keys(read_keys(hashes))


def _find_file_hashes(lake: Lake, release: str) -> pa.ChunkedArray:
    """Return the hashes of an older release's images, as its batches' tables tell them."""
    items = lake.read("release_items", release, _NAMES)
    files = []
    for batch in items["batch"].unique().to_pylist():
        own = lake.read("image_files", batch, ["item_id", "sha256"])
        files.append(own.append_column("batch", pa.repeat(pa.scalar(batch, pa.string()), own.num_rows)))
    table = pa.concat_tables(files)
    (rows,) = find_rows(table, items)
    hashes = table["sha256"].take(pa.array(rows, mask=rows < 0))
    if hashes.null_count:
        raise ReleaseError(
            f"release {release}: of an older version, and the tables image_files of its batches no longer tell which "
            f"files {hashes.null_count:,} of its items were; bring these tables back from a copy of the lake"
        )
    return hashes
