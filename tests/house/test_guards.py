"""The house's rules, each shown red once by an injected fault."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect

from portal import Portal, access, catalogues
from portal.db import db
from portal.operating import alembic_config

ROOT = Path(__file__).parents[2]
PACKAGES = ("portal", "certification", "payments", "services", "participation", "sectors")


def _undeclared(app: Portal) -> list[str]:
    return [
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if access.rule_of(app, rule.endpoint) is None
    ]


def test_every_route_declares_who_may(app: Portal) -> None:
    assert _undeclared(app) == []
    app.add_url_rule("/ar/forgotten", "forgotten", lambda: "x")
    assert _undeclared(app) == ["forgotten"]


def test_strangers_meet_a_closed_door(app: Portal) -> None:
    """Every page without arguments: public ones answer, the others lead to the sign-in."""
    client = app.test_client()
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.arguments - {"lang"}:
            continue
        path = rule.rule.replace("<lang:lang>", "ar")
        declared = access.rule_of(app, rule.endpoint)
        assert declared is not None
        answer = client.get(path)
        if declared.kind == "public":
            assert answer.status_code < 500, path
        else:
            assert answer.status_code == 303, path
            assert "/sign-in" in answer.location


def _sources() -> Iterator[tuple[str, str]]:
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


def _commits(source: str) -> list[int]:
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "commit"
    ]


def test_nobody_commits_but_the_portal() -> None:
    guilty = [
        name for name, text in _sources() if not name.startswith("portal/") and _commits(text)
    ]
    assert guilty == []
    assert _commits("db.session.commit()") == [1]


def test_soft_failure_of_revocation_is_banned() -> None:
    guilty = [
        name
        for name, text in _sources()
        if "soft-fail" in text or "allow_fetching=True" in text or "utcnow(" in text
    ]
    assert guilty == []


def test_catalogues_are_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    assert catalogues.faults() == []
    real = catalogues.used_in

    def with_a_new_string(package: str) -> Iterator[object]:
        yield from real(package)
        yield "A sentence nobody translated", None

    monkeypatch.setattr(catalogues, "used_in", with_a_new_string)
    assert any("A sentence nobody translated" in fault for fault in catalogues.faults())


def test_migrations_equal_the_models(any_app: Portal) -> None:
    with any_app.app_context(), db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, db.metadata) == []


def test_migrations_go_down_and_up_again(any_app: Portal) -> None:
    with any_app.app_context():
        for direction, target in ((command.downgrade, "base"), (command.upgrade, "head")):
            with db.engine.connect() as connection:
                config = alembic_config(any_app)
                config.attributes["connection"] = connection
                direction(config, target)
        with db.engine.connect() as connection:
            assert "ledger_entries" in inspect(connection).get_table_names()


def test_production_refuses_the_demo_and_names_every_fault(tmp_path: Path) -> None:
    from portal import create_app
    from portal.settings import SettingsRefused
    from tests.conftest import TestConfig

    with pytest.raises(SettingsRefused) as refused:
        create_app(TestConfig, VAR_DIR=tmp_path, ENVIRONMENT="production", DEBUG=True,
                   SECRET_KEY="demo")  # fmt: skip
    told = str(refused.value)
    for word in ("SECRET_KEY", "DEBUG", "COOKIE_SECURE", "PUBLIC_URL", "KEY_DIR",
                 "FIELD_KEYS_FILE"):  # fmt: skip
        assert word in told


def test_no_registry_host_or_machine_path_is_named() -> None:
    hosts = ["pypi" + ".org", "python" + "hosted", "npm" + "js.", "deb." + "debian", "/wo" + "rk/"]
    guilty = []
    for path in ROOT.rglob("*"):
        inside = path.relative_to(ROOT).parts
        if not path.is_file() or inside[0] in {".git", ".venv", "var"} or "__pycache__" in inside:
            continue
        if path.suffix in {".py", ".txt", ".in", ".md", ".toml", ".yaml", ".html", ".js", ".css"}:
            text = path.read_text(encoding="utf-8", errors="replace")
            guilty += [f"{path}: {host}" for host in hosts if host in text]
    assert guilty == []
