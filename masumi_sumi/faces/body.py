"""Request bodies, read once and strictly: JSON objects of a bounded size, nothing else."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive

from masumi_sumi.errors import BodyTooLarge, BodyTooSlow, BodyUnreadable
from masumi_sumi.flows.answers import is_clean

LARGEST = 10 * 2**20
"""Bytes that no flow's form can raise the limit above."""

DEEPEST = 64
"""How deep objects and lists may stand in each other: no form needs more, and what reads JSON by
recursion breaks at some depth."""

MOST_KEYS = 10_000

_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def address_of(request: Request) -> str:
    """Return the caller's address; empty where the connection has none."""
    return request.client.host if request.client else ""


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """How large a request's body may be, and how long it may take to arrive."""

    largest: int = 2**20
    seconds: float = 10.0

    def for_bytes(self, needed: int) -> BodyLimits:
        """Return limits that a body of ``needed`` bytes fits, as a flow's form may need it."""
        return replace(self, largest=max(self.largest, min(needed, LARGEST)))


async def read_object(request: Request, limits: BodyLimits) -> dict[str, Any]:
    """Raises BodyUnreadable, naming ``body``, for anything that is no JSON object."""
    return object_of(await read_raw(request, limits))


async def read_raw(request: Request, limits: BodyLimits) -> bytes:
    """Raises BodyTooLarge, BodyTooSlow, and BodyUnreadable for a body that breaks off."""
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and int(announced[:20]) > limits.largest:
        raise BodyTooLarge(limits.largest)
    try:
        async with asyncio.timeout(limits.seconds):
            return await _collect(request, limits.largest)
    except TimeoutError as error:
        raise BodyTooSlow(limits.seconds) from error
    except ClientDisconnect as error:
        raise BodyUnreadable("body", "ended too early") from error


async def _collect(request: Request, largest: int) -> bytes:
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > largest:
            raise BodyTooLarge(largest)
    return bytes(raw)


def give_body(raw: bytes, receive: Receive) -> Receive:
    """Return a channel that gives this body, and then what the given channel has."""
    given = False

    async def channel() -> Any:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": raw, "more_body": False}

    return channel


def object_of(raw: bytes) -> dict[str, Any]:
    """Raises BodyUnreadable, naming ``body``, for anything that is no JSON object."""
    check_shape(raw)
    try:
        value = json.loads(raw.decode("utf-8-sig"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise BodyUnreadable("body", f"is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise BodyUnreadable("body", "must be a JSON object")
    return value


def check_shape(raw: bytes) -> None:
    """Refuse JSON that is nested too deeply or has too many keys, before anything parses it.

    Raises BodyUnreadable. Each step is one pass of C code over the body: it costs milliseconds.
    """
    plain = _STRING.sub(b"", raw)
    if plain.count(b":") > MOST_KEYS:
        raise BodyUnreadable("body", f"has more than {MOST_KEYS} keys")
    brackets = plain.translate(None, _NO_BRACKETS)
    for _ in range(DEEPEST):  # the innermost pairs go in each round
        if not brackets:
            return
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    if brackets:
        raise BodyUnreadable("body", f"is nested more than {DEEPEST} deep, or not closed")


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
