"""The Pythons that Cupel's package is installed on for a test."""

import os
import subprocess
from shutil import which

VERSIONS = ("3.11", "3.12", "3.13", "3.14")


def find_interpreters() -> dict[str, str]:
    """Return an interpreter of each version that is here: of PYTHONS, else on the path, else of pyenv."""
    named = os.environ.get("PYTHONS", "").split()
    candidates = named or [path for version in VERSIONS if (path := which(f"python{version}")) is not None]
    candidates += [] if named or which("pyenv") is None else _of_pyenv()
    found: dict[str, str] = {}
    for candidate in candidates:
        version = _ask(candidate, "-c", "import sys, ensurepip; print('%d.%d' % sys.version_info[:2])")
        if version in VERSIONS:
            found.setdefault(version, candidate)
    return found


def _of_pyenv() -> list[str]:
    root = _ask("pyenv", "root")
    return [f"{root}/versions/{version}/bin/python" for version in _ask("pyenv", "versions", "--bare").split()]


def _ask(*command: str) -> str:
    """Return what a command prints; nothing where it fails."""
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""
