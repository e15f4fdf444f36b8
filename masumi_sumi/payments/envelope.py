"""The node's envelope: the data in it, or the error that the answer stands for."""

from __future__ import annotations

from typing import Any

import httpx

from masumi_sumi.errors import (
    NodeConflict,
    NodeFailed,
    NodeForbidden,
    NodeNotFound,
    NodeRefused,
    NodeUnauthorized,
    NodeUnreadable,
)

_REFUSALS: dict[int, type[NodeRefused]] = {
    401: NodeUnauthorized,
    403: NodeForbidden,
    404: NodeNotFound,
    409: NodeConflict,
}
_LONGEST_MESSAGE = 1000


def data_of(call: str, response: httpx.Response) -> dict[str, Any]:
    """``data`` of a success. Raises NodeFailed, NodeRefused or NodeUnreadable.

    Texts of 5xx are never read: in production the node replaces them. A refusal counts as the
    node's only in the node's own envelope: a proxy's 404 page says nothing about a payment.
    """
    status = response.status_code
    if status >= 500:
        raise NodeFailed(call, status)
    if 300 <= status < 400:
        raise NodeUnreadable(call, _redirect(response))
    body = _body(call, response)
    if status >= 400:
        raise _REFUSALS.get(status, NodeRefused)(call, status, _message(call, status, body))
    data = body.get("data")
    if body.get("status") != "success" or not isinstance(data, dict):
        raise NodeUnreadable(call, f"status {status}, but no success with data in it")
    return data


def _redirect(response: httpx.Response) -> str:
    target = response.headers.get("location", "nowhere")[:200]
    return f"it redirects to {target}; redirects are not followed, correct the node's URL"


def _body(call: str, response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except (ValueError, RecursionError):
        kind = response.headers.get("content-type", "no content type")[:100]
        reason = f"status {response.status_code} with {kind} that is no JSON"
        raise NodeUnreadable(call, f"{reason}; does the node's URL end in /api/v1?") from None
    if not isinstance(body, dict):
        raise NodeUnreadable(call, f"status {response.status_code} with JSON that is no object")
    return body


def _message(call: str, status: int, body: dict[str, Any]) -> str:
    error = body.get("error")
    message = error.get("message") if isinstance(error, dict) else None
    if not isinstance(message, str) or not message:
        raise NodeUnreadable(call, f"status {status} without the node's error message")
    return message[:_LONGEST_MESSAGE]
