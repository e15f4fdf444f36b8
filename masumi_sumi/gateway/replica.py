"""Requests handed on to an app on Ray Serve. Only what an app needs to know goes with them: no
cookie and no key of the panel ever reaches an author's code."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import httpx
from starlette.requests import Request
from starlette.responses import Response

from masumi_sumi.errors import SellerUnavailable, SumiError
from masumi_sumi.faces.body import read_raw
from masumi_sumi.faces.sumi import DIALECT, DIALECT_HEADER, PATH_HEADER

PATIENCE = 60.0
"""Seconds for an answer: longer than a replica waits for the payment node and the supervisor."""

CONNECT_SECONDS = 5.0

IDLE_SECONDS = 5.0
"""How long an idle connection is kept: shorter than Serve does, so that none is found closed."""

_GOES_ALONG = ("content-type", "user-agent")
_COMES_BACK = ("content-type", "allow", "retry-after")


class AppSilent(SumiError):
    """The request went out and no answer came."""

    def __str__(self) -> str:
        return "the app gave no answer; it may or may not have acted"


Sign = Callable[[httpx.Request], Awaitable[None]]


class Replica:
    """Apps on Ray Serve at ``url``, by their paths there. ``sign`` adds the gateway's proof."""

    def __init__(
        self,
        url: str,
        transport: httpx.AsyncBaseTransport | None = None,
        sign: Sign | None = None,
    ) -> None:
        limits = httpx.Limits(max_keepalive_connections=50, keepalive_expiry=IDLE_SECONDS)
        self._client = httpx.AsyncClient(
            base_url=url,
            timeout=httpx.Timeout(PATIENCE, connect=CONNECT_SECONDS),
            limits=limits,
            transport=transport,
            trust_env=False,
            event_hooks={"request": [sign]} if sign else None,
        )

    async def notebook(
        self, request: Request, path: str, params: Mapping[str, str] | None = None
    ) -> Response:
        """The app's answer in the notebook's dialect. Raises SellerUnavailable, AppSilent."""
        headers = {DIALECT_HEADER: DIALECT, PATH_HEADER: request.url.path}
        answer = await self._hand_on(request, path, headers, params)
        if not _is_json(answer):
            raise SellerUnavailable("its app is not up")
        return answer

    async def untouched(
        self, request: Request, path: str, content: bytes | None = None
    ) -> Response:
        """The app's answer as it is. ``content`` is the request's body if that was read already.

        Raises SellerUnavailable where no app answers at this path, AppSilent.
        """
        answer = await self._hand_on(request, path, {}, request.query_params, content)
        if answer.status_code == 404 and not _is_json(answer):
            raise SellerUnavailable("its app is not up")
        return answer

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _hand_on(
        self,
        request: Request,
        path: str,
        headers: Mapping[str, str],
        params: Mapping[str, str] | None,
        content: bytes | None = None,
    ) -> Response:
        kept = {name: request.headers[name] for name in _GOES_ALONG if name in request.headers}
        if request.client is not None:
            kept["x-forwarded-for"] = request.client.host
        try:
            answer = await self._client.request(
                "GET" if request.method == "HEAD" else request.method,
                path,
                content=await read_raw(request) if content is None else content,
                params=httpx.QueryParams(dict(params or {})),
                headers={**kept, **headers},
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise SellerUnavailable("its app is not up") from error
        except httpx.HTTPError as error:
            raise AppSilent() from error
        back = {name: answer.headers[name] for name in _COMES_BACK if name in answer.headers}
        return Response(answer.content, answer.status_code, back)


def _is_json(answer: Response) -> bool:
    return answer.headers.get("content-type", "").startswith("application/json")
