import dataclasses
import io
from typing import Any

import pytest
from rich.console import Console

from cupel.show.funnel import print_funnel


def printed(facts: list[Any], width: int = 100, **more: Any) -> list[str]:
    sink = io.StringIO()
    print_funnel(facts, Console(file=sink, width=width), **more)
    return sink.getvalue().splitlines()


def line(lines: list[str], name: str) -> str:
    return next(text for text in lines if text.strip().startswith(name))


def renamed(made: Any, batch: str) -> Any:
    batches = [dataclasses.replace(made.facts.batches[0], batch=batch)]
    return dataclasses.replace(made.facts, batches=batches)


def test_deliveries_stand_side_by_side_with_their_gates(certified: Any, refused: Any) -> None:
    lines = printed([certified.facts, renamed(refused, "newspaper")])
    assert lines[0].split() == ["movies", "newspaper"]
    assert line(lines, "gate").split() == ["gate", "✔", "PASS", "✘", "REFUSED"]
    assert line(lines, "rows delivered").split()[-2:] == ["420", "420"]
    assert line(lines, "near duplicate").split()[-2:] == ["13", "13"]
    assert line(lines, "released").split() == ["released", f"{certified.facts.released}", "0"]


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_no_line_is_wider_than_the_terminal_and_nothing_is_cut(certified: Any, refused: Any, width: int) -> None:
    lines = printed([certified.facts, renamed(refused, "newspaper")], width)
    assert max(len(text) for text in lines) <= width
    words = " ".join(" ".join(lines).split())
    for made in (certified, refused):
        assert all(word in words for word in made.facts.reason.split())
    assert "…" not in words.replace("… OPEN", "")


def test_an_estimate_comes_with_its_interval(certified: Any) -> None:
    assert "(" in line(printed([certified.facts]), "one annotator wrong")
    assert " to " in line(printed([certified.facts]), "consensus wrong")


def test_what_is_not_known_is_a_dash_and_never_a_zero(certified: Any) -> None:
    lines = printed([certified.facts.batches[0]])
    for name in ("one annotator wrong", "audited", "bound, contested aside", "error budget", "expert hours", "cost"):
        assert line(lines, name).split()[-1] == "\N{EN DASH}", name
    assert "OPEN" in line(lines, "gate")


def test_markup_in_a_reason_is_printed_as_it_is(certified: Any) -> None:
    batch = dataclasses.replace(certified.facts.batches[0], rejected={"[red]odd[/red]": 2}, gates=[], batch="movies")
    assert line(printed([batch]), "[red]odd[/red]").split()[-1] == "2"


def test_seconds_are_a_table_of_their_own_where_they_are_known(certified: Any) -> None:
    lines = printed([certified.facts], stage_seconds={"movies": {"raw": 1.25, "cleaning": 2.0}})
    assert line(lines, "seconds, raw").split()[-2:] == ["1.2", "s"]
    assert line(lines, "seconds, together").split()[-2:] == ["3.2", "s"]
    assert not any("seconds" in text for text in printed([certified.facts], stage_seconds={"movies": {}}))
