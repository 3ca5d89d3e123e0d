"""Which ways of paying this portal offers, by its settings."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import flask

from payments.gateways.demo_bank import DemoBank
from payments.gateways.protocol import Gateway
from payments.gateways.stripe_checkout import StripeCheckout


@dataclass(frozen=True)
class Way:
    """One way of paying as the pay page shows it; ``fits``: it can take this amount."""

    name: str
    fits: bool
    hosts: tuple[str, ...]


@cache
def _known() -> dict[str, Gateway]:
    return {known.name: known for known in (DemoBank(), StripeCheckout())}


def _names() -> list[str]:
    names = flask.current_app.config["GATEWAYS"].split(",")
    if flask.current_app.config["ENVIRONMENT"] == "production":
        names = [name for name in names if name != DemoBank.name]
    return [name.strip() for name in names if name.strip() in _known()]


def gateway(name: str) -> Gateway:
    """The adapter of an attempt's gateway, offered now or not (old attempts are still asked)."""
    return _known()[name]


def offered(amount_fils: int) -> list[Way]:
    """The ways of paying, in the order of the settings."""
    return [
        Way(name, amount_fils % _known()[name].amount_step_fils == 0, _known()[name].hosts)
        for name in _names()
    ]


def is_offered(name: str, amount_fils: int) -> bool:
    return any(way.name == name and way.fits for way in offered(amount_fils))


def is_named(name: str) -> bool:
    """Whether the settings offer this way of paying."""
    return name in _names()
