"""The one actor that owns the jobs: detached, named, restarted by Ray when it dies.

Calls in flight at a crash are made again by Ray, so every method may be called twice. What it
does is decided in ``jobs``; this is the process around it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import ray

from masumi_sumi.errors import UnknownLock
from masumi_sumi.jobs import events
from masumi_sumi.jobs.model import Job, JobState, Launch, Lock, LockOutcome
from masumi_sumi.jobs.ports import JobStore
from masumi_sumi.jobs.reconcile import Reconciler
from masumi_sumi.runtime.answer_signing import sign_answer
from masumi_sumi.runtime.launcher import RayLauncher
from masumi_sumi.runtime.names import NAMESPACE, SUPERVISOR
from masumi_sumi.signing import AgentKey, Taken

log = logging.getLogger(__name__)

HEAD_NODE = "node:__internal_head__"
"""Ray's own resource of its head node: the supervisor and its SQLite file stay in one place."""

REOPEN = 5.0
"""Seconds between attempts to open the store."""

PASS_EVERY = 1.0
"""Seconds between passes when nothing wakes the supervisor earlier."""


@dataclass(frozen=True, slots=True)
class Works:
    """What the supervisor runs on, wired by ``compose``."""

    store: JobStore
    reconciler: Reconciler
    launcher: RayLauncher
    buyer_user: Callable[[], Awaitable[str]]
    now: Callable[[], float]
    key: AgentKey | None = None


class Supervisor:
    """``build`` wires the parts inside the actor's own process."""

    def __init__(self, build: Callable[[], Awaitable[Works]]) -> None:
        self._build = build
        self._ready: asyncio.Task[Works] | None = None
        self._keeper = asyncio.get_running_loop().create_task(self._keep_open())

    async def _keep_open(self) -> None:
        """Open by itself after a restart; a database that is away now may be back later."""
        while True:
            try:
                await self._works()
                return
            except Exception:
                log.exception("the supervisor cannot open its store")
            await asyncio.sleep(REOPEN)

    async def _open(self) -> Works:
        works = await self._build()
        await self._see_off_leftovers(works)
        brings = works.reconciler
        self._loops = [
            asyncio.create_task(_keep_going(brings.mind_jobs, brings.wake)),
            asyncio.create_task(_keep_going(brings.mind_storage, asyncio.Event())),
            *(
                asyncio.create_task(_keep_going(partial(brings.mind_payments, network), wake))
                for network, wake in brings.wake_payments.items()
            ),
        ]
        return works

    async def _see_off_leftovers(self, works: Works) -> None:
        """Runners whose outcome a supervisor stored that died before it could let them go."""
        for job_id in await works.launcher.runners():
            try:
                job = await works.store.job(job_id)
            except (ValueError, LookupError, TypeError, AttributeError):
                log.exception("a job cannot be read", extra={"job_id": job_id})
                continue
            if job is not None and (job.state.ended or job.state is JobState.DELIVERING):
                await works.launcher.release(job_id)

    async def _works(self) -> Works:
        """Raises what stands in the way of opening; the next call tries again."""
        failed = self._ready is not None and self._ready.done() and self._ready.exception()
        if self._ready is None or failed:
            self._ready = asyncio.create_task(self._open())
        return await asyncio.shield(self._ready)

    async def ping(self) -> str:
        """Answers once the store is open; the text is the supervisor's process id."""
        import os

        await self._works()
        return str(os.getpid())

    async def start(self, job: Job, launch: Launch) -> Job:
        """Take a job in. Raises NodeError when its payment cannot be opened."""
        works = await self._works()
        if not job.user:
            job = job.with_(user=await works.buyer_user())
            launch.meta["username"] = job.user
        return await works.reconciler.start(job, launch)

    async def buyer_user(self) -> str:
        """Under whose name strangers' executions are kept."""
        works = await self._works()
        return await works.buyer_user()

    async def runner_started(self, job_id: str, attempt: int) -> int:
        """Return which run of the job this attempt is, from 1; 0 when it must not begin."""
        works = await self._works()
        await self._forget_questions(works.store, job_id, attempt)
        job = await works.reconciler.apply(job_id, events.RunnerStarted(attempt))
        may_begin = job.state is JobState.RUNNING and job.attempts == attempt
        return job.runs if may_begin else 0

    async def _forget_questions(self, store: JobStore, job_id: str, attempt: int) -> None:
        """Nobody waits any more for the answers that an earlier run asked for."""
        job = await store.job(job_id)
        if job is None or job.state is not JobState.LAUNCHING or job.attempts != attempt:
            return
        for lock in await store.locks(job_id):
            await store.close_lock(lock.id, LockOutcome.EXPIRED, "")

    async def lock_opened(self, job_id: str, lock_id: str, name: str, expires_at: float) -> None:
        works = await self._works()
        await works.store.open_lock(Lock(lock_id, job_id, name, expires_at, works.now()))

    async def lock_closed(self, job_id: str, lock_id: str, outcome: str, input_hash: str) -> bool:
        """Whether this outcome is the lock's: the first one, or the same one again."""
        works = await self._works()
        if await works.store.close_lock(lock_id, LockOutcome(outcome), input_hash):
            return True
        lock = await works.store.lock(lock_id)
        if lock is None:
            raise UnknownLock(lock_id)
        return (lock.outcome, lock.input_hash) == (LockOutcome(outcome), input_hash)

    async def describe_lock(self, lock_id: str, form: list[dict[str, Any]]) -> Lock | None:
        """Keep a lock's form, so that its schema never changes; answers the lock as kept."""
        works = await self._works()
        await works.store.describe_lock(lock_id, form)
        return await works.store.lock(lock_id)

    async def cancel(self, job_id: str, reason: str) -> Job:
        works = await self._works()
        return await works.reconciler.apply(job_id, events.Cancelled(reason))

    async def job(self, job_id: str) -> Job | None:
        """For readers that have no way to the store itself."""
        works = await self._works()
        return await works.store.job(job_id)

    async def locks(self, job_id: str) -> list[Lock]:
        works = await self._works()
        return await works.store.locks(job_id)

    async def sign(self, taken: Taken, network: str, public_key: str) -> str:
        """Sign that an answer was taken; an empty text when that is not so."""
        works = await self._works()
        return await sign_answer(works.store, works.key, taken, network, public_key)

    async def launch_meta(self, job_id: str) -> dict[str, Any]:
        works = await self._works()
        return await works.store.launch_meta(job_id)

    async def opening(self) -> str:
        """By which a reader knows whether the store at its hand is this supervisor's own."""
        works = await self._works()
        return await works.store.opening()

    async def memory(self) -> int:
        """Resident bytes of the supervisor's process."""
        import psutil

        return int(psutil.Process().memory_info().rss)


async def _keep_going(one_pass: Callable[[], Awaitable[None]], wake: asyncio.Event) -> None:
    while True:
        wake.clear()
        try:
            await one_pass()
        except Exception:
            log.exception("a pass broke off")
        await _wait(wake, PASS_EVERY)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return


ActorClass = ray.remote(Supervisor)


def ensure(build: Callable[[], Awaitable[Works]], within: float) -> str:
    """The process id of the cluster's supervisor, the one that is there or a new one.

    Waits ``within`` seconds until it answers. Call it from a driver, not from inside an app: an
    actor inherits its creator's runtime env.
    """
    handle = ActorClass.options(
        name=SUPERVISOR,
        namespace=NAMESPACE,
        lifetime="detached",
        get_if_exists=True,
        max_restarts=-1,
        max_task_retries=-1,
        max_concurrency=1000,
        num_cpus=0,
        resources={HEAD_NODE: 0.001},
    ).remote(build)
    return str(ray.get(handle.ping.remote(), timeout=within))


def find() -> Any:
    """The supervisor's handle. Raises ValueError when there is none in the cluster."""
    return ray.get_actor(SUPERVISOR, namespace=NAMESPACE)
