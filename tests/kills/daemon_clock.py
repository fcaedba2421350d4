"""Sets the clock of a real deployment back a day and forward a year while it works; a program of its own.

    python daemon_clock.py FOLDER

All of its processes see a clock of its own, by a library that a C compiler makes of `clock.c`. Prints one JSON object.
"""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from daemon_kills import SECONDS_TO_FINISH, Trial, find_faults, run_undisturbed, work

DAY = 86_400
# By how many seconds, before each delivery, and when its first release is frozen, in the midst of its runs.
SHIFTS = {"b0": (0, -DAY), "b1": (-DAY, 365 * DAY), "b2": (365 * DAY, 0), "b3": (0, -7_200)}


class ShiftedTrial(Trial):
    """A deployment whose processes see another clock than the machine's."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._clock, library = folder / "clock", folder / "clock.so"
        source = Path(__file__).with_name("clock.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source], check=True)
        self.shift(0)
        self.environment |= {"LD_PRELOAD": str(library), "CLOCK_SHIFT": str(self._clock)}

    def shift(self, by: int) -> None:
        """Let all processes see a clock that differs by so much from now on."""
        beside = self._clock.with_name("clock-new")
        beside.write_text(f"{by}\n")
        beside.replace(self._clock)


def shifts(folder: Path) -> dict[str, Any]:
    """Move the clock before and in the midst of each delivery; compare with what `make run` made at one time."""
    names = list(SHIFTS)
    expected = run_undisturbed(folder / "undisturbed", names)
    trial = ShiftedTrial(folder / "shifted")
    seconds, faults = {}, []
    try:
        trial.serve("up")
        for batch, (before, amid) in SHIFTS.items():
            trial.shift(before)
            began, is_amid = time.monotonic(), False
            for _ in work(trial, [batch]):
                if not is_amid and trial.has("release_plan", batch):
                    trial.shift(amid)
                    is_amid = True
                if time.monotonic() - began > SECONDS_TO_FINISH:
                    faults.append(f"{batch}: not finished after {SECONDS_TO_FINISH} s at {before:+} s, then {amid:+}")
                    break
                time.sleep(0.2)
            seconds[batch] = round(time.monotonic() - began)
        servers = len(trial.find("code server"))
    finally:
        trial.serve("down")
    faults += find_faults(trial, names, expected)
    return {"faults": faults, "compared": len(expected), "seconds": seconds, "code servers at the end": servers}


if __name__ == "__main__":
    print(json.dumps(shifts(Path(sys.argv[1])), indent=1))
