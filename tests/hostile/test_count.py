"""How many cases a run of this folder makes; that each test runs those it declares, conftest sees to."""

from pathlib import Path

import pytest

LEAST = 10_000


def test_a_run_makes_ten_thousand_cases(request: pytest.FixtureRequest) -> None:
    doors = {path.name for path in Path(__file__).parent.glob("test_*.py")}
    here = [item for item in request.session.items if item.path.parent == Path(__file__).parent]
    if {item.path.name for item in here} != doors:
        pytest.skip("only some of the doors were asked for")
    assert sum(getattr(getattr(item, "obj", None), "cases", 0) for item in here) >= LEAST
