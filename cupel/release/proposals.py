"""Proposals: which releases somebody, or the schedule, wants put to an audit; kept in the lake, never changed."""

import json

from cupel.annotators.policies import is_settled
from cupel.config.project import Project
from cupel.errors import ReleaseError, SourceError
from cupel.lake import Lake
from cupel.release.gates import batch_state
from cupel.release.plan import ALL, batches_of, is_finished, release_name
from cupel.sources.register import create_file

PROPOSALS = "proposals"


def proposed(lake: Lake) -> list[str]:
    """Return the releases that were proposed, and those that were frozen, by name."""
    folder = lake.folder / PROPOSALS
    names = {path.stem for path in folder.glob("*.json")} if folder.is_dir() else set()
    return sorted(names | set(lake.partitions("release_plan")))


def propose(lake: Lake, project: Project, holds: str, asked_by: str) -> str:
    """Propose the next release of a batch, or of `all`: a new audit, which spends some of what chance may err.

    Args:
        lake: The project's lake.
        project: The project, its registered deliveries among them.
        holds: A batch, or `all`.
        asked_by: Who wants it: a person, the schedule, or the chain itself.

    Returns:
        The release's name.

    Raises:
        ReleaseError: The project has no such batch, or the last release of it is not finished yet.
    """
    batches_of(release_name(holds, 1), project)
    before = [name for name in proposed(lake) if name.rpartition("-r")[0] == holds]
    open_ones = [name for name in before if not is_finished(lake, name)]
    if open_ones:
        raise ReleaseError(
            f"release {open_ones[0]}: not finished yet; let its questions be answered before {holds} is audited anew"
        )
    name = release_name(holds, 1 + max((int(known.rpartition("-r")[2]) for known in before), default=0))
    folder = lake.folder / PROPOSALS
    folder.mkdir(parents=True, exist_ok=True)
    try:
        create_file(folder / f"{name}.json", (json.dumps({"release": name, "asked_by": asked_by}) + "\n").encode())
    except SourceError as error:
        raise ReleaseError(str(error)) from None
    return name


def propose_new(lake: Lake, project: Project, asked_by: str) -> list[str]:
    """Propose a first release of all that is ready and was in none yet."""
    known = {name.rpartition("-r")[0] for name in proposed(lake)}
    holds = [ALL] if project.release.holds == "all_batches" else list(project.raw.deliveries)
    wanted = [part for part in holds if part not in known and is_ready(lake, project, release_name(part, 1))]
    return [propose(lake, project, part, asked_by) for part in wanted]


def propose_changed(lake: Lake, project: Project, asked_by: str) -> list[str]:
    """Propose a release of all whose labels are no longer those that its last, finished release froze."""
    last: dict[str, str] = {}
    for name in sorted(proposed(lake), key=lambda name: int(name.rpartition("-r")[2])):
        last[name.rpartition("-r")[0]] = name
    wanted = [
        part
        for part, name in sorted(last.items())
        if part in (ALL, *project.raw.deliveries)
        and is_finished(lake, name)
        and has_changed(lake, project, name)
        and is_ready(lake, project, name)
    ]
    return [propose(lake, project, part, asked_by) for part in wanted]


def has_changed(lake: Lake, project: Project, release: str) -> bool:
    """Tell whether a batch of a release that passed its gates has other labels now than the release froze."""
    commit = lake.commit("release_plan", release)
    frozen = {} if commit is None else commit.inputs
    passed = [batch for batch in batches_of(release, project) if batch_state(lake, batch, project).outcome == "pass"]
    return any(frozen.get(name) != lake.version(name) for name in (f"labels@{batch}" for batch in passed))


def is_ready(lake: Lake, project: Project, release: str) -> bool:
    """Tell whether all batches of a release have come to an end, and one at least has passed.

    A batch has not while something is due about its annotators: that changes its labels.
    """
    if not all(is_settled(lake, project, batch) for batch in batches_of(release, project)):
        return False
    outcomes = [batch_state(lake, batch, project).outcome for batch in batches_of(release, project)]
    return "pass" in outcomes and all(outcome in ("pass", "fail") for outcome in outcomes)
