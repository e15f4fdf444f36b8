"""``DELETE /outputs``: the panel archives an execution, after its job was cancelled.

Without it a job that waits for its payment would be paid for, and start, out of sight.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.requests import Request
from starlette.types import Receive, Send

from masumi_sumi.errors import BodyUnreadable, SumiError
from masumi_sumi.faces.body import give_body, object_of
from masumi_sumi.gateway.access import Access, Caller
from masumi_sumi.gateway.refusals import refusal
from masumi_sumi.jobs.ports import JobReader

Scope = MutableMapping[str, Any]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]
Cancel = Callable[[str, str], Awaitable[None]]

_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")

REASON = "The seller cancelled this job."


class CancelBeforeArchive:
    """An ASGI app around the panel's. ``cancel`` takes a job's id and the reason for its buyer."""

    def __init__(self, app: ASGIApp, access: Access, reader: JobReader, cancel: Cancel) -> None:
        self.app = app
        self._access, self._reader, self._cancel = access, reader, cancel

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "DELETE" or not _is_ours(scope["path"]):
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        caller = await self._access.caller(request)
        if caller is None:  # the panel refuses it, and nobody read its body
            await self.app(scope, receive, send)
            return
        try:
            scope, receive = await self._archive(request, caller)
        except SumiError as error:
            await refusal(error, request)(scope, receive, send)
            return
        await self.app(scope, receive, send)

    async def _archive(self, request: Request, caller: Caller) -> tuple[Scope, Receive]:
        """Cancel the jobs, and return the request as the panel gets it: it reads the same ids."""
        scope, receive = request.scope, request.receive
        alone = "/".join(_segments(scope["path"])[1:])
        if alone:
            await self._cancel_all(caller, [alone])
            return scope, receive
        job_ids = _listed(object_of(await request.body()))
        await self._cancel_all(caller, job_ids)
        body = json.dumps({"fid": job_ids}).encode()
        return {**scope, "headers": _with_length(scope["headers"], body)}, give_body(body, receive)

    async def _cancel_all(self, caller: Caller, job_ids: list[str]) -> None:
        for job_id in job_ids:
            job = await self._reader.job(job_id)
            if job and caller.controls(job.user) and not job.state.ended:
                await self._cancel(job_id, REASON)


def _is_ours(path: str) -> bool:
    return _segments(path)[:1] == ["outputs"]


def _segments(path: str) -> list[str]:
    """As the panel reads a path: it overlooks empty segments."""
    return [segment for segment in path.split("/") if segment]


def _listed(body: dict[str, Any]) -> list[str]:
    """Return the ids. Raises BodyUnreadable: the panel would take any path for one."""
    found = body.get("fid", [])
    if not isinstance(found, list) or not all(map(_is_id, found)):
        raise BodyUnreadable("fid", "must list ids of executions")
    return found


def _is_id(given: Any) -> bool:
    return isinstance(given, str) and _ID.fullmatch(given) is not None


def _with_length(headers: list[tuple[bytes, bytes]], body: bytes) -> list[tuple[bytes, bytes]]:
    framing = (b"content-length", b"transfer-encoding")
    kept = [each for each in headers if each[0] not in framing]
    return [*kept, (b"content-length", str(len(body)).encode())]
