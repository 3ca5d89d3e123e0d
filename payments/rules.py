"""Pure rules of paying: when to ask a bank again, when its answer fits, what may be stored."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from payments.gateways.protocol import Answer
from portal.money import LARGEST_FILS

#: After how long a bank that has not answered is asked again; the last wait repeats.
LADDER = tuple(timedelta(minutes=m) for m in (1, 2, 5, 15, 60))
#: A bank's page stays open this long.
LIFETIME = timedelta(minutes=30)
#: A bank that twice, this far apart, knows nothing of an expired attempt ends it.
NOT_FOUND_APART = timedelta(minutes=10)
#: A payer's page asks the bank at most this often.
ASK_AT_MOST_EVERY = timedelta(seconds=3)


@dataclass(frozen=True)
class InvoiceLine:
    """One fee as the case states it; ``gl_code`` is the treasury's revenue account."""

    service_code: str
    gl_code: str
    label: Mapping[str, str]
    gross_fils: int
    exemption_fils: int = 0
    exemption_reason: str | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.exemption_fils <= self.gross_fils <= LARGEST_FILS:
            raise ValueError("a line needs 0 <= exemption <= gross")
        if self.exemption_fils and not self.exemption_reason:
            raise ValueError("an exemption needs its reason")


def next_inquiry(asked: int, now: datetime) -> datetime:
    """When to ask again after ``asked`` answers that settled nothing."""
    return now + LADDER[min(asked, len(LADDER) - 1)]


def disagreement(
    answer: Answer, *, amount_fils: int, currency: str, reference: str, environment: str
) -> str | None:
    """What of a bank's "paid" does not fit our attempt; None when all of it agrees."""
    wanted = {
        "amount": (answer.amount_fils, amount_fils),
        "currency": (answer.currency, currency),
        "reference": (answer.reference, reference),
        "environment": (answer.environment, environment),
        "gateway_id": (bool(answer.gateway_id), True),
    }
    wrong = [name for name, (told, ours) in wanted.items() if told != ours]
    return ", ".join(wrong) or None


_CARD = re.compile(rb"(?<!\d)(?:\d[ -]?){13,19}(?!\d)")


def _luhn(digits: str) -> bool:
    total = 0
    for place, char in enumerate(reversed(digits)):
        value = int(char) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def without_card_numbers(raw: bytes) -> bytes:
    """A bank's word with anything that could be a card number struck out."""

    def strike(found: re.Match[bytes]) -> bytes:
        digits = re.sub(rb"\D", b"", found[0]).decode()
        return b"[card]" if 13 <= len(digits) <= 19 and _luhn(digits) else found[0]

    return _CARD.sub(strike, raw)
