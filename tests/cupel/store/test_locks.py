"""Of two that want the same, one goes on; the other waits or says who was first."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cupel.errors import LakeError
from cupel.store.files import turn
from cupel.store.local import LocalStore
from cupel.store.locks import claim, project_lock

HEAD = """
from pathlib import Path
from cupel.store.files import turn
from cupel.store.local import LocalStore
from cupel.store.locks import claim, project_lock
folder = Path({0!r})
store = LocalStore(folder)
"""


def elsewhere(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Run something in another process, with `folder`, and `store` in it, at hand."""
    return subprocess.run(
        [sys.executable, "-c", HEAD.format(str(folder)) + code], capture_output=True, text=True, check=False
    )


def test_the_second_run_of_a_project_is_told_who_holds_it(tmp_path: Path) -> None:
    with project_lock(LocalStore(tmp_path), "colours", "make run"):
        said = elsewhere(tmp_path, "with project_lock(store, 'colours', 'make run'): pass").stderr
    assert f"project colours: make run (process {os.getpid()}) is at work on it" in said
    assert elsewhere(tmp_path, "with project_lock(store, 'colours', 'make run'): pass").returncode == 0


def test_steps_of_one_run_hold_a_batch_together_and_another_run_is_refused(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    with (
        claim(store, "one", "run-a"),
        claim(store, "one", "run-a"),
        claim(store, "two", "run-b"),
    ):
        assert elsewhere(tmp_path, "with claim(store, 'one', 'run-a'): pass").returncode == 0
        with (
            pytest.raises(LakeError, match="one: run run-a is at work on it"),
            claim(store, "one", "run-b"),
        ):
            pass
        assert "one: run run-a is at work on it" in elsewhere(tmp_path, "with claim(store, 'one', 'c'): pass").stderr
    with claim(store, "one", "run-b"):
        pass


def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    died = elsewhere(
        tmp_path, "import os, signal\nwith claim(store, 'one', 'a'), turn(folder / 't'): os.kill(os.getpid(), 9)"
    )
    assert died.returncode == -9
    with claim(LocalStore(tmp_path), "one", "run-b"), turn(tmp_path / "t"):
        pass


def test_never_do_two_runs_hold_a_batch_at_once(tmp_path: Path) -> None:
    race = (
        "import os, sys, time\n"
        "name, held = f'run-{os.getpid()}', 0\n"
        "for _ in range(150):\n"
        "    try:\n"
        "        with claim(store, 'one', name):\n"
        "            held += 1\n"
        "            (folder / 'inside').mkdir()  # fails if another is inside\n"
        "            (folder / 'inside').rmdir()\n"
        "    except FileExistsError: sys.exit('two at once')\n"
        "    except Exception as error:\n"
        "        if 'is at work on it' not in str(error): raise\n"
        "print(held)"
    )
    command = [sys.executable, "-c", HEAD.format(str(tmp_path)) + race]
    racers = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    ended = [racer.communicate() for racer in racers]
    assert [racer.returncode for racer in racers] == [0, 0, 0], ended
    assert sum(int(out) for out, _ in ended) > 0
