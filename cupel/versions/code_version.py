"""The version of a table: a hash of the code that decides its values, and one of the settings that do.

Code is what the function of the table's stage reaches, without comments and docstrings, the schema of the tables that
it writes, the data files that the code names, and the locked versions of the packages that it uses: the installed ones
where Cupel itself is installed as a package, which comes without a lock.
"""

import hashlib
import json
from collections.abc import Iterable
from functools import cache
from itertools import takewhile
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

import cupel
from cupel.contract.stages import KIND_GATE, STAGES, find_step, stage_of
from cupel.contract.variants import read_setting
from cupel.store.files import is_file
from cupel.versions.code import Code, Lock, Reach
from cupel.versions.installed import InstalledPackages
from cupel.versions.module import Name

if TYPE_CHECKING:
    from cupel.config.project import Project

ROOT = Path(cupel.__file__).parent.parent
# Of the code's folder: what everybody installs, and what the checker `embedding` needs besides.
LOCKS = ("requirements.lock", "requirements-embedding.lock")
DIGITS = 12
# What is used on the way to a value, and decides none: how tables and answers are stored and found, how the project
# file is read (its settings are in the version by themselves), and how things are shown.
OUTSIDE = (
    "assets.asset_tags", "assets.behind_gates", "assets.bench", "assets.page_links", "assets.plots",
    "assets.run_outcome", "assets.spec",
    "cupel.errors", "cupel.printable", "cupel.store", "cupel.lake", "cupel.versions", "cupel.intake", "cupel.check",
    "cupel.witness",  # what it says is recorded once, and decides by that
    "cupel.contract.format_check", "cupel.contract.kind", "cupel.contract.lineage", "cupel.contract.modality",
    "cupel.contract.stages", "cupel.contract.table", "cupel.contract.variants",
    # A section's own rules are followed; the whole file is not.
    "cupel.config.project", "cupel.config.base", "cupel.config.problems", "cupel.config.strict_yaml",
)  # fmt: skip
# What sorts and writes every table and every outcome; and what only runs the functions.
STORED_BY = ("duckdb", "pyarrow")
RUN_BY = ("dagster",)


def code_version(project: "Project", table: str, partition: str | None = None) -> str:
    """Return what changes when code or settings that decide a table's values do.

    Args:
        project: The project.
        table: A table of the chain.
        partition: Batch or release; where settings are kept for each, only its own count. None for all.

    Returns:
        12 hexadecimal digits of the code, a dash, 12 of the settings.
    """
    step = find_step(project, table)
    keys = (*stage_of(table).settings, *(step.settings if step is not None else ()))
    return _join(table_reach(project, table), _hash_settings(project, keys, partition))


def gate_version(project: "Project", gate: str) -> str:
    """Return what changes when a gate asks something else, or measures or judges in another way.

    Args:
        project: The project.
        gate: A stage, or a table that has a gate of its own.
    """
    settings = _hash_settings(project, STAGES["gates"].settings, None)
    if gate in project.kind.tables:  # what it asks is data of the kind
        settings = _short(f"{settings} {project.kind.checks!r}")
    return _join(gate_reach(project, gate), settings)


def table_reach(project: "Project", table: str, code: Code | None = None) -> Reach:
    """Return what code decides a table's values.

    Args:
        project: The project: its kind and variants are followed, others are not.
        table: A table of the chain.
        code: Where the code is; None for the code at work.
    """
    step, stage = find_step(project, table), stage_of(table)
    if step is None:
        raise KeyError(f"project {project.project} writes no table {table}")
    written = ((f"cupel.contract.tables.{stage.name}", name.upper()) for name in step.tables)
    return _reach(project, ((stage.module, step.name), *written), code)


def gate_reach(project: "Project", gate: str, code: Code | None = None) -> Reach:
    """Return what code decides what a gate says; see `table_reach`."""
    judged = STAGES[gate] if gate in STAGES else stage_of(gate)
    place = KIND_GATE if gate in project.kind.tables else judged.suites.get(gate)
    suites = [] if place is None else [_name(place)]
    gates = STAGES["gates"]
    return _reach(project, ((gates.module, gates.steps[0].name), *suites), code)


def locked_versions(reach: Reach, lock: Lock) -> dict[str, str]:
    """Return name and version of the packages that decide values beside the code that is reached.

    Args:
        reach: Of a table, of a gate, or of several together.
        lock: The locked versions.
    """
    return lock.versions(reach.distributions.difference(RUN_BY).union(STORED_BY))


def describe_change(before: str, now: str, table: str) -> str:
    """Return in words which part of a table's version differs: its settings, its code, or both."""
    code_before, _, settings_before = before.partition("-")
    code_now, _, settings_now = now.partition("-")
    sections = " or ".join(section_names(table))
    changed = [f"settings of {sections}"] if settings_before != settings_now else []
    changed += ["code or libraries"] if code_before != code_now else []
    return f"{' and '.join(changed)} changed"


def section_names(table: str) -> list[str]:
    """Return the sections and keys of the project file that decide a table's values in every project that has it.

    >>> section_names("clean_items")
    ['cleaning', 'licences']
    """
    stage = stage_of(table)
    writers = [step.settings for step in stage.steps if table in step.tables]
    of_steps = [key for key in writers[0] if all(key in settings for settings in writers)]
    # The names of licences, in their order, are a setting made of a section.
    keys = (key.removesuffix(".*").removesuffix(".<") for key in dict.fromkeys((*stage.settings, *of_steps)))
    return ["licences" if key == "licence_names" else key for key in keys]


def _reach(project: "Project", roots: Iterable[Name], code: Code | None) -> Reach:
    if code is not None:
        return code.reach(
            roots, lambda setting: read_setting(project, setting), lambda use: find_function(project, use)
        )
    # The code at work stays what it was when it was loaded, and is read once for each variant and kind.
    known = _known(tuple(roots))
    for options, functions, found in known:
        if all(read_setting(project, setting) == option for setting, option in options.items()) and all(
            find_function(project, use) == function for use, function in functions.items()
        ):
            return found
    asked: dict[str, str] = {}
    used: dict[str, Name | None] = {}

    def option_of(setting: str) -> str:
        asked[setting] = read_setting(project, setting)
        return asked[setting]

    def function_of(use: str) -> Name | None:
        used[use] = find_function(project, use)
        return used[use]

    found = _at_work().reach(roots, option_of, function_of)
    known.append((asked, used, found))
    return found


def find_function(project: "Project", use: str) -> Name | None:
    """Return module and name of a function of the project's label kind or modality, or of a section's property.

    None where it is none: data of a kind, and settings, are no code.

    Args:
        project: The project.
        use: As `kind.parse`.
    """
    owner, _, name = use.partition(".")
    holder = getattr(project, owner)
    if isinstance(getattr(type(holder), name, None), property):  # made of settings by the section that holds them
        return type(holder).__module__, type(holder).__qualname__
    found = getattr(holder, name, None)
    return (found.__module__, found.__qualname__) if isinstance(found, FunctionType) else None


@cache
def _known(roots: tuple[Name, ...]) -> list[tuple[dict[str, str], dict[str, Name | None], Reach]]:
    return []


@cache
def _at_work() -> Code:
    return Code(ROOT, OUTSIDE)


@cache
def _lock() -> Lock:
    paths = [ROOT / name for name in LOCKS if is_file(ROOT / name)]
    return Lock(*paths) if paths else InstalledPackages()


def _join(reach: Reach, settings: str) -> str:
    return f"{_short(json.dumps([reach.files, locked_versions(reach, _lock())], sort_keys=True))}-{settings}"


def _hash_settings(project: "Project", keys: Iterable[str], partition: str | None) -> str:
    values = {key: _plain(_find(project, key.split("."), partition)) for key in keys}
    return _short(json.dumps(values, sort_keys=True))


def _find(value: Any, path: list[str], partition: str | None) -> Any:
    """Return what a key of the project file holds; of `*` the entry of the partition, or all; see `Stage.settings`.

    In a section that is not there, it holds nothing.
    """
    for part in path:
        if value is None:
            return None
        if part == "*":
            return value.get(partition, value)
        if part == "<":
            return list(takewhile(lambda name: name != partition, value))
        value = getattr(value, part)
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]


def _name(text: str) -> Name:
    module, _, name = text.partition(":")
    return module, name
