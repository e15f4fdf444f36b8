"""A seller around the real Reconciler: real store, journal and node; runners are a port's fake.

Its process may end at any act, and its runners outlive it, as detached actors do. Time is the
test's: the seller's clock and the node's move together, and only when they are told to.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from masumi_sumi.clock import ManualClock
from masumi_sumi.hashing import input_hash
from masumi_sumi.jobs import events
from masumi_sumi.jobs.model import Job, JobState, Launch, Payment, PaymentState, Terms
from masumi_sumi.jobs.policy import Policy
from masumi_sumi.jobs.ports import Outcome, RunnerGone
from masumi_sumi.jobs.reconcile import Reconciler
from masumi_sumi.jobs.store import SqlJobStore
from masumi_sumi.payments.client import NodeClient
from masumi_sumi.payments.escrow import NodeEscrow
from masumi_sumi.runtime.journal import ExecutionJournal
from masumi_sumi.sandbox import Sandbox
from masumi_sumi.settings import NodeSettings

IDENTIFIER = "b69a06808228fd"
LAUNCH = Launch(b"spec", {}, {"fid": "x"})
DONE = Outcome(final='{"Markdown": {"body": "I say \\"goodbye\\""}}')
RESULT = 'I say "goodbye"'
PASS = 2.5

_ON_STORE = {"add", "save", "schedule_look", "keep_cursor"}
_ON_NODE = {"open", "submit", "resubmit"}
_ON_STAGE_AND_JOURNAL = {"launch", "stop", "release", "opened", "payment", "status"}
ACTS = _ON_STORE | _ON_NODE | _ON_STAGE_AND_JOURNAL
"""Calls that change something outside of the process; after each it may die."""


class Died(BaseException):
    """The supervisor's process ended here."""


class Life:
    """One process. With ``dies_at`` n it ends after its n-th act, before it learns the answer."""

    def __init__(self, dies_at: int | None = None) -> None:
        self.dies_at, self.acts, self.over = dies_at, 0, False

    def go_on(self) -> None:
        if self.over:
            raise Died

    def acted(self) -> None:
        self.acts += 1
        self.over = self.over or self.acts == self.dies_at
        self.go_on()


class Mortal:
    """A port, as a process calls it that may die."""

    def __init__(self, port: Any, life: Life) -> None:
        self._port, self._life = port, life

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._port, name)

        async def mortal(*args: Any, **options: Any) -> Any:
            self._life.go_on()
            answer = await call(*args, **options)
            if name in ACTS:
                self._life.acted()
            return answer

        return mortal


@dataclass
class Run:
    attempt: int
    outcome: asyncio.Future[Outcome] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    task: asyncio.Task[None] | None = None


class Stage:
    """The ``Launcher`` without Ray. ``plays`` gives a run's outcome, None holds it open;
    processes take as long as ``starting`` to start.
    """

    def __init__(self, may_begin: Callable[[str, int], Awaitable[bool]]) -> None:
        self._may_begin = may_begin
        self.runs: dict[str, Run] = {}
        self.made: list[str] = []
        self.begun: list[str] = []
        self.stopped: list[str] = []
        self.plays: Callable[[str], Outcome | None] = lambda job_id: DONE
        self.refuses = ""
        self.starting: asyncio.Future[None] | None = None
        self.parked: dict[asyncio.Task[Any], asyncio.Future[Any]] = {}
        self.parks = asyncio.Event()

    async def launch(self, job: Job, launch: Launch) -> None:
        if self.refuses:
            raise RunnerGone(self.refuses)
        if job.id not in self.runs:
            self.runs[job.id] = Run(job.attempts)
            self.made.append(job.id)
        run = self.runs[job.id]
        run.task = run.task or asyncio.create_task(self._run(job.id, run))

    async def outcome(self, job_id: str) -> Outcome:
        if job_id not in self.runs:
            raise RunnerGone("its process is gone")
        return await self.park(self.runs[job_id].outcome)

    async def release(self, job_id: str) -> None:
        self.runs.pop(job_id, None)

    async def stop(self, job_id: str) -> None:
        self.stopped.append(job_id)
        self.kill(job_id)

    def kill(self, job_id: str) -> None:
        run = self.runs.pop(job_id, None)
        if run and not run.outcome.done():
            run.outcome.set_exception(RunnerGone("killed"))
            run.outcome.exception()  # nobody may wait for it any more

    def finish(self, job_id: str, outcome: Outcome = DONE) -> None:
        self.runs[job_id].outcome.set_result(outcome)

    async def park(self, until: asyncio.Future[Any]) -> Any:
        """Wait for something that only the test brings about."""
        me = asyncio.current_task()
        assert me is not None
        self.parked[me] = until
        self.parks.set()
        try:
            return await asyncio.shield(until)
        finally:
            del self.parked[me]

    def is_parked(self, task: asyncio.Task[Any]) -> bool:
        return task in self.parked and not self.parked[task].done()

    async def _run(self, job_id: str, run: Run) -> None:
        if self.starting is not None:
            await self.park(self.starting)
        if not await self._may_begin(job_id, run.attempt):
            run.outcome.set_result(Outcome(error="the job was not to be run"))
            return
        self.begun.append(job_id)
        outcome = self.plays(job_id)
        if outcome is not None and not run.outcome.done():
            run.outcome.set_result(outcome)


class Seller:
    """Give it a sandbox and a store; ``start``, ``passes`` and the sandbox tell the story."""

    def __init__(
        self,
        folder: Path,
        sandbox: Sandbox,
        store: SqlJobStore,
        clock: ManualClock,
        http: httpx.AsyncClient,
    ) -> None:
        self.folder, self.sandbox, self.store, self.clock = folder, sandbox, store, clock
        self._http = http
        self.networks = ("Preprod",)
        self.policy = Policy(runners_at_once=4)
        self.journal = ExecutionJournal(folder, clock)
        self.stage = Stage(self._may_begin)
        self.agent = sandbox.register()
        self._background = set(asyncio.all_tasks())
        self._reborn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.born()

    def born(self, dies_at: int | None = None) -> None:
        """A new process over the same store; its memory is empty."""
        self.life = Life(dies_at)
        self.escrow = NodeEscrow(self.nodes(), self.clock, connect=self.connect)
        ports = (self.store, self.escrow, self.stage, self.journal)
        store, escrow, stage, journal = (Mortal(port, self.life) for port in ports)
        self.reconciler = Reconciler(store, escrow, stage, journal, self.clock, self.policy)
        self._reborn.set_result(None)
        self._reborn = asyncio.get_running_loop().create_future()

    def nodes(self) -> dict[str, NodeSettings]:
        node = NodeSettings.model_validate({"url": self.sandbox.url, "token": self.sandbox.token})
        return dict.fromkeys(self.networks, node)

    def connect(self, node: NodeSettings) -> NodeClient:
        return NodeClient(node.url, node.token, self._http, pauses=(0, 0))

    async def restart(self, dies_at: int | None = None) -> None:
        self.life.over = True
        await self.reconciler.close()
        self.born(dies_at)

    def new_future(self) -> asyncio.Future[None]:
        return asyncio.get_running_loop().create_future()

    # --- jobs ----------------------------------------------------------------------------------

    def a_job(self, *, free: bool = False, **terms: Any) -> Job:
        now, data = self.clock.now(), {"name": "Ada"}
        sale = {"pricing": "Fixed", "network": "Preprod", "agent_identifier": self.agent}
        agreed = Terms(**({} if free else sale) | terms)
        return Job(
            id=f"{int(now):08x}{uuid4().hex[:16]}",
            flow="/",
            identifier=IDENTIFIER,
            input_hash=input_hash(IDENTIFIER, data),
            terms=agreed,
            user="admin",
            created_at=now,
            updated_at=now,
            state=JobState.QUEUED if free else JobState.REQUESTED,
            payment=None if free else Payment(agreed.network),
        )

    async def start(self, job: Job) -> Job:
        """As Ray calls it: again, when the process died under the call."""
        while True:
            try:
                return await self.reconciler.start(job, LAUNCH)
            except Died:
                await self.restart()

    async def sold(self, **changes: Any) -> Job:
        """A job that waits for its payment."""
        return await self.start(self.a_job(**changes))

    async def running(self, **changes: Any) -> Job:
        """A paid job whose run is held open."""
        self.stage.plays = lambda job_id: None
        job = await self.sold(**changes)
        self.pay(job)
        await self.passes(1)
        return await self.now(job)

    async def now(self, job: Job) -> Job:
        found = await self.store.job(job.id)
        assert found is not None
        return found

    async def stands(self, job: Job) -> tuple[JobState, PaymentState | None]:
        found = await self.now(job)
        return found.state, found.payment.state if found.payment else None

    async def _may_begin(self, job_id: str, attempt: int) -> bool:
        while True:
            try:
                job = await self.reconciler.apply(job_id, events.RunnerStarted(attempt))
            except Died:
                await self.stage.park(self._reborn)
                continue
            return job.state is JobState.RUNNING and job.attempts == attempt

    # --- the node ------------------------------------------------------------------------------

    def pay(self, job: Job, *, bad: bool = False) -> None:
        """The buyer's lock, in a block."""
        self.sandbox.pay(name_of(job), bad=bad)
        self.sandbox.mine()

    def asked(self, call: str) -> int:
        return self.sandbox.requests().get(call, 0)

    def hashes_taken(self, job: Job) -> list[str | None]:
        """The hashes of all submissions that the node took for a job's payment."""
        row = self.sandbox.node.ledger.find("payment", name_of(job))
        assert row is not None
        taken = [action for action in (row.action, *row.actions) if "Submit" in action.requested]
        return [a.result_hash for a in taken if a.requested == "SubmitResultRequested"]

    # --- time ----------------------------------------------------------------------------------

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.sandbox.advance(seconds)

    def advance_to(self, epoch: float) -> None:
        self.advance(epoch - self.clock.now())

    async def passes(self, count: int, every: float = PASS) -> None:
        """Passes, each with all that follows from it; a process that dies is born again."""
        for _ in range(count):
            self.advance(every)
            with suppress(Died):
                await self.reconciler.run_once()
            await self.idle()
            if self.life.over:
                await self.restart()

    async def idle(self) -> None:
        """Until nothing goes on but what waits for the test."""
        me = asyncio.current_task()
        while True:
            self.stage.parks.clear()
            busy = {
                task
                for task in asyncio.all_tasks() - self._background
                if task is not me and not self.stage.is_parked(task)
            }
            if not busy:
                return
            parks = asyncio.create_task(self.stage.parks.wait())
            await asyncio.wait({*busy, parks}, return_when=asyncio.FIRST_COMPLETED)
            parks.cancel()
            await asyncio.wait({parks})

    # --- what the panel sees -------------------------------------------------------------------

    def execution(self, job: Job) -> Path:
        """Where the folder of a job's execution is, or would be."""
        return self.folder / job.user / job.id

    def told(self, job: Job, kind: str) -> list[str]:
        """The messages of an execution, of one kind."""
        with sqlite3.connect(self.execution(job) / "sqlite3.db") as database:
            found = database.execute("SELECT message FROM monitor WHERE kind = ?", (kind,))
            return [str(message) for (message,) in found]

    def payment_steps(self, job: Job) -> Counter[str]:
        steps = ("initialized", "funds_locked", "final_result")
        told = self.told(job, "payment")
        return Counter(step for step in steps for message in told if f'"{step}"' in message)


def name_of(job: Job) -> str:
    assert job.payment is not None
    return job.payment.blockchain_identifier


def times_of(job: Job) -> Any:
    assert job.payment is not None
    assert job.payment.facts is not None
    return job.payment.facts.times
