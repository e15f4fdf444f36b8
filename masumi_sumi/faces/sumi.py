"""The face of one flow in the dialect of Kodosumi's own demonstration notebook.

Times are epoch seconds, results and validations are objects, nulls are written out. What the
author's own validation or the seller's side refuses is a 201 with ``status: failed``; a request
that breaks the protocol itself is a 400. Nothing was started in either case.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from masumi_sumi.errors import (
    AccessRefused,
    BodyTooLarge,
    BodyTooSlow,
    BodyUnreadable,
    ConfigurationError,
    Conflict,
    FieldsInvalid,
    HandlerFailed,
    InputRefused,
    LaunchError,
    NodeError,
    NotFound,
    SellerBusy,
    SellerUnavailable,
    SumiError,
)
from masumi_sumi.faces.body import BodyLimits, address_of, query_field, read_object, text_field
from masumi_sumi.faces.headers import answer_options, format_allow
from masumi_sumi.faces.mip003 import Offer
from masumi_sumi.faces.refusals import error_headers, sellers_fault
from masumi_sumi.flows import body_bytes_of, result_value, sumi_schema
from masumi_sumi.jobs.model import Job
from masumi_sumi.jobs.questions import Chooser, Question
from masumi_sumi.jobs.service import Hire, JobService, Standing

log = logging.getLogger(__name__)

DIALECT_HEADER = "x-sumi-dialect"
DIALECT = "sumi"
PATH_HEADER = "x-sumi-path"
"""The path that the buyer asked for, where a gateway stands between."""

GLOBAL = "_global_"

STATUS_OF: tuple[tuple[type[SumiError], int, str], ...] = (
    (BodyTooLarge, 413, "RequestEntityTooLarge"),
    (BodyTooSlow, 408, "RequestTimeoutException"),
    (InputRefused, 400, "ValidationException"),
    (AccessRefused, 401, "NotAuthorizedException"),
    (NotFound, 404, "NotFoundException"),
    (Conflict, 409, "ClientException"),
    (SellerBusy, 429, "TooManyRequestsException"),
    (SellerUnavailable, 503, "ServiceUnavailableException"),
)
FAILURES = (FieldsInvalid, LaunchError, NodeError, ConfigurationError)
"""What a POST answers with 201 and ``status: failed``."""

Action = Callable[["SumiFace", Request, Offer], Awaitable[Response]]


class SumiFace:
    def __init__(self, service: JobService, limits: BodyLimits | None = None) -> None:
        self._service, self._limits = service, limits or BodyLimits()

    async def __call__(self, request: Request, offer: Offer, action: str) -> Response:
        """Answer ``action`` (a key of ACTIONS) for a flow."""
        acts = ACTIONS[action]
        act = acts.get("GET" if request.method == "HEAD" else request.method)
        if request.method == "OPTIONS":
            return answer_options(acts)
        if act is None:
            return not_allowed(path_of(request), acts)
        return await answered(act(self, request, offer), request)

    async def availability(self, request: Request, offer: Offer) -> Response:
        try:
            offer.terms(None)
        except ConfigurationError as error:
            log.error("flow cannot be sold", extra={"flow": offer.flow, "note": str(error)})
            return JSONResponse(available(""))
        return JSONResponse(available(offer.name))

    async def input_schema(self, request: Request, offer: Offer) -> Response:
        return JSONResponse(sumi_schema(await self._service.form(offer.flow)))

    async def _read(self, request: Request, offer: Offer) -> dict[str, Any]:
        """Raises BodyUnreadable; a flow with a longer form takes a larger body."""
        needed = body_bytes_of(await self._service.form(offer.flow))
        return await read_object(request, self._limits.for_bytes(needed))

    async def start_job(self, request: Request, offer: Offer) -> Response:
        body = await self._read(request, offer)
        identifier = text_field(body, "identifier_from_purchaser", "identifierFromPurchaser")
        data = _input_data(body, {})
        address = address_of(request)
        hire = Hire(offer.flow, identifier, data, offer.app_url, author_first=True, address=address)
        job = await self._service.start(hire, offer.terms)
        return JSONResponse(started(job), status_code=201)

    async def status(self, request: Request, offer: Offer) -> Response:
        return await self.job_status(query_field(request, "job_id"), offer.flow)

    async def job_status(self, job_id: str, flow: str | None = None) -> Response:
        return JSONResponse(standing_answer(await self._service.standing(job_id, flow)))

    async def lock(self, request: Request, offer: Offer) -> Response:
        job_id, lock_id = query_field(request, "job_id"), query_field(request, "lock_id")
        return await self.job_lock(job_id, lock_id, offer.flow)

    async def job_lock(self, job_id: str, lock_id: str, flow: str | None = None) -> Response:
        return JSONResponse(lock_answer(await self._service.question(job_id, lock_id, flow)))

    async def provide_input(self, request: Request, offer: Offer) -> Response:
        job_id, lock_id = query_field(request, "job_id"), query_field(request, "lock_id")
        data = _input_data(await self._read(request, offer))
        answered = await self._service.answer(
            job_id, data, offer.flow, Chooser(lock_id), over_lock=True
        )
        body = {"input_hash": answered.input_hash, "status": "success"}
        return JSONResponse(body, status_code=201)


ACTIONS: dict[str, dict[str, Action]] = {
    "availability": {"GET": SumiFace.availability},
    "input_schema": {"GET": SumiFace.input_schema},
    "start_job": {"POST": SumiFace.start_job},
    "status": {"GET": SumiFace.status},
    "lock": {"GET": SumiFace.lock, "POST": SumiFace.provide_input},
}


# --- answers -----------------------------------------------------------------------------------


def available(name: str, why_not: str = "not ready to accept jobs") -> dict[str, str]:
    """``name`` is empty for a flow that takes no jobs now."""
    message = f"{name} is ready to accept jobs" if name else why_not
    status = "available" if name else "unavailable"
    return {"message": message, "status": status, "type": "masumi-agent"}


def started(job: Job) -> dict[str, Any]:
    """The dialect calls every job that was taken ``running``; its first status tells more."""
    return _about(job) | {"status": "running", "started_at": job.created_at}


def standing_answer(standing: Standing) -> dict[str, Any]:
    """The same for the same state, to the byte. ``runtime`` in seconds, until the last change."""
    job = standing.job
    questions = [_asked_of_buyer(question) for question in standing.questions]
    done = standing.result is not None
    return _about(job) | {
        "status": standing.status,
        "error": standing.failure,
        "input_schema": questions or None,
        "result": result_value(job.final) if done and job.final is not None else None,
        "runtime": job.updated_at - job.created_at,
    }


def lock_answer(question: Question) -> dict[str, Any]:
    lock = question.lock
    return {
        "job_id": lock.job_id,
        "status_id": lock.id,
        "status": "pending",
        "prompt": lock.name,
        "expires_at": lock.expires_at,
        "input_schema": sumi_schema(question.form),
    }


def _about(job: Job) -> dict[str, Any]:
    return {
        "job_id": job.id,
        "identifier_from_purchaser": job.identifier,
        "error": None,
        "input_schema": None,
        "result": None,
        "runtime": None,
        "started_at": job.created_at,
        "updated_at": job.updated_at,
    }


def _asked_of_buyer(question: Question) -> dict[str, Any]:
    lock = question.lock
    return {"lock_id": lock.id, "expires_at": lock.expires_at, **sumi_schema(question.form)}


# --- refusals ----------------------------------------------------------------------------------


async def answered(answer: Awaitable[Response], request: Request) -> Response:
    """The answer, or the error as its buyer gets it; what only the seller may know is logged."""
    try:
        return await answer
    except SumiError as error:
        return refusal(error, request.method, path_of(request))
    except Exception:
        log.exception("a request broke off", extra={"path": request.url.path})
        return problem("InternalServerException", 500, "internal error", path_of(request))


def refusal(error: SumiError, method: str, path: str) -> Response:
    if isinstance(error, FAILURES) and method == "POST":
        return JSONResponse({"error": _told(error), "status": "failed"}, status_code=201)
    for kind, status, name in STATUS_OF:
        if isinstance(error, kind):
            answer = problem(name, status, _detail(error, method, path), path)
            answer.headers.update(error_headers(error))
            return answer
    log.error("request failed", extra={"note": str(error)})
    return problem("InternalServerException", 500, _told(error), path)


def problem(error: str, status: int, detail: str, path: str) -> Response:
    """An error in the form of Kodosumi's panel; ``error`` is the name of its exception."""
    body = {"detail": detail, "error": error, "path": path, "status_code": status}
    return JSONResponse(body, status_code=status)


def not_allowed(path: str, methods: Mapping[str, Any] | Sequence[str]) -> Response:
    said = f"use {', '.join(methods)}"
    response = problem("MethodNotAllowedException", 405, said, path)
    response.headers["allow"] = format_allow(methods)
    return response


def path_of(request: Request) -> str:
    return unquote(request.headers.get(PATH_HEADER, "")) or str(request.scope["path"])


def _detail(error: SumiError, method: str, path: str) -> str:
    if not isinstance(error, InputRefused):
        text = str(error)
        return text[:1].upper() + text[1:]
    faults = [
        {"message": "Field required" if reason == "is required" else reason, "key": name}
        for name, reasons in error.fields.items()
        for reason in reasons
    ]
    return f"Validation failed for {method} {path}: {faults}"


def _told(error: SumiError) -> str:
    if isinstance(error, FieldsInvalid):
        fields = {name: list(why) for name, why in error.fields.items() if name != GLOBAL}
        everything = fields | {GLOBAL: list(error.fields.get(GLOBAL, ()))}
        return "; ".join(f"{name}: {reasons}" for name, reasons in everything.items())
    if not isinstance(error, HandlerFailed):
        log.error("request failed", extra={"note": str(error)})
    return sellers_fault(error)


# --- requests ----------------------------------------------------------------------------------


def _input_data(body: dict[str, Any], default: Any = None) -> Any:
    """Raises BodyUnreadable when it is neither an object nor a list of pairs."""
    data = body.get("input_data", body.get("inputData"))
    if data is None:
        data = default
    if data is None:
        raise BodyUnreadable("input_data", "is required")
    if not isinstance(data, dict | list):
        raise BodyUnreadable("input_data", "must be an object")
    return data
