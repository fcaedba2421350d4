"""The fuzzer of the commands: valid files, broken, before every command that reads them; what falls over is kept.

`python -m benchmarks.fuzz_commands --files 10000 --seed 1 [--data DIR ...]`. A finding is a traceback (an error that is
none of the product's own), a hang (over 20 seconds), memory (over 1 GB more than before), or something left behind by
a command that ended with an error. The same seed, inputs and version give the same files.
"""

import argparse
import faulthandler
import json
import multiprocessing
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from click.testing import CliRunner

from benchmarks.fuzz_doors import OUT, Call, make_call
from benchmarks.fuzz_inputs import FuzzInput, make_inputs, read_inputs, read_releases
from benchmarks.fuzz_mutations import mutate
from cupel.cli import main as cupel
from cupel.errors import CupelError

MOST_SECONDS, WAITING_SECONDS = 20, 120
MOST_BYTES = 1 << 30
# So that a leak ends the worker and not the machine.
ADDRESS_BYTES = 6 << 30
FILES_A_WORKER = 250
# Most files that people bring are tables and exports; a sheet takes an audit first, which is slow.
DOOR_WEIGHTS = {"table": 75, "release": 8, "answers": 5, "project": 5, "key": 4, "sheet": 3}
SHRINKING_CALLS = 60


class Finding(NamedTuple):
    """What a broken file did: traceback, hang, memory or left; where; and the call that shows it."""

    kind: str
    where: str
    number: int
    call: Call


class _TimeUpError(BaseException):
    """A command ran for too long."""


def fuzz(inputs: list[FuzzInput], numbers: range, seed: int) -> Iterator[Finding]:
    """Yield what broken files do, in this process.

    Args:
        inputs: Valid files.
        numbers: Which files to make; the same number and seed make the same file.
        seed: Seeds the choice.
    """
    others = [one.content for one in inputs if one.content]
    doors = sorted({one.door for one in inputs})
    for number in numbers:
        rng = random.Random(f"{seed}-{number}")
        (door,) = rng.choices(doors, [DOOR_WEIGHTS[door] for door in doors])
        one = rng.choice([one for one in inputs if one.door == door])
        content = mutate(one.name, one.content, others, rng) if one.content else b""
        call = make_call(one, content, rng, others)
        if (found := run_call(call)) is not None:
            yield Finding(*found, number, call)


def run_call(call: Call) -> tuple[str, str] | None:
    """Return what a call did that no call may do, and where; None where it did well."""
    before, peak_before = _resident_bytes(), _peak_bytes()
    with tempfile.TemporaryDirectory(prefix="cupel-fuzz-") as folder, _working_in(Path(folder)):
        try:
            call.write(Path(folder))
            with _timed():
                failed = _invoke(call)
        except _TimeUpError:
            return "hang", f"{call.describe()}"
        except MemoryError:
            return "memory", f"{call.describe()}"
        except Exception as error:
            return "traceback", describe_error(error)
        used = _peak_bytes() - before if _peak_bytes() > peak_before else 0
        if used > MOST_BYTES:
            return "memory", f"{call.describe()}: {used >> 20:,} MB"
        if failed and (left := sorted(str(path) for path in Path(OUT).rglob("*"))):
            return "left", f"{call.describe()}: {left[:3]}"
    return None


def _invoke(call: Call) -> bool:
    """Run a call; return whether it ended with an error. What is no error of the product's is raised."""
    if not isinstance(call.command, tuple):
        try:
            call.command(Path())
        except CupelError:
            return True
        return False
    found = CliRunner().invoke(cupel, call.command)
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found.exit_code == 1


def describe_error(error: Exception) -> str:
    """Return the type of an error and the last places of ours that it came through."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "/cupel/" in frame.filename]
    places = [f"{frame.filename.rpartition('/cupel/')[2]}:{frame.lineno} {frame.name}" for frame in frames[-2:]]
    return f"{type(error).__name__} at {' < '.join(reversed(places))}: {ascii(str(error))[:120]}"


def shrink(finding: Finding) -> Call:
    """Return a call that does the same with less in its file."""
    call, size = finding.call, len(finding.call.content) // 2
    for _ in range(SHRINKING_CALLS if finding.kind == "traceback" else 0):
        if not size:
            break
        for start in range(0, len(call.content), size):
            smaller = call._replace(content=call.content[:start] + call.content[start + size :])
            found = run_call(smaller)
            if found is not None and _place(found[1]) == _place(finding.where):
                call = smaller
                break
        else:
            size //= 2
    return call


def keep(finding: Finding, folder: Path) -> None:
    """Keep a finding: its files as small as they were made, and how to bring it about again."""
    place = folder / f"{finding.kind}-{finding.number}"
    place.mkdir(parents=True, exist_ok=True)
    call = shrink(finding)
    call.write(place)
    about = {"kind": finding.kind, "where": finding.where, "number": finding.number, "call": call.describe()}
    (place / "finding.json").write_text(json.dumps(about, indent=1))


def _is_known(finding: Finding, folder: Path) -> bool:
    """Tell whether a finding of the same kind and place is kept already."""
    wheres = [json.loads(path.read_text())["where"] for path in folder.glob(f"{finding.kind}-*/finding.json")]
    return any(_place(where) == _place(finding.where) for where in wheres)


def _place(where: str) -> list[str]:
    return where.split(": ")[:1]


@contextmanager
def _timed() -> Iterator[None]:
    def give_up(*_: object) -> None:
        raise _TimeUpError

    # By the processor's time, which a busy machine does not change, and by the clock for what waits.
    timers = ((signal.SIGPROF, signal.ITIMER_PROF, MOST_SECONDS), (signal.SIGALRM, signal.ITIMER_REAL, WAITING_SECONDS))
    before = [signal.signal(number, give_up) for number, _, _ in timers]
    for _, timer, seconds in timers:
        signal.setitimer(timer, seconds)
    try:
        yield
    finally:
        for (number, timer, _), handler in zip(timers, before, strict=True):
            signal.setitimer(timer, 0)
            signal.signal(number, handler)


@contextmanager
def _working_in(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def _work(inputs: list[FuzzInput], numbers: range, seed: int, folder: Path, state: Path, queue: Any) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_BYTES, ADDRESS_BYTES))
    for number in numbers:
        state.write_text(str(number))
        # What no alarm ends, a loop in C, ends the worker.
        faulthandler.dump_traceback_later(2 * WAITING_SECONDS, exit=True)
        for finding in fuzz(inputs, range(number, number + 1), seed):
            queue.put((finding.kind, finding.where, finding.number))
            if not _is_known(finding, folder):
                faulthandler.dump_traceback_later(5 * WAITING_SECONDS, exit=True)
                keep(finding, folder)
    faulthandler.cancel_dump_traceback_later()


def fuzz_apart(inputs: list[FuzzInput], files: int, seed: int, folder: Path) -> Counter[tuple[str, str]]:
    """Return how often each thing happened; workers that end are followed by others."""
    found, number = Counter[tuple[str, str]](), 0
    forked = multiprocessing.get_context("fork")
    with tempfile.TemporaryDirectory() as states:
        state = Path(states) / "number"
        while number < files:
            numbers = range(number, min(number + FILES_A_WORKER, files))
            queue = forked.SimpleQueue()
            worker = forked.Process(target=_work, args=(inputs, numbers, seed, folder, state, queue))
            worker.start()
            worker.join()
            while not queue.empty():
                kind, where, _ = queue.get()
                found[kind, where] += 1
            number = numbers.stop
            if worker.exitcode != 0:
                number = int(state.read_text()) + 1
                found["hang", f"the worker ended with {worker.exitcode} at file {number - 1}"] += 1
            print(f"{number:,} files, {found.total():,} findings", flush=True)
    return found


def main(arguments: list[str] | None = None) -> int:
    """Fuzz, and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", type=Path, action="append", default=[], help="more valid files; repeatable")
    parser.add_argument("--findings", type=Path, default=Path("build/fuzz"), help="where findings are kept")
    given = parser.parse_args(arguments)
    inputs = [*make_inputs(), *read_releases(), *(one for folder in given.data for one in read_inputs(folder))]
    shutil.rmtree(given.findings, ignore_errors=True)
    found = fuzz_apart(inputs, given.files, given.seed, given.findings.absolute())
    for (kind, where), count in found.most_common():
        print(f"{count:5,} {kind}: {where}")
    kinds = Counter({kind: 0 for kind in ("traceback", "hang", "memory", "left")})
    for (kind, _), count in found.items():
        kinds[kind] += count
    print(f"{given.files:,} files of {len(inputs):,} inputs: {', '.join(f'{n:,} {kind}' for kind, n in kinds.items())}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
