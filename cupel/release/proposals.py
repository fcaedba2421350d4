"""Proposals: which releases somebody, or the schedule, wants put to an audit; kept in the lake, never changed."""

from cupel.config.project import Project
from cupel.errors import ReleaseError
from cupel.lake.gates import batch_state
from cupel.lake.lake import Lake
from cupel.people.annotators.policies import is_settled
from cupel.release.plan import ALL, batches_of, is_finished, release_name
from cupel.store.event_log import Event

PROPOSALS = "proposals"


def proposed(lake: Lake) -> list[str]:
    """Return the releases that were proposed, and those that were frozen, by name."""
    return _known(lake, lake.log(PROPOSALS).read())


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
    (event,) = lake.log(PROPOSALS).append(lambda there: [_next(lake, _known(lake, there), holds, asked_by)])
    return str(event["release"])


def propose_new(lake: Lake, project: Project, asked_by: str) -> list[str]:
    """Propose a first release of all that is ready and was in none yet."""
    holds = [ALL] if project.release.holds == "all_batches" else list(project.raw.deliveries)

    def decide(there: list[Event]) -> list[Event]:
        names = _known(lake, there)
        known = {name.rpartition("-r")[0] for name in names}
        wanted = [part for part in holds if part not in known and is_ready(lake, project, release_name(part, 1))]
        return [_next(lake, names, part, asked_by) for part in wanted]

    return [event["release"] for event in lake.log(PROPOSALS).append(decide)]


def propose_changed(lake: Lake, project: Project, asked_by: str) -> list[str]:
    """Propose a release of all whose labels are no longer those that its last, finished release froze."""

    def decide(there: list[Event]) -> list[Event]:
        names, last = _known(lake, there), dict[str, str]()
        for name in sorted(names, key=lambda name: int(name.rpartition("-r")[2])):
            last[name.rpartition("-r")[0]] = name
        return [
            _next(lake, names, part, asked_by)
            for part, name in sorted(last.items())
            if part in (ALL, *project.raw.deliveries)
            and is_finished(lake, name)
            and has_changed(lake, project, name)
            and is_ready(lake, project, name)
        ]

    return [event["release"] for event in lake.log(PROPOSALS).append(decide)]


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


def _known(lake: Lake, events: list[Event]) -> list[str]:
    return sorted({event["release"] for event in events} | set(lake.partitions("release_plan")))


def _next(lake: Lake, known: list[str], holds: str, asked_by: str) -> Event:
    """Return the proposal of the release after those that are known of a batch, or of `all`."""
    before = [name for name in known if name.rpartition("-r")[0] == holds]
    open_ones = [name for name in before if not is_finished(lake, name)]
    if open_ones:
        raise ReleaseError(
            f"release {open_ones[0]}: not finished yet; let its questions be answered before {holds} is audited anew"
        )
    number = 1 + max((int(name.rpartition("-r")[2]) for name in before), default=0)
    return {"release": release_name(holds, number), "asked_by": asked_by}
