"""Names of the State's agencies by code."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path


@cache
def all_agencies() -> dict[str, dict[str, str]]:
    """code -> {ar, en}."""
    path = Path(__file__).parent / "data" / "agencies.csv"
    with path.open(encoding="utf-8") as rows:
        return {
            row["agency_code"]: {"ar": row["name_ar"], "en": row["name_en"]}
            for row in csv.DictReader(rows)
        }


def agency_name(code: str) -> dict[str, str]:
    """The name in both languages; the code itself for an unknown one."""
    return all_agencies().get(code, {"ar": code, "en": code})
