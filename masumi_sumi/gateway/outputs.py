"""``DELETE /outputs``: the panel archives an execution, after its job was cancelled.

Without it a job that waits for its payment would be paid for, and start, out of sight.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.requests import Request
from starlette.types import Receive, Send

from masumi_sumi.errors import SumiError
from masumi_sumi.gateway.access import Access
from masumi_sumi.gateway.refusals import refusal
from masumi_sumi.jobs.ports import JobReader

Scope = MutableMapping[str, Any]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]
Cancel = Callable[[str, str], Awaitable[None]]

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
        body = await request.body()
        try:
            await self._cancel_all(request, _named(scope["path"], body))
        except SumiError as error:
            await refusal(error, request)(scope, receive, send)
            return
        await self.app(scope, _again(body, receive), send)

    async def _cancel_all(self, request: Request, job_ids: list[str]) -> None:
        caller = await self._access.caller(request)
        for job_id in job_ids if caller else []:
            job = await self._reader.job(job_id)
            if job and caller and job.user == caller.id and not job.state.ended:
                await self._cancel(job_id, REASON)


def _is_ours(path: str) -> bool:
    return path.rstrip("/") == "/outputs" or path.startswith("/outputs/")


def _named(path: str, body: bytes) -> list[str]:
    """The executions that a request is about; what the panel will refuse names none."""
    alone = path.removeprefix("/outputs").strip("/")
    if alone:
        return [alone]
    try:
        said = json.loads(body)
    except ValueError:
        return []
    found = said.get("fid", []) if isinstance(said, dict) else []
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []


def _again(body: bytes, receive: Receive) -> Receive:
    """A channel that gives the body that was read from it."""
    given = False

    async def channel() -> Any:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return channel
