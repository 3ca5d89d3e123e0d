"""What every way of paying offers. An inquiry is the only source of truth."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

Word = Literal["paid", "declined", "cancelled", "pending", "not_found", "unknown"]
RefundWord = Literal["done", "failed", "pending", "unknown"]


@dataclass(frozen=True)
class AttemptView:
    """What a gateway may know of an attempt: no name, no Civil ID."""

    id: UUID
    reference: str
    amount_fils: int
    currency: str
    idempotency_key: str
    handle: str | None
    gateway_id: str | None
    title: str
    lang: str
    sent_at: datetime
    return_path: str


@dataclass(frozen=True)
class Started:
    """Where to send the payer, and the gateway's own name for its page."""

    address: str
    handle: str | None


@dataclass(frozen=True)
class Answer:
    """An inquiry's answer. Words an adapter does not know become ``unknown``."""

    verdict: Word
    amount_fils: int | None = None
    currency: str | None = None
    reference: str | None = None
    environment: str | None = None
    gateway_id: str | None = None
    handle: str | None = None
    rrn: str | None = None
    auth_code: str | None = None
    raw: bytes = b""


@dataclass(frozen=True)
class RefundView:
    """What a gateway may know of a refund; ``sent_before``: it was sent once, its fate unknown."""

    id: UUID
    attempt: AttemptView
    amount_fils: int
    idempotency_key: str
    gateway_id: str | None
    sent_before: bool


@dataclass(frozen=True)
class RefundAnswer:
    """What became of a refund."""

    verdict: RefundWord
    gateway_id: str | None = None
    raw: bytes = b""


class GatewaySilent(Exception):
    """No answer came, or none that can be read: neither yes nor no."""


class GatewayRefused(Exception):
    """The gateway said no before any money could move."""


class Gateway(Protocol):
    """One way of paying."""

    name: str
    #: Amounts must be multiples of this, in fils (cards: 10).
    amount_step_fils: int

    @property
    def environment(self) -> str:
        """Which of the gateway's worlds the keys open: demo, test or live."""

    @property
    def hosts(self) -> tuple[str, ...]:
        """Origins a payer's form may lead to."""

    def start(self, attempt: AttemptView) -> Started:
        """Open the bank's page; the same idempotency key answers the same page.

        Errors: GatewaySilent, GatewayRefused.
        """

    def inquire(self, attempt: AttemptView) -> Answer:
        """What the bank says of the attempt now. Errors: GatewaySilent."""

    def refund(self, refund: RefundView) -> RefundAnswer:
        """Give money back once for each refund. Errors: GatewaySilent."""
