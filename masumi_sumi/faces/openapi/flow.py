"""The document of one flow: its MIP-003 endpoints, with its own input and its own price."""

from __future__ import annotations

from typing import Any

from masumi_sumi.faces.openapi import mip003
from masumi_sumi.faces.openapi.inputs import input_values
from masumi_sumi.faces.openapi.words import (
    OBJECT,
    Schema,
    component,
    document,
    operation,
    parameter,
)
from masumi_sumi.flows import Form, body_bytes_of
from masumi_sumi.jobs.model import Terms
from masumi_sumi.jobs.sale import SALE, Sale

REFUSALS = {
    "availability": (500,),
    "input_schema": (424, 500, 503),
    "start_job": (400, 408, 413, 422, 424, 429, 500, 503),
    "status": (400, 404, 500, 503),
    "provide_input": (400, 404, 408, 409, 413, 422, 500, 503),
    "demo": (404, 500),
    "openapi": (424, 500, 503),
}


def flow_document(name: str, form: Form, terms: Terms) -> Schema:
    """``form`` is what the flow asks for."""
    priced = not terms.free
    started = mip003.STARTED_PRICED if priced else mip003.STARTED_FREE
    own = {"Input": input_values(form), "Started": started}
    sale = Sale.of(terms, body_bytes_of(form))
    paths = {f"/{call}": item for call, item in endpoints(priced=priced).items()}
    return document(name, "./", paths, mip003.SHAPES | own) | {SALE: sale.told()}


def endpoints(*, priced: bool) -> dict[str, Schema]:
    """The path items by endpoint; they speak of components ``Input`` and ``Started``."""
    return _below_flow(priced=priced) | _below_job()


def _below_flow(*, priced: bool) -> dict[str, Schema]:
    start = mip003.start(component("Input"), priced=priced)
    answer = component("Answer")
    said: dict[str, tuple[str, str, str, dict[str, Any]]] = {
        "availability": ("get", "Whether it takes jobs", "Availability", {}),
        "input_schema": ("get", "What it asks", "InputSchema", {}),
        "start_job": ("post", "Hire it", "Started", {"body": start}),
        "status": ("get", "How a job is", "Standing", {"parameters": [parameter("job_id")]}),
        "provide_input": ("post", "Answer a job's question", "Answered", {"body": answer}),
        "demo": ("get", "An example of its work, if there is one", "Demo", {}),
        "openapi": ("get", "This document", "", {}),
    }
    return {
        action: {method: operation(summary, answers(action, shape), **more)}
        for action, (method, summary, shape, more) in said.items()
    }


def _below_job() -> dict[str, Schema]:
    """The same with the job in the path; an answer may be the bare data there."""
    job = [parameter("job_id", "path", pattern="^[0-9A-Za-z_-]{1,64}$")]
    status = operation("How a job is", answers("status", "Standing"), parameters=job)
    answered = answers("provide_input", "Answered")
    provide = operation("Answer a job's question", answered, parameters=job, body=OBJECT)
    return {"status/{job_id}": {"get": status}, "provide_input/{job_id}": {"post": provide}}


def answers(action: str, shape: str) -> dict[int, Schema]:
    refused = {status: component("Refusal") for status in REFUSALS[action]}
    return {200: component(shape) if shape else OBJECT, **refused}
