"""How many starts a replica works on at once, so that it goes on answering everything else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from masumi_sumi.errors import SellerBusy

RETRY_AFTER = 5.0
"""Seconds after which a refused start may be tried again."""


class StartLimit:
    """At most ``at_once`` starts go on; as many more wait for up to ``wait_timeout`` seconds."""

    def __init__(self, at_once: int = 32, wait_timeout: float = 2.0) -> None:
        self._at_once, self._wait_timeout = at_once, wait_timeout
        self._places = asyncio.Semaphore(at_once)
        self._waiting = 0

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Hold a place. Raises SellerBusy where none becomes free in time; nothing began then."""
        await self._take()
        try:
            yield
        finally:
            self._places.release()

    async def _take(self) -> None:
        if self._places.locked() and self._waiting >= self._at_once:
            raise SellerBusy(f"{self._at_once} starts go on and as many wait", RETRY_AFTER)
        self._waiting += 1
        try:
            async with asyncio.timeout(self._wait_timeout):
                await self._places.acquire()
        except TimeoutError as error:
            raise SellerBusy(f"{self._at_once} starts go on", RETRY_AFTER) from error
        finally:
            self._waiting -= 1
