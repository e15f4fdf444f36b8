"""Requests handed on to an app on Ray Serve. Only what an app needs to know goes with them: no
cookie and no key of the panel ever reaches an author's code. And only JSON comes back: a page of an
app would speak in the panel's name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import quote

import httpx
from starlette.requests import Request
from starlette.responses import Response

from masumi_sumi.errors import SellerUnavailable, SumiError
from masumi_sumi.faces.body import BodyLimits, read_raw
from masumi_sumi.faces.sumi import DIALECT, DIALECT_HEADER, PATH_HEADER
from masumi_sumi.gateway_proof import CLIENT_ADDRESS_HEADER

PATIENCE = 60.0
"""Seconds for an answer: longer than a replica waits for the payment node and the supervisor."""

CONNECT_SECONDS = 5.0

IDLE_SECONDS = 5.0
"""How long an idle connection is kept: shorter than Serve does, so that none is found closed."""

_GOES_ALONG = ("content-type", "user-agent")
_COMES_BACK = ("allow", "retry-after")

JSON = "application/json"

NOT_UP = (404, 503)
"""What Serve answers, in plain text, where no app is or none has room."""


class AppSilent(SumiError):
    """The request went out and no answer came."""

    def __str__(self) -> str:
        return "the app gave no answer; it may or may not have acted"


class AppUnreadable(AppSilent):
    """An answer came that is not for buyers: a page, or a way to somewhere else."""

    def __str__(self) -> str:
        return "the app did not answer with JSON; it may or may not have acted"


Sign = Callable[[httpx.Request], Awaitable[None]]


class Replica:
    """Apps on Ray Serve at ``url``, by their paths there. ``sign`` adds the gateway's proof.

    ``limits`` are for requests to any app; ``body_bytes`` is what a request to one flow may need.
    """

    def __init__(
        self,
        url: str,
        transport: httpx.AsyncBaseTransport | None = None,
        sign: Sign | None = None,
        limits: BodyLimits | None = None,
    ) -> None:
        self._limits = limits or BodyLimits()
        pool = httpx.Limits(max_keepalive_connections=50, keepalive_expiry=IDLE_SECONDS)
        self._client = httpx.AsyncClient(
            base_url=url,
            timeout=httpx.Timeout(PATIENCE, connect=CONNECT_SECONDS),
            limits=pool,
            transport=transport,
            trust_env=False,
            event_hooks={"request": [sign]} if sign else None,
        )

    async def read(self, request: Request, body_bytes: int = 0) -> bytes:
        """Return what is handed on of a request's body. Raises BodyUnreadable."""
        if request.method in ("GET", "HEAD"):
            return b""
        return await read_raw(request, self._limits.for_bytes(body_bytes))

    async def notebook(
        self,
        request: Request,
        path: str,
        params: Mapping[str, str] | None = None,
        body_bytes: int = 0,
    ) -> Response:
        """Return the app's answer in the notebook's dialect.

        Raises BodyUnreadable, SellerUnavailable where no app answers at this path, AppSilent.
        """
        headers = {DIALECT_HEADER: DIALECT, PATH_HEADER: quote(request.scope["path"])}
        content = await self.read(request, body_bytes)
        return await self._hand_on(request, path, headers, params, content)

    async def untouched(
        self,
        request: Request,
        path: str,
        content: bytes | None = None,
        body_bytes: int = 0,
    ) -> Response:
        """Return the app's JSON as it is. ``content`` is the request's body if that was read
        already. Raises what ``notebook`` raises.
        """
        if content is None:
            content = await self.read(request, body_bytes)
        return await self._hand_on(request, path, {}, request.query_params, content)

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _hand_on(
        self,
        request: Request,
        path: str,
        headers: Mapping[str, str],
        params: Mapping[str, str] | None,
        content: bytes,
    ) -> Response:
        kept = {name: request.headers[name] for name in _GOES_ALONG if name in request.headers}
        if request.client is not None:
            kept["x-forwarded-for"] = request.client.host
            kept[CLIENT_ADDRESS_HEADER] = request.client.host
        sent = {**kept, **headers}
        try:
            answer = await self._client.request(
                "GET" if request.method == "HEAD" else request.method,
                path,
                content=content,
                params=httpx.QueryParams(dict(params or {})),
                headers=[(name.encode(), value.encode("latin-1")) for name, value in sent.items()],
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise SellerUnavailable("its app is not up") from error
        except httpx.HTTPError as error:
            raise AppSilent() from error
        if answer.is_redirect or not _is_json(answer):
            raise _fault_of(answer)
        back = {name: answer.headers[name] for name in _COMES_BACK if name in answer.headers}
        return Response(answer.content, answer.status_code, back, media_type=JSON)


def _fault_of(answer: httpx.Response) -> SumiError:
    return (
        SellerUnavailable("its app is not up") if answer.status_code in NOT_UP else AppUnreadable()
    )


def _is_json(answer: httpx.Response) -> bool:
    given = str(answer.headers.get("content-type", ""))
    return given.partition(";")[0].strip().lower() == JSON
