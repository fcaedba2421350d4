"""Where a benchmark writes its figures: a file that is not there yet, so that nothing of before is lost."""

import sys
from pathlib import Path


def new_file(name: str) -> Path:
    """Return the path of a file that is to be written; ends the program where there is one already.

    For the parsers of benchmarks, which run for hours before they write. An empty file is as good as none.
    """
    path = Path(name)
    if path.is_symlink() or (path.exists() and not (path.is_file() and path.stat().st_size == 0)):
        sys.exit(f"{path}: is there already; name a new file")
    if not path.parent.is_dir():
        sys.exit(f"{path}: there is no folder {path.parent}; make it, or name another place")
    return path
