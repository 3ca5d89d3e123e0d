"""The chart of accounts. SAMPLE for demonstration: the treasury's own coding must be loaded."""

from __future__ import annotations

from sqlalchemy import select

from payments.ledger.models import LedgerAccount
from portal.db import db

BANK, CLEARING, RECEIVABLE, DUE_TO_AGENCIES = "1101", "1110", "1201", "2201"
CREDITS, SUSPENSE, ORDERS = "2301", "2390", "2401"
CHARGES, EXEMPTIONS, SHORT, OVER, ASSISTANCE = "5301", "5401", "5404", "4490", "5501"

CHART = {
    "1101": ("asset", "بنك التحصيل", "Collection bank"),
    "1102": ("asset", "نقدية بالصندوق", "Cash"),
    "1110": ("asset", "مقاصة بوابات الدفع", "Gateway clearing"),
    "1201": ("asset", "ذمم الرسوم", "Fees receivable"),
    "2201": ("liability", "مستحقات الجهات", "Due to agencies"),
    "2301": ("liability", "أرصدة الدافعين", "Payers' credit"),
    "2390": ("liability", "أمانات تحت التسوية", "Suspense"),
    "2401": ("liability", "أوامر صرف المساعدات", "Assistance payment orders"),
    "3100": ("equity", "حساب الخزانة", "Treasury current account"),
    "4201": ("revenue", "رسوم خدمات العمل", "Labour fees"),
    "4202": ("revenue", "رسوم البلدية", "Municipality fees"),
    "4203": ("revenue", "رسوم التراخيص", "Licence fees"),
    "4301": ("revenue", "غرامات", "Penalties"),
    "4490": ("revenue", "زيادة التحصيل", "Collection over"),
    "5301": ("expense", "عمولات التحصيل", "Gateway charges"),
    "5401": ("expense", "إعفاءات", "Exemptions"),
    "5402": ("expense", "رد إيرادات سنوات سابقة", "Refunds of earlier years"),
    "5404": ("expense", "عجز التحصيل", "Collection short"),
    "5501": ("expense", "مساعدات اجتماعية", "Social assistance"),
}


def load() -> None:
    """Write the accounts that are not there yet."""
    known = set(db.session.scalars(select(LedgerAccount.code)))
    for code, (kind, ar, en) in CHART.items():
        if code not in known:
            db.session.add(
                LedgerAccount(id=int(code), code=code, kind=kind, name_ar=ar, name_en=en)
            )
    db.session.flush()
