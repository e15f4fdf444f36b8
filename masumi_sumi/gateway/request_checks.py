"""Check every request to the gateway once, before our routes or the panel see it.

Paths have one meaning, browsers change nothing for pages of other sites, bodies are bounded in
size and time, and every answer has the headers that keep a browser from guessing.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Send

from masumi_sumi.errors import BodyUnreadable, SumiError
from masumi_sumi.faces import sumi
from masumi_sumi.faces.body import BodyLimits, check_shape, give_body, read_raw
from masumi_sumi.faces.headers import BUYER_HEADERS, NO_STORE, SAFE_HEADERS, with_headers
from masumi_sumi.faces.paths import find_path_fault
from masumi_sumi.gateway.access import Access
from masumi_sumi.gateway.cross_site import (
    FORMS,
    KEY_HEADER,
    Origins,
    changes_state,
    has_cookie,
    is_expected_type,
)

Scope = MutableMapping[str, Any]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

BUYERS = ("sumi", "mip003")
"""First segments of the paths that buyers ask."""

STATIC = "static"
UPLOADS = ("files", "inputs", "-", "lock")
"""First segments of the panel's pages that a user who is logged in may send more to."""

MOST_FIELDS = 10_000

_SLASHES = re.compile(rb"/+")

# Kodosumi joins its own address, which ends with a slash, and a path; it means one slash.
_KODOSUMIS_OWN = {"//files/complete/": "/files/complete/", "/-//": "/-/"}


class RequestChecks:
    """An ASGI app around the gateway. ``uploads`` is the limit of one request of a user who is
    logged in to the panel."""

    def __init__(
        self, app: ASGIApp, access: Access, origins: Origins, limits: BodyLimits, uploads: int
    ) -> None:
        self.app = app
        self._access, self._origins, self._limits = access, origins, limits
        self._uploads = replace(limits, largest=max(limits.largest, uploads))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope = _with_one_slash(scope)
        send = with_headers(send, _headers_for(scope["path"]))
        if fault := find_path_fault(scope):
            refused = _refuse(scope, 400, "ClientException", f"the path {fault}")
            await refused(scope, receive, send)
        elif first_segment(scope["path"]) in BUYERS:
            await self.app(self._without_foreign_cookie(scope), receive, send)
        else:
            await self._check_for_panel(scope, receive, send)

    async def _check_for_panel(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        refused = self._refuse_other_sites(request)
        if refused is None:
            try:
                receive = give_body(await self._read(request), receive)
            except SumiError as error:
                refused = sumi.refusal(error, request.method, request.url.path)
        await (refused or self.app)(scope, receive, send)

    def _refuse_other_sites(self, request: Request) -> Response | None:
        by_cookie = has_cookie(request)
        if not changes_state(request) or (request.headers.get(KEY_HEADER) and not by_cookie):
            return None
        if self._origins.is_foreign(request):
            said = "a page of another site cannot do this here"
            return _refuse(request.scope, 403, "PermissionDeniedException", said)
        if by_cookie and not is_expected_type(request):
            said = "with the panel's cookie the body must be application/json"
            return _refuse(request.scope, 415, "UnsupportedMediaTypeException", said)
        return None

    def _without_foreign_cookie(self, scope: Scope) -> Scope:
        """A buyer's page of another site is a stranger's, whoever is logged in to the panel."""
        request = Request(scope)
        if not has_cookie(request):
            return scope
        is_plain = not changes_state(request) or is_expected_type(request)
        if is_plain and not self._origins.is_foreign(request):
            return scope
        headers = [each for each in scope["headers"] if each[0] != b"cookie"]
        return {**scope, "headers": headers}

    async def _read(self, request: Request) -> bytes:
        """The whole body, so that nobody behind waits for it. Raises BodyUnreadable."""
        raw = await read_raw(request, await self._limits_for(request))
        given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if given == FORMS[0] and raw.count(b"&") >= MOST_FIELDS:
            raise BodyUnreadable("body", f"has more than {MOST_FIELDS} fields")
        if given not in FORMS and raw.lstrip()[:1] in (b"{", b"["):
            check_shape(raw)
        return raw

    async def _limits_for(self, request: Request) -> BodyLimits:
        """Whoever announces more than a stranger may send must be logged in."""
        announced = request.headers.get("content-length", "")
        is_small = announced.isdigit() and int(announced[:20]) <= self._limits.largest
        if is_small or first_segment(request.scope["path"]) not in UPLOADS:
            return self._limits
        has_body = announced or "transfer-encoding" in request.headers
        is_known = has_body and await self._access.caller(request) is not None
        return self._uploads if is_known else self._limits


def first_segment(path: str) -> str:
    return path.lstrip("/").partition("/")[0]


def _headers_for(path: str) -> dict[str, str]:
    first = first_segment(path)
    if first in BUYERS:
        return BUYER_HEADERS
    return SAFE_HEADERS if first == STATIC else {**SAFE_HEADERS, **NO_STORE}


def _with_one_slash(scope: Scope) -> Scope:
    """Repair what is known to be meant: by buyers of an agent that was registered with a slash at
    its end, and by Kodosumi itself. None of it reaches a file."""
    if scope["path"].startswith(tuple(f"/{first}/" for first in BUYERS)):
        raw = _SLASHES.sub(b"/", bytes(scope.get("raw_path") or b""))
        return {**scope, "path": re.sub("/+", "/", scope["path"]), "raw_path": raw}
    for written, meant in _KODOSUMIS_OWN.items():
        if scope["method"] == "POST" and scope["path"].startswith(written):
            raw = bytes(scope.get("raw_path") or b"").replace(written.encode(), meant.encode(), 1)
            path = scope["path"].replace(written, meant, 1)
            return {**scope, "path": path, "raw_path": raw}
    return scope


def _refuse(scope: Scope, status: int, error: str, detail: str) -> Response:
    """In the words of whoever is asked: MIP-003, or the panel."""
    if first_segment(scope["path"]) == "mip003":
        return JSONResponse({"detail": detail}, status_code=status)
    return sumi.problem(error, status, detail, scope["path"])
