"""What is expected, in Great Expectations' own words: as its Data Docs say it."""

import re
from typing import TYPE_CHECKING, Any

from cupel.config.expectations import ColumnExpectation
from expectations.judge import Asked, make_expectation, make_stock_expectation
from expectations.thresholds import Comparison

if TYPE_CHECKING:
    from great_expectations.expectations.expectation import Expectation

_PARAMETER = re.compile(r"\$(\w+)")


def describe_number(check: str, comparison: Comparison, threshold: float) -> str:
    """Return what is expected of a check's number in words."""
    return _words(make_expectation(Asked(check, comparison, threshold, "critical", "")))


def describe_expectation(expectation: ColumnExpectation) -> str:
    """Return a team's expectation in words; one that Great Expectations does not take, as the project file has it."""
    try:
        return _words(make_stock_expectation(expectation))
    except Exception:  # its arguments are wrong, which is what its check says
        arguments = ", ".join(f"{name}={value!r}" for name, value in sorted(expectation.arguments.items()))
        return f"{expectation.expectation}({arguments})"


def _words(expectation: "Expectation") -> str:
    from great_expectations.render.renderer.inline_renderer import InlineRenderer

    (content,) = InlineRenderer(render_object=expectation.configuration).get_rendered_content()
    value: Any = content.to_json_dict()["value"]
    parameters = {name: parameter.get("value") for name, parameter in (value.get("params") or {}).items()}
    return _PARAMETER.sub(lambda found: str(parameters.get(found[1], found[0])), value.get("template") or "")
