"""Whether a release's report tells of the release as it is now."""

from cupel.contract.stages import STAGES
from cupel.lake.gates import gate_partition
from cupel.lake.guideline_log import GUIDELINES
from cupel.lake.lake import Lake
from cupel.release.folder import find_not_covered
from cupel.release.layout import REPORT_FILE, RUN_FILE, is_written
from cupel.release.places import release_file, release_place, report_file
from cupel.store.store import MissingError, hash_content

MADE_FROM = ".made_from"
FILES = (REPORT_FILE, "relabel_next.csv")
# Beside them, and held against nothing: it tells what the machine took.
BESIDE = (MADE_FROM, RUN_FILE)


def made_from(lake: Lake, release: str) -> str:
    """Return what names the state of a release: the hashes of its tables, and of what its gate said."""
    names = [f"{table}@{release}" for table in STAGES["release"].tables]
    names.append(f"gate_results@{gate_partition('release', release)}")
    if lake.store.list(GUIDELINES):  # the report says which guideline has replaced the release's
        names.append(f"{GUIDELINES}@{release}")
    return "".join(f"{name} {lake.version(name)}\n" for name in names)


def is_reported(lake: Lake, release: str) -> bool:
    """Tell whether there is a report of the release as it is."""
    return _read(lake, release) in _whole(lake, release)


def is_report_outdated(lake: Lake, release: str) -> bool:
    """Tell whether a report was made from an earlier state, or none was made yet: then it is due, not damaged."""
    made = _read(lake, release)
    if made is None:
        return lake.store.stat(report_file(release, FILES[0])) is None
    return not made.startswith(made_from(lake, release).encode())


def remember_reported(lake: Lake, release: str) -> None:
    """Remember, beside a report that was just written, what it was made from."""
    lake.store.put(report_file(release, MADE_FROM), _whole(lake, release)[0])


def _read(lake: Lake, release: str) -> bytes | None:
    try:
        return lake.store.read(report_file(release, MADE_FROM))
    except MissingError:
        return None


def _whole(lake: Lake, release: str) -> list[bytes]:
    """Return what may stand beside a report that is whole: of what it was made, and the hashes of its files.

    Reports from before hashes were kept have only the first. The copy in a release's folder counts where that is of a
    format that does not cover it; one that is covered belongs to the release's own files.
    """
    store, made, place = lake.store, made_from(lake, release), release_place(release)
    names = {name: report_file(release, name) for name in FILES}
    if is_written(store, place) and REPORT_FILE in find_not_covered(store, place):
        names["released report"] = release_file(release, FILES[0])
    if not all((found := store.stat(name)) is not None and found.size for name in names.values()):
        return []
    hashes = "".join(f"{file} {hash_content(store, name)}\n" for file, name in names.items())
    return [(made + hashes).encode(), made.encode()]
