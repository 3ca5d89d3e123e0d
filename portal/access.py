"""Who may open which door.

Every view carries exactly one rule; the rule is enforced here, before the view runs. A view
without a rule is a programming error and answers to nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import flask
from werkzeug.wrappers import Response

from portal.errors import Forbidden, NotFound

View = TypeVar("View", bound=Callable[..., Any])

#: Roles that exist; granted per agency and unit by an administrator, with reason and end date.
ROLES = (
    "officer",
    "unit_head",
    "finance",
    "cashier",
    "publisher",
    "dispatcher",
    "administrator",
    "auditor",
)


@dataclass(frozen=True)
class Rule:
    """``kind``: public, signed_in or role. ``level``: level of assurance the session must hold."""

    kind: str
    level: int = 0
    roles: tuple[str, ...] = ()


def _declare(rule: Rule) -> Callable[[View], View]:
    def attach(view: View) -> View:
        if hasattr(view, "access_rule"):
            raise RuntimeError(f"{view.__name__} declares access twice")
        view.access_rule = rule  # type: ignore[attr-defined]
        return view

    return attach


def public(view: View) -> View:
    """Open to everybody, signed in or not."""
    return _declare(Rule("public"))(view)


def signed_in(level: int = 1) -> Callable[[View], View]:
    """Open to whoever signed in with at least this level of assurance (1 to 3)."""
    return _declare(Rule("signed_in", level))


def role(*roles: str, level: int = 3) -> Callable[[View], View]:
    """Open to holders of one of the roles whose session has the level (3: decides as officer)."""
    unknown = set(roles) - set(ROLES)
    if unknown or not roles:
        raise RuntimeError(f"unknown roles: {unknown}")
    return _declare(Rule("role", level, roles))


def rule_of(app: flask.Flask, endpoint: str) -> Rule | None:
    view = app.view_functions.get(endpoint)
    if endpoint == "static" or endpoint.endswith(".static"):
        return Rule("public")
    return getattr(view, "access_rule", None)


def demand(allowed: bool, *, hide: bool = False) -> None:
    """Refuse unless allowed: 403, or 404 where even the existence is nobody's business."""
    if not allowed:
        raise NotFound if hide else Forbidden


def enforce() -> Response | None:
    """Before each request: the rule of the view against the session."""
    if flask.request.endpoint is None or flask.request.routing_exception is not None:
        return None
    rule = rule_of(flask.current_app, flask.request.endpoint)
    if rule is None:
        raise RuntimeError(f"{flask.request.endpoint} declares no access")
    if rule.kind == "public":
        return None
    from portal.identity import sign_in_response  # the door keeper lives beside the sessions

    return sign_in_response(rule)
