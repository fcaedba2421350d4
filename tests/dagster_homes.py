"""Homes of Dagster's for tests: processes that enter one at the same moment, and what they leave there."""

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import dagster as dg
from alembic.runtime.migration import HeadMaintainer

from orchestration import dagster_storage
from orchestration.dagster_storage import DATABASES, open_instance, prepare_storage
from orchestration.deployment import REPOSITORY

PATHS = [database.path for database in DATABASES]
SECONDS_HELD = 2
SECONDS_TO_COME = 60


def make_home(folder: Path) -> Path:
    folder.mkdir()
    (folder / "dagster.yaml").write_text((REPOSITORY / "orchestration" / "dagster.yaml").read_text())
    return folder


def open_directly() -> None:
    """Open the home as Dagster's own programs do."""
    with dg.DagsterInstance.get() as instance:
        instance.get_run_records(limit=1)


def enter_by_run() -> None:
    """What `make run` and `make gate` do."""
    with open_instance(print):
        pass


def enter_by_ui() -> None:
    """What `make ui` does: its first program prepares, its second is Dagster's page."""
    assert dagster_storage.main() == 0
    open_directly()


def enter_by_up() -> None:
    """What `make up` does: it prepares, then page and daemon open the home at once."""
    prepare_storage(Path(os.environ["DAGSTER_HOME"]), print)
    page_and_daemon = [fork(open_directly), fork(open_directly)]
    assert [end(child) for child in page_and_daemon] == [0, 0]


# How `make` enters a home, without what takes long and opens nothing.
DOORS = {"run": enter_by_run, "up": enter_by_up, "ui": enter_by_ui}


def fork(work: Callable[[], object]) -> int:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException as error:
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
        finally:
            os._exit(code)
    return child


def end(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def enter(home: Path, work: Callable[[], object]) -> int:
    """Let a process of its own do something in a home."""

    def entering() -> None:
        os.environ["DAGSTER_HOME"] = str(home)
        work()

    return fork(entering)


def race(
    home: Path, database: str, first: Callable[[], object], second: Callable[[], object], seconds: float = SECONDS_HELD
) -> list[int]:
    """Let two make the same database: the first is held before its stamp until the second is there too.

    Where the second does not come, because it waits its turn, the first goes on after a while.
    """
    stamp = HeadMaintainer._insert_version

    def hold(wait: Callable[[], None]) -> None:
        def stamping(maintainer: HeadMaintainer, version: str) -> None:
            connection = maintainer.context.connection
            if connection is not None and str(connection.engine.url.database).endswith(Path(database).name):
                wait()
            stamp(maintainer, version)

        HeadMaintainer._insert_version = stamping  # type: ignore[method-assign]

    return meet(home, hold, first, second, seconds)


def meet(
    home: Path, hold: Callable[[Callable[[], None]], None], first: Callable[[], object], second: Callable[[], object],
    seconds: float = SECONDS_HELD,
) -> list[int]:  # fmt: skip
    """Let two work on a home at once; `hold` puts its argument where each waits for the other, so many seconds."""
    barrier = home.with_name("barrier")
    barrier.mkdir()

    def held(name: str, other: str, work: Callable[[], object]) -> Callable[[], object]:
        def wait() -> None:
            (barrier / name).touch()
            wait_for(barrier / other, seconds)

        def working() -> object:
            hold(wait)
            return work()

        return working

    one = enter(home, held("first", "second", first))
    wait_for(barrier / "first", SECONDS_TO_COME)
    two = enter(home, held("second", "first", second))
    return [end(one), end(two)]


def wait_for(path: Path, seconds: float) -> None:
    limit = time.monotonic() + seconds
    while not path.exists() and time.monotonic() < limit:
        time.sleep(0.01)


def versions(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [name for (name,) in connection.execute("SELECT version_num FROM alembic_version")]


def is_sound(home: Path) -> bool:
    return all(len(versions(home / path)) == 1 for path in PATHS) and end(enter(home, open_directly)) == 0
