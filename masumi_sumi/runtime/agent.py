"""The author's Kodosumi app, called from inside its own replica: the ``Agent`` of the jobs."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any

import httpx
import ray
from kodosumi.core import forms
from ray.exceptions import RayActorError

from masumi_sumi.errors import (
    FieldsInvalid,
    HandlerFailed,
    LaunchEscaped,
    LockReleased,
    NoLaunch,
    UnknownFlow,
    UnknownLock,
)
from masumi_sumi.flows import error_text
from masumi_sumi.gateway_proof import APP_SECRET
from masumi_sumi.jobs.model import Launch
from masumi_sumi.jobs.ports import Sale
from masumi_sumi.masking import mask_text
from masumi_sumi.runtime import capture
from masumi_sumi.runtime.downloads import Downloads, FileRules
from masumi_sumi.runtime.functions import READS
from masumi_sumi.runtime.spec import pack
from masumi_sumi.settings import MAX_LAUNCH_BYTES

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
ASGIApp = Callable[[Scope, Any, Any], Awaitable[None]]

KODOSUMI = "kodosumi"
_META = ("tags", "summary", "description", "deprecated")
_META_EXTRA = ("author", "organization", "version")


def flows_of(api: Any) -> dict[str, Any]:
    """The author's handlers of a ServeAPI by flow path: all that ``@app.enter`` made."""
    return {
        path: handler
        for (method, path), handler in api._route_lookup.items()
        if method == "post" and "model" in api._method_lookup.get(handler, {})
    }


class KodosumiAgent:
    """``app`` takes the requests; ``serve_api`` is the ServeAPI inside it, for its forms."""

    def __init__(
        self,
        app: ASGIApp,
        serve_api: Any,
        app_url: str,
        downloads: Downloads | None = None,
        max_launch_bytes: int = MAX_LAUNCH_BYTES,
    ) -> None:
        self._app, self._serve_api, self._app_url = app, serve_api, app_url
        self._max_launch_bytes = max_launch_bytes
        self._downloads = downloads or Downloads(FileRules())
        capture.install()

    def flows(self) -> dict[str, Any]:
        """The author's handlers by flow path."""
        return flows_of(self._serve_api)

    async def form(self, flow: str) -> list[dict[str, Any]]:
        return list(self._model(flow).get_model())

    async def inputs(self, flow: str, values: dict[str, Any]) -> Any:
        """As Kodosumi makes a handler's inputs of what was posted; a function's model as it is."""
        named = [e for e in self._model(flow).children if getattr(e, "name", None) is not None]
        inputs = {each.name: each.parse_value(_posted(each, values)) for each in named}
        read = getattr(self.flows()[flow], READS, None)
        try:
            return inputs if read is None else read(inputs)
        except FieldsInvalid as refusal:
            raise FieldsInvalid(_mask_reasons(refusal.errors)) from refusal

    def _model(self, flow: str) -> Any:
        handler = self.flows().get(flow)
        if handler is None:
            raise UnknownFlow(flow)
        return self._serve_api._method_lookup[handler]["model"]

    # --- launching -----------------------------------------------------------------------------

    async def launch(self, flow: str, values: dict[str, Any], sale: Sale) -> Launch:
        await self._downloads.check(sale.files)
        ticket = capture.Ticket(sale.job_id)
        with capture.selling(ticket):
            status, answer = await self._call("POST", flow, values, sale.user, ticket)
        if ticket.escaped:
            raise LaunchEscaped()
        _raise_refusals(flow, status, answer)
        if not ticket.launches or answer.get("result") != sale.job_id:
            raise NoLaunch(flow)
        launch = await asyncio.to_thread(_launch_of, ticket.launches[0], sale)
        self._check_size(flow, launch)
        return launch

    def _check_size(self, flow: str, launch: Launch) -> None:
        """Raises HandlerFailed: what is stored for an unpaid job is bounded."""
        size = len(launch.spec) + len(json.dumps(launch.meta))
        if size > self._max_launch_bytes:
            limit = f"{self._max_launch_bytes} (SUMI_MAX_LAUNCH_BYTES)"
            raise HandlerFailed(flow, f"its launch has {size} bytes; the limit is {limit}")

    # --- locks ---------------------------------------------------------------------------------

    async def lock_form(self, job_id: str, lock_id: str) -> list[dict[str, Any]]:
        status, answer = await self._call("GET", f"/_lock_/{job_id}/{lock_id}")
        if status == 404:
            raise UnknownLock(lock_id)
        if status != 200 or not isinstance(answer, list):
            raise HandlerFailed(f"lock {lock_id}", _reason(answer))
        return answer

    async def lease(self, job_id: str, lock_id: str, values: dict[str, Any]) -> Any:
        status, answer = await self._call("POST", f"/_lock_/{job_id}/{lock_id}", values)
        if status == 404:
            raise LockReleased(lock_id)
        _raise_refusals(f"lock {lock_id}", status, answer)
        return answer.get("result")

    async def release(self, job_id: str, lock_id: str, lease: Any, input_hash: str) -> bool:
        try:
            runner = ray.get_actor(job_id, namespace=KODOSUMI)
            return bool(await runner.lease.remote(lock_id, lease, input_hash))
        except (ValueError, RayActorError) as error:
            raise UnknownLock(lock_id) from error

    # --- calling the app -----------------------------------------------------------------------

    async def _call(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        user: str = "",
        ticket: capture.Ticket | None = None,
    ) -> tuple[int, Any]:
        """One request to the app, in this process. Returns (status, JSON or text)."""
        mark = ticket or capture.Origin.PROVEN

        async def app(scope: Scope, receive: Any, send: Any) -> None:
            scope[capture.SCOPE_KEY] = mark
            await self._app(scope, receive, send)

        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        headers = {"x-kodosumi_user": user, "x-kodosumi_base": self._app_url}
        async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
            response = await client.request(method, path, json=body, headers=headers)
        try:
            return response.status_code, response.json()
        except ValueError:
            return response.status_code, response.text


def _posted(element: Any, values: dict[str, Any]) -> Any:
    value = values.get(element.name)
    if isinstance(element, forms.InputFiles):
        return {item["filename"] for item in json.loads(value)["items"].values()} if value else None
    return False if value is None and isinstance(element, forms.Checkbox) else value


def _raise_refusals(flow: str, status: int, answer: Any) -> None:
    """Raises FieldsInvalid for the author's InputsError, HandlerFailed for anything else."""
    if status != 200 or not isinstance(answer, dict):
        log.error("handler failed", extra={"flow": flow, "note": str(answer)})
        raise HandlerFailed(flow, _reason(answer))
    errors = answer.get("errors")
    if errors is not None:
        raise FieldsInvalid(_mask_reasons(errors))


def _mask_reasons(errors: Mapping[str, Iterable[Any]]) -> dict[str, list[str]]:
    """Return what the author's code says of each field, as a buyer may read it: the words may be
    those of an exception.
    """
    given = {name: list(reasons) for name, reasons in errors.items()}
    return {name: [mask_text(str(why)) for why in found] for name, found in given.items() if found}


def _reason(answer: Any) -> str:
    """Return one line for a buyer: the exception's own words when Kodosumi gives them."""
    detail = answer.get("detail") if isinstance(answer, dict) else None
    if isinstance(detail, str) and "Traceback" not in detail:
        return error_text(detail.lstrip().partition("\n")[0]) if detail else "it gave no reason"
    return "its handler raised an error"


def _launch_of(captured: dict[str, Any], sale: Sale) -> Launch:
    from kodosumi.helper import serialize

    spec = {**captured, "fid": sale.job_id, "username": sale.user, "files": sale.files}
    return Launch(
        spec=pack(spec),
        runtime_env=_own_runtime_env(),
        meta=_meta(spec, sale),
        inputs=serialize(spec.get("inputs")),
    )


def _own_runtime_env() -> dict[str, Any]:
    """Return the environment of this replica for its runners: all but the app's secret, which is
    the replica's alone.
    """
    if not ray.is_initialized():
        return {}
    return without_app_secret(dict(ray.get_runtime_context().runtime_env))


def without_app_secret(runtime_env: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(runtime_env))
    variables = {**(found.get("env_vars") or {})}
    if APP_SECRET not in variables:
        return found
    del variables[APP_SECRET]
    rest = {name: value for name, value in found.items() if name != "env_vars"}
    return {**rest, "env_vars": variables} if variables else rest


def _meta(spec: dict[str, Any], sale: Sale) -> dict[str, Any]:
    """The execution's meta event, with all that Kodosumi's own runner writes there."""
    import kodosumi

    entry = spec["entry_point"]
    named = entry if isinstance(entry, str) else f"{entry.__module__}.{_name(entry)}"
    about = spec.get("extra") or {}
    openapi = about.get("openapi_extra") or {}
    return {
        "fid": sale.job_id,
        "username": sale.user,
        "app_url": spec["app_url"],
        "panel_url": "",
        "entry_point": named,
        "kodosumi": kodosumi.__version__,
        **{key: about.get(key) for key in _META},
        **{key: openapi.get(f"x-{key}") for key in _META_EXTRA},
        "extra": {
            "identifier_from_purchaser": sale.identifier,
            "input_hash": sale.input_hash,
            "sumi_endpoint": sale.endpoint,
            "agentIdentifier": sale.agent_identifier,
        },
    }


def _name(entry: Any) -> str:
    return str(getattr(entry, "__name__", type(entry).__name__))
