"""Named lists that questions choose from: bilingual, versioned by their content.

A file ``<name>.csv`` holds ``code,ar,en,tags``; ``governorates`` owns ``areas`` through the tag.
``<name>#<tag>`` names the part of a list that carries the tag.
"""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from services.definition import Text

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Entry:
    """One choice of a list."""

    code: str
    title: Text
    tags: frozenset[str]


@cache
def entries(name: str) -> tuple[Entry, ...]:
    """The list in its order; ``KeyError`` when there is no such list."""
    base, _, tag = name.partition("#")
    path = FOLDER / f"{base}.csv"
    if not base.isidentifier() or not path.is_file():
        raise KeyError(name)
    with path.open(encoding="utf-8", newline="") as file:
        rows = [
            Entry(row["code"], Text(ar=row["ar"], en=row["en"]), frozenset(row["tags"].split()))
            for row in csv.DictReader(file)
        ]
    found = tuple(row for row in rows if not tag or tag in row.tags)
    if not found:
        raise KeyError(name)
    return found


@cache
def _by_code(name: str) -> dict[str, Entry]:
    return {entry.code: entry for entry in entries(name)}


def codes(name: str) -> frozenset[str]:
    return frozenset(_by_code(name))


def label(name: str, code: str) -> Text | None:
    """The words of a code, or None when the list does not hold it."""
    found = _by_code(name).get(code)
    return found.title if found else None


def names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.csv"))


@cache
def version(name: str) -> str:
    """Twelve hexadecimal digits that change with any word of the list."""
    return hashlib.sha256((FOLDER / f"{name}.csv").read_bytes()).hexdigest()[:12]


def areas_of(governorate: str) -> tuple[Entry, ...]:
    """The areas of a governorate; none for an unknown one."""
    return tuple(entry for entry in entries("areas") if governorate in entry.tags)
