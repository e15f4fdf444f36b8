"""How MIP-003 refuses: the status of each error, and what its buyer may hear of it."""

from __future__ import annotations

import logging
import math
from typing import Any

from starlette.responses import JSONResponse, Response

from masumi_sumi.errors import (
    AccessRefused,
    BodyTooLarge,
    BodyTooSlow,
    ConfigurationError,
    Conflict,
    HandlerFailed,
    InputRefused,
    LaunchError,
    NodeError,
    NodeRefused,
    NotFound,
    SellerBusy,
    SellerUnavailable,
    SourceUnclear,
    SumiError,
)
from masumi_sumi.flows import error_text

log = logging.getLogger(__name__)

STATUS_OF: tuple[tuple[type[SumiError], int], ...] = (
    (BodyTooLarge, 413),
    (BodyTooSlow, 408),
    (InputRefused, 400),
    (AccessRefused, 401),
    (NotFound, 404),
    (Conflict, 409),
    (LaunchError, 422),
    (NodeError, 424),
    (ConfigurationError, 424),
    (SellerBusy, 429),
    (SellerUnavailable, 503),
)
"""A 5xx is for what may have begun: marketplaces keep their user's money bound then. Where it is
sure that nothing did, at whosever fault, it is a 4xx."""

_SELLERS = (LaunchError, NodeError, ConfigurationError, SellerUnavailable)

NODE_AWAY = "the seller's payment node does not answer; nothing was started, try again"
NODE_REFUSES = "the seller's payment node cannot sell this; nothing was started"
MISCONFIGURED = "the agent is not set up correctly; nothing was started"


def refusal(error: SumiError) -> Response:
    """An error as its buyer gets it; what only the seller may know stays in the log."""
    status = next((code for kind, code in STATUS_OF if isinstance(error, kind)), 500)
    if isinstance(error, _SELLERS):
        log.error("request failed", extra={"note": str(error)})
    body: dict[str, Any] = {"detail": _told(error)}
    if isinstance(error, InputRefused):
        body["errors"] = dict(error.fields)
    return JSONResponse(body, status_code=status, headers=error_headers(error))


def error_headers(error: SumiError) -> dict[str, str]:
    """Return what else an answer tells: when to come back (``Retry-After``, in whole seconds), or
    that the rest of a body is not wanted and the connection ends."""
    if isinstance(error, SellerBusy):
        return {"retry-after": str(max(1, math.ceil(error.retry_after)))}
    return {"connection": "close"} if isinstance(error, BodyTooLarge | BodyTooSlow) else {}


def _told(error: SumiError) -> str:
    if isinstance(error, NodeError | ConfigurationError | LaunchError):
        return sellers_fault(error)
    return str(error) or "the input was refused"


def sellers_fault(error: SumiError) -> str:
    """What a buyer may hear of it."""
    if isinstance(error, NodeError):
        return NODE_REFUSES if isinstance(error, NodeRefused | SourceUnclear) else NODE_AWAY
    if isinstance(error, HandlerFailed):
        return str(HandlerFailed(error.flow, error_text(error.reason)))
    return MISCONFIGURED
