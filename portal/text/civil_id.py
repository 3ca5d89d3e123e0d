"""The Civil ID number: twelve digits that carry a date and a check digit.

First digit 2 (born in the 1900s) or 3 (2000s), then YYMMDD, a serial of four, a check digit:
11 - (sum of digit times weight mod 11), where 10 and 11 are never issued.
"""

from __future__ import annotations

from datetime import date

from portal.text import digits_only

WEIGHTS = (2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def check_digit(first_eleven: str) -> int | None:
    """The twelfth digit, or None where no such number is issued."""
    rest = 11 - sum(int(d) * w for d, w in zip(first_eleven, WEIGHTS, strict=True)) % 11
    return rest if rest < 10 else None


def born_on(number: str) -> date | None:
    """The date of birth the number carries; None for an impossible one."""
    if len(number) != 12 or not number.isdigit() or number[0] not in "23":
        return None
    try:
        return date(
            1700 + int(number[0]) * 100 + int(number[1:3]), int(number[3:5]), int(number[5:7])
        )
    except ValueError:
        return None


def normalise(text: str) -> str | None:
    """The twelve digits when the number is sound (date and check digit), else None."""
    number = digits_only(text)
    if born_on(number) is None or check_digit(number[:11]) != int(number[11]):
        return None
    return number


def sample(birth: date, serial: int = 9900) -> str:
    """A sound number for an invented person: serials from 9900 on are ours."""
    century = "2" if birth.year < 2000 else "3"
    while True:
        eleven = f"{century}{birth:%y%m%d}{serial}"
        digit = check_digit(eleven)
        if digit is not None:
            return f"{eleven}{digit}"
        serial += 1
