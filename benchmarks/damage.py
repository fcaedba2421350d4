"""The damage bench: each file of a finished small project damaged in turn; what check, a run and another run say of it.

A small project is taken to a certified release, in three steps: a batch's last answers come late, then those of the
audit. Then each file of its lake and of Dagster's record is deleted, cut in half, emptied, flipped in one byte, or
replaced by an older version of itself. After each, `cupel check` looks, `make run` runs twice, and whatever differs
from the undamaged lake must have been told.
"""

import argparse
import io
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, NamedTuple

from cupel.check.check import find_damage
from cupel.errors import CupelError
from cupel.lake.lake import Lake
from cupel.store.files import hash_file
from cupel.store.outputs import Output, check_outputs, is_json_object, write_output
from cupel.store.sealed import open_sealed
from orchestration.home_check import check_home

NAME = "small"
LAKE, HOME = f"lake/{NAME}", ".dagster"
# Whatever a run writes anew each time, or that holds seconds; of no account for what the lake holds.
NOT_COMPARED = (
    "summary.json", "catalog.duckdb", "run.json", "run.lock", "seen.json", "answers/verified.json", "cpu/", "locks/",
    "damaged/", "reports/", "plots/", "data_docs/",
)  # fmt: skip
Outcome = Literal["mended", "repaired", "told", "harmless", "silent"]
MEANING: dict[Outcome, str] = {
    "mended": "told, and made again by a run: the lake is the same byte for byte",
    "repaired": "told, and made again by `cupel check --repair`: the lake is the same byte for byte",
    "told": "told, with what mends it: a file to restore from a copy",
    "harmless": "derived, or of no account: after the runs the lake is the same byte for byte",
    "silent": "the lake is another, or the file is still damaged, and nobody said so",
}


class DamageCase(NamedTuple):
    """One damage to one file, relative to the project's folder."""

    path: str
    damage: str


class CaseResult(NamedTuple):
    """What came of a case: what the check said, how the runs ended, and whether the lake is the same."""

    path: str
    kind: str
    damage: str
    outcome: Outcome
    check: str
    runs: list[int]
    said: str
    differs: str


def kind_of(path: str) -> str:
    """Return what kind of file a path of the project's folder is."""
    parts = Path(path).parts
    if parts[0] == HOME:
        return "Dagster's record: " + ("databases" if path.endswith(".db") else "settings and logs")
    inner = parts[2:]
    if inner[0] == "tables":
        owner = "of a release" if "-r" in inner[2] else "of a batch"
        return f"{'commit' if inner[3] == 'commit.json' else 'part'} {owner}"
    if len(inner) == 1:
        return "key of masks" if inner[0].startswith("mask") else "format" if inner[0] == "FORMAT" else "derived"
    return {"answers": "answers log", "releases": "release folder", "reports": "report"}.get(inner[0], inner[0])


def damages(whole: Path, older: Path, path: str) -> Iterator[str]:
    """Yield what can be done to a file: it is deleted, cut, emptied, flipped, or replaced by an older version."""
    content = (whole / path).read_bytes()
    yield "deleted"
    if content:
        yield from ("cut", "emptied", "flipped")
    if (older / path).is_file() and (older / path).read_bytes() != content:
        yield "older"


def hurt(root: Path, older: Path, case: DamageCase) -> None:
    """Damage one file."""
    path = root / case.path
    content = path.read_bytes()
    path.unlink()
    if case.damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif case.damage == "emptied":
        path.touch()
    elif case.damage == "flipped":
        place = len(content) // 2
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    elif case.damage == "older":
        shutil.copy2(older / case.path, path)


def hashes(root: Path) -> dict[str, str]:
    """Return the hash of each file of the lake that counts, by its path in the project's lake."""
    folder = root / LAKE
    current = {
        path.parent / part["name"]
        for path in folder.glob("tables/*/*/commit.json")
        for part in _content_of(path).get("parts", [])
    }
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {
        name: hash_file(path) for name, path in sorted(found.items())
        if not name.startswith(NOT_COMPARED) and not (name.startswith("releases/") and name.endswith("run.json"))
        # From superseded parts nothing is read any more.
        and not (name.startswith("tables/") and path.name != "commit.json" and path not in current)
    }  # fmt: skip


def _content_of(path: Path) -> dict[str, Any]:
    try:
        return open_sealed(path.read_bytes())
    except ValueError:
        return {}


def copy_project(whole: Path, root: Path) -> None:
    """Copy a project; files that are only ever replaced whole are linked."""
    linked = whole / LAKE

    def copy(source: str, target: str) -> None:
        path = Path(source)
        is_linked = path.is_relative_to(linked) and path.relative_to(linked).parts[0] not in ("locks", "run.lock")
        os.link(source, target) if is_linked else shutil.copy2(source, target)

    shutil.copytree(whole, root, copy_function=copy)


def repair_project(root: Path) -> str:
    """Do what `cupel check --repair` does, in this process; return what it said."""
    from orchestration.check_command import check

    said = io.StringIO()
    try:
        with at_work_in(root), redirect_stdout(said):
            check(None, root / "projects", root / "data", root / "lake", root / HOME, is_repaired=True, json_file=None)
    except CupelError as error:
        return str(error)
    except Exception as error:
        return f"TRACEBACK {type(error).__name__}: {error}"
    return said.getvalue()


@contextmanager
def at_work_in(root: Path) -> Iterator[None]:
    """Let commands work in a folder."""
    names = {"CUPEL_PROJECTS": "projects", "CUPEL_DATA": "data", "CUPEL_LAKE": "lake", "CUPEL_INBOX": "inbox",
             "DAGSTER_HOME": HOME}  # fmt: skip
    before, here = dict(os.environ), Path.cwd()
    os.environ.update({name: str(root / folder) for name, folder in names.items()})
    try:
        os.chdir(root)
        yield
    finally:
        os.chdir(here)
        os.environ.clear()
        os.environ.update(before)


def run_project(root: Path) -> tuple[int, str]:
    """Do what `make run` does, in this process; return its exit code and what it said."""
    from orchestration.run import main

    said, argv = io.StringIO(), sys.argv
    try:
        sys.argv = ["run", NAME]
        with at_work_in(root), redirect_stdout(said):
            code = main()
    except Exception as error:  # a traceback is what must never be
        return 99, f"TRACEBACK {type(error).__name__}: {error}"
    finally:
        sys.argv = argv
    return code, said.getvalue()


def look(root: Path) -> list[str]:
    """Do what `cupel check` does; return the files that it names."""
    try:
        found = [*find_damage(Lake(root / "lake", NAME), is_light=False), *check_home(root / HOME)]
    except Exception as error:  # likewise
        return [f"TRACEBACK {type(error).__name__}: {error}"]
    return [f"{damage.path}: {damage.what} [{damage.remedy}]" for damage in found]


def judge(root: Path, older: Path, whole: dict[str, str], case: DamageCase) -> CaseResult:
    """Damage a file of a copy, let the check and two runs look at it, and say what came of it."""
    hurt(root, older, case)
    after_damage = _bytes(root / case.path)
    checked = look(root)
    runs = [run_project(root), run_project(root)]
    now = hashes(root)
    differing = sorted(name for name in {*whole, *now} if whole.get(name) != now.get(name))
    still = case.path.startswith(HOME) and _bytes(root / case.path) == after_damage
    said = "\n".join(words for _, words in runs)
    is_told = bool(checked) and not checked[0].startswith("TRACEBACK") and all(code != 99 for code, _ in runs)
    outcome: Outcome
    repaired = ""
    if any(code == 99 for code, _ in runs) or (checked and checked[0].startswith("TRACEBACK")):
        outcome = "silent"
    elif differing or (still and checked):
        outcome = "told" if is_told or any(code for code, _ in runs) else "silent"
        if outcome == "told":
            repaired = repair_project(root)
            is_mended = not run_project(root)[0] and hashes(root) == whole and not look(root)
            outcome = "repaired" if is_mended else "silent" if "TRACEBACK" in repaired else "told"
    else:
        outcome = "mended" if is_told else "harmless"
    if outcome == "silent" or any(code for code, _ in runs):
        reason = next(
            (line for line in said.splitlines() if "TRACEBACK" in line or "restore" in line or "cupel check" in line),
            "",
        )
    else:
        reason = next((line for line in said.splitlines() if "made again" in line), "")
    return CaseResult(
        case.path, kind_of(case.path), case.damage, outcome, "; ".join(checked)[:300], [code for code, _ in runs],
        reason[:300] or repaired[-300:], ", ".join(differing)[:300],
    )  # fmt: skip


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def prepare(folder: Path, write: Callable[[Path], object]) -> tuple[Path, Path]:
    """Take a project to where answers are awaited, twice, then to its release; return the whole tree and the older one.

    Args:
        folder: Where both are made.
        write: Writes the project with its deliveries and answers into a folder.
    """
    whole, older = folder / "whole", folder / "older"
    whole.mkdir(parents=True)
    write(whole)
    (whole / HOME).mkdir()
    (whole / "inbox").mkdir()
    shutil.copy(Path(__file__).parent.parent / "orchestration" / "dagster.yaml", whole / HOME / "dagster.yaml")
    answers = whole / "data" / NAME / "answers.csv"
    lines = answers.read_text().splitlines(keepends=True)
    audit = [line for line in lines if ",expert," in line]
    waits_for: list[Callable[[str], bool]] = [lambda line: ",i1," in line, audit[10:].__contains__, lambda line: False]
    for state, is_awaited in enumerate(waits_for):
        answers.write_text("".join(line for line in lines if not is_awaited(line)))
        code, said = run_project(whole)
        if code:
            raise SystemExit(said)
        if state == 0:
            shutil.copytree(whole, older)
        if state == 1:  # of the release as it was while its audit went on
            for folder in (whole / LAKE / "tables").glob("*/*-r1"):
                shutil.copytree(folder, older / folder.relative_to(whole))
    run_project(whole)
    return whole, older


def cases(whole: Path, older: Path, most_of_a_kind: int | None = None) -> list[DamageCase]:
    """Return the damages, of each kind of file at most so many files, from the first to the last by name."""
    by_kind: dict[str, list[str]] = {}
    for path in sorted(path for folder in (LAKE, HOME) for path in (whole / folder).rglob("*") if path.is_file()):
        name = path.relative_to(whole).as_posix()
        by_kind.setdefault(kind_of(name), []).append(name)
    found: list[DamageCase] = []
    for names in by_kind.values():
        most, last = most_of_a_kind or len(names), len(names) - 1
        chosen = {names[place * last // max(most - 1, 1)] for place in range(most)} if most <= last else names
        found += [DamageCase(name, damage) for name in sorted(chosen) for damage in damages(whole, older, name)]
    return found


def bench(whole: Path, older: Path, chosen: list[DamageCase], say: Callable[[CaseResult], None]) -> list[CaseResult]:
    """Run the cases, each in a copy of its own."""
    known, results = hashes(whole), []
    for case in chosen:
        with tempfile.TemporaryDirectory(prefix="damage-") as folder:
            root = Path(folder) / "project"
            copy_project(whole, root)
            results.append(judge(root, older, known, case))
            say(results[-1])
    return results


def counts(results: list[CaseResult]) -> dict[str, dict[str, int]]:
    """Return how many cases of each kind of file came to which outcome."""
    found: dict[str, dict[str, int]] = {}
    for result in results:
        row = found.setdefault(result.kind, dict.fromkeys(MEANING, 0))
        row[result.outcome] += 1
    return dict(sorted(found.items()))


def small_project(folder: Path) -> None:
    """Write the project of the tests: 300 made-up sentences, a crew of three, an expert."""
    sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
    import_module("small_project").write_project(folder, items=120)


def main() -> int:
    """Damage every file, or a sample, and show what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="Write all cases and their counts there.")
    parser.add_argument("--of-a-kind", type=int, help="Most files of a kind; all without it.")
    parser.add_argument("--only", default="", help="Only files whose path holds this.")
    parser.add_argument("--damage", default="", help="Only this damage.")
    options = parser.parse_args()
    if options.json is not None:
        check_outputs([Output("--json", options.json, is_json_object("counts", "cases"))], [])
    with tempfile.TemporaryDirectory(prefix="damage-bench-") as folder:
        whole, older = prepare(Path(folder), small_project)
        chosen = [case for case in cases(whole, older, options.of_a_kind)
                  if options.only in case.path and options.damage in case.damage]  # fmt: skip

        def say(result: CaseResult) -> None:
            print(f"{result.outcome:<9}{result.damage:<9}{result.path} {result.runs} | {result.check[:150]} | "
                  f"{result.said[:150]} | {result.differs[:100]}", flush=True)  # fmt: skip

        results = bench(whole, older, chosen, say)
    found = counts(results)
    for kind, row in found.items():
        print(f"{kind:<40}" + "  ".join(f"{outcome} {count}" for outcome, count in row.items()))
    if options.json is not None:
        content = {"counts": found, "cases": [result._asdict() for result in results]}
        write_output("--json", options.json, (json.dumps(content, indent=1) + "\n").encode())
    return int(any(result.outcome == "silent" for result in results))


if __name__ == "__main__":
    sys.exit(main())
