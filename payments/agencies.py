"""The names of those who are paid, as printed on invoices and receipts."""

from __future__ import annotations

AGENCIES = {
    "PAM": {"ar": "الهيئة العامة للقوى العاملة", "en": "Public Authority of Manpower"},
    "MOSA": {"ar": "وزارة الشؤون الاجتماعية", "en": "Ministry of Social Affairs"},
    "KM": {"ar": "بلدية الكويت", "en": "Kuwait Municipality"},
    "MOF": {"ar": "وزارة المالية", "en": "Ministry of Finance"},
}


def name_of(code: str) -> dict[str, str]:
    """The agency's name; its code where the list does not know it."""
    return AGENCIES.get(code, {"ar": code, "en": code})
