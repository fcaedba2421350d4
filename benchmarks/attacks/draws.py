"""Attacks on the draw of an audit: the log of draws, and second draws of the same release."""

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.attacks.attack import Attack, AttackError, Finding, Outcome
from benchmarks.attacks.target import BATCH, OTHER, RELEASE, Target
from cupel.check.check import find_damage
from cupel.errors import CupelError
from cupel.lake.answer_chain import GIVEN
from cupel.lake.draw_log import DRAWS, find_draw
from cupel.lake.lake import Lake
from cupel.release.earlier_audits import read_earlier_audits
from cupel.release.freeze import freeze, hash_content
from cupel.release.frozen_terms import FrozenTerms
from cupel.release.nonces import draw_nonce, make_seed
from cupel.store.event_log import HEAD, JsonLines, SegmentLog, end_of

DOOR = "experts and draw"


def check_lake(target: Target) -> Finding:
    """Return what `cupel check` finds of the lake."""
    try:
        found = find_damage(target.lake, is_light=False)
    except CupelError as error:
        return Finding(Outcome.REFUSED, str(error))
    told = [damage for damage in found if not damage.is_told_only]
    if not told:
        return Finding(Outcome.NOT_CAUGHT, "check: nothing is damaged")
    return Finding(Outcome.REFUSED, f"{told[0].path}: {told[0].what}")


def leave_lake(target: Target) -> Finding:
    """Nothing: the lake as it is, under `cupel check`, is the control."""
    return check_lake(target)


def draw_again(target: Target) -> Finding:
    """Change a label after the draw, and draw again under the same release."""
    frozen = FrozenTerms.from_plan(target.lake.read("release_plan", RELEASE).to_pylist()[0])
    other = FrozenTerms.from_plan({**frozen.to_plan(), "items_sha256": "0" * 64})
    try:
        nonce = draw_nonce(target.lake, RELEASE, "audit", other.hash_freeze(), target.project.release.certificate)
    except CupelError as error:
        return Finding(Outcome.REFUSED, str(error))
    return Finding(Outcome.NOT_CAUGHT, f"drawn by {nonce.nonce[:12]}")


def try_many_seeds(target: Target) -> Finding:
    """Freeze the release's items under 50 other values of `release.seed`, as up to format 3, to choose among draws."""
    lake, project = target.lake, target.project
    frozen = FrozenTerms.from_plan(lake.read("release_plan", RELEASE).to_pylist()[0])
    items = lake.read("clean_items", BATCH)
    hashes = pa.array(map(hash_content, items["text"].to_pylist()))
    items = items.append_column("content_sha256", hashes)
    labels, similar = lake.read("labels", BATCH), lake.read("similar_items", BATCH)
    seeds, refused = set(), ""
    for number in range(50):
        settings = project.release.model_copy(update={"seed": number})
        sha256 = freeze(RELEASE, [labels], [items], settings, [(BATCH, similar)]).sha256
        again = replace(frozen, items_sha256=sha256).hash_freeze()
        try:
            seeds.add(make_seed(again, draw_nonce(lake, RELEASE, "audit", again, settings.certificate).nonce))
        except CupelError as error:  # other splits are another freeze, and that was drawn once
            refused = str(error)
    if refused and seeds <= {frozen.seed}:
        return Finding(Outcome.REFUSED, refused)
    return Finding(Outcome.NOT_CAUGHT, f"{len(seeds)} draws to choose from")


def steer_second_draw(target: Target) -> Finding:
    """Draw what another expert judges again, turn the last verdict before it, and draw once more."""
    settings = target.project.release.certificate
    # Two sets of verdicts: who answers last chooses which of them it is.
    hashes = [hashlib.sha256(last.encode()).hexdigest() for last in ("warm", "cold")]
    draw_nonce(target.lake, RELEASE, "adjudicators", hashes[0], settings)
    try:
        draw_nonce(target.lake, RELEASE, "adjudicators", hashes[1], settings)
    except CupelError as error:
        return Finding(Outcome.REFUSED, str(error))
    return Finding(Outcome.NOT_CAUGHT, "drawn a second time by other verdicts")


def edit_event(target: Target) -> Finding:
    """Write another nonce into the log of draws."""
    for segment in _segments(target):
        text = segment.read_text()
        if '"drawn"' in text:
            nonce = find_draw(target.lake.log(DRAWS).read(), RELEASE, "audit")
            if nonce is None:
                raise AttackError("the log of draws does not hold the release's draw")
            segment.write_text(text.replace(str(nonce["nonce"]), "0" * 64))
    return check_lake(target)


def delete_draw(target: Target) -> Finding:
    """Delete the event that holds the nonce, the last of the log."""
    _segments(target)[-1].unlink()
    return check_lake(target)


def delete_draw_and_head(target: Target) -> Finding:
    """Delete the event that holds the nonce, and set the log's head back to the event before it."""
    segments = _segments(target)
    segments[-1].unlink()
    _set_head_back(target)
    return check_lake(target)


def delete_log(target: Target) -> Finding:
    """Delete the whole log of draws, its head included."""
    shutil.rmtree(target.lake.folder / DRAWS)
    return check_lake(target)


def delete_log_and_memory(target: Target) -> Finding:
    """Delete the log of draws and all that `cupel check` remembers of the lake, and keep the release."""
    shutil.rmtree(target.lake.folder / DRAWS)
    (target.lake.folder / "seen.json").unlink()
    return check_lake(target)


def delete_lake(target: Target) -> Finding:
    """Delete the whole lake: the next one knows of no audit."""
    shutil.rmtree(target.lake.folder)
    lake = Lake(str(target.folder / "lake"), target.lake.project)
    events = lake.log(DRAWS).read()
    words = f"the new lake's log of draws holds {len(events)} events, the next audit is attempt 1"
    return Finding(Outcome.NOT_CAUGHT if not events else Outcome.REFUSED, words)


def restore_lake(target: Target) -> Finding:
    """Copy the lake before a draw, and bring the copy back until a draw pleases."""
    copy, nonces = target.folder / "copy", set()
    shutil.copytree(target.lake.folder, copy)
    for number in range(5):
        # In a folder of its own, for this process remembers the log that it has read.
        again = Target(target.folder / f"again-{number}")
        shutil.copytree(copy, again.lake.folder)
        settings = target.project.release.certificate
        nonces.add(draw_nonce(again.lake, "two-r1", "audit", hashlib.sha256(b"two").hexdigest(), settings).nonce)
    found = check_lake(again)
    return found._replace(words=f"{len(nonces)} draws of one release; {found.words}")


def edit_expert_answer(target: Target) -> Finding:
    """Turn an expert's answer in the log of answers."""
    segment = max((target.lake.folder / "answers").glob("segment-*.parquet"))
    table = pq.read_table(segment)
    labels = table["label"].to_pylist()
    labels[0] = OTHER[labels[0]]
    place = table.column_names.index("label")
    pq.write_table(table.set_column(place, table.schema.field("label"), [labels]), segment)
    return check_lake(target)


def rewrite_answers(target: Target) -> Finding:
    """Turn an expert's answer, write the whole log of answers anew with right hashes, and forget what was seen."""
    folder = target.lake.folder / "answers"
    tables = [pq.read_table(segment, columns=GIVEN) for segment in sorted(folder.glob("segment-*.parquet"))]
    labels = tables[-1]["label"].to_pylist()
    labels[0] = OTHER[labels[0]]
    tables[-1] = tables[-1].set_column(GIVEN.index("label"), tables[-1].schema.field("label"), [labels])
    # In a folder of its own, for this process remembers the log that it has read.
    again = Target(target.folder / "again")
    shutil.copytree(target.lake.folder, again.lake.folder)
    shutil.rmtree(again.lake.folder / "answers")
    (again.lake.folder / "seen.json").unlink()
    for table in tables:
        again.lake.answers.append(table)
    return check_lake(again)


def delete_release_tables(target: Target) -> Finding:
    """Delete the tables of the release, so that no earlier audit is known."""
    for table in ("release_plan", "release_items"):
        shutil.rmtree(target.lake.partition_folder(table, RELEASE))
    try:
        audits = read_earlier_audits(target.lake, "two-r1")
    except CupelError as error:
        return Finding(Outcome.REFUSED, str(error))
    return Finding(Outcome.COUNTED if audits else Outcome.NOT_CAUGHT, f"{len(audits)} earlier audits are known")


def _segments(target: Target) -> list[Path]:
    found = sorted((target.lake.folder / DRAWS).glob("0*.jsonl"))
    if not found:
        raise AttackError("the lake has no log of draws")
    return found


def _set_head_back(target: Target) -> None:
    """Write the head that fits what is left of the log, as a careful hand computes it."""
    left = SegmentLog(target.lake.store, DRAWS, JsonLines()).verify_segments()
    (target.lake.folder / DRAWS / HEAD).write_text(json.dumps(end_of(left)._asdict()))


_R, _N = Outcome.REFUSED, Outcome.NOT_CAUGHT
_TRIED: tuple[tuple[str, Callable[[Target], Finding], Outcome], ...] = (
    ("lake-untouched", leave_lake, Outcome.PASSED),
    ("drawn-again", draw_again, _R),
    ("seeds-tried", try_many_seeds, _R),
    ("second-draw-steered", steer_second_draw, _R),
    ("draw-event-edited", edit_event, _R),
    ("draw-event-deleted", delete_draw, _R),
    ("draw-event-deleted-head-set-back", delete_draw_and_head, _R),
    ("draw-log-deleted", delete_log, _R),
    ("draw-log-deleted-with-memory", delete_log_and_memory, _R),
    ("release-tables-deleted", delete_release_tables, _R),
    ("expert-answer-edited", edit_expert_answer, _R),
    ("answers-log-rewritten", rewrite_answers, _R),
    ("lake-restored-from-a-copy", restore_lake, _N),
    ("lake-deleted", delete_lake, _N),
)
ATTACKS = tuple(Attack(name, DOOR, str(attempt.__doc__), said, attempt) for name, attempt, said in _TRIED)
