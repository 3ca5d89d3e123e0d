"""Commands of the services sub-portal for those who write definitions."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
from flask.cli import AppGroup

from services import checks
from services.definition import Definition
from services.loading import BadDefinition, from_yaml, shipped

services_cli = AppGroup("services", help="Service definitions: schema and checks.")


@services_cli.command("schema")
def schema() -> None:
    """Print the JSON Schema of a service definition, for editors."""
    click.echo(json.dumps(Definition.model_json_schema(), ensure_ascii=False, indent=2))


@services_cli.command("check")
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def check(files: tuple[Path, ...]) -> None:
    """Run every publish check over definition FILES; exit 1 when one may not be published."""
    refused = False
    for file in files:
        try:
            found = checks.faults(
                from_yaml(file.read_text(encoding="utf-8")), known_services=shipped()
            )
        except BadDefinition as error:
            click.echo(f"{file}: {error}")
            refused = True
            continue
        for fault in found:
            click.echo(f"{file}: {fault.grave}: {fault}")
        refused = refused or any(fault.grave == "error" for fault in found)
        if not found:
            click.echo(f"{file}: may be published")
    sys.exit(1 if refused else 0)
