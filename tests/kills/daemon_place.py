"""A deployment that `make up` works on, and its processes: what they are, and how one of a kind is killed."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

from dagster_homes import make_home
from dagster_programs import free_port
from orchestration.deployment import REPOSITORY, Deployment

# What the command line of each kind of process holds; a run is a run worker's child.
WORDS = {
    "run": "orchestration.run_worker", "worker": "orchestration.run_worker", "daemon": "orchestration.dagster_daemon",
    "page": "orchestration.dagster_page", "code server": "api grpc",
}  # fmt: skip


class Place:
    """A deployment with a home of Dagster's beside it.

    Args:
        deployment: Its folders; they lie in one folder.
        home: Folder that gets Dagster's record.
    """

    def __init__(self, deployment: Deployment, home: Path) -> None:
        self.deployment, self.home = deployment, make_home(home)
        places = {
            "CUPEL_PROJECTS": deployment.projects, "CUPEL_DATA": deployment.data, "CUPEL_LAKE": deployment.lake,
            "CUPEL_INBOX": deployment.inbox, "DAGSTER_HOME": self.home, "PORT": free_port(),
            "DAGSTER_DISABLE_TELEMETRY": "1", "GX_ANALYTICS_ENABLED": "false",
        }  # fmt: skip
        self.environment = os.environ | {name: str(place) for name, place in places.items()}

    def serve(self, what: str) -> str:
        """Do what `make up` or `make down` does; return what it said."""
        return self.command("orchestration.service", what)

    def command(self, module: str, *arguments: str) -> str:
        """Run a module as a program; return what it said."""
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments], env=self.environment, cwd=REPOSITORY, capture_output=True,
            text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def processes(self) -> dict[int, str]:
        """Return the processes that live of all that was started in this home, with their command lines."""
        ours, found = f"DAGSTER_HOME={self.home}".encode(), {}
        for folder in Path("/proc").iterdir():
            try:
                state = (folder / "stat").read_text().rpartition(")")[2].split()[0] if folder.name.isdecimal() else "Z"
                if state not in "ZX" and ours in (folder / "environ").read_bytes().split(b"\0"):
                    found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
        return found

    def find(self, what: str) -> list[int]:
        """Return the processes of a kind."""
        ours = [number for number, words in self.processes().items() if WORDS[what] in words]
        if what in ("run", "worker"):
            return [number for number in ours if (parent_of(number) in ours) == (what == "run")]
        return ours

    def kill(self, what: str, rng: random.Random | None = None) -> bool:
        """Kill one process of a kind, if there is one."""
        ours = self.find(what)
        if not ours:
            return False
        try:
            os.kill(ours[0] if rng is None else rng.choice(ours), signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True


def parent_of(process: int) -> int:
    try:
        return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0
