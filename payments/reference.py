"""The payment reference: ``DW``, ten digits and two check digits, as banks carry it in texts.

The twelve digits leave 1 on division by 97 (as in ISO 7064, MOD 97-10): no single wrong digit and
no swap of neighbours goes unnoticed. Shown in groups: ``DW 0000 7320 4252``.
"""

from __future__ import annotations

import re
import secrets

from portal.text import to_western_digits

_IN_TEXT = re.compile(r"DW((?:[\s-]*\d){12})")
_INVISIBLE = re.compile("[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


def with_check_digits(serial: int) -> str:
    """The reference of a serial number of at most ten digits."""
    if not 0 <= serial < 10**10:
        raise ValueError(serial)
    check = (1 - serial * 100) % 97
    return f"DW{serial:010d}{check:02d}"


def new_reference() -> str:
    """A reference drawn at random; the database refuses one drawn twice."""
    return with_check_digits(secrets.randbelow(10**10))


def is_reference(text: str) -> bool:
    return bool(re.fullmatch(r"DW\d{12}", text)) and int(text[2:]) % 97 == 1


def find_references(text: str) -> list[str]:
    """The sound references in a text, each once; Arabic digits and broken lines are read."""
    plain = _INVISIBLE.sub("", to_western_digits(text)).upper()
    found = ("DW" + re.sub(r"\D", "", match[1]) for match in _IN_TEXT.finditer(plain))
    return list(dict.fromkeys(ref for ref in found if is_reference(ref)))


def shown(reference: str) -> str:
    """In groups of four, for reading aloud."""
    digits = reference[2:]
    return "DW " + " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))
