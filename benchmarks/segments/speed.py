"""How fast marks are matched and fused, and in how much memory, beside weighted boxes fusion on a smaller share."""

import json
import resource
import subprocess
import sys
import time
from typing import Any

import numpy as np

from benchmarks.segments.clips import SimulatedAnswers, TrueActions, simulate
from benchmarks.segments.methods import fuse_weighted
from cupel.marks.fusion.arrays import sort_marks
from cupel.marks.fusion.fuse import LEAST_OVERLAP, fuse_marks
from cupel.marks.fusion.linkage import link_marks

PEOPLE, ACTIONS, CLASSES, VIDEO_SECONDS = 5, 20, 10, 120.0
# Share of the marks that weighted boxes fusion gets: it takes a hundred times as long.
SHARE = 100


def make_marks(marks: int) -> SimulatedAnswers:
    """Return about so many made-up marks: 5 people, 20 actions of 10 classes in two minutes."""
    videos = max(marks // (PEOPLE * ACTIONS * 9 // 10), 1)
    rng = np.random.default_rng(7)
    video = np.repeat(np.arange(videos), ACTIONS)
    low = rng.random(len(video)) * (VIDEO_SECONDS - 12.0)
    high = low + rng.uniform(2.0, 12.0, len(video))
    actions = rng.integers(0, CLASSES, len(video))
    return simulate(TrueActions(video, actions, low, high, np.full(videos, VIDEO_SECONDS)), PEOPLE, "own", 7)


def measure_speed(marks: int) -> dict[str, Any]:
    """Return seconds and memory of ours on so many marks, and of weighted boxes fusion on a hundredth, in processes."""
    found: dict[str, Any] = {"marks": marks, "ours": _run_child("ours", marks)}
    try:
        found["weighted boxes fusion 1-d"] = _run_child("peer", max(marks // SHARE, 1_000))
    except subprocess.CalledProcessError as problem:
        found["left_out"] = (problem.stderr.strip().splitlines() or ["no message"])[-1][:200]
    return found


def _run_child(name: str, marks: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.segments.speed", name, str(marks)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _measure(name: str, marks: int) -> dict[str, Any]:
    """Return the processor seconds of one library; loops are compiled before, on a few marks."""
    few = make_marks(1_000)
    answers = make_marks(marks)
    count = len(answers.marks.item)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    if name == "peer":
        fuse_weighted(few)
        start = time.process_time()
        fuse_weighted(answers)
        found = {"fuse_cpu_seconds": time.process_time() - start}
    else:
        fuse_marks(few.marks, few.asked)
        found = _measure_ours(answers)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    seconds = found["fuse_cpu_seconds"]
    return {**found, "marks": count, "marks_a_second": count / seconds, "peak_bytes": peak, "input_bytes": before}


def _measure_ours(answers: SimulatedAnswers) -> dict[str, Any]:
    """Return the seconds of sorting, of matching, and of the whole (which does both again)."""
    start = time.process_time()
    ordered = sort_marks(answers.marks, answers.asked)
    sorted_at = time.process_time()
    link_marks(ordered.start, ordered.mark_class, ordered.low, ordered.high, ordered.annotator, LEAST_OVERLAP)
    linked_at = time.process_time()
    del ordered
    begin = time.process_time()
    fuse_marks(answers.marks, answers.asked)
    return {
        "sort_cpu_seconds": sorted_at - start, "match_cpu_seconds": linked_at - sorted_at,
        "matched_a_second": len(answers.marks.item) / (linked_at - sorted_at),
        "fuse_cpu_seconds": time.process_time() - begin,
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(_measure(sys.argv[1], int(sys.argv[2]))))
