"""A Kodosumi app as authors write them, sold by the real middleware; the supervisor is a fake."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
from fastapi import Request
from kodosumi.core import InputsError, Launch, ServeAPI
from kodosumi.core import forms as F

from masumi_sumi import compose, gateway_proof
from masumi_sumi.clock import ManualClock
from masumi_sumi.errors import LaunchEscaped
from masumi_sumi.jobs import model
from masumi_sumi.jobs.model import Amount, Job, JobState, Lock, PaymentFacts, PaymentState, Times
from masumi_sumi.jobs.service import JobService
from masumi_sumi.plugin import FlowTerms
from masumi_sumi.plugin.middleware import SumiMiddleware
from masumi_sumi.runtime.agent import KodosumiAgent
from masumi_sumi.settings import Settings
from masumi_sumi.signing import AgentKey, Taken

APP_SECRET = "5ec7e7" * 10
PROOF = {gateway_proof.HEADER: APP_SECRET}
TOKEN = "top-secret-token-9f8e"
NODE_URL = "http://secret-node.test/api/v1"
AGENT = "7e8bdaf2b2b919a3a4b94002cafb50086c0c845fe535d07a77ab7f77" + "ee" * 32
IDENTIFIER = "b69a06808228fd00"
JOB_ID = "6b49d2001122334455667788"
SERVE = "http://127.0.0.1:8005"


async def work(inputs: dict[str, Any], tracer: Any) -> str:
    """Never runs here."""
    return "done"


def form() -> F.Model:
    return F.Model(
        F.InputText(name="name", label="Name", required=True),
        F.InputNumber(name="age", label="Age", min_value=0, max_value=120),
        F.Submit("Go"),
        F.Cancel("No"),
    )


class Crash(RuntimeError):
    pass


def launch_by_name(inputs: dict[str, Any], request: Request) -> Any:
    """What the handler does hangs on the name."""
    match inputs["name"]:
        case "refused":
            error = InputsError("not like this")
            error.add(name="is taken")
            raise error
        case "refused silently":
            raise InputsError
        case "crash":
            raise Crash("cannot read /srv/secret/key.pem\nand more")
        case "nothing":
            return {"no": "launch"}
        case "twice":
            Launch(request, work, inputs=inputs)
        case str(name) if name.startswith("buyer"):  # spares Kodosumi's walk over the stack
            return Launch(request, work, inputs=inputs, reference=launch_by_name)
    return Launch(request, work, inputs=inputs)


def build() -> ServeAPI:
    """Flows at / (async), /sync, /threads and /a/b/, and routes of the app's own."""
    app = ServeAPI(title="An author's app")
    late: list[Any] = []
    app.state.late = late

    @app.enter("/", model=form(), summary="Root flow", description="At the root")
    async def root(inputs: dict[str, Any], request: Request) -> Any:
        await asyncio.sleep(0)
        return launch_by_name(inputs, request)

    @app.enter("/sync", model=form(), summary="Sync flow", tags=["S"], author="ada")
    def sync(inputs: dict[str, Any], request: Request) -> Any:
        return launch_by_name(inputs, request)

    @app.enter("/a/b/", model=form(), summary="Deep flow")
    async def deep(inputs: dict[str, Any], request: Request) -> Any:
        return launch_by_name(inputs, request)

    @app.enter("/threads", model=form(), summary="Threads")
    async def threads(inputs: dict[str, Any], request: Request) -> Any:
        return await DETOURS[inputs["name"]](app, request, inputs)

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "the author's"}

    @app.post("/direct")
    def direct(request: Request) -> Any:
        return Launch(request, work, inputs={"name": "plain"})

    return app


# --- ways from a handler to Launch -------------------------------------------------------------

Detour = Callable[[ServeAPI, Request, dict[str, Any]], Any]


async def _in_to_thread(app: ServeAPI, request: Request, inputs: Any) -> Any:
    return await asyncio.to_thread(Launch, request, work, inputs)


async def _in_task(app: ServeAPI, request: Request, inputs: Any) -> Any:
    async def later() -> Any:
        return Launch(request, work, inputs)

    return await asyncio.create_task(later())


async def _in_executor(app: ServeAPI, request: Request, inputs: Any) -> Any:
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(None, Launch, request, work, inputs)


async def _in_bare_thread(app: ServeAPI, request: Request, inputs: Any) -> Any:
    answers: list[Any] = []

    def run() -> None:
        try:
            answers.append(Launch(request, work, inputs))
        except LaunchEscaped as error:
            answers.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    await asyncio.to_thread(thread.join)
    if isinstance(answers[0], Exception):
        return Launch(request, work, inputs)  # an author who hides the refusal
    return answers[0]


async def _in_stranger(app: ServeAPI, request: Request, inputs: Any) -> Any:
    """From a thread, with a request of the author's own making."""
    double = Request({**request.scope, "masumi_sumi.ticket": None})
    double.scope.pop("masumi_sumi.ticket")
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(None, Launch, double, work, inputs)


async def _afterwards(app: ServeAPI, request: Request, inputs: Any) -> Any:
    """Answers with one launch, and launches again when the answer is out."""
    await _only_afterwards(app, request, inputs)
    return Launch(request, work, inputs)


async def _only_afterwards(app: ServeAPI, request: Request, inputs: Any) -> Any:
    """Answers without a launch, and launches when the answer is out."""
    answered = asyncio.Event()

    async def later() -> Any:
        await answered.wait()
        return Launch(request, work, inputs)

    def from_a_thread() -> Any:
        return Launch(request, work, inputs)

    app.state.late += [answered, asyncio.create_task(later()), from_a_thread]
    return {"no": "launch"}


DETOURS: dict[str, Detour] = {
    "to_thread": _in_to_thread,
    "create_task": _in_task,
    "run_in_executor": _in_executor,
    "thread": _in_bare_thread,
    "stranger": _in_stranger,
    "afterwards": _afterwards,
    "only afterwards": _only_afterwards,
}


# --- the seller --------------------------------------------------------------------------------


@dataclass
class Desk:
    """The ``Supervision``: takes jobs in and opens their payments, or raises ``refusal``."""

    jobs: dict[str, Job] = field(default_factory=dict)
    locks_: dict[str, Lock] = field(default_factory=dict)
    launches: dict[str, model.Launch] = field(default_factory=dict)
    refusal: Exception | None = None

    async def start(self, job: Job, launch: model.Launch) -> Job:
        if self.refusal is not None:
            raise self.refusal
        if job.payment is not None:
            payment = replace(job.payment, facts=facts_of(job), state=PaymentState.AWAITING_FUNDS)
            job = job.with_(state=JobState.AWAITING_PAYMENT, payment=payment)
        self.jobs[job.id], self.launches[job.id] = job, launch
        return job

    async def buyer_user(self) -> str:
        return "admin"

    async def describe_lock(self, lock_id: str, form: list[dict[str, Any]]) -> Lock | None:
        self.locks_[lock_id] = replace(self.locks_[lock_id], form=form)
        return self.locks_[lock_id]

    async def job(self, job_id: str) -> Job | None:
        return self.jobs.get(job_id)

    async def locks(self, job_id: str) -> list[Lock]:
        return [lock for lock in self.locks_.values() if lock.job_id == job_id]


def facts_of(job: Job) -> PaymentFacts:
    start = int(job.created_at * 1000)
    return PaymentFacts(
        blockchain_identifier="5e" * 600,
        agent_identifier=job.terms.agent_identifier,
        input_hash=job.input_hash,
        seller_vkey="c" * 56,
        times=Times(start + 1_800_000, start + 16_800_000, start + 38_400_000, start + 60_000_000),
        source_type=job.terms.source_type,
        price=job.terms.price or (Amount("10000000"),),
        source_index=job.terms.source_index,
    )


class AnsweringAgent(KodosumiAgent):
    """Keeps what was answered; where a runner waits is no matter of these tests, nor what else the
    author's code would do with ``forms`` of locks.
    """

    forms: dict[str, list[dict[str, Any]]]
    released: dict[str, dict[str, Any]]
    refusals: dict[str, Exception]

    async def lock_form(self, job_id: str, lock_id: str) -> list[dict[str, Any]]:
        return self.forms[lock_id]

    async def lease(self, job_id: str, lock_id: str, values: dict[str, Any]) -> Any:
        if lock_id in self.refusals:
            raise self.refusals[lock_id]
        return values

    async def release(self, job_id: str, lock_id: str, lease: Any, input_hash: str) -> bool:
        if lock_id in self.released:
            return False
        self.released[lock_id] = lease
        return True


class Parts(compose.AppParts):
    """An app's parts with a desk instead of a supervisor on Ray."""

    def __init__(self, settings: Settings) -> None:
        self.desk, self.clock = Desk(), ManualClock()
        super().__init__(settings, self.clock)
        self.lock_forms: dict[str, list[dict[str, Any]]] = {}
        self.released: dict[str, dict[str, Any]] = {}
        self.refusals: dict[str, Exception] = {}
        self.broken: Exception | None = None
        self.start_timeout = 12.0

    def agent(self, app: Any, api: Any, app_url: str) -> KodosumiAgent:
        agent = AnsweringAgent(app, api, app_url)
        agent.released, agent.refusals = self.released, self.refusals
        agent.forms = self.lock_forms
        return agent

    async def sign(self, taken: Taken, network: str) -> str:
        key = AgentKey.of(self.settings.agent_key.get_secret_value())
        assert key is not None
        return key.sign(taken, network)

    async def service(self, agent: KodosumiAgent) -> JobService:
        if self.broken is not None:
            raise self.broken
        tokens = iter(f"{n:016x}" for n in range(10**6))
        token = lambda: next(tokens)  # noqa: E731 - a port
        return JobService(agent, self.desk, self.desk, self.clock, token, self.start_timeout)


PRICED = FlowTerms(agent_identifier=AGENT, network="Preprod")


class Shop:
    """A sold app and a client that reaches it as Serve would."""

    def __init__(
        self,
        folder: Path,
        flows: dict[str, FlowTerms] | None = None,
        api: ServeAPI | None = None,
        root: str = "",
        settings: dict[str, Any] | None = None,
        **options: Any,
    ) -> None:
        nodes = {"Preprod": {"url": NODE_URL, "token": TOKEN}}
        given = {"data_dir": folder, "nodes": nodes, "app_secret": APP_SECRET, **(settings or {})}
        self.parts = Parts(Settings(**given))
        self.api = api or build()
        self.middleware = SumiMiddleware(
            options.pop("app", self.api), flows=flows, parts=self.parts, api=self.api, **options
        )
        self.desk, self.clock = self.parts.desk, self.parts.clock
        self.root = root

    def client(self, app: Any = None) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(
            app=app or self.middleware, root_path=self.root, raise_app_exceptions=False
        )
        return httpx.AsyncClient(transport=transport, base_url=f"http://serve{self.root}")

    async def get(self, path: str, **params: str) -> httpx.Response:
        async with self.client() as client:
            return await client.get(path, params=params)

    async def post(self, path: str, body: Any = None, **options: Any) -> httpx.Response:
        async with self.client() as client:
            return await client.post(
                path, **({"json": body} if body is not None else {}), **options
            )

    async def post_from_gateway(
        self, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """As the panel posts a flow's form: with the proof."""
        return await self.post(path, body, headers={**(headers or {}), **PROOF})

    async def start(self, flow: str = "", name: str = "Ada", **body: Any) -> httpx.Response:
        sent = {"identifier_from_purchaser": IDENTIFIER, "input_data": {"name": name}, **body}
        return await self.post(f"{flow}/start_job", sent)

    def put(self, **changes: Any) -> Job:
        """A job as the supervisor would have it."""
        now = self.clock.now()
        known = {"identifier": IDENTIFIER, "input_hash": "0" * 64}
        known |= {"id": JOB_ID, "flow": "/", "terms": model.Terms(), "user": "admin"}
        job = Job(**{**known, "created_at": now, "updated_at": now, **changes})
        self.desk.jobs[job.id] = job
        return job

    def ask(self, job: Job, lock_id: str = "lock-1", **changes: Any) -> Lock:
        """An open question of a job."""
        now = self.clock.now()
        asked = {"form": form().get_model(), "expires_at": now + 600, "opened_at": now}
        lock = Lock(**{"id": lock_id, "job_id": job.id, "name": "greeting", **asked, **changes})
        self.desk.locks_[lock.id] = lock
        return lock
