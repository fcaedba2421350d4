"""Jobs for tests of the run worker: they write who runs them, wait, kill themselves, or tell what is loaded."""

import os
import signal
import sys
import time
from pathlib import Path

import dagster as dg

FOLDER = "CUPEL_TEST_FOLDER"


def write(name: str, content: str) -> None:
    target = Path(os.environ[FOLDER]) / name
    target.with_suffix(".new").write_text(content)
    target.with_suffix(".new").rename(target)


@dg.op
def tell() -> None:
    projects = {sensor.name for sensor in sys.modules["orchestration.definitions"].defs.sensors or ()}
    write("told", f"{os.getpid()} {os.getppid()} {','.join(sorted(projects))}")


@dg.op
def wait() -> None:
    stay()


def stay() -> None:
    write("waits", str(os.getpid()))
    time.sleep(120)


@dg.op
def resist() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    stay()


@dg.op
def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@dg.job(executor_def=dg.in_process_executor)
def telling() -> None:
    tell()


@dg.job(executor_def=dg.in_process_executor)
def waiting() -> None:
    wait()


@dg.job(executor_def=dg.in_process_executor)
def resisting() -> None:
    resist()


@dg.job(executor_def=dg.in_process_executor)
def dying() -> None:
    die()
