"""The few words that the documents are written in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
WORD: Schema = {"type": "string", "minLength": 1}
# What a seller takes has no NUL; some of it is one line, some is not empty.
CLEAN: Schema = {"type": "string", "pattern": r"^[^\u0000]*$"}
LINE: Schema = {"type": "string", "pattern": r"^[^\u0000\r\n]*$"}
NAME: Schema = {"type": "string", "pattern": r"^[^\u0000]+$"}
HASH: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
OBJECT: Schema = {"type": "object"}
NUMBER: Schema = {"type": "number"}

JSON = "application/json"


def record(
    required: Iterable[str], properties: Mapping[str, Schema], *, more: bool = False
) -> Schema:
    """An object that has no other fields than these, unless ``more``."""
    fields = {"properties": dict(properties), "required": sorted(required)}
    shape: Schema = {"type": "object", **fields}
    return shape if more else {**shape, "additionalProperties": False}


def items(schema: Schema, **bounds: Any) -> Schema:
    return {"type": "array", "items": schema, **bounds}


def option(*values: Any) -> Schema:
    return {"enum": list(values)}


def nullable(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def component(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def parameter(name: str, place: str = "query", *, required: bool = True, **schema: Any) -> Schema:
    return {
        "name": name,
        "in": place,
        "required": required,
        "schema": {**NAME, **schema},
    }


def operation(
    summary: str,
    answers: Mapping[int, Schema],
    *,
    parameters: Iterable[Schema] = (),
    body: Schema | None = None,
) -> Schema:
    """``answers`` are schemas by status."""
    said: Schema = {
        "summary": summary,
        "responses": {str(status): _content(schema) for status, schema in answers.items()},
    }
    if given := list(parameters):
        said["parameters"] = given
    if body is not None:
        said["requestBody"] = {"required": True, "content": {JSON: {"schema": body}}}
    return said


def document(title: str, server: str, paths: Schema, schemas: Mapping[str, Schema]) -> Schema:
    """``server`` is relative to where the document is read."""
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": "MIP-003"},
        "servers": [{"url": server}],
        "paths": paths,
        "components": {"schemas": dict(schemas)},
    }


def _content(schema: Schema) -> Schema:
    return {"description": schema.get("title", "JSON"), "content": {JSON: {"schema": schema}}}
