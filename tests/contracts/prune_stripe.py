"""Cut Stripe's published OpenAPI document down to the calls Diwan makes.

    python -m tests.contracts.prune_stripe spec3.json > tests/contracts/stripe/openapi.json

Kept word for word: the paths below with their request bodies, and the schemas of a Checkout
Session, a PaymentIntent, a Refund and an error with their parts. Other schemas become "any object";
descriptions are dropped.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

PATHS = {
    "/v1/checkout/sessions": ("get", "post"),
    "/v1/checkout/sessions/{session}": ("get",),
    "/v1/refunds": ("get", "post"),
    "/v1/refunds/{refund}": ("get",),
}
WHOLE = ("checkout.session", "payment_intent", "refund", "error", "api_errors")
PARTS = ("payment_pages_checkout_session_", "checkout_session_", "payment_intent_", "refund_")
DROPPED = {"description", "x-expansionResources", "x-resourceId", "x-stripeBypassValidation"}


def _refs(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"].rsplit("/", 1)[1]] if isinstance(node.get("$ref"), str) else []
        return own + [ref for value in node.values() for ref in _refs(value)]
    if isinstance(node, list):
        return [ref for value in node for ref in _refs(value)]
    return []


def _plain(node: Any, *, names: bool = False) -> Any:
    """Without descriptions; in a table of names, "description" is a name."""
    if isinstance(node, dict):
        return {
            key: _plain(value, names=key in {"properties", "schemas"})
            for key, value in node.items()
            if names or key not in DROPPED
        }
    return [_plain(value) for value in node] if isinstance(node, list) else node


def prune(document: dict[str, Any]) -> dict[str, Any]:
    paths = {
        path: {method: document["paths"][path][method] for method in methods}
        for path, methods in PATHS.items()
    }
    schemas: dict[str, Any] = {}
    wanted = _refs(paths)
    while wanted:
        name = wanted.pop()
        if name in schemas:
            continue
        if name in WHOLE or name.startswith(PARTS):
            schemas[name] = document["components"]["schemas"][name]
            wanted += _refs(schemas[name])
        else:
            schemas[name] = {"type": "object"}
    cut = {
        "openapi": document["openapi"],
        "info": document["info"],
        "paths": paths,
        "components": {"schemas": dict(sorted(schemas.items()))},
    }
    plain: dict[str, Any] = _plain(cut)
    return plain


if __name__ == "__main__":
    read = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    json.dump(prune(read), sys.stdout, separators=(",", ":"), sort_keys=True)
    sys.stdout.write("\n")
