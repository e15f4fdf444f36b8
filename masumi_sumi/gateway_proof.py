"""Prove to an app that a request comes from the gateway.

The gateway holds one master secret. Each app knows only the secret that is derived for its own
route prefix, because an author's code can read what its own replica knows.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from typing import Any

HEADER = "x-sumi-gateway-proof"
"""The gateway sets this header itself and drops it from every request that it receives."""

CLIENT_ADDRESS_HEADER = "x-sumi-client-address"
"""Whose request the gateway hands on; believed together with the proof only."""

APP_SECRET = "SUMI_APP_SECRET"
"""The environment variable that tells an app its own secret."""

_PURPOSE = b"masumi_sumi gateway proof 1\n"

_INTERNAL_HEADERS = (b"x-kodosumi", b"x-sumi-")
_OPEN_HEADERS = frozenset({b"x-sumi-dialect", b"x-sumi-path"})
_SHOWN_SECRET = re.compile(APP_SECRET + r"(\W{1,8})[0-9a-f]{64}")

Headers = list[tuple[bytes, bytes]]


def derive_app_secret(master_secret: str, route_prefix: str) -> str:
    """Return the secret of the app at this route prefix on Ray Serve (``/`` or ``/name``)."""
    route = "/" + route_prefix.strip("/")
    return hmac.new(master_secret.encode(), _PURPOSE + route.encode(), hashlib.sha256).hexdigest()


def is_valid_proof(app_secret: str, proof: bytes) -> bool:
    """Compare in constant time. An app without a secret accepts nothing."""
    return bool(app_secret) and hmac.compare_digest(app_secret.encode(), proof)


def has_valid_proof(app_secret: str, headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Tell whether a request has the proof, once."""
    proofs = [value for name, value in headers if name.lower() == HEADER.encode()]
    return len(proofs) == 1 and is_valid_proof(app_secret, proofs[0])


def drop_internal_headers(headers: Iterable[tuple[bytes, bytes]], *, everything: bool) -> Headers:
    """Return the headers without those that only the gateway and Kodosumi's panel may set.

    An app drops all but two that only change wording; the gateway drops ``everything``.
    """
    kept = frozenset() if everything else _OPEN_HEADERS
    return [(name, value) for name, value in headers if not _is_internal(name, kept)]


def find_client_address(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Return whose request the gateway hands on; empty where it does not say."""
    name = CLIENT_ADDRESS_HEADER.encode()
    found = [value for key, value in headers if key.lower() == name]
    return found[0].decode("latin-1") if len(found) == 1 else ""


def drop_proof(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Return the headers without the proof: an author's code must never see it."""
    return [(name, value) for name, value in headers if _normalize(name) != HEADER.encode()]


def _is_internal(name: bytes, kept: frozenset[bytes]) -> bool:
    plain = _normalize(name)
    return plain.startswith(_INTERNAL_HEADERS) and plain not in kept


def _normalize(name: bytes) -> bytes:
    """Return the name as servers that make variables of headers would read it."""
    return name.strip().lower().replace(b"_", b"-")


def add_app_secret(application: Mapping[str, Any], master_secret: str) -> dict[str, Any]:
    """Return an application of Ray Serve's configuration that is told its secret.

    Only what is sent to Ray Serve may come from here: never what is kept or shown.
    """
    route = application.get("route_prefix", "/")
    if not master_secret or not isinstance(route, str):  # without a route no request reaches it
        return dict(application)
    environment = application.get("runtime_env") or {}
    variables = {
        **(environment.get("env_vars") or {}),
        APP_SECRET: derive_app_secret(master_secret, route),
    }
    return {**application, "runtime_env": {**environment, "env_vars": variables}}


def mask_app_secrets(text: str) -> str:
    """Hide the secrets in what Ray says about an application's configuration."""
    return _SHOWN_SECRET.sub(rf"{APP_SECRET}\1...", text)
