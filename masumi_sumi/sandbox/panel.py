"""The control panel over HTTP: ``/sandbox/*``, beside the node's own API.

It wants an admin key of the node in the header ``token``; the page ``/docs`` asks for it under
"Authorize". A page of another origin is refused: a browser would carry it past the loopback.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response, Security
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from fastapi.security import APIKeyHeader
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from masumi_sumi.sandbox.contract import SUBMIT
from masumi_sumi.sandbox.controls import ADA_10, Controls
from masumi_sumi.sandbox.errors import Forbidden, Refused
from masumi_sumi.sandbox.registry import Holder, Metadata, PricingType


class Advance(BaseModel):
    seconds: float = Field(ge=0)


class Mine(BaseModel):
    blocks: int = Field(1, ge=1, le=10_000)


class Register(BaseModel):
    """An agent, confirmed at once."""

    agentIdentifier: str | None = Field(None, min_length=57, max_length=250)
    version: Literal[1, 2] = 1
    name: str = "Sandbox Agent"
    url: str = Field("http://localhost:8000", min_length=1, max_length=250)
    pricing: PricingType = "Fixed"
    amount: int = ADA_10
    unit: str = ""
    holder: Holder = "selling"
    metadata: Metadata = "valid"


class Aim(BaseModel):
    """Patterns of the requests that a fault strikes; ``times`` null never runs out."""

    method: str = "*"
    path: str = "*"
    times: int | None = 1


class Fail(Aim):
    status: int = Field(500, ge=400, le=599)
    message: str = "Internal Server Error"


class Delay(Aim):
    seconds: float = Field(ge=0)
    times: int | None = None


class Throttle(BaseModel):
    seconds: float = Field(ge=0)


class Pay(BaseModel):
    blockchainIdentifier: str
    bad: bool = False


class Act(BaseModel):
    blockchainIdentifier: str
    step: str
    resultHash: str | None = None


class Force(BaseModel):
    blockchainIdentifier: str
    state: str
    resultHash: str | None = None
    quietly: bool = False


class Spoil(BaseModel):
    step: str = SUBMIT
    times: int = 1
    note: str = "Submitting result failed: simulated"
    broadcast: bool = False


class OneRow(BaseModel):
    blockchainIdentifier: str


class Lag(BaseModel):
    seconds: float = Field(ge=0)


class _PanelRoute(APIRoute):
    """Refusals in the node's own envelope."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        handle: Callable[[Request], Awaitable[Response]] = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except Refused as refused:
                body = {"status": "error", "error": {"message": refused.message}}
                return JSONResponse(body, refused.status)

        return answer


_TOKEN = APIKeyHeader(name="token", auto_error=False, description="An admin key of the node.")


def control_routes(controls: Controls) -> APIRouter:
    async def check_caller(
        request: Request, token: Annotated[str | None, Security(_TOKEN)]
    ) -> None:
        """Raises Unauthorized without an admin key, Forbidden for pages of other origins."""
        origin = request.headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
            raise Forbidden("the sandbox is not controlled by pages of another origin")
        controls.node.keys.admit(token, "admin")

    router = APIRouter(
        prefix="/sandbox",
        tags=["sandbox"],
        route_class=_PanelRoute,
        dependencies=[Security(check_caller)],
    )
    _add_time(router, controls)
    _add_faults(router, controls)
    _add_chain(router, controls)
    _add_looks(router, controls)
    return router


def _add_time(router: APIRouter, controls: Controls) -> None:
    @router.post("/advance")
    async def advance(body: Advance) -> dict[str, Any]:
        """Let time pass: blocks, deadlines and automatic steps happen in their order."""
        await run_in_threadpool(controls.advance, body.seconds)
        return await run_in_threadpool(controls.state)

    @router.post("/mine")
    async def mine(body: Mine) -> dict[str, Any]:
        """Blocks now, without time passing."""
        await run_in_threadpool(controls.mine, body.blocks)
        return await run_in_threadpool(controls.state)

    @router.post("/reset")
    async def reset() -> dict[str, Any]:
        """No rows, agents, faults or counts; the machine's time again."""
        await run_in_threadpool(controls.reset)
        return await run_in_threadpool(controls.state)


def _add_faults(router: APIRouter, controls: Controls) -> None:
    @router.post("/fail")
    async def fail(body: Fail) -> dict[str, Any]:
        """Answer a status without acting."""
        controls.fail(body.method, body.path, body.status, body.times, body.message)
        return {"status": "ok"}

    @router.post("/lose")
    async def lose(body: Aim) -> dict[str, Any]:
        """Act, then cut the connection without a word."""
        controls.lose(body.method, body.path, body.times)
        return {"status": "ok"}

    @router.post("/delay")
    async def delay(body: Delay) -> dict[str, Any]:
        """Wait before acting."""
        controls.delay(body.method, body.path, body.seconds, body.times)
        return {"status": "ok"}

    @router.post("/throttle")
    async def throttle(body: Throttle) -> dict[str, Any]:
        """Let each request take this long, one after the other."""
        controls.throttle(body.seconds)
        return {"status": "ok"}

    @router.post("/down")
    async def down() -> dict[str, Any]:
        """Cut every connection to the node's API without acting."""
        controls.down()
        return {"status": "ok"}

    @router.post("/up")
    async def up() -> dict[str, Any]:
        """Take the node up again."""
        controls.up()
        return {"status": "ok"}

    @router.post("/calm")
    async def calm() -> dict[str, Any]:
        """No faults any more."""
        await run_in_threadpool(controls.calm)
        return {"status": "ok"}


def _add_chain(router: APIRouter, controls: Controls) -> None:
    @router.post("/register")
    async def register(body: Register) -> dict[str, Any]:
        """An agent of this node, confirmed at once."""
        identifier = await run_in_threadpool(
            controls.register,
            body.agentIdentifier,
            version=body.version,
            name=body.name,
            url=body.url,
            pricing=body.pricing,
            amount=body.amount,
            unit=body.unit,
            holder=body.holder,
            metadata=body.metadata,
        )
        return {"agentIdentifier": identifier}

    @router.post("/pay")
    async def pay(body: Pay) -> dict[str, Any]:
        """A buyer of another node locks the funds (``bad``: wrongly) in the next block."""
        await run_in_threadpool(controls.pay, body.blockchainIdentifier, bad=body.bad)
        return {"status": "ok"}

    @router.post("/act")
    async def act(body: Act) -> dict[str, Any]:
        """A contract step from outside in the next block, e.g. request-refund, withdraw."""
        await run_in_threadpool(controls.act, body.blockchainIdentifier, body.step, body.resultHash)
        return {"status": "ok"}

    @router.post("/force")
    async def force(body: Force) -> dict[str, Any]:
        """Both sides see a state at once; ``quietly`` leaves NextAction as it is."""
        await run_in_threadpool(
            controls.force,
            body.blockchainIdentifier,
            body.state,
            body.resultHash,
            quietly=body.quietly,
        )
        return {"status": "ok"}

    @router.post("/spoil")
    async def spoil(body: Spoil) -> dict[str, Any]:
        """The next sendings of a step fail, before or behind the broadcast."""
        await run_in_threadpool(
            controls.spoil, body.step, body.times, body.note, broadcast=body.broadcast
        )
        return {"status": "ok"}

    @router.post("/roll-back")
    async def roll_back(body: OneRow) -> dict[str, Any]:
        """The chain drops a payment's newest transaction."""
        await run_in_threadpool(controls.roll_back, body.blockchainIdentifier)
        return {"status": "ok"}

    @router.post("/lag")
    async def lag(body: Lag) -> dict[str, Any]:
        """Blocks stamp rows too early by so much; 0 ends it."""
        await run_in_threadpool(controls.lag, body.seconds)
        return {"status": "ok"}


def _add_looks(router: APIRouter, controls: Controls) -> None:
    @router.get("/state")
    async def state() -> dict[str, Any]:
        """Time, chain, rows by state, faults."""
        return await run_in_threadpool(controls.state)

    @router.get("/requests")
    async def requests() -> dict[str, int]:
        """Requests to the node's API by method and path since the last reset."""
        return dict(controls.requests())

    @router.delete("/requests")
    async def forget_requests() -> dict[str, Any]:
        """Count from zero again."""
        controls.forget_requests()
        return {"status": "ok"}
