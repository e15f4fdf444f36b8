"""The node's own time: the machine's clock plus an offset that tests push forward."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE

_ISO = re.compile(
    r"\d{4}-\d{2}-\d{2}"
    r"(T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(?P<fraction>\.\d+)?)?(?P<zone>Z)?)?"
)


class SandboxClock:
    """Epoch milliseconds. ``base`` gives epoch seconds and is the machine's clock by default."""

    def __init__(self, base: Callable[[], float] = time.time) -> None:
        self._base = base
        self.offset = 0.0

    def now(self) -> int:
        return int((self._base() + self.offset) * SECOND)

    def advance(self, seconds: float) -> None:
        if seconds < 0:
            raise ValueError("time does not go backwards")
        self.offset += seconds


def frozen_base() -> Callable[[], float]:
    """A base that stands still at the moment of the call."""
    start = time.time()
    return lambda: start


@lru_cache(maxsize=50_000)
def iso(ms: int) -> str:
    """``2026-11-21T20:00:23.357Z``: how the node writes its own moments."""
    return f"{datetime.fromtimestamp(ms // 1000, UTC):%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}Z"


def moment(text: str) -> int | None:
    """Epoch milliseconds of the forms the node reads, or None.

    A date (midnight UTC), a date-time with Z, or one without zone (the machine's own zone).
    An offset such as ``+00:00`` is refused.
    """
    match = _ISO.fullmatch(text)
    if match is None:
        return None
    try:
        parsed = datetime.fromisoformat(text[:-1] if match["zone"] else text)
        if match["zone"] or "T" not in text:
            parsed = parsed.replace(tzinfo=UTC)
        return round(parsed.timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
