"""An agent server for buyers: the real face and job service over a sandbox, with a hand in it.

The answers of its endpoints can be altered on their way out; time is the test's.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from masumi_sumi.clock import Clock, ManualClock
from masumi_sumi.errors import ConfigurationError, UnknownLock
from masumi_sumi.faces.mip003 import ACTIONS, Mip003Face, Offer, Signer
from masumi_sumi.hashing import result_hash
from masumi_sumi.jobs.model import (
    Amount,
    Job,
    JobState,
    Launch,
    Lock,
    LockOutcome,
    PaymentOrder,
    PaymentState,
    Terms,
)
from masumi_sumi.jobs.ports import Sale
from masumi_sumi.jobs.service import JobService
from masumi_sumi.payments.client import NodeClient
from masumi_sumi.payments.statements import Statement
from masumi_sumi.sandbox import Sandbox
from masumi_sumi.signing import AgentKey, Taken

URL = "http://agent.test/flow"
RESULT = "Hello, Ada"
FORM: list[dict[str, Any]] = [
    {"type": "text", "name": "name", "label": "Name", "required": True},
    {
        "type": "select",
        "name": "size",
        "label": "Size",
        "option": [{"name": "s", "label": "Small"}, {"name": "l", "label": "Large"}],
    },
]
QUESTION: list[dict[str, Any]] = [
    {"type": "text", "name": "word", "label": "A word", "required": True}
]

Alter = Callable[[dict[str, Any]], Any]


@dataclass
class Script:
    """What a job does once it may run. ``asks`` are the forms of its locks, all open at once.

    ``delivers`` False: it never ends. ``hashes`` gives the hash that the seller hands in.
    """

    asks: tuple[list[dict[str, Any]], ...] = ()
    result: str = RESULT
    failure: str = ""
    delivers: bool = True
    hashes: Callable[[str, str], str] = result_hash


@dataclass
class Seller:
    """Its ``Supervision``, its ``Agent`` and its HTTP server in one."""

    node: NodeClient
    clock: Clock
    terms: Terms
    form_: list[dict[str, Any]] = field(default_factory=lambda: FORM)
    script: Script = field(default_factory=Script)
    alters: dict[str, Alter] = field(default_factory=dict)
    before: dict[str, Callable[[], Response | None]] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    open: dict[str, list[Lock]] = field(default_factory=dict)
    answers: list[dict[str, Any]] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    sale: str = ""

    def __post_init__(self) -> None:
        tokens = iter(f"{n:016x}" for n in range(10**6))
        self.service = JobService(self, self, self, self.clock, lambda: next(tokens))
        self.signs_with(None)
        methods = ["GET", "POST"]
        self.app = Starlette(
            routes=[Route("/flow/{action}", self.endpoint, methods=methods)],
        )

    def signs_with(self, key: AgentKey | None, statement: Statement | None = None) -> None:
        statements = {self.terms.agent_identifier: statement} if statement else {}
        self.face = Mip003Face(self.service, lambda: 5.0, key and signer_of(key, statements))

    async def endpoint(self, request: Request) -> Response:
        action = request.path_params["action"]
        if action not in ACTIONS:
            return JSONResponse({"detail": "no such endpoint"}, 404)
        self.calls[action] += 1
        if action in self.before and (instead := self.before[action]()) is not None:
            return instead
        answer = await self.face(request, Offer("/", "A flow", self.offered, URL), action)
        if action not in self.alters or answer.status_code != 200:
            return answer
        altered = self.alters[action](json.loads(bytes(answer.body)))
        return altered if isinstance(altered, Response) else JSONResponse(altered)

    def offered(self, data: Any) -> Terms:
        if self.sale:
            raise ConfigurationError(self.sale)
        return self.terms

    # --- the agent -----------------------------------------------------------------------------

    async def form(self, flow: str) -> list[dict[str, Any]]:
        return self.form_

    async def inputs(self, flow: str, values: dict[str, Any]) -> dict[str, Any]:
        return values

    async def launch(self, flow: str, values: dict[str, Any], sale: Sale) -> Launch:
        return Launch(b"spec")

    async def lock_form(self, job_id: str, lock_id: str) -> list[dict[str, Any]]:
        raise UnknownLock(lock_id)

    async def lease(self, job_id: str, lock_id: str, values: dict[str, Any]) -> Any:
        return values

    async def release(self, job_id: str, lock_id: str, lease: Any, input_hash: str) -> bool:
        locks = self.open[job_id]
        found = next(lock for lock in locks if lock.id == lock_id)
        if found.outcome is not LockOutcome.OPEN:
            return False
        self.answers.append(lease)
        locks[locks.index(found)] = replace(found, outcome=LockOutcome.ANSWERED)
        return True

    # --- the supervisor ------------------------------------------------------------------------

    async def start(self, job: Job, launch: Launch) -> Job:
        if job.payment is not None:
            facts = await self.node.open(self.order(job))
            payment = replace(job.payment, facts=facts, state=PaymentState.AWAITING_FUNDS)
            job = job.with_(state=JobState.AWAITING_PAYMENT, payment=payment)
        self.jobs[job.id] = job
        return job

    def order(self, job: Job) -> PaymentOrder:
        terms, now = job.terms, self.clock.now()
        return PaymentOrder(
            network="Preprod",
            agent_identifier=terms.agent_identifier,
            identifier_from_purchaser=job.identifier,
            input_hash=job.input_hash,
            pay_by=now + terms.pay_by,
            submit_by=now + terms.submit_by,
            price=terms.price,
            source_index=terms.source_index,
        )

    async def buyer_user(self) -> str:
        return "admin"

    async def describe_lock(self, lock_id: str, form: list[dict[str, Any]]) -> Lock | None:
        return None

    async def locks(self, job_id: str) -> list[Lock]:
        return self.open.get(job_id, [])

    async def job(self, job_id: str) -> Job | None:
        """Each look is a pass of the supervisor."""
        job = self.jobs.get(job_id)
        if job is not None and not job.state.ended:
            self.jobs[job_id] = job = await self._passed(job)
        return job

    async def _passed(self, job: Job) -> Job:
        if job.state is JobState.AWAITING_PAYMENT:
            view = await self.node.look("Preprod", paid(job))
            funded = view is not None and view.on_chain_state == "FundsLocked"
            return job.with_(state=JobState.RUNNING) if funded else job
        if job.id not in self.open:
            self.open[job.id] = [self._lock(job, n) for n in range(len(self.script.asks))]
            return job.with_(state=JobState.RUNNING)
        if any(lock.outcome is LockOutcome.OPEN for lock in self.open[job.id]):
            return job
        if self.script.failure:
            return job.with_(state=JobState.FAILED, failure=self.script.failure)
        return await self._delivered(job) if self.script.delivers else job

    def _lock(self, job: Job, number: int) -> Lock:
        asked, now = self.script.asks[number], self.clock.now()
        return Lock(f"{job.id}-{number}", job.id, f"lock {number}", now + 600, now, form=asked)

    async def _delivered(self, job: Job) -> Job:
        result = self.script.result
        if job.payment is not None:
            digest = self.script.hashes(job.identifier, result)
            await self.node.submit("Preprod", paid(job), digest)
            job = job.with_(payment=replace(job.payment, sent_hash=digest))
        return job.with_(state=JobState.COMPLETED, result=result)


def paid(job: Job) -> str:
    assert job.payment is not None
    return job.payment.blockchain_identifier


def signer_of(key: AgentKey, statements: dict[str, Statement]) -> Signer:
    async def sign(taken: Taken, network: str) -> str:
        return key.sign(taken, network)

    return Signer(key.public_key, sign, statements)


FREE = Terms()


def priced(sandbox: Sandbox, version: int = 1, **offer: Any) -> Terms:
    """Terms of an agent that the sandbox has registered at 10 ADA, at its address."""
    agent = sandbox.register(version=version, **{"url": URL, **offer})
    pricing = offer.get("pricing", "Fixed")
    price = (Amount("4000000"),) if pricing == "Dynamic" else ()
    source = "Web3CardanoV1" if version == 1 else "Web3CardanoV2"
    index = None if version == 1 else 0
    return Terms(pricing, "Preprod", agent, source, index, price, pay_by=1800, submit_by=7200)


class Dropped(httpx.ASGITransport):
    """The sandbox's network without sockets: a dropped connection is one for the client too."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return await super().handle_async_request(request)
        except ConnectionError as error:
            raise httpx.ReadError(str(error)) from error


@dataclass
class Time:
    """One time for buyer, seller and node: it passes only while the buyer sleeps."""

    clock: ManualClock
    sandbox: Sandbox

    async def sleep(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.sandbox.advance(seconds)
        await asyncio.sleep(0)
