"""How much may be open without being paid, and how many payments are opened at once."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from masumi_sumi.errors import SellerBusy
from masumi_sumi.jobs.policy import Policy
from masumi_sumi.jobs.unpaid import WAITING_FOR_EACH, Openings, allowed_unpaid, caller_of


@pytest.mark.parametrize(
    ("address", "caller"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::ffff%eth0", "2001:db8:1:2::/64"),
        ("127.0.1.7", "127.0.1.7"),
        ("127.0.0.1", ""),
        ("::1", ""),
        ("::ffff:127.0.0.1", ""),
        ("", ""),
        ("unknown", ""),
    ],
)
def test_a_caller_is_an_address_or_a_network_and_this_machine_is_none(address: str, caller: str):
    assert caller_of(address) == caller


@pytest.mark.parametrize("callers", [1, 5, 20, 50])
def test_callers_who_take_all_they_can_get_leave_room_for_another(callers: int):
    policy = Policy(1, unpaid_per_flow=100, unpaid_per_address=20)
    held = [0] * callers
    while True:
        before = list(held)
        for number in range(callers):
            if sum(held) < 100 and held[number] < allowed_unpaid(policy, sum(held)):
                held[number] += 1
        if held == before:
            break

    assert max(held) <= 20
    assert sum(held) < 100
    assert allowed_unpaid(policy, sum(held)) >= 1


class Node:
    """Opens payments for as long as it is told to."""

    def __init__(self, openings: Openings) -> None:
        self._openings = openings
        self.done = asyncio.Event()
        self.now, self.most = 0, 0

    async def open(self, caller: str = "", network: str = "Preprod", within: float = 60.0) -> None:
        async with self._openings.place(network, caller, within):
            self.now += 1
            self.most = max(self.most, self.now)
            await self.done.wait()
            self.now -= 1


async def started(*calls: Coroutine[Any, Any, None]) -> list[asyncio.Task[None]]:
    tasks = [asyncio.create_task(call) for call in calls]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


async def test_a_few_are_opened_at_once_a_few_wait_and_the_rest_is_refused_at_once():
    node = Node(Openings(2))
    tasks = await started(*(node.open() for _ in range(2 + 2 * WAITING_FOR_EACH + 3)))

    refused = [task for task in tasks if task.done()]
    assert (node.now, len(refused)) == (2, 3)
    for task in refused:
        with pytest.raises(SellerBusy, match="nothing was started"):
            await task
    node.done.set()
    await asyncio.gather(*(task for task in tasks if task not in refused))
    assert node.most == 2


async def test_no_caller_takes_all_the_waiting_places():
    node = Node(Openings(2))
    greedy = await started(*(node.open("203.0.113.9") for _ in range(20)))
    [other] = await started(node.open("198.51.100.7"))

    assert [task.done() for task in greedy].count(False) == 2 + 2
    assert not other.done()
    node.done.set()
    await asyncio.gather(*greedy, other, return_exceptions=True)
    assert other.exception() is None


async def test_a_start_does_not_wait_for_longer_than_it_has():
    node = Node(Openings(1))
    await started(node.open())

    with pytest.raises(SellerBusy, match="slow"):
        await node.open(within=0.01)
    with pytest.raises(SellerBusy):
        await node.open(within=-3.0)
    await started(node.open(network="Mainnet"))

    assert node.now == 2
    node.done.set()


async def test_a_start_that_was_cancelled_gives_its_place_back():
    node = Node(Openings(1))
    first, second = await started(node.open(), node.open("203.0.113.9"))
    second.cancel()
    first.cancel()
    await asyncio.gather(first, second, return_exceptions=True)
    node.now = 0
    await started(node.open())

    assert node.now == 1
    node.done.set()
