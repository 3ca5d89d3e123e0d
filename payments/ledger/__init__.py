"""Double entry that guards itself in the database: balanced, chained, append-only, by day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from flask.cli import AppGroup

if TYPE_CHECKING:
    from portal import Portal

cli = AppGroup("ledger", help="The ledger of collected money.")


@cli.command("verify")
def verify_command() -> None:
    """Prove the chain, the balances and that each fact of money stands once; exit 1 if not."""
    from payments.ledger.operations import verify

    report = verify()
    if report.broken_at is not None:
        click.echo(f"ledger: broken at {report.broken_at}")
    for source in report.uncovered:
        click.echo(f"ledger: missing {source}")
    if not report.is_clean:
        raise SystemExit(1)
    click.echo(f"ledger: {report.entries} entries, {report.debit_fils} fils, chain whole")


def init_app(app: Portal) -> None:
    from payments.ledger import models  # noqa: F401  (tables)

    app.cli.add_command(cli)
