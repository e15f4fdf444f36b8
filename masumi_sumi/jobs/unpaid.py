"""Bound what callers have opened without paying: an opening costs the node, a job costs space."""

from __future__ import annotations

import asyncio
import math
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import IPv6Address, ip_address, ip_network

from masumi_sumi.errors import SellerBusy
from masumi_sumi.jobs.model import Job, Launch
from masumi_sumi.jobs.policy import Policy
from masumi_sumi.jobs.ports import JobStore

WAITING_FOR_EACH = 8
"""How many starts may wait for each of the openings that may run at once."""

QUEUE_TIMEOUT = 5.0
"""Seconds that a start waits at most until its payment is opened."""

RETRY_OPENING_SECONDS, RETRY_UNPAID_SECONDS = 5.0, 60.0

_THIS_MACHINE = frozenset({"127.0.0.1", "::1"})
_IPV6_PREFIX = 64


def caller_of(address: str) -> str:
    """Return what stands for a caller in the count of his unpaid jobs; empty for nobody.

    An IPv6 caller is his network, since he has 2^64 addresses. This machine itself is nobody: it
    is its operator, or a proxy that is not among the trusted ones, behind which one stranger would
    use up what all buyers have.
    """
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    if str(parsed) in _THIS_MACHINE:
        return ""
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, _IPV6_PREFIX), strict=False))
    return str(parsed)


def allowed_unpaid(policy: Policy, of_flow: int) -> int:
    """Return how many unpaid jobs a caller may have when ``of_flow`` of this flow are open.

    It shrinks as the flow fills, so that a few callers leave room for others: of 20 who take all
    that they can get, each holds 4 of 100.
    """
    free = 1 - of_flow / policy.unpaid_per_flow
    return math.ceil(policy.unpaid_per_address * free)


class UnpaidLimits:
    """Refuses jobs while too many wait for their payment.

    One process takes jobs in, whichever replica asks it; the lock keeps two that come at once from
    taking the same last place.
    """

    def __init__(self, store: JobStore, policy: Policy) -> None:
        self._store, self._policy = store, policy
        self._lock = asyncio.Lock()

    async def check(self, job: Job) -> None:
        """Raises SellerBusy."""
        of_flow, of_caller = await self._store.count_unpaid(job)
        if of_flow >= self._policy.unpaid_per_flow:
            reason = f"{of_flow} jobs of this flow wait for their payment"
            raise SellerBusy(reason, RETRY_UNPAID_SECONDS)
        if job.caller and of_caller >= allowed_unpaid(self._policy, of_flow):
            reason = f"{of_caller} jobs that you started wait for their payment: pay them first"
            raise SellerBusy(reason, RETRY_UNPAID_SECONDS)

    async def add(self, job: Job, launch: Launch) -> bool:
        """Add the job to the store. Raises SellerBusy, and adds nothing."""
        async with self._lock:
            await self.check(job)
            return await self._store.add(job, launch)


class Openings:
    """Lets a few payments be opened at once at each network's node, and a few starts wait."""

    def __init__(self, at_once: int) -> None:
        self._waiting_limit = at_once * WAITING_FOR_EACH
        self._callers_limit = at_once
        self._places: defaultdict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(at_once)
        )
        self._waiting: Counter[str] = Counter()
        self._callers: Counter[tuple[str, str]] = Counter()

    @asynccontextmanager
    async def place(self, network: str, caller: str, within: float) -> AsyncIterator[None]:
        """Hold a place while a payment is opened. Raises SellerBusy, before anything began, when
        none gets free ``within`` seconds, or too many wait already.
        """
        place = self._places[network]
        await self._wait(place, network, caller, min(within, QUEUE_TIMEOUT))
        try:
            yield
        finally:
            place.release()

    async def _wait(
        self, place: asyncio.Semaphore, network: str, caller: str, seconds: float
    ) -> None:
        mine = network, caller
        is_full = self._waiting[network] >= self._waiting_limit
        has_share = not caller or self._callers[mine] < self._callers_limit
        if place.locked() and (is_full or not has_share):
            raise SellerBusy("too many payments are being opened", RETRY_OPENING_SECONDS)
        self._waiting[network] += 1
        self._callers[mine] += 1
        try:
            async with asyncio.timeout(max(seconds, 0)):
                await place.acquire()
        except TimeoutError as error:
            raise SellerBusy("its payment node is slow", RETRY_OPENING_SECONDS) from error
        finally:
            self._waiting[network] -= 1
            self._callers[mine] -= 1
            if not self._callers[mine]:
                del self._callers[mine]
