"""Options that several commands have, and the types of what commands are given."""

from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from cupel.contract.kind import Kind

LIMITS = click.option(
    "--limit", "limits", multiple=True, metavar="NAME=NUMBER",
    help="Read more of a file: bytes, columns, values, row_bytes or depth, as bytes=1000000000. Repeatable.",
)  # fmt: skip
FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)
FILE_OR_FOLDER = click.Path(path_type=Path)
FILE_OR_DASH = click.Path(path_type=Path, dir_okay=False, allow_dash=True)

PROJECTS = click.option(
    "--projects", type=FOLDER, envvar="CUPEL_PROJECTS", default=Path("projects"), help="Project files."
)
DATA = click.option("--data", type=FOLDER, envvar="CUPEL_DATA", default=Path("data"), help="The deliveries' files.")
LAKE = click.option("--lake", type=FOLDER, envvar="CUPEL_LAKE", default=Path("lake"), help="The deployment's lake.")
INBOX = click.option(
    "--inbox", type=FOLDER, envvar="CUPEL_INBOX", default=Path("inbox"), help="Where deliveries arrive."
)
HOME = click.option("--home", type=FOLDER, envvar="DAGSTER_HOME", default=Path(".dagster"), help="Dagster's record.")
DRY_RUN = click.option(
    "--dry-run/--yes", "is_only_told", default=True, help="Say what would be done, or do it.  [default: say]"
)


def look_up_kind(name: str) -> "Kind":
    """Return a label kind by its name.

    Raises:
        UsageError: There is none of that name.
    """
    from cupel.kinds import KINDS

    found = next((kind for kind in KINDS if kind.name == name), None)
    if found is None:
        raise click.UsageError(f"--kind {name}: no such label kind; there is {', '.join(kind.name for kind in KINDS)}")
    return found


class FiniteRange(click.FloatRange):
    """Numbers in a range; what is none (nan) or infinite is refused."""

    name = "finite number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number."""
        number = float(super().convert(value, param, ctx))
        if not isfinite(number):
            self.fail(f"{value} is no finite number; write one such as 0.5", param, ctx)
        return number


class BatchType(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """The name of a delivery, by the rule of project files: it becomes the name of a folder."""

    name = "batch"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name."""
        from cupel.config.base import MOST_NAME_CHARACTERS, check_batch_name

        if len(value) > MOST_NAME_CHARACTERS:
            self.fail(f"{value[:20]!r}...: {len(value)} characters, at most {MOST_NAME_CHARACTERS}", param, ctx)
        try:
            return check_batch_name(value)
        except ValueError as error:
            self.fail(f"{error}", param, ctx)


def split_names(names: str | None) -> tuple[str, ...]:
    """Return names that stand between commas.

    >>> split_names("warm, cold,"), split_names(None)
    (('warm', 'cold'), ())
    """
    return tuple(name.strip() for name in names.split(",") if name.strip()) if names else ()
