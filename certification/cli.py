"""Commands of certification."""

from __future__ import annotations

from pathlib import Path

import click
from flask.cli import AppGroup

from certification import keys
from certification.rules import colour
from certification.verifying import judge
from portal.db import utc_now

cli = AppGroup("certification", help="Seals, keys and verification.")


@cli.command("verify")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def verify_command(file: Path) -> None:
    """Judge a PDF: exit 0 genuine, 1 not, 2 cannot say."""
    finding = judge(file.read_bytes(), keys.trust(), now=utc_now())
    click.echo(finding.verdict.value)
    raise SystemExit({"good": 0, "bad": 1, "warn": 2}[colour(finding.verdict)])


@cli.command("doctor")
def doctor_command() -> None:
    """Certificates and how long they last."""
    store = keys.store()
    for name in store.names():
        certificate = store.certificate(name)
        click.echo(f"{name}: until {certificate.not_valid_after_utc:%Y-%m-%d}")
