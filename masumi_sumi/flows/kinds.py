"""The kinds of answers a form can ask for, named as Kodosumi names its elements."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    TEXT = "text"
    TEXTAREA = "textarea"
    PASSWORD = "password"
    EMAIL = "email"
    URL = "url"
    TEL = "tel"
    SEARCH = "search"
    NUMBER = "number"
    RANGE = "range"
    DATE = "date"
    TIME = "time"
    DATETIME = "datetime-local"
    MONTH = "month"
    WEEK = "week"
    BOOLEAN = "boolean"
    CHECKBOX = "checkbox"
    SELECT = "select"
    RADIO = "radio"
    CHOICES = "choices"
    BUTTON = "button"
    COLOR = "color"
    FILE = "file"
    HIDDEN = "hidden"


ONE_LINE = frozenset({Kind.TEXT, Kind.PASSWORD, Kind.EMAIL, Kind.URL, Kind.TEL, Kind.SEARCH})
TEXTUAL = ONE_LINE | {Kind.TEXTAREA}
NUMERIC = frozenset({Kind.NUMBER, Kind.RANGE})
TEMPORAL = frozenset({Kind.DATE, Kind.TIME, Kind.DATETIME, Kind.MONTH, Kind.WEEK})
SWITCHES = frozenset({Kind.BOOLEAN, Kind.CHECKBOX})
CHOSEN = frozenset({Kind.SELECT, Kind.RADIO, Kind.BUTTON})
"""One of several."""
