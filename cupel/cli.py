"""The `cupel` command: its group, and how errors are told."""

from typing import Any

import click

from cupel import __version__
from cupel.commands.chain_commands import check, data_docs, prune, rebuild
from cupel.commands.file_commands import accept, duplicates, export, import_work, push, verify
from cupel.commands.lake_commands import (
    annotator,
    guideline,
    release,
    signals,
    summarise,
    suspicious,
    trace,
    upgrade,
    webhook,
)
from cupel.commands.mark_commands import convert
from cupel.commands.missing_libraries import name_extra
from cupel.commands.rework_commands import rework, send_items_back
from cupel.commands.signing_commands import key, sign
from cupel.commands.witness_commands import witness
from cupel.errors import CupelError


class _Commands(click.Group):
    """Prints what a person can put right as one message, not as a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except CupelError as error:
            click.echo(f"Error: {error}", err=True)
            ctx.exit(1)
        except ModuleNotFoundError as error:
            message = name_extra(ctx.invoked_subcommand, error)
            if message is None:
                raise
            click.echo(f"Error: {message}", err=True)
            ctx.exit(1)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="cupel")
def main() -> None:
    """Know how wrong your labels are before you pay for them or train on them."""


for _command in (
    accept, annotator, check, convert, data_docs, duplicates, export, guideline, import_work, key, prune, push, rebuild,
    release, rework, send_items_back, sign, signals, summarise, suspicious, trace, upgrade, verify, webhook, witness,
):  # fmt: skip
    main.add_command(_command)
