"""Request bodies, read once and strictly: JSON objects of a bounded size, nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.requests import ClientDisconnect, Request

from masumi_sumi.errors import BodyUnreadable
from masumi_sumi.flows.answers import is_clean

LARGEST = 10 * 2**20
"""Bytes of the largest body that is read."""


async def read_object(request: Request) -> dict[str, Any]:
    """Raises BodyUnreadable, naming ``body``, for anything that is no JSON object."""
    return object_of(await read_raw(request))


async def read_raw(request: Request) -> bytes:
    """Raises BodyUnreadable for more than LARGEST bytes, and for a body that breaks off."""
    raw = bytearray()
    try:
        async for chunk in request.stream():
            raw += chunk
            if len(raw) > LARGEST:
                raise BodyUnreadable("body", f"is larger than {LARGEST} bytes")
    except ClientDisconnect as error:
        raise BodyUnreadable("body", "ended too early") from error
    return bytes(raw)


def object_of(raw: bytes) -> dict[str, Any]:
    """Raises BodyUnreadable, naming ``body``, for anything that is no JSON object."""
    try:
        value = json.loads(raw, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise BodyUnreadable("body", f"is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise BodyUnreadable("body", "must be a JSON object")
    return value


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def text_field(body: Mapping[str, Any], *names: str, default: str | None = None) -> str:
    """What is there by one of the names, as a string.

    Raises BodyUnreadable when none is there and no default is given, it is no string, or two of
    the names disagree.
    """
    name, value = one_of(body, *names)
    if value is None:
        if default is None:
            raise BodyUnreadable(names[0], "is required")
        return default
    if not isinstance(value, str):
        raise BodyUnreadable(name, "must be a string")
    return _clean(name, value)


def query_field(request: Request, *names: str) -> str:
    """The query's parameter of one of the names. Raises BodyUnreadable as ``text_field`` does."""
    said = {name: value for name, value in request.query_params.items() if value}
    return text_field(said, *names)


def one_of(body: Mapping[str, Any], *names: str) -> tuple[str, Any]:
    """The first of the names that is there, with its value; None for none.

    Raises BodyUnreadable when another of them says something else.
    """
    found = [(name, body[name]) for name in names if body.get(name) is not None]
    for name, value in found[1:]:
        if value != found[0][1]:
            raise BodyUnreadable(name, f"says something else than {found[0][0]}")
    return found[0] if found else (names[0], None)


def _clean(name: str, value: str) -> str:
    if not is_clean(value):
        raise BodyUnreadable(name, "must not contain NUL or broken characters")
    return value
