"""Ports of the stack: refused by name before anything starts."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator

from masumi_sumi.errors import PortTaken
from masumi_sumi.settings import Settings

LOOPBACK = "127.0.0.1"

QUIET = range(20_000, 32_000)
"""Below the ports that the system hands out by itself, so that nobody gets ours by chance."""

PARTS = {
    "ray": (("Ray", "ray_port"), ("Ray's dashboard", "dashboard_port")),
    "serve": (("Ray Serve", "serve_port"),),
    "panel": (("the panel", "panel_port"),),
    "sandbox": (("the sandbox", "sandbox_port"),),
}


def refuse_taken(settings: Settings, parts: tuple[str, ...]) -> None:
    """Raises PortTaken for the first port of these parts that is in use or named twice."""
    seen: set[int] = set()
    for part in parts:
        for name, field in PARTS.get(part, ()):
            port: int = getattr(settings, field)
            host = LOOPBACK if part in ("ray", "sandbox") else settings.host
            if port in seen or not is_free(port, host):
                raise PortTaken(name, port, f"SUMI_{field.upper()}")
            seen.add(port)


def is_free(port: int, host: str = LOOPBACK) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen()
        except OSError:
            return False
    return True


def is_open(port: int, host: str = LOOPBACK) -> bool:
    """Whether somebody accepts connections there."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((host, port)) == 0


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now."""
    return [port for port, _ in zip(_free(), range(count), strict=False)]


def _free() -> Iterator[int]:
    for port in random.sample(QUIET, len(QUIET)):
        if is_free(port):
            yield port
