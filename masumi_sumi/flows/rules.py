"""What a form demands of one posted text: the checks that a browser makes before it posts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import regex

from masumi_sumi.flows.choices import split
from masumi_sumi.flows.forms import Field
from masumi_sumi.flows.kinds import NUMERIC, ONE_LINE, TEMPORAL, Kind
from masumi_sumi.flows.scales import FORMATS, place

MATCH_SECONDS = 0.05
_LONGEST_MATCHED = 10_000

_LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_EMAIL = re.compile(rf"[a-zA-Z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{_LABEL}(?:\.{_LABEL})*")
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:\S+")
_WITH_HOST = ("http", "https", "ftp", "ws", "wss")
_COLOR = re.compile(r"#[0-9a-f]{6}")


def faults(field: Field, text: str) -> Iterator[str]:
    """Reasons against a text that is not empty; lengths count UTF-16 code units."""
    if field.kind is Kind.CHOICES:
        yield from _beyond(field, len(split(text)), "choices")
        return
    if field.kind in NUMERIC | TEMPORAL:
        yield from _misplaced(field, text)
        return
    if field.kind in ONE_LINE and ("\n" in text or "\r" in text):
        yield "must be one line"
    yield from _length(field, text)
    yield from _format(field.kind, text)
    if field.pattern is not None:
        yield from _pattern(field.pattern, text)


def _misplaced(field: Field, text: str) -> Iterator[str]:
    at = place(field.kind, text)
    if at is None:
        yield FORMATS[field.kind]
    else:
        yield from field.scale.faults(at)


def _length(field: Field, text: str) -> Iterator[str]:
    yield from _beyond(field, len(text.encode("utf-16-le")) // 2, "characters")


def _beyond(field: Field, count: int, what: str) -> Iterator[str]:
    if field.min_length is not None and count < field.min_length:
        yield f"must have at least {field.min_length} {what}"
    if field.max_length is not None and count > field.max_length:
        yield f"must have at most {field.max_length} {what}"


def _pattern(pattern: regex.Pattern[str], text: str) -> Iterator[str]:
    """An author's pattern on a stranger's text: some take longer than the world, so it is told
    no when it takes too long.
    """
    try:
        fits = len(text) <= _LONGEST_MATCHED and pattern.fullmatch(text, timeout=MATCH_SECONDS)
    except TimeoutError:
        fits = False
    if not fits:
        yield f"must match the pattern {pattern.pattern}"


def _format(kind: Kind, text: str) -> Iterator[str]:
    if kind is Kind.EMAIL and not _EMAIL.fullmatch(text):
        yield "must be an email address"
    if kind is Kind.URL and not _is_url(text):
        yield "must be an absolute URL"
    if kind is Kind.COLOR and not _COLOR.fullmatch(text):
        yield "must be a color as #rrggbb"


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    named = bool(_SCHEME.fullmatch(text))
    return named and (parts.scheme not in _WITH_HOST or bool(parts.hostname))
