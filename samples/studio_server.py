"""A Label Studio server to try, on 127.0.0.1 only: its database, who can log in, starting and stopping it."""

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

HOST = "127.0.0.1"
SECONDS_TO_MAKE = 900
SECONDS_TO_START = 300
SECONDS_TO_STOP = 30
SECONDS_BETWEEN_LOOKS = 0.3
LAST_WORDS = 600
# Run by Label Studio's own shell; what is secret comes in its environment. The first of the people is the admin.
USERS = """
import json, os
from organizations.models import Organization
from rest_framework.authtoken.models import Token
from users.models import User
for number, (name, email, password, token) in enumerate(json.loads(os.environ["CUPEL_PEOPLE"])):
    user = User.objects.create_user(email=email, username=name, first_name=name, password=password)
    if number == 0:
        user.is_staff = user.is_superuser = True
        user.save()
        organization = Organization.create_organization(
            created_by=user, title="Cupel", legacy_api_tokens_enabled=True
        )
    else:
        organization.add_user(user)
    user.active_organization = organization
    user.save()
    Token.objects.filter(user=user).delete()
    Token.objects.create(user=user, key=token)
print("people", "made")
"""


class StudioError(Exception):
    """The server cannot be made, started or stopped; the message says what to do."""


class Person(NamedTuple):
    """Somebody who can log in; `token` is for the API."""

    name: str
    email: str
    password: str
    token: str


def make_fresh(folder: Path, program: Path, names: Sequence[str]) -> None:
    """Make the folder of a server that was never started: a database with people in it, and `people.json`.

    It takes half a minute, for Label Studio builds its database in some three hundred steps; a copy takes none. The
    folder appears whole or not at all. Passwords and tokens are random; they lie in `people.json`, which only its
    owner reads.

    Args:
        folder: What to make; left as it is where it exists.
        program: Label Studio's command.
        names: People by name; the first is the administrator.

    Raises:
        StudioError: Label Studio cannot be run.
    """
    if folder.exists():
        return
    begun = folder.with_name(f"{folder.name}.{secrets.token_hex(4)}")
    (begun / "data").mkdir(parents=True)
    people = [Person(name, f"{name}@cupel.example", secrets.token_urlsafe(9), secrets.token_hex(20)) for name in names]
    script = begun / "users.py"
    script.write_text(USERS, encoding="utf-8")
    try:
        done = subprocess.run(
            [str(program), "shell"], env=_environment(begun) | {"CUPEL_PEOPLE": json.dumps(people)}, text=True,
            input=f"exec(open({str(script)!r}).read())\n", capture_output=True, timeout=SECONDS_TO_MAKE, check=False,
        )  # fmt: skip
        if "people made" not in done.stdout:
            raise StudioError(
                f"Label Studio's database cannot be made:\n{done.stdout[-LAST_WORDS:]}{done.stderr[-2000:]}"
            )
        script.unlink()
        secret = begun / "people.json"
        secret.touch(mode=0o600)
        secret.write_text(json.dumps([person._asdict() for person in people], indent=1) + "\n", encoding="utf-8")
        begun.rename(folder)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StudioError(f"{program}: cannot be run: {error}; make its environment anew") from None
    finally:
        shutil.rmtree(begun, ignore_errors=True)


class StudioServer:
    """A server in a folder of its own.

    Args:
        folder: Made by `make_fresh`, or a copy of such.
        program: Label Studio's command.
        port: Where it listens, on this machine only.
    """

    def __init__(self, folder: Path, program: Path, port: int) -> None:
        self.folder, self.program, self.port = folder, program, port
        self.url = f"http://{HOST}:{port}"
        self.log = folder / "server.log"
        people = json.loads((folder / "people.json").read_text(encoding="utf-8"))
        self.people = {one["name"]: Person(**one) for one in people}

    def start(self) -> bool:
        """Start the server and wait until it answers; return false where it runs already.

        Raises:
            StudioError: The port is taken, or it does not answer in time.
        """
        if found := running(self.folder):
            if found.port != self.port:
                raise StudioError(f"The server runs already, on port {found.port}: go on there, or stop it first")
            self._wait(lambda: running(self.folder) is None)
            return False
        # Label Studio would silently take the next port that is free.
        if _is_taken(self.port):
            raise StudioError(f"Port {self.port} of {HOST} is taken by another program: give another one")
        command = [str(self.program), "start", "--no-browser", "--internal-host", HOST, "--port", str(self.port)]
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                command, env=_environment(self.folder), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
        _place(self.folder).write_text(f"{process.pid} {self.port}\n", encoding="utf-8")
        try:
            self._wait(lambda: process.poll() is not None)
        except StudioError:
            stop(self.folder)
            raise
        return True

    def _wait(self, is_gone: Callable[[], bool]) -> None:
        ends_at = time.monotonic() + SECONDS_TO_START
        while not self.answers():
            if is_gone() or time.monotonic() > ends_at:
                what = "ended at once" if is_gone() else f"does not answer after {SECONDS_TO_START} s"
                said = self.log.read_text(encoding="utf-8", errors="replace")[-LAST_WORDS:]
                raise StudioError(f"Label Studio {what}; {self.log} ends:\n{said}")
            time.sleep(SECONDS_BETWEEN_LOOKS)

    def answers(self) -> bool:
        """Tell whether a server answers on the port."""
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=5) as reply:
                return bool(reply.status == 200)
        except (urllib.error.URLError, OSError):
            return False


class Running(NamedTuple):
    """A server that runs: its process, and the port on which it was started."""

    process: int
    port: int


def running(folder: Path) -> Running | None:
    """Return the server that runs in a folder; None where none does."""
    try:
        process, port = map(int, _place(folder).read_text(encoding="utf-8").split())
        with contextlib.suppress(ChildProcessError):
            os.waitpid(process, os.WNOHANG)
        os.kill(process, 0)
        words = Path(f"/proc/{process}/cmdline").read_bytes() if Path("/proc/self").exists() else b"label-studio"
    except (OSError, ValueError):
        return None
    return Running(process, port) if b"label-studio" in words else None  # another program may have the number now


def stop(folder: Path, *signs: signal.Signals) -> bool:
    """Stop the server of a folder; return false where none runs.

    Args:
        folder: The server's folder.
        signs: How, one after the other until it is gone; without any politely, and then not.

    Raises:
        StudioError: It does not stop.
    """
    found = running(folder)
    if found is None:
        return False
    for sign in signs or (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(found.process, sign)
        ends_at = time.monotonic() + SECONDS_TO_STOP
        while time.monotonic() < ends_at:
            # The last threads of a killed process may hold its port a little longer.
            if running(folder) is None and not _is_taken(found.port):
                _place(folder).unlink(missing_ok=True)
                return True
            time.sleep(0.05)
    raise StudioError(f"Label Studio (process {found.process}) does not stop: end it yourself")


def _place(folder: Path) -> Path:
    return folder / "server.pid"


def _is_taken(port: int) -> bool:
    with socket.socket() as looking:
        return looking.connect_ex((HOST, port)) == 0


def _environment(folder: Path) -> dict[str, str]:
    """Return the environment of a server: its own settings, and none of another Label Studio's."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(("LABEL_STUDIO_", "DJANGO_"))}
    return others | {
        "LABEL_STUDIO_BASE_DATA_DIR": str(folder / "data"),
        "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "true",
        "LOG_LEVEL": "WARNING",
        "COLLECT_ANALYTICS": "0",
        "LATEST_VERSION_CHECK": "0",
        "SENTRY_DSN": "",
    }
