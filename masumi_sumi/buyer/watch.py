"""Looking again and again, without haste and without losing count of troubles."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from masumi_sumi.clock import Clock, SystemClock


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between two looks: from ``first``, growing while nothing changes."""

    first: float = 0.25
    growth: float = 1.5
    longest: float = 10.0


@dataclass(frozen=True, slots=True)
class World:
    """Time as an argument. ``sleep`` waits so many seconds."""

    clock: Clock = field(default_factory=SystemClock)
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    pace: Pace = Pace()


class Watch:
    """``trouble`` is what is new to tell: a trouble that lasts is told once."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._pause = world.pace.first
        self._seen: object = None
        self._kind: type[Exception] | None = None
        self._since = 0.0
        self.trouble = ""

    def saw(self, what: object) -> None:
        if what != self._seen:
            self._seen, self._pause = what, self._world.pace.first
        self._kind, self.trouble = None, ""

    def note(self, error: Exception) -> float:
        """Since when (epoch seconds) it has been this kind of trouble."""
        lasts = type(error) is self._kind
        self.trouble = "" if lasts else str(error)
        if not lasts:
            self._kind, self._since = type(error), self._world.clock.now()
        return self._since

    async def pause(self) -> None:
        pace = self._world.pace
        await self._world.sleep(self._pause)
        self._pause = min(self._pause * pace.growth, pace.longest)
