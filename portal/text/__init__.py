"""Text of people: digits, isolation, cleaning, and what makes two Arabic spellings one."""

from __future__ import annotations

import re
import unicodedata

_DIGITS = {
    ord(char): str(unicodedata.digit(char))
    for first in (0x0660, 0x06F0)
    for char in (chr(first + n) for n in range(10))
}
#: Bidirectional controls: they can make a name or a file lie about itself.
_BIDI = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069\u061c]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff\ufffe\uffff]")


def to_western_digits(text: str) -> str:
    """٣ and ۳ as 3; everything else unchanged."""
    return text.translate(_DIGITS)


def clean_typed(text: str) -> str:
    """What a person typed, without controls that mislead, in NFC, trimmed."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n"))
    return _CONTROL.sub("", _BIDI.sub("", text)).strip()


def digits_only(text: str) -> str:
    """The figures of a text, Western."""
    return re.sub(r"\D", "", to_western_digits(text))


def telephone_kw(text: str) -> str | None:
    """A Kuwaiti number as ``+965XXXXXXXX``; None when it is not one."""
    plain = digits_only(text)
    plain = plain.removeprefix("00").removeprefix("965") if len(plain) > 8 else plain
    return f"+965{plain}" if re.fullmatch(r"[124569]\d{7}", plain) else None


def iban_kw(text: str) -> str | None:
    """A Kuwaiti IBAN (30 characters, ISO 13616 mod 97); None when it is not one."""
    plain = re.sub(r"[\s-]", "", to_western_digits(text)).upper()
    if not re.fullmatch(r"KW\d{2}[A-Z]{4}[A-Z0-9]{22}", plain):
        return None
    moved = plain[4:] + plain[:4]
    return plain if int("".join(str(int(char, 36)) for char in moved)) % 97 == 1 else None
