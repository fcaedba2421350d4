"""Data sets: which folders of either form there are, and how each is read."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.double_check.folder import GOLD, LABELS, Crowd, Gold, read_folder
from benchmarks.double_check.model_folder import MODEL_LABELS, read_model_folder
from cupel.errors import SourceError


def find_sets(paths: Sequence[Path]) -> list[Path]:
    """Return the folders of either form: those named, and all right inside the others, by name.

    Raises:
        SourceError: A folder neither is one nor holds one, or two have the same name.
    """
    found: list[Path] = []
    for path in paths:
        inside = [path] if _is_set(path) else sorted(one for one in path.glob("*") if _is_set(one))
        if not inside:
            raise SourceError(
                f"{path}: neither it nor a folder in it holds {GOLD} and {LABELS}, or {GOLD} and {MODEL_LABELS}"
            )
        found += inside
    names = [path.resolve().name for path in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise SourceError(f"{twice}: two folders have this name; figures are by name: rename one or leave it out")
    return found


def read_set(folder: Path) -> tuple[Crowd, Gold]:
    """Read a folder: with labels.csv of a crowd, else of a model that is the only annotator."""
    return read_folder(folder) if (folder / LABELS).is_file() else read_model_folder(folder)


def _is_set(folder: Path) -> bool:
    return (folder / GOLD).is_file() and ((folder / LABELS).is_file() or (folder / MODEL_LABELS).is_file())
