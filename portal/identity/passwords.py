"""Passwords: argon2id as OWASP advises (19 MiB, two passes, one lane), and what is no password."""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from flask_babel import gettext as _

HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
SHORTEST, LONGEST = 12, 200
#: Long enough, and still the first ones tried.
COMMON = {
    "123456789012",
    "1234567890123",
    "qwertyuiopasdf",
    "password1234",
    "passwordpassword",
    "kuwaitkuwait",
    "kuwait123456",
    "iloveyou1234",
    "adminadminadmin",
    "welcome12345",
}


def complaint(password: str, *, about: list[str]) -> str | None:
    """What is wrong with a new password, in the reader's language. ``about``: the person's data."""
    if len(password) < SHORTEST:
        return _("Use 12 characters or more; a short sentence is easy to remember.")
    if len(password) > LONGEST:
        return _("Use at most 200 characters.")
    plain = password.casefold()
    if plain in COMMON or len(set(plain)) < 4:
        return _("This password is among the first ones tried. Choose another.")
    if any(len(known) >= 4 and known.casefold() in plain for known in about):
        return _("Leave your name, number and e-mail out of the password.")
    return None


def make(password: str) -> str:
    return HASHER.hash(password)


@cache
def _nobody() -> str:
    return HASHER.hash("nobody has this password")


def fits(stored: str | None, password: str) -> bool:
    """Whether it is the person's password; as slow when there is no such person."""
    try:
        HASHER.verify(stored or _nobody(), password)
    except (VerifyMismatchError, InvalidHashError):
        return False
    return stored is not None
