"""A boot as others see it: all events so far, then each as it happens, for any number of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from masumi_sumi.exposes.events import Event


class Show:
    """Who tells does not wait for those who listen, and goes on when nobody does."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._ended = False
        self._news = asyncio.Condition()

    async def tell(self, event: Event) -> None:
        async with self._news:
            self._events.append(event)
            self._news.notify_all()

    async def end(self) -> None:
        async with self._news:
            self._ended = True
            self._news.notify_all()

    async def follow(self) -> AsyncIterator[Event]:
        seen = 0
        while True:
            async with self._news:
                while seen == len(self._events) and not self._ended:
                    await self._news.wait()
            if seen == len(self._events):
                return
            yield self._events[seen]
            seen += 1
