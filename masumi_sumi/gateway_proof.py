"""Prove to an app that a request comes from the gateway.

The gateway holds one master secret. Each app knows only the secret that is derived for its own
route prefix, because an author's code can read what its own replica knows.
"""

from __future__ import annotations

import hashlib
import hmac

HEADER = "x-sumi-gateway-proof"
"""The gateway sets this header itself and drops it from every request that it receives."""

_PURPOSE = b"masumi_sumi gateway proof 1\n"


def derive_app_secret(master_secret: str, route_prefix: str) -> str:
    """Return the secret of the app at this route prefix on Ray Serve (``/`` or ``/name``)."""
    route = "/" + route_prefix.strip("/")
    return hmac.new(master_secret.encode(), _PURPOSE + route.encode(), hashlib.sha256).hexdigest()


def is_valid_proof(app_secret: str, proof: bytes) -> bool:
    """Compare in constant time. An app without a secret accepts nothing."""
    return bool(app_secret) and hmac.compare_digest(app_secret.encode(), proof)
