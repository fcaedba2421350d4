"""Jinja2 as releases use it: templates of this package, undefined names are errors, HTML is escaped."""

from functools import cache

import jinja2

from cupel import figures


@cache
def environment() -> jinja2.Environment:
    """Return the environment; only templates ending in .html.j2 are escaped."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("cupel.show", "templates"),
        autoescape=lambda name: bool(name and name.endswith(".html.j2")),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    made.filters.update(count=figures.count, percent=figures.percent, bound=figures.bound, setting=figures.setting)
    return made
