"""``SumiMiddleware``: sells the flows of a Kodosumi app from inside the app.

Below each flow's own path it answers the MIP-003 endpoints, and the notebook's where a gateway
asks for that dialect. Whatever is not one of them goes to the app. Kodosumi's own way to start a
flow, its locks and its headers are for requests that the gateway proved (``admission``).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from masumi_sumi import compose
from masumi_sumi.errors import (
    BodyUnreadable,
    DirectLaunchRefused,
    InputRefused,
    SettingInvalid,
    SumiError,
)
from masumi_sumi.faces import mip003, sumi
from masumi_sumi.faces.body import BodyLimits
from masumi_sumi.faces.calls import Call, call_of
from masumi_sumi.faces.headers import BUYER_HEADERS, NO_STORE, SAFE_HEADERS, with_headers
from masumi_sumi.faces.mip003 import Mip003Face, Offer, Signer
from masumi_sumi.faces.paths import find_encoded_fault
from masumi_sumi.faces.refusals import refusal
from masumi_sumi.faces.sumi import SumiFace
from masumi_sumi.flows import Form, read_form, submitted
from masumi_sumi.jobs.model import Terms
from masumi_sumi.plugin.admission import Admission
from masumi_sumi.plugin.decorator import terms_of
from masumi_sumi.plugin.terms import FlowTerms
from masumi_sumi.runtime import shared_state
from masumi_sumi.runtime.capture import SCOPE_KEY, is_marked
from masumi_sumi.runtime.endpoints import REFUSAL_KEY, guard
from masumi_sumi.runtime.serving import serve_api_of

Scope = MutableMapping[str, Any]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

Face = Mip003Face | SumiFace

EVERY_FLOW = "*"

DIRECT_HEADERS = {**SAFE_HEADERS, **NO_STORE}
"""Of answers to who is no buyer: no page of another origin may read them."""

log = logging.getLogger(__name__)

# Nothing but the wording hangs on it, so anybody may ask in it.
_DIALECT = (sumi.DIALECT_HEADER.encode(), sumi.DIALECT.encode())


class SumiMiddleware:
    """Plain ASGI around a ServeAPI app, or a FastAPI app with flows of ``sumi.flow``.

    ``flows`` are an operator's terms by flow path (``"*"`` for all of them); they win over the
    author's. ``defaults`` hold where neither says anything. ``app_url`` is the address of the
    app on Serve; by default it follows from SUMI_SERVE_PORT and the route prefix. ``parts`` are
    wired from the settings unless given.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        flows: Mapping[str, FlowTerms] | None = None,
        defaults: FlowTerms | None = None,
        app_url: str = "",
        api: Any = None,
        parts: compose.AppParts | None = None,
    ) -> None:
        self.app = app
        self._api = _serve_api_of(app if api is None else api)
        self._flows, self._defaults = dict(flows or {}), defaults or FlowTerms()
        self._app_url = app_url
        self._parts = parts or compose.app_parts()
        self._admission = Admission(self._parts.settings, self._find_terms)
        self._parts.capture_launches()
        guard(self._api.routes, _refuse)
        shared_state.protect(self._api)
        self._names: dict[str, str] = {}
        self._find_names()
        self._opening = asyncio.Lock()
        self._faces: tuple[Mip003Face, SumiFace] | None = None
        proxies = self._parts.settings.proxy_networks
        self._behind_proxies: Any = ProxyHeadersMiddleware(self._handle, trusted_hosts=proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """``scope["client"]`` is the caller, also behind a proxy that is trusted."""
        await self._behind_proxies(scope, receive, send)

    async def _handle(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
            return
        if not is_marked(scope):
            scope = self._admission.admit(scope)
        if scope["type"] != "http":
            await self._pass_on(scope, receive, send)
            return
        root = scope.get("root_path", "").rstrip("/")
        notebook = _DIALECT in scope["headers"]
        actions = (sumi.ACTIONS,) if notebook else (mip003.ACTIONS, mip003.WITH_JOB)
        found = self._match(call_of(_local_path(scope, root), *actions))
        if found is None:
            await self._pass_on(scope, receive, send)
            return
        flow, asked = found
        try:
            _check_path(scope)
            self._admission.check(scope, flow, asked.action)
            face: Face = (await self._open(root))[notebook]
        except SumiError as error:
            response = refusal(error)
        else:
            named = {mip003.JOB: asked.job_id} if asked.job_id else {}
            request = Request({**scope, "path_params": named}, receive, send)
            response = await face(request, self._offer(flow), asked.action)
        await response(scope, receive, with_headers(send, BUYER_HEADERS))

    def check(self) -> None:
        """Raises ConfigurationError when a flow's terms cannot hold, its demo is none of its form,
        or answers cannot be signed, before anything is sold.
        """
        guard(self._api.routes, _refuse)  # again, for flows that came later
        shared_state.protect(self._api)
        self._parts.statements()
        for flow, handler in compose.flows_of(self._api).items():
            terms = self._terms(flow, handler)
            terms.settle(flow, self._parts.settings, None)
            if terms.demo is not None:
                _check_demo(flow, terms.demo["input"], read_form(self._elements(flow)))

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What is not ours. What a middleware around this one has marked stays marked so."""
        if is_marked(scope):
            await self.app(scope, receive, send)
            return
        origin = self._admission.find_origin(scope)
        scope[SCOPE_KEY], scope[REFUSAL_KEY] = origin, self
        with self._parts.coming_from(origin):
            await self.app(scope, receive, send)

    async def start(self, request: Request, flow: str) -> Response:
        """Answer a stranger who starts a flow as Kodosumi's panel does: what is free and public
        becomes a job like any other, told in Kodosumi's words.
        """
        try:
            response = await self._start(request, flow)
        except SumiError as error:
            return _refuse(error)
        except Exception:  # Kodosumi would show its traceback
            log.exception("a request broke off", extra={"flow": flow})
            response = JSONResponse({"detail": "internal error"}, status_code=500)
        response.headers.update(DIRECT_HEADERS)
        return response

    async def open_lock(self, request: Request) -> Response:
        return _refuse()

    async def _start(self, request: Request, flow: str) -> Response:
        if not self._admission.is_given_away(flow):
            raise DirectLaunchRefused()
        root = request.scope.get("root_path", "").rstrip("/")
        face, _ = await self._open(root)
        return await face.start_directly(request, self._offer(flow), self._elements(flow))

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.check()
        try:
            await self.app(scope, receive, send)
        finally:
            await self._parts.aclose()

    async def _open(self, root: str) -> tuple[Mip003Face, SumiFace]:
        async with self._opening:
            if self._faces is None:
                self._app_url = self._app_url or self._parts.app_url(root)
                agent = self._parts.agent(self.app, self._api, self._app_url)
                service = await self._parts.service(agent)
                given = self._parts.settings
                limits = BodyLimits(given.body_bytes, given.body_seconds)
                face = Mip003Face(service, self._parts.uptime, self._make_signer(), limits)
                self._faces = face, SumiFace(service, limits)
            return self._faces

    def _make_signer(self) -> Signer | None:
        key = self._parts.public_key()
        return Signer(key, self._parts.sign, self._parts.statements()) if key else None

    def _match(self, call: Call | None) -> tuple[str, Call] | None:
        """The flow that is asked, and for what; None for a path that is not ours."""
        if call is None or self._is_own(call):
            return None
        base = call.base.rstrip("/")  # of an agent that was registered with a slash at its end
        flows = compose.flows_of(self._api)
        return next(((flow, call) for flow in (base, f"{base}/") if flow in flows), None)

    def _is_own(self, call: Call) -> bool:
        """Whether the author serves this path, or pages below it: it stays the author's."""
        taken = f"{call.base.rstrip('/')}/{call.action}"
        own = self._own_paths()
        below = call.job_id and any(path.startswith(f"{taken}/") for path in own)
        return taken in own or bool(below)

    def _own_paths(self) -> set[str]:
        return {getattr(route, "path", "").rstrip("/") for route in self._api.routes}

    def _offer(self, flow: str) -> Offer:
        handler = compose.flows_of(self._api)[flow]
        demo = self._terms(flow, handler).demo
        name = self._find_names()[flow]
        return Offer(flow, name, lambda data: self._settle(flow, data), self._app_url, demo)

    def _find_names(self) -> dict[str, str]:
        """Return the name of each flow as it was deployed; no request changes it later."""
        for flow, handler in compose.flows_of(self._api).items():
            if flow not in self._names:
                facts = self._api._method_lookup.get(handler, {})
                self._names[flow] = str(facts.get("summary") or facts.get("name") or flow)
        return self._names

    def _elements(self, flow: str) -> list[dict[str, Any]]:
        handler = compose.flows_of(self._api)[flow]
        elements: list[dict[str, Any]] = self._api._method_lookup[handler]["model"].get_model()
        return elements

    def _find_terms(self) -> dict[str, FlowTerms]:
        """Return the terms of all flows, by their paths."""
        flows = compose.flows_of(self._api)
        return {flow: self._terms(flow, handler) for flow, handler in flows.items()}

    def _terms(self, flow: str, handler: Any) -> FlowTerms:
        operator = self._flows.get(flow, FlowTerms()).over(self._flows.get(EVERY_FLOW, FlowTerms()))
        return operator.over(terms_of(handler)).over(self._defaults)

    def _settle(self, flow: str, data: Any) -> Terms:
        handler = compose.flows_of(self._api)[flow]
        return self._terms(flow, handler).settle(flow, self._parts.settings, data)


def _check_path(scope: Scope) -> None:
    """Raises BodyUnreadable for a path of ours that is written as no buyer writes it."""
    if fault := find_encoded_fault(scope):
        raise BodyUnreadable("path", fault)


def _refuse(error: SumiError | None = None) -> Response:
    response = refusal(error or DirectLaunchRefused())
    response.headers.update(DIRECT_HEADERS)
    return response


def _check_demo(flow: str, given: Any, form: Form) -> None:
    """A buyer orders what a demo shows. Raises SettingInvalid."""
    try:
        submitted(form, given)
    except InputRefused as error:
        rule = f"expected an input that its form takes: {error}"
        raise SettingInvalid(f"demo of flow {flow}", given, rule) from error


def _local_path(scope: Scope, root: str) -> str:
    path = str(scope["path"])
    is_below = root and (path == root or path.startswith(f"{root}/"))
    return (path[len(root) :] if is_below else path) or "/"


def _serve_api_of(app: Any) -> Any:
    """What keeps the flows inside layers of middleware. Raises TypeError when nothing does."""
    found = app
    while serve_api_of(found) is None:
        found = getattr(found, "app", None)
        if found is None:
            raise TypeError("SumiMiddleware needs a kodosumi ServeAPI app, or flows of sumi.flow")
    return serve_api_of(found)
