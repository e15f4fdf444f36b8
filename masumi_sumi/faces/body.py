"""Request bodies, read once and strictly: JSON objects of a bounded size, nothing else."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import ClientDisconnect, Request

from masumi_sumi.errors import BodyUnreadable
from masumi_sumi.flows.answers import is_clean

LARGEST = 10 * 2**20
"""Bytes of the largest body that is read."""


async def read_object(request: Request) -> dict[str, Any]:
    """Raises BodyUnreadable, naming ``body``, for anything that is no JSON object."""
    raw = bytearray()
    try:
        async for chunk in request.stream():
            raw += chunk
            if len(raw) > LARGEST:
                raise BodyUnreadable("body", f"is larger than {LARGEST} bytes")
    except ClientDisconnect as error:
        raise BodyUnreadable("body", "ended too early") from error
    return _parsed(bytes(raw))


def _parsed(raw: bytes) -> dict[str, Any]:
    try:
        value = json.loads(raw, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise BodyUnreadable("body", f"is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise BodyUnreadable("body", "must be a JSON object")
    return value


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def text_field(body: dict[str, Any], *names: str, default: str | None = None) -> str:
    """The first of the names that is there, as a string.

    Raises BodyUnreadable when none is there and no default is given, or it is no string.
    """
    for name in names:
        value = body.get(name)
        if value is None:
            continue
        if not isinstance(value, str):
            raise BodyUnreadable(name, "must be a string")
        return _clean(name, value)
    if default is None:
        raise BodyUnreadable(names[0], "is required")
    return default


def query_field(request: Request, *names: str) -> str:
    """The first of the query's parameters that is there. Raises BodyUnreadable when none is."""
    for name in names:
        if value := request.query_params.get(name):
            return _clean(name, value)
    raise BodyUnreadable(names[0], "is required")


def _clean(name: str, value: str) -> str:
    if not is_clean(value):
        raise BodyUnreadable(name, "must not contain NUL or broken characters")
    return value
