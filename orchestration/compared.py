"""Comparing a rebuilt release with the one that is there: table by table, file by file, and why they differ."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from cupel.contract.stages import STAGES, Partition, stage_of
from cupel.contract.tables import TABLES
from cupel.lake.answer_segments import read_segment
from cupel.lake.lake import Commit, Lake
from cupel.lake.recorded_inputs import alteration, gates_there, recorded_hashes
from cupel.release import layout
from cupel.release.places import release_file
from cupel.store.files import hash_file, is_file
from cupel.store.store import MissingError, hash_content
from cupel.versions.code_version import section_names
from orchestration.deployment import REPOSITORY

SAME = "same"
DIFFERS = "differs"
NOT_MADE = "not made"
ALTERED = "altered"
GONE = "gone"
WENT_ON = "went on"
MEANING = {
    SAME: "the same bytes",
    DIFFERS: "rebuilding gives other bytes",
    NOT_MADE: "rebuilding did not come so far",
    ALTERED: "the lake or the release's folder holds something else than what was once written",
    GONE: "the lake or the release's folder no longer holds it",
    WENT_ON: "later answers have changed the batch since; the release does not rest on this any more",
}
FILES = "files"


class Made(NamedTuple):
    """What rebuilding made: commits of the batches' tables at the freeze, and what went wrong.

    `problems` are by batch or release; `notes` say which settings of the project are other ones now.
    """

    frozen: dict[str, Commit]
    problems: dict[str, str]
    notes: Sequence[str] = ()


class Row(NamedTuple):
    """One table, gate or file: its hash as the release has it, as it was rebuilt, and what that comes to."""

    stage: str
    name: str
    partition: str
    recorded: str | None
    rebuilt: str | None
    outcome: str
    reason: str = ""


class Comparison(NamedTuple):
    """What came of rebuilding a release. The hashes are None where there is no folder: it was refused."""

    project: str
    release: str
    rows: list[Row]
    release_sha256: str | None
    rebuilt_sha256: str | None
    notes: Sequence[str]

    @property
    def is_same(self) -> bool:
        """Everything that the release rests on, and the release itself, is the same byte for byte."""
        return self.first_difference is None and self.release_sha256 == self.rebuilt_sha256

    @property
    def first_difference(self) -> Row | None:
        """The first row, in the order of the chain, that is not the same."""
        return next((row for row in self.rows if row.outcome not in (SAME, WENT_ON)), None)


def compare(lake: Lake, copy: Lake, plan: dict[str, Any], batches: Sequence[str], made: Made) -> Comparison:
    """Compare a rebuilt release with the one that is there.

    Args:
        lake: The project's lake, which is only read.
        copy: The lake that the release was rebuilt in.
        plan: The release's row of RELEASE_PLAN.
        batches: Batches that it depends on, in the order of the register.
        made: What rebuilding came to.
    """
    release = plan["release"]
    before, after = read_manifest(lake, release), read_manifest(copy, release)
    tables = _Tables(lake, copy, plan, made, before)
    rows = [_answers(lake, copy, before)]
    rows += [row for batch in batches for row in tables.rows(batch, "batch", batch in plan["batches"])]
    rows += [*tables.rows(release, "release", True), *_files(lake, copy, release, before, after)]
    hashes = [manifest.get("release_sha256") for manifest in (before, after)]
    return Comparison(lake.project, release, rows, hashes[0], hashes[1], made.notes)


class _Tables:
    """The rows of tables and gates."""

    def __init__(self, lake: Lake, copy: Lake, plan: dict[str, Any], made: Made, manifest: dict[str, Any]) -> None:
        self.lake = lake
        self.copy = copy
        self.made = made
        self.recorded = recorded_hashes(lake, plan["release"])
        self.is_locked_anew = manifest.get("requirements_sha256") not in (None, _lock_sha256())

    def rows(self, name: str, partition: Partition, is_held: bool) -> Iterator[Row]:
        """Yield the rows of a batch or release (`name`), each table and then the gate that judges it.

        Of a batch that the release does not hold only what the release was made from is compared.
        """
        gates: dict[str, list[str]] = {}
        for gate in sorted({*gates_there(self.lake, name), *gates_there(self.copy, name)}):
            judged = gate.partition("--")[0]
            gates.setdefault((judged in STAGES and STAGES[judged].gate) or judged, []).append(gate)
        written = [(stage_of(table).name, table) for table in TABLES if stage_of(table).partition == partition]
        for stage, table in written:
            for kind, part in [(table, name), *(("gate_results", gate) for gate in gates.get(table, []))]:
                if is_held or self._recorded(f"{kind}@{part}") is not None:
                    yield from self._row(stage, kind, part, name)

    def _row(self, stage: str, table: str, name: str, partition: str) -> Iterator[Row]:
        key = f"{table}@{name}"
        now = self.lake.commit(table, name)
        is_of_the_end = key not in self.recorded.frozen and key in self.recorded.ended
        at_freeze = None if is_of_the_end else self.made.frozen.get(key)
        rebuilt = at_freeze or self.copy.commit(table, name)
        recorded = self._recorded(key) or (now.hash if now else None)
        if recorded is None and rebuilt is None:
            return
        outcome, reason = self._judge(key, partition, now, rebuilt, recorded)
        shown = table if table != "gate_results" else f"gate {name.partition('--')[0]}"
        yield Row(stage, shown, partition, recorded, rebuilt.hash if rebuilt else None, outcome, reason)

    def _judge(
        self, key: str, partition: str, now: Commit | None, rebuilt: Commit | None, recorded: str | None
    ) -> tuple[str, str]:
        if now is None:
            return GONE, "the lake no longer holds it, or never did"
        if why := alteration(self.lake, now):
            return ALTERED, why
        if rebuilt is None:
            return NOT_MADE, self._why_not_made(partition)
        if rebuilt.hash == recorded:
            if now.hash != recorded and (now.inputs, now.code_version) == (rebuilt.inputs, rebuilt.code_version):
                return ALTERED, "of the same inputs and by the same code, the lake holds other rows"
            return SAME, ""
        if self._recorded(key) is None and self._went_on(partition):
            return WENT_ON, ""
        return DIFFERS, self._why(now, rebuilt, recorded)

    def _why_not_made(self, partition: str) -> str:
        problems = self.made.problems
        return problems.get(partition) or "; ".join(f"{name}: {why}" for name, why in problems.items())

    def _went_on(self, batch: str) -> bool:
        """Tell whether the lake holds other labels of a batch than those that were frozen."""
        frozen, tables = self.recorded.frozen, ("clean_items", "similar_items", "annotations", "labels")
        return any(frozen.get(name) not in (None, self.lake.version(name)) for name in (f"{t}@{batch}" for t in tables))

    def _recorded(self, key: str) -> str | None:
        """Return what the release was made from: of a batch, as it was frozen, where the lake still tells."""
        return self.recorded.frozen.get(key) or self.recorded.ended.get(key)

    def _why(self, now: Commit, rebuilt: Commit, recorded: str | None) -> str:
        """Return the likely reason why a table differs: files, code, settings, other inputs, or the lake."""
        if now.hash != recorded:
            return (
                "the lake was made anew since the release, of other files or settings or by other code, and these "
                "were taken for rebuilding too; bring back those of the release"
            )
        files = sorted(
            name.removeprefix("file:")
            for name in {*now.inputs, *rebuilt.inputs}
            if name.startswith("file:") and now.inputs.get(name) != rebuilt.inputs.get(name)
        )
        if files:
            return f"the delivery's files have changed: {', '.join(files)}"
        if now.code_version != rebuilt.code_version:
            return self._why_version(now.table, now.code_version, rebuilt.code_version)
        names = sorted({*now.inputs} ^ {*rebuilt.inputs})
        if names:
            return f"it was made from other tables: {', '.join(names)}"
        if other := sorted(name for name, value in now.inputs.items() if rebuilt.inputs[name] != value):
            return f"it is made from {', '.join(other)}"
        return "files, code, settings and inputs are the same: the lake was altered before the release was made"

    def _why_version(self, table: str, then: str, now: str) -> str:
        (code_then, settings_then), (code_now, settings_now) = then.split("-"), now.split("-")
        reasons = []
        if code_then != code_now and self.is_locked_anew:
            reasons.append("requirements.lock is another one than the release was made with")
        elif code_then != code_now:
            reasons.append(f"the code that makes {table}, or the version of a package that it uses, has changed")
        if settings_then != settings_now:
            sections = " or ".join(section_names(table))
            reasons.append(f"settings of {sections} have changed, in the project file or as the code's defaults")
        return "; ".join(reasons)


def _answers(lake: Lake, copy: Lake, manifest: dict[str, Any]) -> Row:
    """Return the row of the answers log, as far as it was brought: appended again, answers get the same hashes."""
    last = copy.answers.head().sequence
    recorded, rebuilt = (log.hash_at(last) for log in (lake.answers, copy.answers))
    bad = next((mine[0] for mine, again in zip(_links(lake), _links(copy), strict=False) if mine != again), None)
    reason = "" if bad is None else f"answer {bad} was altered, or one before it is gone; restore the log"
    head = manifest.get("answers_head")
    if not reason and head is not None and find_answer(lake, head) is None:
        reason = "the last answer that the release knew is not in the log: it is another one than that of then"
    return Row("answers", "answers", f"1 to {last}", recorded, rebuilt, ALTERED if reason else SAME, reason)


def find_answer(lake: Lake, hash_: str) -> int | None:
    """Return the number of the answer whose record in the log has a hash; None where none has."""
    return next((number for number, found in _links(lake) if found == hash_), None)


def _links(lake: Lake) -> Iterator[tuple[int, str]]:
    """Yield number and hash of each record of the answers log."""
    for segment in lake.answers.segments():
        records = read_segment(segment, ["sequence", "hash"])
        yield from zip(records["sequence"].to_pylist(), records["hash"].to_pylist(), strict=True)


def _files(lake: Lake, copy: Lake, release: str, before: dict[str, Any], after: dict[str, Any]) -> Iterator[Row]:
    """Yield a row a file of the release's folder; none for a refused release, which has no folder."""
    written = {row["path"]: row["sha256"] for row in _rows(lake, "manifest", release)}
    for name in (*layout.COVERED, *layout.OPTIONAL_FILES, layout.MANIFEST_FILE):
        now, rebuilt = (_hash(each, release_file(release, name)) for each in (lake, copy))
        recorded = written.get(name, now)
        if recorded is None and rebuilt is None:
            continue
        outcome, reason = SAME, ""
        if now is None:
            outcome, reason = GONE, "the release's folder no longer holds it"
        elif now != recorded:
            outcome, reason = ALTERED, "the file is not the one that was released; see `cupel verify`"
        elif rebuilt is None:
            outcome = NOT_MADE
        elif rebuilt != recorded:
            outcome = DIFFERS
            reason = _why_file(name, before, after)
        yield Row(FILES, name, release, recorded, rebuilt, outcome, reason)


def _hash(lake: Lake, name: str) -> str | None:
    return None if lake.store.stat(name) is None else hash_content(lake.store, name)


def _why_file(name: str, before: dict[str, Any], after: dict[str, Any]) -> str:
    if name == layout.MANIFEST_FILE:
        return _why_manifest(before, after)
    if name == layout.REPORT_FILE and before.get("inputs") == after.get("inputs"):
        return "made from the same tables: the project file's other words have changed, or the code that draws the page"
    return "made from tables that differ"


def _why_manifest(before: dict[str, Any], after: dict[str, Any]) -> str:
    keys = sorted(key for key in {*before, *after} if before.get(key) != after.get(key) and key != "release_sha256")
    return f"other values of {', '.join(keys)}"


def read_manifest(lake: Lake, release: str) -> dict[str, Any]:
    """Return the manifest of a release; nothing where there is none that can be read."""
    try:
        return dict(json.loads(lake.store.read(release_file(release, layout.MANIFEST_FILE))))
    except (MissingError, OSError, ValueError, TypeError):
        return {}


def _rows(lake: Lake, table: str, partition: str) -> list[dict[str, Any]]:
    return [] if lake.commit(table, partition) is None else list(lake.read(table, partition).to_pylist())


def _lock_sha256() -> str | None:
    path = REPOSITORY / "requirements.lock"
    return hash_file(path) if is_file(path) else None
