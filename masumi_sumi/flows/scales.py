"""Numbers, dates and times as places on a line, so that one rule bounds them all."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from masumi_sumi.flows.kinds import Kind
from masumi_sumi.hashing import canonical_json

_NUMBER = re.compile(r"-?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_LONGEST_NUMBER = 100
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.(\d{1,3}))?)?", re.ASCII)
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)
_WEEK = re.compile(r"(\d{4})-W(\d{2})", re.ASCII)
_DAY = 24 * 60 * 60
_EPOCH = date(1970, 1, 1).toordinal()

GREATEST_WHOLE = 2**53 - 1

FORMATS = {
    Kind.NUMBER: "must be a number",
    Kind.RANGE: "must be a number",
    Kind.DATE: "must be a date as YYYY-MM-DD",
    Kind.TIME: "must be a time as HH:MM",
    Kind.DATETIME: "must be a date and time as YYYY-MM-DDTHH:MM",
    Kind.MONTH: "must be a month as YYYY-MM",
    Kind.WEEK: "must be a week as YYYY-Www",
}


@dataclass(frozen=True, slots=True)
class Limit:
    """A bound as the form words it, and its place."""

    text: str
    place: Fraction

    @property
    def natural(self) -> int | None:
        """The bound as MIP-003 can carry it: whole, not negative, and exact in JavaScript."""
        carried = self.place.denominator == 1 and 0 <= self.place <= GREATEST_WHOLE
        return int(self.place) if carried else None


@dataclass(frozen=True, slots=True)
class Scale:
    """Bounds and step of an ordered field; ``step`` None means any place between the bounds.

    Units of a place: a number itself; days; seconds of the day; seconds since 1970; months; weeks.
    """

    kind: Kind = Kind.NUMBER
    low: Limit | None = None
    high: Limit | None = None
    step: Fraction | None = None
    base: Fraction = Fraction(0)

    @property
    def whole(self) -> bool:
        """Whether only whole places are on the scale."""
        return self.step is not None and self.step.denominator == self.base.denominator == 1

    @property
    def from_zero(self) -> bool:
        """Whether its places are the multiples of its step."""
        return self.step is not None and (self.base / self.step).denominator == 1

    @property
    def wraps(self) -> bool:
        """HTML: times from 22:00 to 06:00 span midnight."""
        if self.kind is not Kind.TIME or self.low is None or self.high is None:
            return False
        return self.low.place > self.high.place

    def faults(self, place: Fraction) -> Iterator[str]:
        yield from self._beyond(place)
        if self.step is not None and ((place - self.base) / self.step).denominator != 1:
            yield self._step_rule(self.step)

    def _beyond(self, place: Fraction) -> Iterator[str]:
        too_low = self.low is not None and place < self.low.place
        too_high = self.high is not None and place > self.high.place
        if self.wraps and not (too_low and too_high):
            return
        if too_low and self.low is not None:
            yield f"must not be below {self.low.text}"
        if too_high and self.high is not None:
            yield f"must not be above {self.high.text}"

    def _step_rule(self, step: Fraction) -> str:
        if self.kind in (Kind.TIME, Kind.DATETIME):
            return f"must be in steps of {number_text(step)} seconds"
        if self.whole and step == 1:
            return "must be a whole number"
        return f"must be {number_text(self.base)} plus a multiple of {number_text(step)}"


BOUNDLESS = Scale()


def place(kind: Kind, text: str) -> Fraction | None:
    """Where ``text`` lies on the line of its kind; None if it is not in that kind's format."""
    return _PLACES[kind](text)


def number_text(value: Fraction) -> str:
    """A number as JavaScript and HTML write it: ``5``, ``0.5``."""
    return str(value.numerator) if value.denominator == 1 else canonical_json(float(value))


def written(value: int | float) -> str | None:
    """A JSON number as a buyer's JavaScript would type it into a form; None if it has no end."""
    try:
        finite = math.isfinite(value)
    except OverflowError:
        return None
    if not finite:
        return None
    return str(value) if isinstance(value, int) else canonical_json(value)


def shortest(kind: Kind, text: str) -> str:
    """A valid time or date-time as a browser posts it: with ``T``, without seconds that are 0."""
    if kind not in (Kind.TIME, Kind.DATETIME):
        return text
    day, clock = ("", text) if kind is Kind.TIME else (f"{text[:10]}T", text[11:])
    if "." in clock:
        clock = clock.rstrip("0").rstrip(".")
    return day + (clock[:-3] if len(clock) == 8 and clock.endswith(":00") else clock)


def _number(text: str) -> Fraction | None:
    if len(text) > _LONGEST_NUMBER or not _NUMBER.fullmatch(text):
        return None
    double = float(text)
    return Fraction(repr(double)) if math.isfinite(double) else None


def _date(text: str) -> Fraction | None:
    found = _DATE.fullmatch(text)
    try:
        return Fraction(date(*map(int, found.groups())).toordinal()) if found else None
    except ValueError:
        return None


def _time(text: str) -> Fraction | None:
    found = _TIME.fullmatch(text)
    if not found:
        return None
    hours, minutes, seconds, fraction = found.groups(default="0")
    return int(hours) * 3600 + int(minutes) * 60 + Fraction(f"{seconds}.{fraction}")


def _datetime(text: str) -> Fraction | None:
    day, clock = _date(text[:10]), _time(text[11:])
    if day is None or clock is None or text[10] not in "T ":
        return None
    return (day - _EPOCH) * _DAY + clock


def _month(text: str) -> Fraction | None:
    found = _MONTH.fullmatch(text)
    return Fraction(int(found[1]) * 12 + int(found[2])) if found and int(found[1]) else None


def _week(text: str) -> Fraction | None:
    found = _WEEK.fullmatch(text)
    try:
        monday = date.fromisocalendar(int(found[1]), int(found[2]), 1) if found else None
    except ValueError:
        return None
    return Fraction(monday.toordinal() // 7) if monday else None


_PLACES: dict[Kind, Callable[[str], Fraction | None]] = {
    Kind.NUMBER: _number,
    Kind.RANGE: _number,
    Kind.DATE: _date,
    Kind.TIME: _time,
    Kind.DATETIME: _datetime,
    Kind.MONTH: _month,
    Kind.WEEK: _week,
}
