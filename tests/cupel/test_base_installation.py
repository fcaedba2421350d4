"""The label buyer's installation: what `pip install cupel` brings, without an extra, is enough for an audit."""

import importlib.metadata as metadata
import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from old_lakes import OLD, release_of, unpack
from packaging.requirements import Requirement

from cupel.signing.keys import make_key, write_key
from mark_exports import cvat, cvat_box

BASE = {
    "annotated-types", "cffi", "click", "cryptography", "jinja2", "markdown-it-py", "markupsafe", "mdurl", "numpy",
    "pycparser", "pydantic", "pydantic-core", "pygments", "rich", "typing-extensions", "typing-inspection",
}  # fmt: skip
# As installed, without the byte code that pip compiles.
MOST_MEGABYTES = 130
# Runs a command where every other library is missing.
BLOCKED = """
import importlib.abc, json, sys
MISSING = set(json.loads(sys.argv.pop(1)))
class Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in MISSING:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
from cupel.cli import main
main(prog_name="cupel")
"""


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def needed_by(name: str, *extras: str) -> set[str]:
    """Return the distributions that one brings on this Python, with some of its extras."""
    found: set[str] = set()
    waiting = [(name, extra) for extra in ("", *extras)]
    for owner, extra in waiting:
        for requirement in map(Requirement, metadata.requires(owner) or []):
            if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
                continue
            found.add(normalised(requirement.name))
            asked = [(requirement.name, more) for more in ("", *requirement.extras)]
            waiting.extend(one for one in asked if one not in waiting)
    return found - {name}


@cache
def missing_modules(allowed: frozenset[str]) -> list[str]:
    """Return all modules here that no allowed distribution has."""
    missing = {"assets", "expectations", "orchestration", "samples"}
    for module, owners in metadata.packages_distributions().items():
        if not {normalised(owner) for owner in owners} & (allowed | {"cupel"}):
            missing.add(module)
    return sorted(missing)


def cupel(*arguments: object, extra: str = "") -> "subprocess.CompletedProcess[str]":
    """Run a command where only the base installation is, or one with an extra."""
    missing = missing_modules(frozenset(needed_by("cupel", extra)))
    command = [sys.executable, "-c", BLOCKED, json.dumps(missing), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


@pytest.fixture(autouse=True)
def work_in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write_delivery(path: Path) -> None:
    rows = (f"{number},text {number} of some words,{('bad', 'good')[number % 2]}\n" for number in range(600))
    path.write_text("id,text,label\n" + "".join(rows))


def fill_sheet(folder: Path) -> None:
    sheet = folder / "sheet.csv"
    lines = sheet.read_text(encoding="utf-8-sig").splitlines()
    filled = [f"{line}{('bad', 'good')[int(line.split()[1]) % 2]}" for line in lines[1:]]
    sheet.write_text("\n".join([lines[0], *filled]))


def test_the_base_installation_is_these_few_packages() -> None:
    assert needed_by("cupel") == BASE, "what every label buyer downloads; its reasons are in docs/decisions/0038"


def test_the_base_installation_is_small() -> None:
    sizes = {
        name: sum(file.size or 0 for file in metadata.files(name) or [] if file.suffix != ".pyc") / 1e6 for name in BASE
    }
    assert sum(sizes.values()) <= MOST_MEGABYTES, sizes


def test_a_delivery_is_accepted_where_nothing_else_is_installed(tmp_path: Path) -> None:
    write_delivery(Path("one.csv"))
    arguments = ("accept", "one.csv", "--budget", "5%", "--seed", 7, "--vendor", "acme", "--json", "verdict.json")
    planned = cupel(*arguments)
    assert planned.returncode == 3, planned.stderr
    assert "<svg" in Path("one.audit/plan.html").read_text()
    fill_sheet(Path("one.audit"))
    assert cupel("key", "new", "auditor.pem").returncode == 0
    assert cupel("sign", "one.audit/sheet.csv", "--key", "auditor.pem", extra="verify").returncode == 0
    judged = cupel(*arguments, "--key", "auditor.public.pem")
    assert judged.returncode == 0, judged.stderr
    assert "pip install 'cupel[suspicious]'" in judged.stdout
    assert json.loads(Path("verdict.json").read_text())["verdict"] == "ACCEPT"


@pytest.mark.parametrize(
    ("arguments", "library", "extra"),
    [
        (("accept", "one.parquet", "--budget", "5%"), "pyarrow", "tables"),
        (("accept", "one.csv", "--budget", "5%", "--kind", "multilabel", "--classes", "a,b"), "pyarrow", "tables"),
        (("import", "one.csv", "--batch", "one", "--answers", "answers.csv"), "pyarrow", "tables"),
        (("export", ".", "--to", "there"), "pyarrow", "tables"),
        (("convert", "one.csv", "--kind", "spans", "--to", "a", "--format", "conll"), "pyarrow", "tables"),
        (("sign", "one.csv", "--key", "auditor.pem"), "pyarrow", "verify"),
        (("verify", "."), "[a-z0-9_]+", "verify"),
        (("duplicates", "one.parquet", "--to", "pairs.parquet"), "[a-z0-9_]+", "chain"),
        (("signals", "sentiment"), "[a-z0-9_]+", "chain"),
    ],
)
def test_a_command_whose_library_is_missing_says_what_to_install(
    arguments: tuple[str, ...], library: str, extra: str
) -> None:
    write_delivery(Path("one.csv"))
    Path("one.parquet").write_bytes(b"PAR1 of whatever content")
    write_key(make_key(), Path("auditor.pem"), None)
    said = cupel(*arguments)
    sentence = rf"Error: cupel {arguments[0]} needs {library}, which is not in this installation: "
    assert re.fullmatch(sentence + rf"pip install 'cupel\[{extra}\]'\n", said.stderr), said.stderr
    assert said.returncode == 1


@pytest.mark.parametrize("command", ["check", "rebuild", "prune"])
def test_a_command_of_the_chain_says_where_the_chain_is(command: str) -> None:
    said = cupel(command, "movies-r1")
    assert re.search(r"make setup|pip install 'cupel\[chain\]'", said.stderr)
    assert ("Traceback" in said.stderr, said.returncode) == (False, 1)


def test_help_is_shown_and_keys_are_made_where_nothing_else_is_installed() -> None:
    shown = cupel("--help")
    assert ("accept" in shown.stdout, shown.returncode) == (True, 0)
    made = cupel("key", "new", "buyer.pem")
    assert (made.stderr, made.returncode, Path("buyer.pem").exists()) == ("", 0, True)


def test_parquet_and_label_kinds_need_the_tables_alone() -> None:
    numbers = [str(number) for number in range(100)]
    columns = {"id": numbers, "text": numbers, "label": ['["x"]'] * 100, "worker": ["ann"] * 100}
    pq.write_table(pa.table(columns), "one.parquet")
    options = ("--budget", "5%", "--kind", "multilabel", "--classes", "x,y")
    planned = cupel("accept", "one.parquet", *options, extra="tables")
    assert planned.returncode == 3, planned.stderr
    imported = cupel(
        "import", "one.parquet", "--batch", "one", "--answers", "answers.csv", "--annotator", "worker", "--id", "id",
        "--question", "label", "--kind", "multilabel", "--classes", "x,y", extra="tables",
    )  # fmt: skip
    assert imported.returncode == 0, imported.stderr


def test_marks_need_the_tables_alone() -> None:
    Path("one.xml").write_text(cvat(cvat_box(1, 2, 3, 4)))
    done = cupel("convert", "one.xml", "--kind", "boxes", "--to", "one.json", "--format", "coco", extra="tables")
    assert done.returncode == 0, done.stderr
    imported = cupel(
        "import", "one.json", "--kind", "boxes", "--batch", "one", "--answers", "answers.csv", extra="tables"
    )  # fmt: skip
    assert imported.returncode == 0, imported.stderr


def test_a_release_is_verified_with_its_extra_alone(tmp_path: Path) -> None:
    release = release_of(OLD[-1], unpack(OLD[-1].commit, tmp_path))
    verified = cupel("verify", release, extra="verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
