"""The documents of the gateway: every flow in MIP-003, and the notebook's dialect."""

from __future__ import annotations

from masumi_sumi.faces.openapi import mip003, notebook
from masumi_sumi.faces.openapi.flow import endpoints
from masumi_sumi.faces.openapi.words import (
    OBJECT,
    Schema,
    component,
    document,
    operation,
    parameter,
)

EXPOSE = parameter("expose", "path")
FLOW = parameter("flow", "path", description="of the expose; the one at its root has none")
JOB = parameter("job_id")
JOB_IN_PATH = parameter("job_id", "path")
HANDED_ON = (400, 401, 404, 502, 503, 504)
"""How the gateway itself refuses what it would hand on to an app."""
BODY = (408, 413)
"""How it refuses a body that is too slow or too large."""


def mip003_document() -> Schema:
    """Flows are not listed: each has a document of its own, with its input, at ``openapi``."""
    paths: Schema = {}
    for place, parameters in (("{expose}", [EXPOSE]), ("{expose}/{flow}", [EXPOSE, FLOW])):
        for action, item in endpoints(priced=False).items():
            paths[f"/{place}/{action}"] = _behind(item, parameters)
    own = {"Input": OBJECT, "Started": mip003.STARTED, "Problem": notebook.PROBLEM}
    return document("MIP-003 through the gateway", "./", paths, mip003.SHAPES | own)


def _behind(item: Schema, parameters: list[Schema]) -> Schema:
    """An app's endpoint with the gateway's refusals, worded alike, beside its own. A path that no
    flow can have, such as one with a line break, is the panel's 404."""
    refused = operation("", {status: component("Refusal") for status in HANDED_ON})["responses"]
    unknown = operation("", {404: {"anyOf": [component("Refusal"), component("Problem")]}})
    return {
        method: {
            **said,
            "parameters": [*parameters, *said.get("parameters", [])],
            "responses": refused | said["responses"] | unknown["responses"],
        }
        for method, said in item.items()
    }


def sumi_document() -> Schema:
    """``/sumi`` as Kodosumi's notebook asks it."""
    paths: Schema = {
        "/sumi": {"get": _get("What is for hire", "Page", notebook.PAGING, (400, 404))},
        "/sumi/status/{job_id}": {"get": _get("How a job is", "Job", [JOB_IN_PATH])},
        "/sumi/lock/{job_id}/{lock_id}": _lock(),
    }
    for place, parameters in (("{expose}", [EXPOSE]), ("{expose}/{flow}", [EXPOSE, FLOW])):
        paths |= {
            f"/sumi/{place}": {"get": _get("A flow", "Flow", parameters)},
            **{f"/sumi/{place}/{name}": item for name, item in _hiring(parameters).items()},
        }
    return document("Kodosumi's dialect", "..", paths, notebook.SHAPES | mip003.SHAPES)


def _hiring(parameters: list[Schema]) -> dict[str, Schema]:
    started = {
        201: component("Taken"),
        **{status: component("Problem") for status in (*HANDED_ON, *BODY, 429, 500)},
    }
    start = operation("Hire it", started, parameters=parameters, body=component("Start"))
    return {
        "availability": {"get": _get("Whether it takes jobs", "Ready", parameters)},
        "input_schema": {"get": _get("What it asks", "Schema", parameters)},
        "start_job": {"post": start},
        "status": {"get": _get("How a job is", "Job", [*parameters, JOB])},
    }


def _lock() -> Schema:
    given = [JOB_IN_PATH, parameter("lock_id", "path")]
    refused = {status: component("Problem") for status in (*HANDED_ON, *BODY, 409, 500)}
    taken = {"anyOf": [component("Provided"), component("Failed")]}
    return {
        "get": _get("A job's question", "Lock", given, (*HANDED_ON, 409, 500)),
        "post": operation(
            "Answer it", {201: taken, **refused}, parameters=given, body=component("Provide")
        ),
    }


def _get(
    summary: str,
    shape: str,
    parameters: list[Schema],
    refusals: tuple[int, ...] = (*HANDED_ON, 500),
) -> Schema:
    refused = {status: component("Problem") for status in refusals}
    return operation(summary, {200: component(shape), **refused}, parameters=parameters)
