"""Waiting for applications to come up: each for itself, told in Ray's own words."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from masumi_sumi.clock import Clock
from masumi_sumi.errors import ServeUnreachable
from masumi_sumi.exposes import events
from masumi_sumi.exposes.events import Event
from masumi_sumi.exposes.serve import App, Serve, ServeConfig

LOOK_SECONDS = 0.5
SILENT_SECONDS = 30.0
"""How long Ray's dashboard may give no answer: it is busy while applications start."""


class Wait:
    """``running`` and ``failed`` are the applications that settled so, and grow meanwhile."""

    def __init__(
        self,
        serve: Serve,
        clock: Clock,
        timeout: float,
        pause: Callable[[float], Awaitable[None]],
    ) -> None:
        self.running: list[str] = []
        self.failed: list[str] = []
        self._serve, self._clock, self._timeout, self._pause = serve, clock, timeout, pause
        self._told: dict[str, str] = {}

    async def follow(self, config: ServeConfig, names: Sequence[str]) -> AsyncIterator[Event]:
        """Until each is RUNNING and has its route, or failed, or the time is over.

        Raises ServeUnreachable when Ray's dashboard is silent for SILENT_SECONDS.
        """
        yield events.WaitStarted(self._timeout)
        until = self._clock.now() + self._timeout
        waiting = list(names)
        there: dict[str, App] = {}
        while waiting:
            there = await self._look()
            routes = await self._serve.routes(config)
            for name in list(waiting):
                for event in self._judge(name, there.get(name), routes):
                    yield event
                if name in self.running or name in self.failed:
                    waiting.remove(name)
            if waiting and self._clock.now() >= until:
                break
            if waiting:
                await self._pause(LOOK_SECONDS)
        for name in waiting:
            for event in self._late(name, there.get(name)):
                yield event
        yield events.WaitEnded(len(self.running), len(self.failed))

    async def _look(self) -> dict[str, App]:
        until = self._clock.now() + SILENT_SECONDS
        while True:
            try:
                return await self._serve.applications()
            except ServeUnreachable:
                if self._clock.now() >= until:
                    raise
                await self._pause(LOOK_SECONDS)

    def _judge(self, name: str, app: App | None, routes: frozenset[str]) -> list[Event]:
        if app is None:
            return []
        if app.has_failed:
            self.failed.append(name)
            message = app.message or app.status
            return [events.Settled(name, app.status), events.AppFailed(name, message)]
        if app.status == "RUNNING" and f"/{name}" in routes:
            self.running.append(name)
            return [events.Settled(name, app.status)]
        if self._told.get(name) == app.status:
            return []
        self._told[name] = app.status
        return [events.StatusSeen(name, app.status)]

    def _late(self, name: str, app: App | None) -> list[Event]:
        self.failed.append(name)
        status = app.status if app else "not there"
        said = f"not ready after {self._timeout:.0f} s: {status}"
        if app and app.message:
            said += f"\n{app.message}"
        return [events.Settled(name, "TIMEOUT"), events.AppFailed(name, said)]
