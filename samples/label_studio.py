"""`make label-studio`: a Label Studio server on this machine, people to log in as, and 200 sentences put to them.

Everything lies in `.label-studio/`: environment, server, project, lake. Passwords are made anew each time and are in no
file; the token is the server's own.
"""

import gzip
import json
import os
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import yaml

REPOSITORY = Path(__file__).resolve().parent.parent
ITEMS = 200
PEOPLE = ("admin", "ann", "bob", "cy", "eve")
SECONDS_TO_START = 900
# Read by Label Studio's own shell, which takes one line; what is secret comes in its environment.
USERS = """
import json, os
from organizations.models import Organization
from rest_framework.authtoken.models import Token
from users.models import User
admin = User.objects.get(email=os.environ["LABEL_STUDIO_USERNAME"])
organization = Organization.objects.first()
for email, password in json.loads(os.environ["CUPEL_PASSWORDS"]).items():
    user = User.objects.filter(email=email).first() or User.objects.create_user(email=email, username=email)
    user.set_password(password)
    user.active_organization = organization
    user.save()
    organization.add_user(user)
    Token.objects.filter(user=user).delete()
    Token.objects.create(user=user, key=json.loads(os.environ["CUPEL_TOKENS"])[email])
"""


class Person(NamedTuple):
    """Somebody who can log in; `token` is for the API."""

    email: str
    password: str
    token: str


class Server:
    """A server in a folder, with its own database, on this machine only.

    Args:
        folder: Where it keeps everything.
        program: Label Studio's command.
        port: Where it listens.
    """

    def __init__(self, folder: Path, program: Path, port: int) -> None:
        self.folder, self.program, self.port = folder, program, port
        self.url = f"http://127.0.0.1:{port}"
        self.people = {
            name: Person(f"{name}@cupel.example", secrets.token_urlsafe(9), secrets.token_hex(20)) for name in PEOPLE
        }

    def start(self) -> "subprocess.Popen[bytes] | None":
        """Start the server, unless it runs, and make people and passwords anew; return its process.

        Raises:
            SystemExit: It does not answer in time.
        """
        process = None if self._answers() else self._started()
        ends_at = time.monotonic() + SECONDS_TO_START
        while not self._answers():
            if time.monotonic() > ends_at or (process is not None and process.poll() is not None):
                raise SystemExit(f"Label Studio does not answer; read {self.folder / 'server.log'}")
            time.sleep(1)
        self._make_people()
        return process

    def _started(self) -> "subprocess.Popen[bytes]":
        (self.folder / "data").mkdir(parents=True, exist_ok=True)
        command = [
            str(self.program), "start", "--no-browser", "--internal-host", "127.0.0.1", "--port", str(self.port),
            "--enable-legacy-api-token",
        ]  # fmt: skip
        with (self.folder / "server.log").open("ab") as log:
            return subprocess.Popen(
                command, env=self._environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip

    def _make_people(self) -> None:
        script = self.folder / "users.py"
        script.write_text(USERS, encoding="utf-8")
        environment = self._environment() | {
            "CUPEL_PASSWORDS": json.dumps({person.email: person.password for person in self.people.values()}),
            "CUPEL_TOKENS": json.dumps({person.email: person.token for person in self.people.values()}),
        }
        done = subprocess.run(
            [str(self.program), "shell"], env=environment, input=f"exec(open({str(script)!r}).read())\n".encode(),
            capture_output=True, timeout=SECONDS_TO_START, check=False,
        )  # fmt: skip
        if done.returncode or b"Traceback" in done.stderr:
            raise SystemExit(f"Label Studio's people cannot be made:\n{done.stderr.decode(errors='replace')[-2000:]}")

    def _environment(self) -> dict[str, str]:
        admin = self.people["admin"]
        return os.environ | {
            "LABEL_STUDIO_BASE_DATA_DIR": str(self.folder / "data"),
            "LABEL_STUDIO_USERNAME": admin.email,
            "LABEL_STUDIO_PASSWORD": admin.password,
            "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "true",
            "COLLECT_ANALYTICS": "0",
            "LATEST_VERSION_CHECK": "0",
            "SENTRY_DSN": "",
        }

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=5) as reply:
                return bool(reply.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def write_project(folder: Path, server: Server, texts: Path, items: int = ITEMS) -> dict[str, str]:
    """Write the project `live` and its delivery; return the environment of its deployment."""
    (folder / "projects").mkdir(parents=True, exist_ok=True)
    (folder / "files" / "live").mkdir(parents=True, exist_ok=True)
    with gzip.open(texts, "rb") as lines:
        (folder / "files" / "live" / "items.jsonl").write_bytes(b"".join(islice(lines, items)))
    emails = {name: person.email for name, person in server.people.items()}
    project = {
        "project": "live", "title": "Live: what does the writer feel?", "owner": "data@cupel.example",
        "raw": {"deliveries": {"movies": {"files": ["live/items.jsonl"], "licence": "MIT"}}},
        "labeling": {
            "question": "What does the writer feel?", "classes": ["negative", "neutral", "positive"],
            "overlap": {"first": 2, "most": 3}, "workforce": "label_studio",
            "experts": {"answers": 1, "description": "one expert"},
        },
        "label_studio": {
            "url": server.url, "annotators": {name: emails[name] for name in ("ann", "bob", "cy")},
            "experts": {"eve": emails["eve"]},
        },
        "release": {"error_budget": 0.05, "audit_size": 100, "max_experts_seen_share": 0.9},
    }  # fmt: skip
    (folder / "projects" / "live.yaml").write_text(yaml.safe_dump(project, sort_keys=False), encoding="utf-8")
    places = {"PROJECTS": "projects", "DATA": "files", "LAKE": "lake", "INBOX": "inbox"}
    found = {f"CUPEL_{name}": str(folder / place) for name, place in places.items()}
    (folder / "dagster").mkdir(exist_ok=True)
    return found | {
        "DAGSTER_HOME": str(folder / "dagster"), "CUPEL_LABEL_STUDIO_TOKEN": server.people["admin"].token,
    }  # fmt: skip


def one_round(environment: Mapping[str, str]) -> int:
    """Collect what was answered, take it through the chain, publish what is open; return the exit status."""
    command = [sys.executable, "-m", "orchestration.run", "live"]
    return subprocess.run(command, env=os.environ | environment, cwd=REPOSITORY, check=False).returncode


def main() -> int:
    """Start the server, publish, and say who can log in where."""
    folder, port = REPOSITORY / ".label-studio", int(sys.argv[1]) if len(sys.argv) > 1 else 8080
    server = Server(folder, folder / "env" / "bin" / "label-studio", port)
    process = server.start()
    environment = write_project(folder, server, REPOSITORY / "data" / "sentiment" / "movies.jsonl.gz")
    status = one_round(environment)
    print(f"\nLabel Studio: {server.url}")
    for name, person in server.people.items():
        print(f"  {name:<8}{person.email:<24}{person.password}")
    print("Log in, label, then run `make label-studio` again: it takes the answers in and asks what is asked next.")
    if process is not None:
        print(f"The server goes on in the background; `kill {process.pid}` ends it.")
    return status


if __name__ == "__main__":
    raise SystemExit(main())
