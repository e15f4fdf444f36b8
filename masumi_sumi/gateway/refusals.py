"""Errors of the gateway's own routes, in the form of Kodosumi's panel."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from masumi_sumi.errors import PanelError, ServeError, SumiError
from masumi_sumi.faces import sumi
from masumi_sumi.gateway.access import LoginNeeded, OperatorNeeded
from masumi_sumi.gateway.replica import AppSilent, AppUnreadable

log = logging.getLogger(__name__)

Endpoint = Callable[[Request], Awaitable[Response]]

STATUS_OF: tuple[tuple[type[SumiError], int, str], ...] = (
    (LoginNeeded, 401, "NotAuthorizedException"),
    (OperatorNeeded, 403, "PermissionDeniedException"),
    (AppUnreadable, 502, "BadGatewayException"),
    (AppSilent, 504, "GatewayTimeoutException"),
    (ServeError, 502, "BadGatewayException"),
    (PanelError, 502, "BadGatewayException"),
)


def told(act: Endpoint, worded: Callable[[SumiError, Request], Response] | None = None) -> Endpoint:
    """The endpoint with its errors answered instead of raised, as ``worded`` does or the panel."""
    worded = worded or refusal

    async def endpoint(request: Request) -> Response:
        try:
            return await act(request)
        except SumiError as error:
            return worded(error, request)
        except Exception:
            log.exception("a request broke off", extra={"path": request.url.path})
            path = request.url.path
            return sumi.problem("InternalServerException", 500, "internal error", path)

    return endpoint


def refusal(error: SumiError, request: Request) -> Response:
    for kind, status, name in STATUS_OF:
        if isinstance(error, kind):
            return sumi.problem(name, status, str(error), request.url.path)
    return sumi.refusal(error, request.method, request.url.path)
