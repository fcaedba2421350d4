"""Sets the clock of a real deployment back a day and forward a year while it works; a program of its own.

    python daemon_clock.py FOLDER

All of its processes see a clock that libfaketime moves (Debian's package `faketime`). Prints one JSON object.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from daemon_kills import SECONDS_TO_FINISH, Trial, run_undisturbed, state, work

LIBRARY = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
# Set before each delivery, and again when its first release is frozen, in the midst of its runs.
SHIFTS = {"b0": ("+0", "-1d"), "b1": ("-1d", "+365d"), "b2": ("+365d", "+0"), "b3": ("+0", "-2h")}


class ShiftedTrial(Trial):
    """A deployment whose processes see another clock than the machine's."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._clock = folder / "clock"
        self.shift("+0")
        self.environment |= {
            "LD_PRELOAD": str(LIBRARY), "FAKETIME_TIMESTAMP_FILE": str(self._clock), "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1",
        }  # fmt: skip

    def shift(self, by: str) -> None:
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
                    faults.append(f"{batch}: not finished after {SECONDS_TO_FINISH} s at {before}, then {amid}")
                    break
                time.sleep(0.2)
            seconds[batch] = round(time.monotonic() - began)
        servers = len(trial.find("code server"))
    finally:
        trial.serve("down")
    remains = trial.processes()
    found = state(trial, names)
    faults += sorted(name for name in {*expected, *found} if expected.get(name) != found.get(name))
    faults += [f"{len(remains)} processes run after make down"] if remains else []
    return {"faults": faults, "compared": len(expected), "seconds": seconds, "code servers at the end": servers}


if __name__ == "__main__":
    print(json.dumps(shifts(Path(sys.argv[1])), indent=1))
