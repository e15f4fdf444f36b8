"""``DELETE /outputs``: the panel archives an execution, after its job was cancelled.

Without it a job that waits for its payment would be paid for, and start, out of sight. Such a job
has no execution yet: there is nothing to archive, and the panel is not asked.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Send

from masumi_sumi.errors import BodyUnreadable, SumiError
from masumi_sumi.faces.body import give_body, object_of
from masumi_sumi.gateway.access import Access, Caller
from masumi_sumi.gateway.refusals import refusal
from masumi_sumi.jobs.model import Job
from masumi_sumi.jobs.ports import JobReader

Scope = MutableMapping[str, Any]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]
Cancel = Callable[[str, str], Awaitable[None]]

_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")

REASON = "The seller cancelled this job."


class CancelBeforeArchive:
    """An ASGI app around the panel's. ``cancel`` takes a job's id and the reason for its buyer;
    ``is_written`` tells whether a job has, or had, an execution.
    """

    def __init__(
        self,
        app: ASGIApp,
        access: Access,
        reader: JobReader,
        cancel: Cancel,
        is_written: Callable[[Job], bool],
    ) -> None:
        self.app = app
        self._access, self._reader, self._cancel = access, reader, cancel
        self._is_written = is_written

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
            left = await self._archive(request, caller)
        except SumiError as error:
            await refusal(error, request)(scope, receive, send)
            return
        if left is None:
            await Response(status_code=204)(scope, receive, send)
            return
        await self.app(*left, send)

    async def _archive(self, request: Request, caller: Caller) -> tuple[Scope, Receive] | None:
        """Cancel the jobs, and return the request as the panel gets it: it reads the same ids, but
        for those without an execution. None when no other is left.
        """
        scope, receive = request.scope, request.receive
        alone = "/".join(_segments(scope["path"])[1:])
        if alone:
            return None if await self._cancel_all(caller, [alone]) else (scope, receive)
        job_ids = _listed(object_of(await request.body()))
        unwritten = await self._cancel_all(caller, job_ids)
        left = [job_id for job_id in job_ids if job_id not in unwritten]
        if unwritten and not left:
            return None
        body = json.dumps({"fid": left}).encode()
        return {**scope, "headers": _with_length(scope["headers"], body)}, give_body(body, receive)

    async def _cancel_all(self, caller: Caller, job_ids: list[str]) -> set[str]:
        """Return the caller's jobs that are cancelled, or ended, and never had an execution."""
        unwritten = set()
        for job_id in job_ids:
            job = await self._reader.job(job_id)
            if job is None or not caller.controls(job.user):
                continue
            if not job.state.ended:
                await self._cancel(job_id, REASON)
            if job.payment is not None and not await asyncio.to_thread(self._is_written, job):
                unwritten.add(job_id)
        return unwritten


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
