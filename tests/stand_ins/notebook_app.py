"""One flow behind SumiFace, with the world around the jobs kept in memory."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import httpx
from starlette.requests import Request

from masumi_sumi.errors import FieldsInvalid, NodeUnreachable, UnknownFlow
from masumi_sumi.faces.mip003 import Offer
from masumi_sumi.faces.sumi import PATH_HEADER, SumiFace
from masumi_sumi.jobs.model import Job, JobState, Launch, Lock, LockOutcome, Payment, Terms
from masumi_sumi.jobs.ports import Sale
from masumi_sumi.jobs.service import JobService

NOW = 1765350253.5
FLOW = "/text-inputs"
TOKEN = "6dd6594791c3d54e"

FORM = [
    {"type": "text", "name": "username", "label": "Username", "required": True, "size": 20},
    {"type": "password", "name": "password", "label": "Password", "required": True},
    {"type": "text", "name": "email", "label": "Email", "required": True},
    {"type": "submit", "text": "Go"},
]
GREETING = [
    {
        "type": "text",
        "name": "greeting",
        "label": "Your Greeting",
        "required": True,
        "placeholder": "Say hello...",
    },
    {"type": "submit", "text": "Go"},
]


@dataclass
class World:
    """Agent, Supervision and Clock in one; ``refusal`` is what the node says to a paid start."""

    jobs: dict[str, Job] = field(default_factory=dict)
    locks_: dict[str, Lock] = field(default_factory=dict)
    released: dict[str, tuple[dict[str, Any], str]] = field(default_factory=dict)
    launched: list[dict[str, Any]] = field(default_factory=list)
    refusal: Exception | None = None
    lenient: bool = False

    def now(self) -> float:
        return NOW

    async def form(self, flow: str) -> list[dict[str, Any]]:
        if flow != FLOW:
            raise UnknownFlow(flow)
        return FORM

    async def inputs(self, flow: str, values: dict[str, Any]) -> dict[str, Any]:
        return values

    async def launch(self, flow: str, values: dict[str, Any], sale: Sale) -> Launch:
        asked = ("username", "password", "email")
        missing = {name: [f"{name.title()} is required"] for name in asked if not values[name]}
        if missing and not self.lenient:
            raise FieldsInvalid({**missing, "_global_": []})
        self.launched.append(values)
        return Launch(b"")

    async def lock_form(self, job_id: str, lock_id: str) -> list[dict[str, Any]]:
        return GREETING

    async def lease(self, job_id: str, lock_id: str, values: dict[str, Any]) -> Any:
        return values

    async def release(self, job_id: str, lock_id: str, lease: Any, input_hash: str) -> bool:
        first = lock_id not in self.released
        self.released.setdefault(lock_id, (lease, input_hash))
        return first

    async def start(self, job: Job, launch: Launch) -> Job:
        if self.refusal is not None:
            raise self.refusal
        self.jobs[job.id] = job
        return job

    async def buyer_user(self) -> str:
        return "admin-role"

    async def describe_lock(self, lock_id: str, form: list[dict[str, Any]]) -> Lock | None:
        self.locks_[lock_id] = replace(self.locks_[lock_id], form=form)
        return self.locks_[lock_id]

    async def job(self, job_id: str) -> Job | None:
        return self.jobs.get(job_id)

    async def locks(self, job_id: str) -> list[Lock]:
        return [lock for lock in self.locks_.values() if lock.job_id == job_id]

    # --- what the tests arrange ----------------------------------------------------------------

    def has_job(self, state: JobState, **more: Any) -> Job:
        known = {"identifier": "demo-123", "input_hash": "", "terms": Terms()}
        times = {"created_at": NOW, "updated_at": NOW + 1.5}
        values = {"id": "69391bdc6dd6594b06ce8ff2", "flow": FLOW, "user": "u", **known, **times}
        job = Job(**{**values, "state": state, **more})
        self.jobs[job.id] = job
        return job

    def asks(self, job: Job, outcome: LockOutcome = LockOutcome.OPEN) -> Lock:
        lock_id = "129cc7b8-d4ba-4918-a6f0-7465a17701c7"
        lock = Lock(lock_id, job.id, "greeting-lock", NOW + 10800, NOW, outcome)
        self.locks_[lock.id] = lock
        return lock

    def node_is_away(self) -> None:
        self.refusal = NodeUnreachable("http://secret-node/api/v1", "refused")


PRICED = Terms(pricing="Fixed", network="Preprod", agent_identifier="a" * 64)
PAYMENT = Payment(network="Preprod")


def client_of(world: World, terms: Terms | None = None) -> httpx.AsyncClient:
    """Requests to ``/{action}`` reach the face as if they came through the gateway."""
    service = JobService(world, world, world, world, lambda: TOKEN)
    face = SumiFace(service)
    offer = Offer(FLOW, "Text Inputs", lambda data: terms or Terms(), "http://serve/form-example")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        action = scope["path"].rpartition("/")[2]
        await (await face(request, offer, action))(scope, receive, send)

    headers = {PATH_HEADER: "/sumi/form-example/text-inputs/start_job"}
    transport = httpx.ASGITransport(app=app)
    return httpx.AsyncClient(transport=transport, base_url="http://replica", headers=headers)
