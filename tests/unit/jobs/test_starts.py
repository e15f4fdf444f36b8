"""Starts at once: some go on, some wait a moment, and the rest are told to come back."""

from __future__ import annotations

import asyncio

import pytest

from masumi_sumi.errors import SellerBusy
from masumi_sumi.jobs.starts import RETRY_AFTER, StartLimit


class Starts:
    """Starts that go on until they are let go."""

    def __init__(self, limit: StartLimit) -> None:
        self.limit, self.goes_on, self.begun = limit, asyncio.Event(), 0

    async def start(self) -> None:
        async with self.limit.place():
            self.begun += 1
            await self.goes_on.wait()


async def test_starts_beyond_the_waiting_ones_are_refused_at_once():
    starts = Starts(StartLimit(2, wait_timeout=60))
    going = [asyncio.create_task(starts.start()) for _ in range(4)]
    await asyncio.sleep(0)

    with pytest.raises(SellerBusy) as busy:
        await starts.start()

    assert (starts.begun, busy.value.retry_after) == (2, RETRY_AFTER)
    starts.goes_on.set()
    await asyncio.gather(*going)
    assert starts.begun == 4


async def test_start_that_waits_too_long_is_refused_and_leaves_its_place():
    starts = Starts(StartLimit(1, wait_timeout=0.01))
    going = asyncio.create_task(starts.start())
    await asyncio.sleep(0)

    for _ in range(3):
        with pytest.raises(SellerBusy):
            await starts.start()

    starts.goes_on.set()
    await going
    await starts.start()
    assert starts.begun == 2


async def test_start_that_fails_or_is_cancelled_gives_its_place_back():
    limit = StartLimit(1, wait_timeout=0.01)
    starts = Starts(limit)
    cancelled = asyncio.create_task(starts.start())
    await asyncio.sleep(0)
    cancelled.cancel()
    await asyncio.wait([cancelled])

    with pytest.raises(ZeroDivisionError):
        async with limit.place():
            raise ZeroDivisionError

    async with limit.place():
        pass
