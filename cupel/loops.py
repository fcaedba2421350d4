"""Loops: functions compiled to machine code, which is kept where there is room for it. Slow to import (numba)."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numba

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Return the function, compiled when it is first called; sums keep the order in which they are written.

    The machine code is kept beside the source, or in the user's cache folder where the source may not be
    written to (NUMBA_CACHE_DIR names another); where neither may, each process compiles anew, in a second or two.
    Other threads may run meanwhile.
    """
    try:
        kept: Callable[P, R] = numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:  # Numba found no folder that may be written to.
        kept = numba.njit(nogil=True)(function)
    return kept
