"""What an expose is: a named deployment of an app on Ray Serve, with a card for each flow."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, get_args

from masumi_sumi.errors import ExposeInvalid
from masumi_sumi.jobs.sale import Sale
from masumi_sumi.settings import Network

NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
NAME_RULE = (
    "must be 1 to 63 of a-z, 0-9 and '-', beginning and ending with a letter or a digit, "
    "as a label of a host name"
)

RESERVED = frozenset({"availability", "boot", "default", "expose", "health", "lock", "status"})
"""Names that would hide a path of ours, as /sumi/status/..., or Ray Serve's default application."""

URL_PART = re.compile(r"[A-Za-z0-9._~{}-]+")
URL_RULE = "must be /NAME/ and the flow's path, of letters, digits and . _ ~ - only"

STALE_SECONDS = 3600.0
"""A state that nobody has looked at for so long is stale."""


class ExposeState(StrEnum):
    DRAFT = "DRAFT"  # nothing to deploy yet
    DEAD = "DEAD"  # not on Ray Serve
    RUNNING = "RUNNING"
    UNHEALTHY = "UNHEALTHY"  # on Ray Serve, but failed


class FlowState(StrEnum):
    ALIVE = "alive"
    DEAD = "dead"  # its application does not run
    NOT_FOUND = "not-found"  # its application runs and has no such flow


@dataclass(frozen=True, slots=True)
class FlowMeta:
    """The card of a flow. ``url`` is ``/NAME/`` and the flow's path; ``data`` is YAML, see Card.

    ``state`` and ``heartbeat`` are what was seen last, None for a card not looked at since it was
    changed. ``sale`` is how its app sells it now, by its own word when it was looked at last; None
    where that is not known, or nobody sells it.
    """

    url: str
    data: str | None = None
    enabled: bool = True
    state: FlowState | None = None
    heartbeat: float | None = None
    sale: Sale | None = None


@dataclass(frozen=True, slots=True)
class Expose:
    """``bootstrap`` is YAML, see Bootstrap. Times are seconds since the epoch.

    ``deployed`` says what Ray Serve was last given for it, None when nothing; ``error`` is Ray's
    own message while the expose is UNHEALTHY.
    """

    name: str
    created: float
    updated: float
    state: ExposeState
    heartbeat: float
    bootstrap: str | None = None
    display: str | None = None
    network: Network | None = None
    enabled: bool = True
    meta: tuple[FlowMeta, ...] = ()
    deployed: str | None = field(default=None, repr=False)
    error: str = ""
    stale: bool = False

    @property
    def etag(self) -> str:
        """Another one after each change of what an operator sets."""
        return str(self.updated)

    @property
    def flow_stats(self) -> str:
        """Flows that answer, of those that were looked at: ``"6/6"``."""
        seen = [each for each in self.meta if each.state is not None]
        return f"{sum(each.state is FlowState.ALIVE for each in seen)}/{len(seen)}"

    @property
    def needs_reboot(self) -> bool:
        """Whether Ray Serve has another bootstrap of it than this one, or one it must not have."""
        if self.deployed is None:
            return False
        return not self.enabled or self.bootstrap != self.deployed

    def seen(self, at: float) -> Expose:
        return replace(self, stale=self.state is ExposeState.RUNNING and _is_old(self, at))


def _is_old(expose: Expose, at: float) -> bool:
    return at - expose.heartbeat > STALE_SECONDS


def checked_name(name: object, what: str = "name") -> str:
    """Raises ExposeInvalid with the rule."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ExposeInvalid(what, NAME_RULE)
    if name in RESERVED:
        raise ExposeInvalid(what, f"{name!r} is reserved: {', '.join(sorted(RESERVED))} are")
    return name


def checked_url(url: object, name: str) -> str:
    """The address of a flow below this expose. Raises ExposeInvalid with the rule."""
    if not isinstance(url, str) or len(url) > 500:
        raise ExposeInvalid("url", URL_RULE)
    root, *parts = url.removeprefix("/").removesuffix("/").split("/")
    fine = all(URL_PART.fullmatch(part) and part.strip(".") for part in parts)
    if not url.startswith("/") or root != name or not fine:
        raise ExposeInvalid("url", f"{url!r} {URL_RULE.replace('NAME', name)}")
    return url


def checked_network(network: object) -> Network | None:
    """Raises ExposeInvalid with the rule."""
    known: tuple[Network, ...] = get_args(Network)
    if network is None:
        return None
    for each in known:
        if network == each:
            return each
    raise ExposeInvalid("network", f"must be {' or '.join(known)}, or null for none of its own")


def flow_path(url: str) -> str:
    """The flow's path inside its app: ``/prime/async`` is ``/async``, ``/prime/`` is ``/``."""
    _, _, path = url.removeprefix("/").partition("/")
    return f"/{path.strip('/')}"


def expose_json(expose: Expose) -> dict[str, Any]:
    """The expose as the HTTP API shows it. ``last_error`` is there only where there is one."""
    failed = {"last_error": expose.error} if expose.error else {}
    return {
        "name": expose.name,
        "display": expose.display,
        "network": expose.network,
        "enabled": expose.enabled,
        "state": expose.state.value,
        "heartbeat": expose.heartbeat,
        "bootstrap": expose.bootstrap,
        "meta": [_meta_json(each) for each in expose.meta] or None,
        "created": _iso(expose.created),
        "updated": _iso(expose.updated),
        "etag": expose.etag,
        "flow_stats": expose.flow_stats,
        "stale": expose.stale,
        "needs_reboot": expose.needs_reboot,
        **failed,
    }


def _meta_json(meta: FlowMeta) -> dict[str, Any]:
    return {
        "url": meta.url,
        "data": meta.data,
        "enabled": meta.enabled,
        "state": meta.state and meta.state.value,
        "heartbeat": meta.heartbeat,
    }


def _iso(at: float) -> str:
    """UTC, without saying so, as clients of this API know it."""
    return datetime.fromtimestamp(at, UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
