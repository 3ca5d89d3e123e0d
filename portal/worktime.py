"""Working time in Kuwait: minutes and days, weekends, holidays and Ramadan hours as data.

All instants are aware; answers are UTC. Spans are written ``3d_working``, ``8h_working``,
``30d_calendar``. A deadline in days falls at that day's closing time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path

import yaml

from portal.i18n import KUWAIT

#: How many days a search for working time may walk.
FARTHEST_DAYS = 800
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(r"(\d{1,3})([dh])_(working|calendar)")


class NoWorkingTime(ValueError):
    """The calendar holds no working time within reach: its data are wrong."""


@dataclass(frozen=True)
class Window:
    """The open hours of one day, as instants."""

    start: datetime
    end: datetime


def _hours(text: str) -> tuple[time, time]:
    first, last = text.split("-")
    return time.fromisoformat(first), time.fromisoformat(last)


@dataclass(frozen=True)
class Calendar:
    """Weekly hours by weekday (0 = Monday), holidays, and shorter hours in date ranges."""

    week: dict[int, tuple[time, time]]
    holidays: frozenset[date]
    shorter: tuple[tuple[date, date, tuple[time, time]], ...] = ()

    def window(self, day: date) -> Window | None:
        """The open hours of a day; None on weekends and holidays."""
        hours = self.week.get(day.weekday())
        if hours is None or day in self.holidays:
            return None
        for first, last, other in self.shorter:
            if first <= day <= last:
                hours = other
        return Window(
            datetime.combine(day, hours[0], KUWAIT), datetime.combine(day, hours[1], KUWAIT)
        )

    def add(self, start: datetime, minutes: int) -> datetime:
        """The instant when so many working minutes have passed since ``start``."""
        local, left = start.astimezone(KUWAIT), timedelta(minutes=minutes)
        for offset in range(FARTHEST_DAYS):
            window = self.window(local.date() + timedelta(days=offset))
            if window is None:
                continue
            begin = max(local, window.start)
            if begin >= window.end:
                continue
            if window.end - begin >= left:
                return (begin + left).astimezone(UTC)
            left -= window.end - begin
        raise NoWorkingTime(start)

    def between(self, start: datetime, end: datetime) -> int:
        """Working minutes between two instants; 0 when the second is not later."""
        first, last = start.astimezone(KUWAIT), end.astimezone(KUWAIT)
        total, day = timedelta(), first.date()
        while day <= last.date():
            if window := self.window(day):
                total += max(min(last, window.end) - max(first, window.start), timedelta())
            day += timedelta(days=1)
        return int(total.total_seconds() // 60)

    def closing(self, day: date) -> datetime:
        """The closing time of a day, or of the next working day."""
        for offset in range(FARTHEST_DAYS):
            if window := self.window(day + timedelta(days=offset)):
                return window.end.astimezone(UTC)
        raise NoWorkingTime(day)

    def working_days_after(self, start: datetime, days: int) -> datetime:
        """Closing time of the n-th working day after the day of ``start``."""
        day, left = start.astimezone(KUWAIT).date(), days
        for _ in range(FARTHEST_DAYS):
            if left == 0:
                return self.closing(day)
            day += timedelta(days=1)
            if self.window(day):
                left -= 1
        raise NoWorkingTime(start)

    def days_between(self, start: datetime, end: datetime) -> int:
        """Working days begun after ``start`` up to ``end``."""
        day, last, count = start.astimezone(KUWAIT).date(), end.astimezone(KUWAIT).date(), 0
        while day < last:
            day += timedelta(days=1)
            count += self.window(day) is not None
        return count

    def deadline(self, start: datetime, span: str) -> datetime:
        """When a span such as ``3d_working`` or ``30d_calendar`` that began at ``start`` ends."""
        amount, unit, kind = parse_span(span)
        if kind == "working":
            if unit == "h":
                return self.add(start, amount * 60)
            return self.working_days_after(start, amount)
        if unit == "h":
            return start.astimezone(UTC) + timedelta(hours=amount)
        return self.closing(start.astimezone(KUWAIT).date() + timedelta(days=amount))


def parse_span(span: str) -> tuple[int, str, str]:
    """``3d_working`` as (3, "d", "working")."""
    found = _SPAN.fullmatch(span)
    if not found:
        raise ValueError(span)
    return int(found[1]), found[2], found[3]


@cache
def kuwait() -> Calendar:
    """The calendar of ``portal/data/calendar.yaml``."""
    path = Path(__file__).parent / "data" / "calendar.yaml"
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    hours = _hours(data["ramadan"]["hours"])
    return Calendar(
        week={_DAYS.index(day): _hours(text) for day, text in data["week"].items()},
        holidays=frozenset(date.fromisoformat(day) for day in data["holidays"]),
        shorter=tuple(
            (date.fromisoformat(first), date.fromisoformat(last), hours)
            for first, last in data["ramadan"]["ranges"]
        ),
    )


@dataclass(frozen=True)
class Clock:
    """A promise in working time that can pause: minutes used before, and since when it runs."""

    span: str
    used_minutes: int
    running_since: datetime | None

    def due(self, calendar: Calendar) -> datetime | None:
        """When the promise ends; None while the clock is stopped."""
        if self.running_since is None:
            return None
        if self.used_minutes == 0:
            return calendar.deadline(self.running_since, self.span)
        amount, unit, _kind = parse_span(self.span)
        whole = amount * (60 if unit == "h" else 420)
        return calendar.add(self.running_since, max(0, whole - self.used_minutes))

    def stop(self, calendar: Calendar, now: datetime) -> Clock:
        if self.running_since is None:
            return self
        used = self.used_minutes + calendar.between(self.running_since, now)
        return Clock(self.span, used, None)

    def start(self, now: datetime) -> Clock:
        return self if self.running_since else Clock(self.span, self.used_minutes, now)
