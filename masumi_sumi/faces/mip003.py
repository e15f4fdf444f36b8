"""The MIP-003 face of one flow, worded for every buyer there is.

Ids and hashes come in both spellings and are accepted in both; a job's id may stand in the path.
Times are epoch milliseconds, as the node gave them. No nulls. A refusal of what the buyer sent is
a 4xx: nothing was started.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from masumi_sumi.errors import (
    BodyUnreadable,
    ConfigurationError,
    FieldsInvalid,
    NoDemo,
    SumiError,
)
from masumi_sumi.faces.body import BodyLimits, address_of, object_of, one_of, read_raw, text_field
from masumi_sumi.faces.headers import answer_options, format_allow
from masumi_sumi.faces.openapi import flow_document
from masumi_sumi.faces.refusals import refusal
from masumi_sumi.flows import body_bytes_of, mip003_schema
from masumi_sumi.jobs.model import Job
from masumi_sumi.jobs.questions import Chooser, schema_of
from masumi_sumi.jobs.service import Answered, Hire, JobService, Settle, Standing
from masumi_sumi.payments.statements import Statement
from masumi_sumi.signing import Taken

log = logging.getLogger(__name__)

JOB = "job_id"
INPUT_DATA = ("input_data", "inputData", "input")


@dataclass(frozen=True, slots=True)
class Offer:
    """One flow as it is sold."""

    flow: str
    name: str
    terms: Settle
    app_url: str
    demo: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs what was answered. ``sign(taken, network)`` gives an empty text when it cannot:
    the answer was taken all the same. ``statements`` are wallets' words for the key, by agent.
    """

    public_key: str
    sign: Callable[[Taken, str], Awaitable[str]]
    statements: Mapping[str, Statement] = field(default_factory=dict)


Action = Callable[["Mip003Face", Request, Offer], Awaitable[Response]]


class Mip003Face:
    def __init__(
        self,
        service: JobService,
        uptime: Callable[[], float],
        signer: Signer | None = None,
        limits: BodyLimits | None = None,
    ) -> None:
        """``uptime`` is in seconds; ``limits`` are for requests of every flow."""
        self._service, self._uptime, self._signer = service, uptime, signer
        self._limits = limits or BodyLimits()

    async def __call__(self, request: Request, offer: Offer, action: str) -> Response:
        """Answer ``action`` (a key of ACTIONS) for a flow."""
        if (refused := refused_method(request, action)) is not None:
            return refused
        _, act = ACTIONS[action]
        try:
            return await act(self, request, offer)
        except SumiError as error:
            return refusal(error)
        except Exception:
            log.exception("a request broke off", extra={"flow": offer.flow})
            return JSONResponse({"detail": "internal error"}, status_code=500)

    async def availability(self, request: Request, offer: Offer) -> Response:
        answer: dict[str, Any] = {"type": "masumi-agent", "uptime": str(int(self._uptime()))}
        try:
            terms = offer.terms(None)
        except ConfigurationError as error:
            log.error("flow cannot be sold", extra={"flow": offer.flow, "note": str(error)})
            return JSONResponse({**answer, "status": "unavailable", "message": "not for sale now"})
        if terms.agent_identifier:
            answer["agentIdentifier"] = terms.agent_identifier
        answer |= self._describe_signer(terms.agent_identifier)
        message = f"{offer.name} is ready to accept jobs"
        return JSONResponse({**answer, "status": "available", "message": message})

    def _describe_signer(self, agent_identifier: str) -> dict[str, Any]:
        if self._signer is None:
            return {}
        said = self._signer.statements.get(agent_identifier)
        statement = {"provideInputStatement": said.model_dump(by_alias=True)} if said else {}
        return {"provideInputKey": self._signer.public_key, **statement}

    async def input_schema(self, request: Request, offer: Offer) -> Response:
        return JSONResponse(mip003_schema(await self._service.form(offer.flow)))

    async def _read(self, request: Request, offer: Offer) -> dict[str, Any]:
        """Raises BodyUnreadable."""
        return object_of(await self._read_raw(request, offer))

    async def _read_raw(self, request: Request, offer: Offer) -> bytes:
        """Raises BodyUnreadable; a flow with a longer form takes a larger body."""
        needed = body_bytes_of(await self._service.form(offer.flow))
        return await read_raw(request, self._limits.for_bytes(needed))

    async def start_job(self, request: Request, offer: Offer) -> Response:
        body = await self._read(request, offer)
        names = ("identifier_from_purchaser", "identifierFromPurchaser")
        data = _input_data(body)
        default = "" if offer.terms(None).free else None
        identifier = text_field(body, *names, default=default)
        hire = Hire(offer.flow, identifier, data, offer.app_url, address=address_of(request))
        return JSONResponse(started(await self._service.start(hire, offer.terms)))

    async def start_directly(
        self, request: Request, offer: Offer, elements: list[dict[str, Any]]
    ) -> Response:
        """Start a free flow for whoever posts its form as Kodosumi's panel does, and answer in
        Kodosumi's words. Raises SumiError.
        """
        raw = await self._read_raw(request, offer)
        data = object_of(raw) if raw else {}
        address = address_of(request)
        hire = Hire(offer.flow, "", data, offer.app_url, author_first=True, address=address)
        try:
            job = await self._service.start(hire, offer.terms)
        except FieldsInvalid as error:
            return JSONResponse({"errors": dict(error.fields), "elements": elements})
        return JSONResponse({"result": job.id, "elements": elements})

    async def demo(self, request: Request, offer: Offer) -> Response:
        if offer.demo is None:
            raise NoDemo(offer.flow)
        return JSONResponse(offer.demo)

    async def status(self, request: Request, offer: Offer) -> Response:
        job_id = _job_in(request.path_params.get(JOB, ""), request.query_params)
        return JSONResponse(standing_answer(await self._service.standing(job_id, offer.flow)))

    async def provide_input(self, request: Request, offer: Offer) -> Response:
        body = await self._read(request, offer)
        in_path = request.path_params.get(JOB, "")
        job_id = job_answered(in_path, body)
        if in_path and not _is_wrapped(body):
            body = {"input_data": body}
        chosen = Chooser(
            named=text_field(body, "status_id", "statusId", default=""),
            schema_hash=text_field(body, "input_schema_hash", "inputSchemaHash", default=""),
        )
        data = _input_data(body)
        answered = await self._service.answer(job_id, data, offer.flow, chosen)
        return JSONResponse(
            {
                "status": "success",
                "job_id": job_id,
                "input_hash": answered.input_hash,
                "inputHash": answered.input_hash,
                "signature": await self._sign(answered),
            }
        )

    async def _sign(self, answered: Answered) -> str:
        """Return an empty text without a key: nothing else is a signature."""
        if self._signer is None:
            return ""
        job = answered.job
        taken = Taken(job.id, answered.status_id, job.identifier, answered.input_hash)
        return await self._signer.sign(taken, job.terms.network)

    async def openapi(self, request: Request, offer: Offer) -> Response:
        form = await self._service.form(offer.flow)
        return JSONResponse(flow_document(offer.name, form, offer.terms(None)))


ACTIONS: dict[str, tuple[str, Action]] = {
    "availability": ("GET", Mip003Face.availability),
    "input_schema": ("GET", Mip003Face.input_schema),
    "start_job": ("POST", Mip003Face.start_job),
    "status": ("GET", Mip003Face.status),
    "provide_input": ("POST", Mip003Face.provide_input),
    "demo": ("GET", Mip003Face.demo),
    "openapi": ("GET", Mip003Face.openapi),
}

WITH_JOB = ("status", "provide_input")
"""Actions that also take the job's id as one more segment of their path, as MPP bridges ask."""


def refused_method(request: Request, action: str) -> Response | None:
    """Answer what needs no flow: OPTIONS, and a wrong method. None when ``action`` may be asked."""
    method, _ = ACTIONS[action]
    if request.method == method or (method, request.method) == ("GET", "HEAD"):
        return None
    if request.method == "OPTIONS":
        return answer_options([method])
    headers = {"allow": format_allow([method])}
    return JSONResponse({"detail": f"use {method}"}, status_code=405, headers=headers)


def _input_data(body: dict[str, Any]) -> Any:
    """Raises BodyUnreadable when it is missing, or no object, list of pairs or plain text."""
    name, data = one_of(body, *INPUT_DATA)
    if data is None:
        raise BodyUnreadable(name, "is required")
    if not isinstance(data, dict | list | str):
        raise BodyUnreadable(name, "must be an object")
    return data


def _is_wrapped(body: dict[str, Any]) -> bool:
    """Whether a body that was sent to a job's own path names its ``input_data``, as elsewhere;
    else the body is the answer itself.
    """
    return any(isinstance(body.get(name), dict | list) for name in INPUT_DATA)


def job_answered(in_path: str, body: dict[str, Any]) -> str:
    """The job that a body of provide_input is for. Raises BodyUnreadable for none, and for two."""
    if in_path and not _is_wrapped(body):
        return in_path  # whatever is in the body is data
    named = any(body.get(name) is not None for name in (JOB, "jobId"))
    return _job_in(in_path, body if named or in_path else {JOB: body.get("id")})


def _job_in(in_path: str, said: Mapping[str, Any]) -> str:
    named = text_field(said, JOB, "jobId", default="")
    if in_path and named not in ("", in_path):
        raise BodyUnreadable(JOB, "says something else than the path")
    if not (in_path or named):
        raise BodyUnreadable(JOB, "is required")
    return in_path or named


def started(job: Job) -> dict[str, Any]:
    """All that a buyer needs to pay, in one answer."""
    answer: dict[str, Any] = {
        "status": "success",
        "id": job.id,
        "job_id": job.id,
        "input_hash": job.input_hash,
        "inputHash": job.input_hash,
    }
    if job.identifier:
        answer["identifierFromPurchaser"] = job.identifier
    payment = job.payment
    if payment is None or payment.facts is None:
        return answer
    facts, times = payment.facts, payment.facts.times
    answer |= {
        "payment_id": facts.blockchain_identifier,
        "blockchainIdentifier": facts.blockchain_identifier,
        "agentIdentifier": facts.agent_identifier,
        "sellerVKey": facts.seller_vkey,
        "payByTime": times.pay_by,
        "submitResultTime": times.submit_result,
        "unlockTime": times.unlock,
        "externalDisputeUnlockTime": times.external_dispute_unlock,
        "paymentSourceType": facts.source_type,
        "network": payment.network,
        "amounts": [{"amount": part.amount, "unit": part.unit} for part in facts.price],
    }
    if facts.source_index is not None:
        answer["supportedPaymentSourceIndex"] = facts.source_index
    return answer


def standing_answer(standing: Standing) -> dict[str, Any]:
    """The same for the same state, to the byte."""
    job = standing.job
    answer: dict[str, Any] = {
        "id": standing.id,
        "job_id": job.id,
        "status": standing.status,
        "input_hash": job.input_hash,
    }
    if standing.questions:
        answer["input_schema"] = schema_of(standing.questions)
    if standing.result is not None:
        answer["result"] = standing.result
    if standing.result is not None and job.payment is not None and job.payment.sent_hash:
        answer["result_hash"] = job.payment.sent_hash
    if standing.failure is not None:
        answer |= {"error": standing.failure, "message": standing.failure}
    return answer
