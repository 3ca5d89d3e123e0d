"""Settings: taken from ``config.Config``, checked as a whole before the first request.

A production portal lists *every* wrong setting at once and does not start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

Check = Callable[[dict[str, Any]], Iterable[str]]
_checks: list[Check] = []


class SettingsRefused(SystemExit):
    """The portal does not start; the message lists each wrong setting."""


def register_check(check: Check) -> Check:
    """Add a check: given the settings, it yields one sentence for each fault."""
    if check not in _checks:
        _checks.append(check)
    return check


@register_check
def _core(config: dict[str, Any]) -> Iterable[str]:
    if "demo" in config["SECRET_KEY"] or len(config["SECRET_KEY"]) < 32:
        yield "SECRET_KEY is the demo key or shorter than 32 characters"
    if config["DEBUG"]:
        yield "DEBUG is on"
    if not config["SESSION_COOKIE_SECURE"]:
        yield "COOKIE_SECURE is off"
    url = urlsplit(config["PUBLIC_URL"])
    if url.scheme != "https" or url.hostname in {None, "localhost", "127.0.0.1"}:
        yield "PUBLIC_URL is not a public https address"


def production_faults(config: dict[str, Any]) -> list[str]:
    return [fault for check in _checks for fault in check(config)]


def refuse_unsafe_production(config: dict[str, Any]) -> None:
    """Stop here when a production portal holds a demo secret, person, key or switch."""
    if config["ENVIRONMENT"] != "production":
        return
    if faults := production_faults(config):
        lines = "\n".join(f"  - {fault}" for fault in faults)
        raise SettingsRefused(f"Diwan does not start in production. Mend all of:\n{lines}")
