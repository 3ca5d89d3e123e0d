"""Language, digits, dates and money as this reader wants them.

The URL decides the language (``/ar/…``, ``/en/…``); the person decides the digits. Everything
shown goes through the filters here, so that no page formats by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol
from zoneinfo import ZoneInfo

import flask
from flask_babel import Babel, get_locale
from hijridate import Gregorian
from markupsafe import Markup, escape

if TYPE_CHECKING:
    from portal import Portal

LANGUAGES = ("ar", "en")
KUWAIT = ZoneInfo("Asia/Kuwait")
babel = Babel()

_ARABIC_INDIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
_MONTHS_AR = [
    "يناير",
    "فبراير",
    "مارس",
    "أبريل",
    "مايو",
    "يونيو",
    "يوليو",
    "أغسطس",
    "سبتمبر",
    "أكتوبر",
    "نوفمبر",
    "ديسمبر",
]
_MONTHS_EN = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_DAYS_AR = [
    "الاثنين",
    "الثلاثاء",
    "الأربعاء",
    "الخميس",
    "الجمعة",
    "السبت",
    "الأحد",
]
_DAYS_EN = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
]
_HIJRI_EN = [
    "Muharram",
    "Safar",
    "Rabi I",
    "Rabi II",
    "Jumada I",
    "Jumada II",
    "Rajab",
    "Shaban",
    "Ramadan",
    "Shawwal",
    "Dhu al-Qadah",
    "Dhu al-Hijjah",
]


def current_lang() -> str:
    """The language of this page or message: ``ar`` or ``en``."""
    if flask.has_request_context():
        return str(flask.g.get("lang", "ar"))
    locale = get_locale()
    return str(locale.language) if locale else "ar"


def _select_locale() -> str:
    return str(flask.g.get("lang", "ar"))


def digits_of_reader() -> str:
    """``western`` unless this person chose ``arabic``."""
    return str(flask.g.get("digits", "western")) if flask.has_app_context() else "western"


def in_digits(value: str) -> str:
    """The text with the reader's digits."""
    return value.translate(_ARABIC_INDIC) if digits_of_reader() == "arabic" else value


def kuwait_date(at: datetime) -> date:
    """The calendar day of an instant in Kuwait (UTC+3)."""
    return at.astimezone(KUWAIT).date()


class HasBoth(Protocol):
    """Words in both languages: a ``{ar, en}`` mapping, or a text of a service definition."""

    def get(self, lang: str, default: str = "", /) -> str: ...


def both(text: HasBoth | Mapping[str, str] | None, lang: str | None = None) -> str:
    """Pick the reader's half of a ``{ar, en}`` text."""
    if not text:
        return ""
    return text.get(lang or current_lang()) or text.get("ar", "")


def plain_money(fils: int, lang: str | None = None) -> str:
    """``12.500 د.ك`` / ``KWD 12.500`` as plain text, from whole fils."""
    sign = "-" if fils < 0 else ""
    amount = f"{sign}{abs(fils) // 1000:,}.{abs(fils) % 1000:03d}"
    amount = in_digits(amount)
    if (lang or current_lang()) == "ar":
        return f"{amount}\u00a0د.ك"
    return f"KWD\u00a0{amount}"


def money(fils: int) -> Markup:
    return Markup('<bdi class="num">{}</bdi>').format(plain_money(fils))


def num(value: object) -> Markup:
    """A number, reference or code, isolated from the text around it."""
    shown = f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
    return Markup('<bdi class="num">{}</bdi>').format(in_digits(shown))


def ltr(value: object) -> Markup:
    """A phone, IBAN, Civil ID or code that always reads from the left."""
    return Markup('<bdi class="num" dir="ltr">{}</bdi>').format(in_digits(str(value)))


def plain_date(value: date | datetime, *, weekday: bool = False) -> str:
    day = kuwait_date(value) if isinstance(value, datetime) else value
    arabic = current_lang() == "ar"
    months, days = (_MONTHS_AR, _DAYS_AR) if arabic else (_MONTHS_EN, _DAYS_EN)
    shown = f"{day.day} {months[day.month - 1]} {day.year}"
    if weekday:
        shown = f"{days[day.weekday()]} {shown}"
    return in_digits(shown)


def format_date(value: date | datetime | None, weekday: bool = False) -> Markup:
    """``5 مارس 2026`` in a ``<time>`` element; empty for no date."""
    if value is None:
        return Markup("")
    day = kuwait_date(value) if isinstance(value, datetime) else value
    return Markup('<time datetime="{}">{}</time>').format(
        day.isoformat(), plain_date(day, weekday=weekday)
    )


def format_datetime(value: datetime | None) -> Markup:
    """Day and clock time in Kuwait, in a ``<time>`` element."""
    if value is None:
        return Markup("")
    local = value.astimezone(KUWAIT)
    clock = in_digits(f"{local:%H:%M}")
    joint = "،" if current_lang() == "ar" else ","
    return Markup('<time datetime="{}">{}{} <bdi>{}</bdi></time>').format(
        local.isoformat(timespec="minutes"), plain_date(local.date()), joint, clock
    )


def plain_datetime(value: datetime) -> str:
    """Day and clock time in Kuwait, as plain text for mail and SMS."""
    local = value.astimezone(KUWAIT)
    return f"{plain_date(local.date())} {in_digits(f'{local:%H:%M}')}"


def plain_hijri(value: date | datetime) -> str:
    """The Umm al-Qura date, as ``16 رمضان 1447``; empty outside 1924-08-01 … 2077-11-16."""
    day = kuwait_date(value) if isinstance(value, datetime) else value
    try:
        moon = Gregorian(day.year, day.month, day.day).to_hijri()
    except OverflowError:
        return ""
    arabic = current_lang() == "ar"
    month = moon.month_name("ar") if arabic else _HIJRI_EN[moon.month - 1]
    return in_digits(f"{moon.day} {month} {moon.year}")


def hijri(value: date | datetime | None) -> Markup:
    if value is None:
        return Markup("")
    shown = plain_hijri(value)
    if not shown:
        return Markup("")
    mark = "هـ" if current_lang() == "ar" else "AH"
    return Markup('<span class="hijri"><bdi>{} {}</bdi></span>').format(shown, mark)


def isolate(value: object) -> str:
    """First-strong isolate for attributes, titles, options, SMS and plain mail."""
    return f"\u2068{value}\u2069"


def _set_lang(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    if values and "lang" in values:
        flask.g.lang = values.pop("lang")
    elif flask.request.path.startswith("/en/"):
        flask.g.lang = "en"
    else:
        flask.g.lang = "ar"


def _add_lang(endpoint: str, values: dict[str, Any]) -> None:
    if "lang" not in values and flask.current_app.url_map.is_endpoint_expecting(endpoint, "lang"):
        values["lang"] = current_lang()


def long_ago(delta: timedelta) -> int:
    """Whole days, for pages that count in days."""
    return delta.days


def init_app(app: Portal) -> None:
    app.config.setdefault("BABEL_DEFAULT_LOCALE", "ar")
    app.config.setdefault("BABEL_DEFAULT_TIMEZONE", "Asia/Kuwait")
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(app.root_dir / "translations")
    babel.init_app(app, locale_selector=_select_locale)
    app.url_value_preprocessor(_set_lang)
    app.url_defaults(_add_lang)
    app.jinja_env.filters.update(
        money=money,
        num=num,
        ltr=ltr,
        date=format_date,
        datetime=format_datetime,
        hijri=hijri,
        isolate=isolate,
        both=both,
        digits=in_digits,
    )
    app.jinja_env.globals.update(
        current_lang=current_lang,
        plain_money=plain_money,
        plain_date=plain_date,
        LANGUAGES=LANGUAGES,
    )


__all__ = [
    "KUWAIT",
    "LANGUAGES",
    "both",
    "current_lang",
    "escape",
    "kuwait_date",
    "money",
]
