"""Whether a release's report tells of the release as it is now."""

from cupel.contract.stages import STAGES
from cupel.lake import Lake
from cupel.release.gates import gate_partition
from cupel.release.places import release_folder, report_folder
from cupel.store.files import hash_file as file_hash
from cupel.store.files import put_file as replace_file

MADE_FROM = ".made_from"
FILES = ("report.html", "relabel_next.csv")


def made_from(lake: Lake, release: str) -> str:
    """Return what names the state of a release: the hashes of its tables, and of what its gate said."""
    names = [f"{table}@{release}" for table in STAGES["release"].tables]
    names.append(f"gate_results@{gate_partition('release', release)}")
    return "".join(f"{name} {lake.version(name)}\n" for name in names)


def is_reported(lake: Lake, release: str) -> bool:
    """Tell whether there is a report of the release as it is."""
    path = report_folder(lake, release) / MADE_FROM
    return path.is_file() and path.read_bytes() in _whole(lake, release)


def is_report_outdated(lake: Lake, release: str) -> bool:
    """Tell whether a report was made from an earlier state, or none was made yet: then it is due, not damaged."""
    folder = report_folder(lake, release)
    path = folder / MADE_FROM
    if not path.is_file():
        return not (folder / FILES[0]).exists()
    return not path.read_bytes().startswith(made_from(lake, release).encode())


def remember_reported(lake: Lake, release: str) -> None:
    """Remember, beside a report that was just written, what it was made from."""
    replace_file(report_folder(lake, release) / MADE_FROM, _whole(lake, release)[0])


def _whole(lake: Lake, release: str) -> list[bytes]:
    """Return what may stand beside a report that is whole: of what it was made, and the hashes of its files.

    Reports from before hashes were kept have only the first.
    """
    folder, made = report_folder(lake, release), made_from(lake, release)
    paths = {name: folder / name for name in FILES}
    if (released := release_folder(lake, release)).is_dir():
        paths["released report"] = released / FILES[0]
    if not all(path.is_file() and path.stat().st_size for path in paths.values()):
        return []
    hashes = "".join(f"{name} {file_hash(path)}\n" for name, path in paths.items())
    return [(made + hashes).encode(), made.encode()]
