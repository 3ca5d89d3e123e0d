"""The invented people of the demo (any likeness is chance), with roles, units and mandates."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID, uuid5

from sqlalchemy import select

from portal.db import db
from portal.i18n import kuwait_date
from portal.identity.models import Mandate, Organisation, Person, RoleGrant, Unit
from portal.text import civil_id

SPACE = UUID("6f1d1f9e-94a5-4ab2-9d5c-6d1bb5c5a001")

#: key: (Arabic name, English name, nationality, born on, level, language, what they come for)
PEOPLE = {
    "noura": ("نورة العنزي", "Noura Al-Enezi", "KW", date(1992, 3, 14), 2, "ar"),
    "rajesh": ("راجيش كومار", "Rajesh Kumar", "IN", date(1985, 5, 1), 2, "en"),
    "umm_khalid": ("أم خالد", "Umm Khalid", "KW", date(1955, 1, 20), 2, "ar"),
    "bader": ("بدر الفهد", "Bader Al-Fahad", "KW", date(1975, 7, 7), 3, "ar"),
    "mona": ("منى الصالح", "Mona Al-Saleh", "KW", date(1988, 11, 2), 3, "ar"),
    "yousef": ("يوسف المطيري", "Yousef Al-Mutairi", "KW", date(1986, 2, 9), 3, "ar"),
    "dalal": ("دلال الرشيد", "Dalal Al-Rashid", "KW", date(1984, 8, 21), 3, "ar"),
    "huda": ("د. هدى الكندري", "Dr. Huda Al-Kandari", "KW", date(1979, 4, 3), 3, "ar"),
    "jasem": ("جاسم العلي", "Jasem Al-Ali", "KW", date(1981, 9, 17), 3, "ar"),
    "latifa": ("لطيفة السبيعي", "Latifa Al-Subaie", "KW", date(1983, 12, 5), 3, "ar"),
    "salem": ("سالم الهاجري", "Salem Al-Hajri", "KW", date(1972, 6, 11), 3, "ar"),
    "fatima": ("فاطمة الخالدي", "Fatima Al-Khaldi", "KW", date(1987, 10, 30), 3, "ar"),
    "ali": ("علي الصراف", "Ali Al-Sarraf", "KW", date(1982, 1, 15), 3, "ar"),
    "tareq": ("طارق البدر", "Tareq Al-Bader", "KW", date(1980, 3, 28), 3, "ar"),
    "auditor": ("مدقق ديوان المحاسبة", "Auditor of the Audit Bureau", "KW", date(1970, 5, 5), 3, "ar"),
    "adel": ("عادل البلوشي", "Adel Al-Balushi", "KW", date(1985, 2, 2), 3, "ar"),
}  # fmt: skip

UNITS = {
    "pam-hawalli": ("PAM", "إدارة عمل محافظة حولي", "Hawalli labour department", "hawalli"),
    "pam-appeals": ("PAM", "لجنة تظلمات العمل", "Labour appeals committee", None),
    "mosa-farwaniya": ("MOSA", "وحدة مساعدات الفروانية", "Farwaniya assistance unit", "farwaniya"),
    "mosa-appeals": ("MOSA", "لجنة تظلمات المساعدات", "Assistance appeals committee", None),
    "mun-roads": ("KM", "إدارة الإنارة والطرق", "Lighting and roads department", None),
    "mun-cleaning": ("KM", "إدارة النظافة العامة", "Public cleaning department", None),
    "mof-collection": ("MOF", "إدارة التحصيل", "Collection department", None),
}

#: (person, role, agency, unit or None)
ROLES = [
    ("yousef", "officer", "PAM", "pam-hawalli"),
    ("dalal", "officer", "PAM", "pam-hawalli"),
    ("salem", "unit_head", "PAM", "pam-hawalli"),
    ("salem", "officer", "PAM", "pam-appeals"),
    ("huda", "officer", "MOSA", "mosa-farwaniya"),
    ("jasem", "officer", "MOSA", "mosa-farwaniya"),
    ("latifa", "officer", "MOSA", "mosa-farwaniya"),
    ("latifa", "officer", "MOSA", "mosa-appeals"),
    ("fatima", "finance", "MOF", "mof-collection"),
    ("ali", "finance", "MOF", "mof-collection"),
    ("tareq", "administrator", "MOF", None),
    ("auditor", "auditor", "MOF", None),
    ("adel", "officer", "KM", "mun-roads"),
]

COMES_FOR = {
    "noura": {"ar": "مواطنة: مساعدة أسرية وسؤال للبلدية", "en": "Citizen: family assistance, a question to the Municipality"},
    "rajesh": {"ar": "عامل مقيم: شهادة وإذن عمل", "en": "Resident worker: a statement and his permit"},
    "umm_khalid": {"ar": "مواطنة كبيرة السن", "en": "Citizen, 71, low sight"},
    "bader": {"ar": "صاحب شركة الأفق", "en": "Owner of Al-Ofoq"},
    "mona": {"ar": "مفوضة شركة الأفق: أذونات عمل", "en": "Delegate of Al-Ofoq: work permits"},
    "yousef": {"ar": "موظف عمل، وحدة حولي", "en": "Labour officer, Hawalli unit"},
    "dalal": {"ar": "موظفة عمل: التوقيع الثاني", "en": "Labour officer: the second signature"},
    "huda": {"ar": "باحثة اجتماعية، الفروانية", "en": "Social researcher, Farwaniya"},
    "jasem": {"ar": "عضو لجنة المساعدات", "en": "Member of the assistance committee"},
    "latifa": {"ar": "عضو لجنة المساعدات", "en": "Member of the assistance committee"},
    "salem": {"ar": "رئيس وحدة، والتظلمات", "en": "Head of unit, and appeals"},
    "fatima": {"ar": "مالية: تُعِدّ الإقفال", "en": "Finance: prepares the close"},
    "ali": {"ar": "مالية: يعتمد الإقفال", "en": "Finance: approves the close"},
    "tareq": {"ar": "مدير البوابة", "en": "Administrator of the portal"},
    "auditor": {"ar": "تدقيق الحساب الختامي", "en": "Audits the final account"},
    "adel": {"ar": "موظف البلدية: الإنارة والطرق", "en": "Municipality: lighting and roads"},
}  # fmt: skip


def person_id(key: str) -> UUID:
    return uuid5(SPACE, f"person:{key}")


def unit_id(code: str) -> UUID:
    return uuid5(SPACE, f"unit:{code}")


ORGANISATION = uuid5(SPACE, "organisation:al-ofoq")
KEYS_BY_ID = {person_id(key): key for key in PEOPLE}


def load(now: datetime) -> None:
    """Make the people, units, roles and mandates that are not there yet."""
    if db.session.scalar(select(Person.id).where(Person.id == person_id("noura"))):
        return
    today = kuwait_date(now)
    for number, (key, (ar, en, nationality, born, level, language)) in enumerate(PEOPLE.items()):
        person = Person(
            id=person_id(key),
            name_ar=ar,
            name_en=en,
            nationality=nationality,
            born_on=born,
            email=f"{key}@people.example",
            email_confirmed_at=now,
            mobile=f"+9655000{number:04d}",
            mobile_confirmed_at=now,
            proven_level=level,
            language=language,
            is_demo=True,
            created_at=now,
        )
        person.civil_id = civil_id.sample(born, 9900 + number)
        db.session.add(person)
    for code, (agency, ar, en, governorate) in UNITS.items():
        db.session.add(
            Unit(id=unit_id(code), agency=agency, code=code, name_ar=ar, name_en=en,
                 governorate=governorate)
        )  # fmt: skip
    db.session.add(
        Organisation(id=ORGANISATION, register_no="EST-990001",
                     name_ar="شركة الأفق للمقاولات", name_en="Al-Ofoq Contracting Company")
    )  # fmt: skip
    db.session.flush()
    for key, role, agency, unit in ROLES:
        db.session.add(
            RoleGrant(person_id=person_id(key), role=role, agency=agency,
                      unit_id=unit_id(unit) if unit else None, reason="demo", granted_at=now,
                      ends_on=today + timedelta(days=730))
        )  # fmt: skip
    for key in ("bader", "mona"):
        db.session.add(
            Mandate(person_id=person_id(key), organisation_id=ORGANISATION, scope="*",
                    starts_on=today, ends_on=today + timedelta(days=365),
                    given_by=person_id("bader"))
        )  # fmt: skip
    db.session.flush()
