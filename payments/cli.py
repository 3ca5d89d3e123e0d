"""Commands of payments."""

from __future__ import annotations

from datetime import datetime

import click
from flask.cli import AppGroup

from payments.gateways import demo_bank_files
from portal.money import parse_fils

bank_cli = AppGroup("bank", help="DEMO: the files of the simulated bank.")
_DAY = click.DateTime(["%Y-%m-%d"])


@bank_cli.command("settlement")
@click.argument("day", type=_DAY)
def settlement_command(day: datetime) -> None:
    """Write the demo bank's settlement file of a day."""
    click.echo(demo_bank_files.settlement_file(day.date()), nl=False)


@bank_cli.command("statement")
@click.argument("day", type=_DAY)
@click.option("--opening", default="0", help="Opening balance in dinars.")
def statement_command(day: datetime, opening: str) -> None:
    """Write the demo bank's MT940 statement of a day."""
    click.echo(
        demo_bank_files.statement_file(day.date(), opening_fils=parse_fils(opening)), nl=False
    )
