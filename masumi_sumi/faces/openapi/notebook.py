"""The shapes of the dialect of Kodosumi's notebook; what it does not know is null."""

from __future__ import annotations

from masumi_sumi.faces.openapi.mip003 import STATUSES, TYPES
from masumi_sumi.faces.openapi.words import (
    HASH,
    NUMBER,
    OBJECT,
    TEXT,
    WORD,
    Schema,
    component,
    items,
    nullable,
    option,
    parameter,
    record,
)

PAGING = [
    parameter("pp", required=False, pattern="^[0-9]{1,9}$", description="how many"),
    parameter("offset", required=False),
    parameter("expose", required=False),
]

PROBLEM = record(
    ("detail", "error", "path", "status_code"),
    {
        "detail": WORD,
        "error": WORD,
        "path": WORD,
        "status_code": {"type": "integer", "minimum": 400, "maximum": 599},
    },
)

_JOB = {
    "job_id": WORD,
    "identifier_from_purchaser": TEXT,
    "status": option(*STATUSES),
    "error": nullable(WORD),
    "input_schema": nullable(items(component("Asked"), minItems=1)),
    "result": nullable(OBJECT),
    "runtime": nullable({**NUMBER, "minimum": 0}),
    "started_at": NUMBER,
    "updated_at": NUMBER,
}
_SCHEMA = {"input_data": items(component("SumiField")), "input_groups": {"type": "null"}}
_ASKED = {"lock_id": WORD, "expires_at": NUMBER, **_SCHEMA}
_LOCK = {
    "job_id": WORD,
    "status_id": WORD,
    "status": option("pending"),
    "prompt": TEXT,
    "expires_at": NUMBER,
    "input_schema": component("Schema"),
}
_FLOW = {
    **dict.fromkeys(("id", "parent", "name", "display", "api_url", "mip003_url"), TEXT),
    "tags": items(TEXT, minItems=1),
    "agentPricing": {"type": ["array", "object"]},
    "agentIdentifier": nullable(TEXT),
    "metadata_version": {"type": "integer"},
    "description": nullable(TEXT),
    "image": {},
    "example_output": {},
    "author": {},
    "capability": {},
    "legal": {},
    "network": nullable(option("Preprod", "Mainnet")),
    "state": option("alive", "dead"),
}
_READY = {
    "message": WORD,
    "status": option("available", "unavailable"),
    "type": option("masumi-agent"),
}
_FIELD = {
    "id": WORD,
    "type": option(*TYPES),
    "name": TEXT,
    "data": nullable(OBJECT),
    "validations": nullable(OBJECT),
}

SHAPES: dict[str, Schema] = {
    "Problem": PROBLEM,
    "Ready": record(_READY, _READY),
    "SumiField": record(_FIELD, _FIELD),
    "Schema": record(_SCHEMA, _SCHEMA),
    "Asked": record(_ASKED, _ASKED),
    "Job": record(_JOB, _JOB),
    "Failed": record(("status", "error"), {"status": option("failed"), "error": WORD}),
    "Taken": {"anyOf": [component("Job"), component("Failed")]},
    "Lock": record(_LOCK, _LOCK),
    "Provided": record(("status", "input_hash"), {"status": option("success"), "input_hash": HASH}),
    "Flow": record(_FLOW, _FLOW),
    "Page": record(
        ("items", "offset"), {"items": items(component("Flow")), "offset": nullable(WORD)}
    ),
    "Start": record(
        ("identifier_from_purchaser",),
        {"identifier_from_purchaser": TEXT, "input_data": OBJECT},
        more=True,
    ),
    "Provide": record(("input_data",), {"input_data": OBJECT}, more=True),
}
