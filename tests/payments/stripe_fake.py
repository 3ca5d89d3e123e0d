"""OUR OWN FAKE of Stripe, for tests only: not Stripe, and not made by Stripe.

It has what localstripe lacks or allows: Checkout, idempotency keys, the rule of the last digit of
dinars, refunds beyond the payment. Every request it gets and every answer it gives is validated
against Stripe's published OpenAPI document (``tests/contracts/stripe``).
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl

import jsonschema
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

CONTRACT = Path(__file__).parent.parent / "contracts" / "stripe" / "openapi.json"


class ContractBroken(AssertionError):
    """A request or an answer does not fit the published document."""


def _json_schema(node: Any) -> Any:
    """OpenAPI 3.0's ``nullable`` in the words of JSON Schema."""
    if isinstance(node, list):
        return [_json_schema(value) for value in node]
    if not isinstance(node, dict):
        return node
    out = {key: _json_schema(value) for key, value in node.items() if key != "nullable"}
    return {"anyOf": [out, {"type": "null"}]} if node.get("nullable") is True else out


@cache
def document() -> dict[str, Any]:
    read: dict[str, Any] = _json_schema(json.loads(CONTRACT.read_text(encoding="utf-8")))
    return read


def validate(value: Any, schema: dict[str, Any], what: str) -> None:
    whole = {**schema, "components": document()["components"]}
    problems = list(jsonschema.Draft202012Validator(whole).iter_errors(value))
    if problems:
        raise ContractBroken(f"{what}: {problems[0].json_path}: {problems[0].message[:300]}")


def nested(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """``a[b][0]=1`` as ``{"a": {"b": ["1"]}}``."""
    tree: dict[str, Any] = {}
    for key, value in pairs:
        parts = re.findall(r"[^\[\]]+", key)
        here = tree
        for part in parts[:-1]:
            here = here.setdefault(part, {})
        here[parts[-1]] = value
    return _lists(tree)


def _lists(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if node and all(key.isdigit() for key in node):
        return [_lists(node[key]) for key in sorted(node, key=int)]
    return {key: _lists(value) for key, value in node.items()}


def typed(value: Any, schema: dict[str, Any]) -> Any:
    """Form values as the types the schema names."""
    for option in schema.get("anyOf", []):
        try:
            candidate = typed(value, option)
            validate(candidate, option, "option")
        except (ContractBroken, ValueError):
            continue
        return candidate
    if isinstance(value, dict):
        table = schema.get("properties", {})
        return {key: typed(inner, table.get(key, {})) for key, inner in value.items()}
    if isinstance(value, list):
        return [typed(inner, schema.get("items", {})) for inner in value]
    if schema.get("type") == "integer":
        return int(value)
    if schema.get("type") == "boolean":
        return {"true": True, "false": False}[value]
    return value


class Refused(Exception):
    def __init__(self, status: int, kind: str, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"type": kind, "message": message}}
        if code:
            self.body["error"]["code"] = code


class FakeStripe:
    """``with FakeStripe() as fake``: a loopback server; ``fake.address`` is its base."""

    def __init__(self) -> None:
        self.sessions: dict[str, dict[str, Any]] = {}
        self.intents: dict[str, dict[str, Any]] = {}
        self.refunds: dict[str, dict[str, Any]] = {}
        self.kept: dict[str, tuple[str, int, dict[str, Any]]] = {}
        self.calls: list[tuple[str, str]] = []
        self.broken: list[str] = []
        #: "before" or "after": drop the next POST's answer before or after carrying it out.
        self.lose_next: str | None = None
        self._lock = threading.Lock()
        self._server = make_server("127.0.0.1", 0, Request.application(self._serve), threaded=True)
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> FakeStripe:
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _value: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    # What a test does at the counter.

    def pay(self, session_id: str, *, amount: int | None = None, currency: str = "kwd") -> None:
        """The payer paid on the gateway's page."""
        session = self.sessions[session_id]
        number = f"pi_{len(self.intents) + 1:024d}"
        total = session["amount_total"] if amount is None else amount
        self.intents[number] = {
            "id": number, "object": "payment_intent", "amount": total, "amount_received": total,
            "currency": currency, "status": "succeeded", "livemode": False,
            "created": int(time.time()), "capture_method": "automatic",
            "confirmation_method": "automatic", "payment_method_types": ["card"],
            "metadata": session["_intent_metadata"], "excluded_payment_method_types": None,
        }  # fmt: skip
        session.update(status="complete", payment_status="paid", payment_intent=number, url=None)

    def expire(self, session_id: str) -> None:
        self.sessions[session_id].update(status="expired", url=None)

    # The server.

    def _serve(self, request: Request) -> Response:
        with self._lock:
            self.calls.append((request.method, request.path))
            lost, self.lose_next = self.lose_next if request.method == "POST" else None, (
                None if request.method == "POST" else self.lose_next
            )  # fmt: skip
            if lost == "before":
                return Response("<html>502</html>", 502)
            try:
                status, body = self._answer(request)
            except Refused as error:
                status, body = error.status, error.body
            except ContractBroken as error:
                self.broken.append(str(error))
                status, body = 400, {"error": {"type": "invalid_request_error", "message": "x"}}
            if lost == "after":
                return Response("<html>502</html>", 502)
            return Response(json.dumps(body), status, mimetype="application/json")

    def _answer(self, request: Request) -> tuple[int, dict[str, Any]]:
        if not request.headers.get("Authorization", "").startswith("Bearer sk_test_"):
            raise Refused(401, "invalid_request_error", "no key")
        template, found = self._route(request.path)
        operation = document()["paths"][template][request.method.lower()]
        raw = request.get_data(as_text=True)
        if request.method == "GET":
            self._check_query(operation, request)
        fields = self._check_body(operation, raw) if request.method == "POST" else {}
        key = request.headers.get("Idempotency-Key")
        if request.method == "POST" and key and key in self.kept:
            sent, status, body = self.kept[key]
            if sent != raw:
                raise Refused(400, "idempotency_error", "same key, other content")
            return status, body
        try:
            status, body = 200, self._do(template, request, found, fields)
        except Refused as error:
            status, body = error.status, error.body
        self._check_answer(operation, status, body)
        if request.method == "POST" and key:
            self.kept[key] = (raw, status, json.loads(json.dumps(body)))
        return status, body

    @staticmethod
    def _route(path: str) -> tuple[str, str | None]:
        for template in document()["paths"]:
            pattern = re.sub(r"\{\w+\}", r"([^/]+)", template)
            if match := re.fullmatch(pattern, path):
                return template, match[1] if match.groups() else None
        raise ContractBroken(f"no such path: {path}")

    @staticmethod
    def _check_body(operation: dict[str, Any], raw: str) -> dict[str, Any]:
        content = operation["requestBody"]["content"]["application/x-www-form-urlencoded"]
        fields = typed(nested(parse_qsl(raw, keep_blank_values=True)), content["schema"])
        validate(fields, content["schema"], "request")
        return dict(fields)

    @staticmethod
    def _check_query(operation: dict[str, Any], request: Request) -> None:
        known = {p["name"]: p["schema"] for p in operation["parameters"] if p["in"] == "query"}
        for name, value in nested(request.args.items(multi=True)).items():
            if name not in known:
                raise ContractBroken(f"unknown query: {name}")
            validate(typed(value, known[name]), known[name], f"query {name}")

    @staticmethod
    def _check_answer(operation: dict[str, Any], status: int, body: dict[str, Any]) -> None:
        told = operation["responses"].get(str(status), operation["responses"]["default"])
        validate(body, told["content"]["application/json"]["schema"], f"answer {status}")

    def _do(
        self, template: str, request: Request, found: str | None, fields: dict[str, Any]
    ) -> dict[str, Any]:
        if template == "/v1/checkout/sessions" and request.method == "POST":
            return self._shown(self._create_session(fields))
        if template == "/v1/checkout/sessions":
            rows = [self._shown(row, expand=True) for row in self.sessions.values()]
            return self._list(rows, "/v1/checkout/sessions")
        if template == "/v1/checkout/sessions/{session}":
            if found not in self.sessions:
                raise Refused(404, "invalid_request_error", "no such session", "resource_missing")
            return self._shown(self.sessions[found], expand="expand[0]" in request.args)
        if template == "/v1/refunds" and request.method == "POST":
            return self._create_refund(fields)
        if template == "/v1/refunds":
            intent = request.args.get("payment_intent")
            rows = [row for row in self.refunds.values() if row["payment_intent"] == intent]
            return self._list(rows, "/v1/refunds")
        if found not in self.refunds:
            raise Refused(404, "invalid_request_error", "no such refund", "resource_missing")
        return self.refunds[found]

    @staticmethod
    def _list(rows: list[dict[str, Any]], url: str) -> dict[str, Any]:
        return {"object": "list", "data": rows, "has_more": False, "url": url}

    def _shown(self, session: dict[str, Any], *, expand: bool = False) -> dict[str, Any]:
        shown = {key: value for key, value in session.items() if not key.startswith("_")}
        if expand and shown["payment_intent"]:
            shown["payment_intent"] = self.intents[shown["payment_intent"]]
        return shown

    def _create_session(self, fields: dict[str, Any]) -> dict[str, Any]:
        total = 0
        for line in fields["line_items"]:
            price = line["price_data"]
            if price["currency"] == "kwd" and price["unit_amount"] % 10:
                raise Refused(
                    400, "invalid_request_error",
                    "three-decimal currencies need a last digit of 0", "amount_invalid",
                )  # fmt: skip
            total += price["unit_amount"] * line.get("quantity", 1)
        now = int(time.time())
        expires = fields.get("expires_at", now + 86_400)
        if not now + 1_790 <= expires <= now + 86_400:
            raise Refused(400, "invalid_request_error", "expires_at outside 30 min .. 24 h")
        number = f"cs_test_{len(self.sessions) + 1:024d}"
        self.sessions[number] = {
            "id": number, "object": "checkout.session", "created": now, "expires_at": expires,
            "livemode": False, "mode": "payment", "status": "open", "payment_status": "unpaid",
            "payment_method_types": ["card"], "currency": "kwd", "amount_total": total,
            "amount_subtotal": total, "client_reference_id": fields.get("client_reference_id"),
            "metadata": fields.get("metadata", {}), "payment_intent": None,
            "success_url": fields.get("success_url"), "cancel_url": fields.get("cancel_url"),
            "url": f"https://checkout.stripe.com/c/pay/{number}",
            "automatic_tax": {
                "enabled": False, "liability": None, "provider": None, "status": None,
            },
            "custom_fields": [], "shipping_options": [],
            "custom_text": {
                "after_submit": None, "shipping_address": None, "submit": None,
                "terms_of_service_acceptance": None,
            },
            "_intent_metadata": fields.get("payment_intent_data", {}).get("metadata", {}),
        }  # fmt: skip
        return self.sessions[number]

    def _create_refund(self, fields: dict[str, Any]) -> dict[str, Any]:
        intent = self.intents.get(fields.get("payment_intent", ""))
        if intent is None:
            raise Refused(404, "invalid_request_error", "no such payment", "resource_missing")
        given = sum(
            row["amount"] for row in self.refunds.values()
            if row["payment_intent"] == intent["id"] and row["status"] != "failed"
        )  # fmt: skip
        if given + fields["amount"] > intent["amount_received"]:
            raise Refused(
                400, "invalid_request_error", "greater than unrefunded amount",
                "charge_already_refunded",
            )  # fmt: skip
        number = f"re_{len(self.refunds) + 1:024d}"
        self.refunds[number] = {
            "id": number, "object": "refund", "amount": fields["amount"],
            "currency": intent["currency"], "created": int(time.time()), "status": "succeeded",
            "payment_intent": intent["id"], "metadata": fields.get("metadata", {}),
            "charge": None, "balance_transaction": None, "reason": None, "receipt_number": None,
            "source_transfer_reversal": None, "transfer_reversal": None,
        }  # fmt: skip
        return self.refunds[number]
