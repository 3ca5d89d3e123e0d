"""Money is whole fils; 1 dinar = 1000 fils. Nothing here knows floats."""

from __future__ import annotations

import re

from portal.text import to_western_digits

#: The largest amount one line may carry, in fils (9,000,000,000 dinars).
LARGEST_FILS = 9_000_000_000_000
_AMOUNT = re.compile(r"(\d{1,3}(?:,\d{3})*|\d+)(?:\.(\d{1,3}))?")


class NotAnAmount(ValueError):
    """The text is not an amount of dinars with up to three decimals."""


def parse_fils(text: str) -> int:
    """``12.5``, ``١٢٫٥٠٠`` or ``1,240.500`` as fils; more than three decimals are refused."""
    plain = to_western_digits(text).replace("٫", ".").replace("٬", ",").strip()
    plain = re.sub(r"^(KWD|KD|د\.ك\.?)\s*|\s*(KWD|KD|د\.ك\.?)$", "", plain, flags=re.IGNORECASE)
    found = _AMOUNT.fullmatch(plain.strip())
    if not found or len(found[1]) > 20:  # longer than any amount of money; int() has its limit
        raise NotAnAmount(text[:40])
    fils = int(found[1].replace(",", "")) * 1000 + int((found[2] or "0").ljust(3, "0"))
    if fils > LARGEST_FILS:
        raise NotAnAmount(text)
    return fils


def dinars(fils: int) -> str:
    """``12.500``: three decimals, no separator; for fields, files and banks."""
    sign = "-" if fils < 0 else ""
    return f"{sign}{abs(fils) // 1000}.{abs(fils) % 1000:03d}"
