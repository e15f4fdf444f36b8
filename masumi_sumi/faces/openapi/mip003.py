"""The shapes of MIP-003 as this seller fills them."""

from __future__ import annotations

from masumi_sumi.faces.openapi.words import (
    CLEAN,
    HASH,
    NAME,
    OBJECT,
    TEXT,
    WORD,
    Schema,
    component,
    items,
    option,
    record,
)

TYPES = (
    *("text", "textarea", "number", "boolean", "option", "none", "email", "password", "tel"),
    *("url", "date", "datetime-local", "time", "month", "week", "color", "range", "file"),
    *("hidden", "search", "checkbox", "radio"),
)
STATUSES = ("awaiting_payment", "awaiting_input", "running", "completed", "failed")
RULES = ("optional", "min", "max", "format", "accept")

MILLISECONDS: Schema = {"type": "integer", "minimum": 10**12, "description": "epoch, in ms"}
PURCHASER: Schema = {"type": "string", "pattern": "^(?:[0-9a-fA-F]{2}){7,13}$"}

_FIELDS = items(component("Field"))
_AMOUNT = record(
    ("amount", "unit"), {"amount": {"type": "string", "pattern": "^[0-9]+$"}, "unit": TEXT}
)

_STATEMENT = ("signature", "key", "walletAddress", "signatureData")

_JOB = {
    "status": option("success"),
    "id": WORD,
    "job_id": WORD,
    "input_hash": HASH,
    "inputHash": HASH,
}
_PAYMENT = {
    "identifierFromPurchaser": PURCHASER,
    "payment_id": WORD,
    "blockchainIdentifier": {"type": "string", "minLength": 1, "maxLength": 8000},
    "agentIdentifier": WORD,
    "sellerVKey": {"type": "string", "pattern": "^[0-9a-f]{56}$"},
    "payByTime": MILLISECONDS,
    "submitResultTime": MILLISECONDS,
    "unlockTime": MILLISECONDS,
    "externalDisputeUnlockTime": MILLISECONDS,
    "paymentSourceType": option("Web3CardanoV1", "Web3CardanoV2"),
    "network": option("Preprod", "Mainnet"),
    "amounts": items(_AMOUNT),
}
_INDEX = {"supportedPaymentSourceIndex": {"type": "integer", "minimum": 0, "maximum": 24}}

SHAPES: dict[str, Schema] = {
    "Availability": record(
        ("type", "status", "message", "uptime"),
        {
            "type": option("masumi-agent"),
            "status": option("available", "unavailable"),
            "message": TEXT,
            "agentIdentifier": WORD,
            "provideInputKey": {**WORD, "description": "verifies `signature` of an answer"},
            "provideInputStatement": component("Statement"),
            "uptime": {"type": "string", "pattern": "^[0-9]+$", "description": "seconds"},
        },
    ),
    "Rule": record(("validation", "value"), {"validation": option(*RULES), "value": WORD}),
    "Field": record(
        ("id", "type", "name"),
        {
            "id": WORD,
            "type": option(*TYPES),
            "name": WORD,
            "data": {**OBJECT, "minProperties": 1},
            "validations": items(component("Rule"), minItems=1),
        },
    ),
    "Group": record(
        ("id", "title", "input_data"), {"id": WORD, "title": TEXT, "input_data": _FIELDS}
    ),
    "InputSchema": {
        "oneOf": [
            record(("input_data",), {"input_data": _FIELDS}),
            record(("input_groups",), {"input_groups": items(component("Group"), minItems=1)}),
        ]
    },
    "Standing": {
        **record(
            ("id", "job_id", "status", "input_hash"),
            {
                "id": WORD,
                "job_id": WORD,
                "status": option(*STATUSES),
                "input_hash": HASH,
                "input_schema": component("InputSchema"),
                "result": WORD,
                "result_hash": HASH,
                "error": WORD,
                "message": WORD,
            },
        ),
        "allOf": [
            {"if": {"properties": {"status": {"const": status}}}, "then": then, "else": rest}
            for status, then, rest in (
                ("completed", {"required": ["result"]}, {"not": {"required": ["result"]}}),
                (
                    "awaiting_input",
                    {"required": ["input_schema"]},
                    {"not": {"required": ["input_schema"]}},
                ),
                ("failed", {"required": ["error"]}, {"not": {"required": ["error"]}}),
            )
        ],
    },
    "Answer": record(
        ("job_id", "input_data"),
        {
            "job_id": NAME,
            "input_data": OBJECT,
            "status_id": {**CLEAN, "description": "names the question"},
            "input_schema_hash": {
                **CLEAN,
                "description": "names it too: sha256 of its canonical schema",
            },
        },
        more=True,
    ),
    "Answered": record(
        ("status", "job_id", "input_hash", "inputHash", "signature"),
        {
            "status": option("success"),
            "job_id": WORD,
            "input_hash": HASH,
            "inputHash": HASH,
            "signature": TEXT,
        },
    ),
    "Demo": record(
        ("input", "output"),
        {"input": OBJECT, "output": record(("result",), {"result": TEXT}, more=True)},
        more=True,
    ),
    "Statement": record(_STATEMENT, dict.fromkeys(_STATEMENT, WORD)),
    "Refusal": {
        **record(
            ("detail",), {"detail": WORD, "errors": {**OBJECT, "additionalProperties": items(WORD)}}
        ),
        "description": "Nothing was started; `errors` has the reasons of each field.",
    },
}

STARTED_FREE = record(
    _JOB, {**_JOB, "identifierFromPurchaser": {**TEXT, "description": "if one was sent"}}
)
STARTED_PRICED = record({*_JOB, *_PAYMENT}, {**_JOB, **_PAYMENT, **_INDEX})
STARTED = {"anyOf": [STARTED_FREE, STARTED_PRICED]}


def start(input_data: Schema, *, priced: bool) -> Schema:
    """The body of start_job. The identifier of a free job is any text, or none."""
    required = {"input_data"} | ({"identifier_from_purchaser"} if priced else set())
    who = PURCHASER if priced else {**CLEAN, "maxLength": 250}
    return record(required, {"identifier_from_purchaser": who, "input_data": input_data}, more=True)
