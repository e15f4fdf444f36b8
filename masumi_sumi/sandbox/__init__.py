"""A Masumi payment node without a chain: the HTTP contract of the real one, time in your hand.

with Sandbox() as sandbox:
    httpx.get(f"{sandbox.url}/payment", params=..., headers={"token": sandbox.token})
    sandbox.advance(3600)
"""

from masumi_sumi.sandbox.errors import ConnectionDropped
from masumi_sumi.sandbox.keys import SandboxKey
from masumi_sumi.sandbox.model import Fund
from masumi_sumi.sandbox.registry import Pricing
from masumi_sumi.sandbox.server import (
    DEFAULT_PORT,
    Sandbox,
    SandboxFailed,
    create_app,
    is_loopback,
    serve,
)

__all__ = [
    "DEFAULT_PORT",
    "ConnectionDropped",
    "Fund",
    "Pricing",
    "Sandbox",
    "SandboxFailed",
    "SandboxKey",
    "create_app",
    "is_loopback",
    "serve",
]
