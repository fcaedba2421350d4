"""What the terminal says of what was done about annotators."""

from cupel.lake.annotator_actions import Action
from cupel.show.action_messages import format_actions


def action(name: str, deed: str, finding: str = "guessing", batch: str = "movies") -> Action:
    return Action(batch, name, deed, 1.0, finding, f"so is {name}", 0.1, None, 50, "policy", 9, 1.5)  # type: ignore[arg-type]


def test_warnings_are_one_line_however_many_there_are() -> None:
    warned = [action(f"p{number}", "warn", "copying" if number < 3 else "guessing") for number in range(1200)]
    assert list(format_actions([*warned, action("p0", "warn")])) == [
        "movies: warning of 1,200 annotators (copying 3, guessing 1,198); their answers count whole; "
        "see annotator_findings"
    ]


def test_who_loses_weight_is_named_with_the_reason_up_to_five() -> None:
    lines = list(format_actions([action(f"p{number}", "remove") for number in range(7)]))
    assert lines[0] == "movies: remove annotator p0: guessing: so is p0"
    assert lines[5:] == ["movies: remove 2 more annotators; see annotator_findings"]


def test_deliveries_and_deeds_are_told_apart() -> None:
    lines = list(format_actions([action("p", "weigh_down"), action("q", "warn", batch="books"), action("r", "warn")]))
    assert [line.split(":")[0] for line in lines] == ["books", "movies", "movies"]
    assert any(line.startswith("movies: weigh down annotator p") for line in lines)


def test_nothing_done_is_nothing_said() -> None:
    assert list(format_actions([])) == []
